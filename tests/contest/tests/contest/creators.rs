//! Handlers that upsert, and sixteen clients that want to create the same post.

use futures_util::future::join_all;
use sqlx::{MySql, Postgres, Sqlite};
use wire::Server;

use crate::{Available, create, program, send};

const CREATORS: usize = 16;

/// How many posts are created one after the other.
const ROUNDS: u32 = 25;

/// Lets the creators race for one post after the other, through two server processes. Gives how many
/// of them had a success, for each post.
async fn successes<D: Available>(unprotected: bool) -> Option<Vec<usize>> {
    let database = D::fresh().await?;
    let mut servers = Vec::new();
    for _ in 0..2 {
        let mut command = std::process::Command::new(program().path);
        command
            .args(["--store", &database.url, "--strategy", "transaction"])
            .args(unprotected.then_some("--unprotected"));
        servers.push(Server::spawn(command).await.unwrap());
    }
    let mut successes = Vec::new();
    for id in 1..=u64::from(ROUNDS) {
        let creators = (0..CREATORS).map(|creator| {
            let addr = servers[creator % servers.len()].addr();
            tokio::spawn(async move {
                let answer = send(addr, &create(id, &format!("by {creator}"))).await;
                assert!(
                    matches!(answer.status(), 200 | 201 | 412),
                    "{}",
                    answer.text()
                );
                answer.status() < 300
            })
        });
        let created = join_all(creators).await.into_iter().map(Result::unwrap);
        successes.push(created.filter(|created| *created).count());
    }
    Some(successes)
}

async fn exactly_one<D: Available>() {
    let Some(successes) = successes::<D>(false).await else {
        return;
    };
    assert_eq!(successes, vec![1; ROUNDS as usize]);
}

async fn more_than_one<D: Available>() {
    let Some(successes) = successes::<D>(true).await else {
        return;
    };
    assert!(
        successes.iter().any(|successes| *successes > 1),
        "{successes:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_creates_in_sqlite() {
    exactly_one::<Sqlite>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_creates_in_postgres() {
    exactly_one::<Postgres>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_creates_in_mariadb() {
    exactly_one::<MySql>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_several_create_without_the_hold_in_sqlite() {
    more_than_one::<Sqlite>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_several_create_without_the_hold_in_postgres() {
    more_than_one::<Postgres>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_several_create_without_the_hold_in_mariadb() {
    more_than_one::<MySql>().await;
}

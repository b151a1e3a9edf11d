//! P1, P2, P4, P7 and P9 over sockets: many clients write the same few posts at once, on every store, hang
//! up in the middle, and find the server killed and started again. `history` checks what they saw.
//!
//! The negative control is the same race against the same API on a store that trusts the check in
//! front.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod kill;
mod naive;

use std::process::Command;

use history::{Race, Report};
use wire::Server;

/// Ids that no POST has given out.
const POSTS: std::ops::Range<u64> = 1_000..1_010;

/// The built example on this store.
async fn spawn(store: &str) -> Server {
    spawn_with(store, "compare-and-swap").await
}

async fn spawn_with(store: &str, strategy: &str) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posts"));
    command
        .args([
            "--listen",
            "127.0.0.1:0",
            "--store",
            store,
            "--strategy",
            strategy,
        ])
        .env("RUST_LOG", "error");
    Server::spawn(command).await.unwrap()
}

fn sqlite_in(folder: &tempfile::TempDir) -> String {
    format!("sqlite:{}", folder.path().join("posts.db").display())
}

fn race(server: &Server) -> Race {
    Race {
        readers: 4,
        ..Race::new(server.addr(), POSTS.collect::<Vec<_>>())
    }
}

fn assert_clean(report: &Report, server: &Server) {
    println!("{report}");
    assert!(report.is_clean(), "{report}\n{}", server.stderr());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_writes_in_sqlite_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = spawn(&sqlite_in(&folder)).await;
    let history = race(&server).run().await.unwrap();
    assert_clean(&history.check(), &server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_writes_in_memory_lose_nothing() {
    let server = spawn("memory:").await;
    let history = race(&server).run().await.unwrap();
    assert_clean(&history.check(), &server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_hang_up_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for store in [sqlite_in(&folder), "memory:".to_owned()] {
        let server = spawn(&store).await;
        let race = Race {
            hang_ups: 0.2,
            acknowledged: 2_000,
            ..race(&server)
        };
        let history = race.run().await.unwrap();
        assert_clean(&history.check(), &server);
    }
}

/// Two processes on one database.
async fn two_processes_in_postgres_lose_nothing(strategies: [&str; 2]) {
    let Some(database) = services::postgres().await else {
        return;
    };
    let server = spawn_with(database.url(), strategies[0]).await;
    let other = spawn_with(database.url(), strategies[1]).await;
    let race = Race {
        others: vec![other.addr()],
        hang_ups: 0.1,
        acknowledged: 2_000,
        ..race(&server)
    };
    let history = race.run().await.unwrap();
    assert_clean(&history.check(), &server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compare_and_swap_in_postgres_loses_nothing() {
    two_processes_in_postgres_lose_nothing(["compare-and-swap"; 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_in_postgres_lose_nothing() {
    two_processes_in_postgres_lose_nothing(["transaction"; 2]).await;
}

/// The database decides, so the strategies need not agree.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_two_strategies_side_by_side_lose_nothing() {
    two_processes_in_postgres_lose_nothing(["compare-and-swap", "transaction"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_in_sqlite_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = spawn_with(&sqlite_in(&folder), "transaction").await;
    let race = Race {
        acknowledged: 2_000,
        ..race(&server)
    };
    let history = race.run().await.unwrap();
    assert_clean(&history.check(), &server);
}

//! What became of a commit whose answer did not arrive.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::mysql::MySqlConnectOptions;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{MySql, Pool, Postgres};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use version_store::handover::{Ending, Slot};
use version_store::{Begun, Demand, EndError, Expected, Transactional, VersionStore};
use version_store_sqlx::{ErrorKind, SqlVersions, SwapError, Transactions};

use crate::database::{Posts, TestDatabase};

/// What passes everything on, until a COMMIT: then, once it is armed, it hangs up.
struct Proxy {
    address: SocketAddr,
    armed: Arc<AtomicBool>,
}

#[derive(Clone, Copy, PartialEq)]
enum Loses {
    /// The COMMIT does not reach the database.
    TheRequest,
    /// The database commits, and its answer is swallowed.
    TheAnswer,
}

impl Proxy {
    async fn start(to: SocketAddr, loses: Loses) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let armed = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&armed);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, to, loses, Arc::clone(&shared)));
            }
        });
        Self { address, armed }
    }
}

async fn pass_on(mut client: TcpStream, to: SocketAddr, loses: Loses, armed: Arc<AtomicBool>) {
    let mut server = TcpStream::connect(to).await.unwrap();
    let (mut sent, mut answered) = ([0; 8192], [0; 8192]);
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let Ok(1..) = read else { return };
                let sent = &sent[..read.unwrap()];
                let commits = sent.ends_with(b"COMMIT") || sent.ends_with(b"COMMIT\0");
                if commits && armed.load(Ordering::SeqCst) {
                    if loses == Loses::TheAnswer {
                        server.write_all(sent).await.unwrap();
                        assert_ne!(server.read(&mut answered).await.unwrap(), 0);
                    }
                    return;
                }
                server.write_all(sent).await.unwrap();
            }
            read = server.read(&mut answered) => {
                let Ok(1..) = read else { return };
                if client.write_all(&answered[..read.unwrap()]).await.is_err() {
                    return;
                }
            }
        }
    }
}

trait Proxied: TestDatabase<Place = services::Database> {
    async fn pool_through(place: &services::Database, proxy: SocketAddr) -> Pool<Self>;
}

impl Proxied for Postgres {
    async fn pool_through(place: &services::Database, proxy: SocketAddr) -> Pool<Self> {
        let options: PgConnectOptions = place.url().parse().unwrap();
        let options = options.host("127.0.0.1").port(proxy.port());
        PoolOptions::new().connect_with(options).await.unwrap()
    }
}

impl Proxied for MySql {
    async fn pool_through(place: &services::Database, proxy: SocketAddr) -> Pool<Self> {
        let options: MySqlConnectOptions = place.url().parse().unwrap();
        let options = options.host("127.0.0.1").port(proxy.port());
        PoolOptions::new().connect_with(options).await.unwrap()
    }
}

/// Where the server of a URL listens.
async fn address(url: &str) -> SocketAddr {
    let authority = url
        .split("://")
        .nth(1)
        .unwrap()
        .split(['/', '?'])
        .next()
        .unwrap();
    let host = authority.rsplit('@').next().unwrap();
    tokio::net::lookup_host(host).await.unwrap().next().unwrap()
}

async fn an_answer_that_is_lost<D: Proxied>() {
    for loses in [Loses::TheRequest, Loses::TheAnswer] {
        let Some(posts) = Posts::<D>::migrated().await else {
            return;
        };
        posts
            .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
            .await
            .unwrap();
        let proxy = Proxy::start(address(posts.place.url()).await, loses).await;
        let pool = D::pool_through(&posts.place, proxy.address).await;
        let store = SqlVersions::<D, u64>::open(pool, posts.table.clone())
            .await
            .unwrap();

        // The control: as long as the proxy only passes on, this is a commit.
        let update = "UPDATE posts SET marker = marker + 1 WHERE id = 1";
        for armed in [false, true] {
            proxy.armed.store(armed, Ordering::SeqCst);
            let Begun {
                mut transaction,
                current,
            } = store.begin(&[1]).await.unwrap();
            D::run(&mut transaction, update.to_owned()).await.unwrap();
            store
                .advance(&mut transaction, &[1], &current)
                .await
                .unwrap();
            match store.commit(transaction).await {
                Ok(()) => assert!(!armed),
                Err(EndError::Unknown(error)) => {
                    assert!(armed);
                    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
                }
                Err(error) => panic!("{error:?}"),
            }
        }
        let marker = posts.one("SELECT marker FROM posts").await;
        assert_eq!(marker, if loses == Loses::TheAnswer { 3 } else { 2 });

        // By compare and swap it is told so, and not settled.
        let slot: Slot<Expected<SqlVersions<D, u64>>> = Slot::new(1, Demand::Exists);
        let swap = store.compare_and_swap(slot.take().unwrap(), async |connection, _| {
            D::run(connection, update.to_owned()).await.map(drop)
        });
        let Err(SwapError::Store(error)) = swap.await else {
            panic!("the outcome is not known");
        };
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
        assert!(!error.is_busy());
        assert!(matches!(slot.close(), Ending::Unsettled));
    }
}

#[tokio::test]
async fn postgres_loses_the_answer_to_a_commit() {
    an_answer_that_is_lost::<Postgres>().await;
}

#[tokio::test]
async fn mariadb_loses_the_answer_to_a_commit() {
    an_answer_that_is_lost::<MySql>().await;
}

/// A session that was ended before COMMIT has written nothing, and it is told so.
#[tokio::test]
async fn a_session_that_was_ended_before_the_commit() {
    let Some(posts) = Posts::<Postgres>::migrated().await else {
        return;
    };
    posts
        .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
        .await
        .unwrap();
    let store = posts.store(version_store_sqlx::Transactions::new()).await;
    let Begun {
        mut transaction,
        current,
    } = store.begin(&[1]).await.unwrap();
    let update = "UPDATE posts SET marker = 2 WHERE id = 1";
    Postgres::run(&mut transaction, update.to_owned())
        .await
        .unwrap();
    store
        .advance(&mut transaction, &[1], &current)
        .await
        .unwrap();
    let pid = "SELECT pg_backend_pid()::bigint".to_owned();
    let pid = Postgres::row(&mut transaction, pid).await.unwrap().unwrap()[0];
    posts
        .run(&format!("SELECT pg_terminate_backend({pid})"))
        .await
        .unwrap();
    let end = store.commit(transaction).await;
    assert!(matches!(end, Err(EndError::RolledBack(_))), "{end:?}");
    assert_eq!(posts.one("SELECT marker FROM posts").await, 1);
    let next = store.begin(&[1]).await.unwrap();
    store.rollback(next.transaction).await;
}

/// A constraint that is checked at the commit refuses it, and that is no unknown outcome.
#[tokio::test]
async fn a_commit_that_is_refused_has_written_nothing() {
    let Some(posts) = Posts::<Postgres>::migrated().await else {
        return;
    };
    posts
        .run("ALTER TABLE posts ADD UNIQUE (marker) DEFERRABLE INITIALLY DEFERRED")
        .await
        .unwrap();
    posts
        .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
        .await
        .unwrap();
    let store = posts.store(version_store_sqlx::Transactions::new()).await;
    let Begun {
        mut transaction,
        current,
    } = store.begin(&[2]).await.unwrap();
    let insert = "INSERT INTO posts (id, marker) VALUES (2, 1)";
    Postgres::run(&mut transaction, insert.to_owned())
        .await
        .unwrap();
    store
        .advance(&mut transaction, &[2], &current)
        .await
        .unwrap();
    let end = store.commit(transaction).await;
    assert!(matches!(end, Err(EndError::RolledBack(_))), "{end:?}");
    assert_eq!(posts.one("SELECT count(*) FROM posts").await, 1);
}

/// A statement that is dropped midway in MariaDB leaves the driver out of step, and on some rests it
/// panics. Whatever it does, the transaction ends by an error or as it should, and the next one works.
#[tokio::test]
async fn a_statement_dropped_midway_never_makes_a_transaction_panic() {
    let Some(posts) = Posts::<MySql>::migrated().await else {
        return;
    };
    let insert = "INSERT INTO posts (id, marker) VALUES (1, 1)";
    posts.run(insert).await.unwrap();
    let store = posts.store(Transactions::new()).await;
    for polls in 0..40 {
        let begun = store.begin(&[1]).await.unwrap();
        let mut transaction = begun.transaction;
        // A text that was not prepared yet.
        let sql = format!("UPDATE posts SET marker = {polls} + 10 WHERE id = ?");
        let statement = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(1);
        let mut write = Box::pin(statement.execute(&mut *transaction));
        for _ in 0..polls {
            if futures_util::poll!(&mut write).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(write);
        let advanced = store.advance(&mut transaction, &[1], &begun.current).await;
        match advanced {
            Ok(made) => {
                store.commit(transaction).await.unwrap();
                let now = store.current(&1).await.unwrap().unwrap();
                assert!(made[0].as_ref().is_some_and(|made| made.same_state(&now)));
            }
            Err(_) => store.rollback(transaction).await,
        }
    }
}

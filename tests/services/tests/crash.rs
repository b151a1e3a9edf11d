//! A commit that was answered survives the death of the server.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use services::{Database, Product, Server};
use sqlx::{Connection as _, Executor as _, MySqlConnection, PgConnection};

/// A connection to either product.
enum Client {
    Postgres(PgConnection),
    MariaDb(MySqlConnection),
}

impl Client {
    async fn connect(product: Product, database: &Database) -> sqlx::Result<Self> {
        Ok(match product {
            Product::Postgres => Self::Postgres(PgConnection::connect(database.url()).await?),
            _ => Self::MariaDb(MySqlConnection::connect(database.url()).await?),
        })
    }

    async fn run(&mut self, statement: &'static str) {
        match self {
            Self::Postgres(connection) => connection.execute(statement).await.map(drop),
            Self::MariaDb(connection) => connection.execute(statement).await.map(drop),
        }
        .unwrap();
    }

    async fn rows(&mut self) -> i64 {
        let count = "SELECT count(*) FROM posts";
        match self {
            Self::Postgres(it) => sqlx::query_scalar(count).fetch_one(it).await,
            Self::MariaDb(it) => sqlx::query_scalar(count).fetch_one(it).await,
        }
        .unwrap()
    }
}

/// How many rows are left of one that was committed, with a setting, right before the crash. A
/// second transaction is open meanwhile and must never be seen.
async fn survivors(product: Product, server: &Server, setting: &'static str) -> i64 {
    let database = server.database().await;
    let mut client = Client::connect(product, &database).await.unwrap();
    client
        .run("CREATE TABLE posts (id bigint PRIMARY KEY)")
        .await;
    let mut other = Client::connect(product, &database).await.unwrap();
    other.run("BEGIN").await;
    other.run("INSERT INTO posts VALUES (2)").await;
    client.run(setting).await;
    client.run("INSERT INTO posts VALUES (1)").await;

    server.kill9().await;
    assert!(Client::connect(product, &database).await.is_err());
    server.start_again().await;

    let mut client = Client::connect(product, &database).await.unwrap();
    client.rows().await
}

async fn every_commit_survives(product: Product, recovered: &str) {
    let Some(server) = product.own().await else {
        return;
    };
    assert!(!server.log().contains(recovered));
    for round in 1..=3 {
        assert_eq!(survivors(product, &server, "SELECT 1").await, 1, "{round}");
        // It was a crash, not a shutdown.
        assert_eq!(
            server.log().matches(recovered).count(),
            round,
            "{}",
            server.log()
        );
    }
}

/// The same with durability turned off: a kill that spares what the server has in memory would not
/// show it. Whether a single commit is lost depends on the moment.
async fn a_commit_is_lost(product: Product, setting: &'static str) {
    let Some(server) = product.own().await else {
        return;
    };
    for _ in 0..20 {
        if survivors(product, &server, setting).await == 0 {
            return;
        }
    }
    panic!("{product} kept every commit");
}

#[tokio::test]
async fn a_commit_survives_in_postgres() {
    every_commit_survives(Product::Postgres, "automatic recovery in progress").await;
}

#[tokio::test]
async fn a_commit_survives_in_mariadb() {
    every_commit_survives(Product::MariaDb, "Starting crash recovery").await;
}

#[tokio::test]
async fn control_without_durability_postgres_loses_a_commit() {
    a_commit_is_lost(Product::Postgres, "SET synchronous_commit = off").await;
}

#[tokio::test]
async fn control_without_durability_mariadb_loses_a_commit() {
    a_commit_is_lost(
        Product::MariaDb,
        "SET GLOBAL innodb_flush_log_at_trx_commit = 0",
    )
    .await;
}

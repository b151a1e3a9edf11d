//! Every call gives an empty database of its own, on a server that keeps what it commits.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use sqlx::{Connection as _, Executor as _, MySqlConnection, PgConnection};

const TABLES: &str = "SELECT count(*) FROM information_schema.tables WHERE table_schema = ";

#[tokio::test]
async fn postgres_gives_two_empty_databases() {
    let (Some(one), Some(two)) = (services::postgres().await, services::postgres().await) else {
        return;
    };
    let mut first = PgConnection::connect(one.url()).await.unwrap();
    let mut second = PgConnection::connect(two.url()).await.unwrap();
    first
        .execute("CREATE TABLE posts (id bigint PRIMARY KEY)")
        .await
        .unwrap();
    for (connection, database, tables) in [(&mut first, &one, 1_i64), (&mut second, &two, 0)] {
        let name: String = sqlx::query_scalar("SELECT current_database()::text")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(name, database.name());
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("{TABLES}'public'")))
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(count, tables);
    }
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&mut first)
            .await
            .unwrap();
        assert_eq!(value, "on", "{setting}");
    }
}

#[tokio::test]
async fn mariadb_gives_two_empty_databases() {
    let (Some(one), Some(two)) = (services::mariadb().await, services::mariadb().await) else {
        return;
    };
    let mut first = MySqlConnection::connect(one.url()).await.unwrap();
    let mut second = MySqlConnection::connect(two.url()).await.unwrap();
    first
        .execute("CREATE TABLE posts (id bigint PRIMARY KEY)")
        .await
        .unwrap();
    for (connection, database, tables) in [(&mut first, &one, 1_i64), (&mut second, &two, 0)] {
        let name: String = sqlx::query_scalar("SELECT DATABASE()")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(name, database.name());
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("{TABLES}DATABASE()")))
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(count, tables);
    }
    let flush: u64 = sqlx::query_scalar("SELECT @@innodb_flush_log_at_trx_commit")
        .fetch_one(&mut first)
        .await
        .unwrap();
    assert_eq!(flush, 1);
}

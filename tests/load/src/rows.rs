//! The statements of the handlers, one function each, alike for both databases.

use std::future::Future;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Pool, Postgres, Sqlite};
use version_store_sqlx::{Backend, Table};

use crate::load::TEXT;

/// Longer than any writer at one row waits for the others.
const PATIENCE: Duration = Duration::from_secs(20);

/// The table with the migration's triggers, and one with the same columns and none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Written {
    Posts,
    WithoutTriggers,
}

/// As an application describes it.
pub(crate) fn table() -> Table {
    Table::new("posts").with_key("id").with_version("version")
}

/// A database, and what the handlers send to it.
pub(crate) trait Rows: Backend {
    fn connect(
        url: &str,
        connections: u32,
    ) -> impl Future<Output = sqlx::Result<Pool<Self>>> + Send;

    /// Makes both tables anew, with so many posts each.
    fn fill(pool: &Pool<Self>, posts: u16) -> impl Future<Output = Result<(), String>> + Send;

    fn body(
        connection: &mut Self::Connection,
        id: i64,
    ) -> impl Future<Output = sqlx::Result<Option<String>>> + Send;

    fn post(
        connection: &mut Self::Connection,
        id: i64,
    ) -> impl Future<Output = sqlx::Result<Option<(i64, String)>>> + Send;

    fn version(
        connection: &mut Self::Connection,
        id: i64,
    ) -> impl Future<Output = sqlx::Result<Option<i64>>> + Send;

    /// Whatever stands there.
    fn overwrite(
        connection: &mut Self::Connection,
        table: Written,
        id: i64,
        text: &str,
    ) -> impl Future<Output = sqlx::Result<bool>> + Send;

    /// The version that it made; `None` where another one than `version` stands there.
    fn swap(
        connection: &mut Self::Connection,
        id: i64,
        version: i64,
        text: &str,
    ) -> impl Future<Output = sqlx::Result<Option<i64>>> + Send;
}

/// Sqlx's types cannot be named for any database without more bounds than statements.
macro_rules! statements {
    () => {
        async fn fill(pool: &Pool<Self>, posts: u16) -> Result<(), String> {
            let failed = |error: sqlx::Error| error.to_string();
            for name in ["posts", "plain"] {
                for statement in [
                    format!("DROP TABLE IF EXISTS {name}"),
                    format!(
                        "CREATE TABLE {name} (id bigint PRIMARY KEY, text text NOT NULL, \
                         version bigint NOT NULL DEFAULT 0)"
                    ),
                ] {
                    let made = sqlx::raw_sql(sqlx::AssertSqlSafe(statement));
                    made.execute(pool).await.map_err(failed)?;
                }
            }
            table()
                .apply(pool)
                .await
                .map_err(|error| error.to_string())?;
            for statement in [
                "INSERT INTO posts (id, text) VALUES ($1, $2)",
                "INSERT INTO plain (id, text) VALUES ($1, $2)",
            ] {
                for id in 0..i64::from(posts) {
                    let row = sqlx::query(statement).bind(id).bind(TEXT);
                    row.execute(pool).await.map_err(failed)?;
                }
            }
            Ok(())
        }

        async fn body(connection: &mut Self::Connection, id: i64) -> sqlx::Result<Option<String>> {
            let row = sqlx::query_scalar("SELECT text FROM posts WHERE id = $1").bind(id);
            row.fetch_optional(connection).await
        }

        async fn post(
            connection: &mut Self::Connection,
            id: i64,
        ) -> sqlx::Result<Option<(i64, String)>> {
            let row = sqlx::query_as("SELECT version, text FROM posts WHERE id = $1").bind(id);
            row.fetch_optional(connection).await
        }

        async fn version(connection: &mut Self::Connection, id: i64) -> sqlx::Result<Option<i64>> {
            let row = sqlx::query_scalar("SELECT version FROM posts WHERE id = $1").bind(id);
            row.fetch_optional(connection).await
        }

        async fn overwrite(
            connection: &mut Self::Connection,
            table: Written,
            id: i64,
            text: &str,
        ) -> sqlx::Result<bool> {
            let update = sqlx::query(match table {
                Written::Posts => "UPDATE posts SET text = $1 WHERE id = $2",
                Written::WithoutTriggers => "UPDATE plain SET text = $1 WHERE id = $2",
            });
            let done = update.bind(text).bind(id).execute(connection).await?;
            Ok(done.rows_affected() == 1)
        }

        async fn swap(
            connection: &mut Self::Connection,
            id: i64,
            version: i64,
            text: &str,
        ) -> sqlx::Result<Option<i64>> {
            let update = sqlx::query_scalar(
                "UPDATE posts SET text = $1, version = version + 1
                 WHERE id = $2 AND version = $3 RETURNING version",
            );
            let update = update.bind(text).bind(id).bind(version);
            update.fetch_optional(connection).await
        }
    };
}

impl Rows for Postgres {
    async fn connect(url: &str, connections: u32) -> sqlx::Result<Pool<Self>> {
        let options = PgPoolOptions::new().acquire_timeout(PATIENCE);
        options.max_connections(connections).connect(url).await
    }

    statements!();
}

impl Rows for Sqlite {
    /// Readers beside the writer, and what is acknowledged survives the loss of power.
    async fn connect(path: &str, connections: u32) -> sqlx::Result<Pool<Self>> {
        let file = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE);
        let options = SqlitePoolOptions::new().acquire_timeout(PATIENCE);
        options
            .max_connections(connections)
            .connect_with(file)
            .await
    }

    statements!();
}

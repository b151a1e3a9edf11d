//! The table of posts in each database, and the statements on it, none of which says a word about
//! versions unless its name does.

use sqlx::mysql::MySqlPoolOptions;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{
    Connection as _, Executor as _, MySql, MySqlConnection, PgConnection, Pool, Postgres, Sqlite,
    SqliteConnection,
};
use std::time::Duration;
use tower_if_match::Version;
use version_store_sqlx::{Backend, Table};

use crate::post::Post;

/// How long anybody waits for a connection or for the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections of the application.
const CONNECTIONS: u32 = 16;

/// The table, as the stores know it.
pub fn table() -> Table {
    Table::new("posts").with_key("id").with_version("version")
}

/// A connection to a database with posts in it.
pub trait Rows: Send {
    /// A post with its version.
    fn post(
        &mut self,
        id: u64,
    ) -> impl Future<Output = sqlx::Result<Option<(Version, Post)>>> + Send;

    /// `INSERT`, or `UPDATE` where there is one.
    fn upsert(&mut self, id: u64, post: &Post) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// `UPDATE`.
    fn update(&mut self, id: u64, post: &Post) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// `UPDATE … WHERE version = …`; false where there is no such row.
    fn update_version(
        &mut self,
        id: u64,
        version: u64,
        post: &Post,
    ) -> impl Future<Output = sqlx::Result<bool>> + Send;

    /// `DELETE`; false where there is no such row.
    fn delete(&mut self, id: u64) -> impl Future<Output = sqlx::Result<bool>> + Send;
}

/// Written alike for all three: sqlx's types for any database would need bounds that nobody can read.
macro_rules! rows {
    (
        $connection:ty, $select:literal, $upsert:literal, $update:literal, $update_version:literal,
        $delete:literal
    ) => {
        impl Rows for $connection {
            async fn post(&mut self, id: u64) -> sqlx::Result<Option<(Version, Post)>> {
                let row: Option<(i64, String, String, String)> = sqlx::query_as($select)
                    .bind(id.cast_signed())
                    .fetch_optional(self)
                    .await?;
                Ok(row.map(|(version, title, content, author)| {
                    let post = Post {
                        title,
                        content,
                        author,
                    };
                    (Version::new(version.cast_unsigned()), post)
                }))
            }

            async fn upsert(&mut self, id: u64, post: &Post) -> sqlx::Result<()> {
                let query = sqlx::query($upsert)
                    .bind(id.cast_signed())
                    .bind(&post.title)
                    .bind(&post.content)
                    .bind(&post.author);
                query.execute(self).await.map(drop)
            }

            async fn update(&mut self, id: u64, post: &Post) -> sqlx::Result<()> {
                let query = sqlx::query($update)
                    .bind(&post.title)
                    .bind(&post.content)
                    .bind(&post.author)
                    .bind(id.cast_signed());
                query.execute(self).await.map(drop)
            }

            async fn update_version(
                &mut self,
                id: u64,
                version: u64,
                post: &Post,
            ) -> sqlx::Result<bool> {
                let query = sqlx::query($update_version)
                    .bind(&post.title)
                    .bind(&post.content)
                    .bind(&post.author)
                    .bind(id.cast_signed())
                    .bind(version.cast_signed());
                Ok(query.execute(self).await?.rows_affected() > 0)
            }

            async fn delete(&mut self, id: u64) -> sqlx::Result<bool> {
                let query = sqlx::query($delete).bind(id.cast_signed());
                Ok(query.execute(self).await?.rows_affected() > 0)
            }
        }
    };
}

rows!(
    SqliteConnection,
    "SELECT version, title, content, author FROM posts WHERE id = ?",
    "INSERT INTO posts (id, title, content, author) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE \
     SET title = excluded.title, content = excluded.content, author = excluded.author",
    "UPDATE posts SET title = ?, content = ?, author = ? WHERE id = ?",
    "UPDATE posts SET title = ?, content = ?, author = ? WHERE id = ? AND version = ?",
    "DELETE FROM posts WHERE id = ?"
);

rows!(
    PgConnection,
    "SELECT version, title, content, author FROM posts WHERE id = $1",
    "INSERT INTO posts (id, title, content, author) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE \
     SET title = excluded.title, content = excluded.content, author = excluded.author",
    "UPDATE posts SET title = $1, content = $2, author = $3 WHERE id = $4",
    "UPDATE posts SET title = $1, content = $2, author = $3 WHERE id = $4 AND version = $5",
    "DELETE FROM posts WHERE id = $1"
);

rows!(
    MySqlConnection,
    "SELECT version, title, content, author FROM posts WHERE id = ?",
    "INSERT INTO posts (id, title, content, author) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE \
     title = VALUES(title), content = VALUES(content), author = VALUES(author)",
    "UPDATE posts SET title = ?, content = ?, author = ? WHERE id = ?",
    "UPDATE posts SET title = ?, content = ?, author = ? WHERE id = ? AND version = ?",
    "DELETE FROM posts WHERE id = ?"
);

/// A database with a table of posts.
pub trait Posted: Backend<Connection: Rows> {
    /// Makes the table, as it was before anybody thought of versions.
    const CREATE: &'static str;

    /// Connects.
    fn connect(url: &str) -> impl Future<Output = sqlx::Result<Pool<Self>>> + Send;

    /// Runs one statement.
    fn execute(
        pool: &Pool<Self>,
        statement: &'static str,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Whether a crash of the database takes back nothing that it has shown to anybody.
    fn keeps_what_it_showed(url: &str) -> impl Future<Output = sqlx::Result<bool>> + Send {
        let _ = url;
        async { Ok(true) }
    }

    /// Makes the table where it is missing, and migrates it.
    fn prepare(url: &str) -> impl Future<Output = Result<(), String>> + Send {
        async {
            let text = |error: sqlx::Error| error.to_string();
            let pool = Self::connect(url).await.map_err(text)?;
            Self::execute(&pool, Self::CREATE).await.map_err(text)?;
            table()
                .apply(&pool)
                .await
                .map_err(|error| error.to_string())?;
            pool.close().await;
            Ok(())
        }
    }
}

fn options<D: sqlx::Database>(options: PoolOptions<D>) -> PoolOptions<D> {
    options
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
}

impl Posted for Sqlite {
    const CREATE: &'static str = "CREATE TABLE IF NOT EXISTS posts (id INTEGER PRIMARY KEY, \
        title TEXT NOT NULL, content TEXT NOT NULL, author TEXT NOT NULL)";

    async fn connect(url: &str) -> sqlx::Result<Pool<Self>> {
        let file = SqliteConnectOptions::new()
            .filename(url.trim_start_matches("sqlite:"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged write survives the loss of power.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE);
        options(PoolOptions::new()).connect_with(file).await
    }

    async fn execute(pool: &Pool<Self>, statement: &'static str) -> sqlx::Result<()> {
        sqlx::query(statement).execute(pool).await.map(drop)
    }
}

impl Posted for Postgres {
    const CREATE: &'static str = "CREATE TABLE IF NOT EXISTS posts (id BIGINT PRIMARY KEY, \
        title TEXT NOT NULL, content TEXT NOT NULL, author TEXT NOT NULL)";

    async fn connect(url: &str) -> sqlx::Result<Pool<Self>> {
        options(PgPoolOptions::new()).connect(url).await
    }

    async fn execute(pool: &Pool<Self>, statement: &'static str) -> sqlx::Result<()> {
        sqlx::query(statement).execute(pool).await.map(drop)
    }
}

impl Posted for MySql {
    /// `InnoDB` shows a commit to others before it is on disk, and acknowledges it afterwards. With a
    /// binary log that is synchronised it is on disk before.
    async fn keeps_what_it_showed(url: &str) -> sqlx::Result<bool> {
        let mut connection = MySqlConnection::connect(url).await?;
        let keeps = sqlx::query_scalar("SELECT @@log_bin AND @@sync_binlog = 1");
        let keeps: i64 = keeps.fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(keeps != 0)
    }

    const CREATE: &'static str = "CREATE TABLE IF NOT EXISTS posts (id BIGINT PRIMARY KEY, \
        title TEXT NOT NULL, content TEXT NOT NULL, author TEXT NOT NULL)";

    async fn connect(url: &str) -> sqlx::Result<Pool<Self>> {
        options(MySqlPoolOptions::new())
            // A client that leaves while BEGIN is under way leaves a transaction that sqlx knows nothing
            // of. Whoever got that connection next would read what stood there when it began.
            .after_release(|connection, _| {
                Box::pin(async move { connection.execute("ROLLBACK").await.map(|_| true) })
            })
            .connect(url)
            .await
    }

    async fn execute(pool: &Pool<Self>, statement: &'static str) -> sqlx::Result<()> {
        sqlx::query(statement).execute(pool).await.map(drop)
    }
}

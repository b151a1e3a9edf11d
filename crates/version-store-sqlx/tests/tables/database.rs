//! The three databases, as the tests see them.

use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{MySql, Pool, Postgres, Sqlite};
use version_store_sqlx::{Backend, SqlVersions, Table, Transactions};

/// One of the databases, and the statements of the tests that it spells in its own way.
pub(crate) trait TestDatabase: Backend + Sized {
    /// What ends when it is dropped: a database in a server, or a folder.
    type Place: Send + Sync + 'static;

    /// A place that nobody else uses; `None` where the database is not installed.
    fn place() -> impl Future<Output = Option<Self::Place>> + Send;

    fn pool(place: &Self::Place, connections: u32) -> impl Future<Output = Pool<Self>> + Send;

    /// How many rows it touched.
    fn run(
        connection: &mut Self::Connection,
        sql: String,
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// The integers of the first row.
    fn row(
        connection: &mut Self::Connection,
        sql: String,
    ) -> impl Future<Output = Result<Option<Vec<i64>>, sqlx::Error>> + Send;
}

macro_rules! statements {
    () => {
        async fn run(connection: &mut Self::Connection, sql: String) -> Result<u64, sqlx::Error> {
            let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
                .execute(connection)
                .await?;
            Ok(done.rows_affected())
        }

        async fn row(
            connection: &mut Self::Connection,
            sql: String,
        ) -> Result<Option<Vec<i64>>, sqlx::Error> {
            use sqlx::Row;
            let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
            let row = statement.fetch_all(connection).await?.into_iter().next();
            row.map(|row| (0..row.len()).map(|column| row.try_get(column)).collect())
                .transpose()
        }
    };
}

impl TestDatabase for Sqlite {
    type Place = tempfile::TempDir;

    async fn place() -> Option<tempfile::TempDir> {
        Some(tempfile::tempdir().unwrap())
    }

    async fn pool(place: &tempfile::TempDir, connections: u32) -> Pool<Self> {
        let options = SqliteConnectOptions::new()
            .filename(place.path().join("tables.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(5));
        let pool = PoolOptions::new().max_connections(connections);
        pool.connect_with(options).await.unwrap()
    }

    statements!();
}

impl TestDatabase for Postgres {
    type Place = services::Database;

    async fn place() -> Option<services::Database> {
        services::postgres().await
    }

    async fn pool(place: &services::Database, connections: u32) -> Pool<Self> {
        let pool = PoolOptions::new().max_connections(connections);
        pool.connect(place.url()).await.unwrap()
    }

    statements!();
}

impl TestDatabase for MySql {
    type Place = services::Database;

    async fn place() -> Option<services::Database> {
        services::mariadb().await
    }

    async fn pool(place: &services::Database, connections: u32) -> Pool<Self> {
        let pool = PoolOptions::new().max_connections(connections);
        pool.connect(place.url()).await.unwrap()
    }

    statements!();
}

/// A database with a table `posts`, migrated.
pub(crate) struct Posts<D: TestDatabase> {
    pub(crate) place: D::Place,
    pub(crate) pool: Pool<D>,
    pub(crate) table: Table,
}

pub(crate) const CREATE_POSTS: &str =
    "CREATE TABLE posts (id BIGINT NOT NULL PRIMARY KEY, marker BIGINT NOT NULL)";

impl<D: TestDatabase> Posts<D> {
    /// `None` where the database is not installed.
    pub(crate) async fn migrated() -> Option<Self> {
        let posts = Self::bare(Table::new("posts")).await?;
        posts.table.apply(&posts.pool).await.unwrap();
        Some(posts)
    }

    /// Without what the migration makes, a version column included.
    pub(crate) async fn bare(table: Table) -> Option<Self> {
        let place = D::place().await?;
        let pool = D::pool(&place, 8).await;
        let posts = Self { place, pool, table };
        posts.run(CREATE_POSTS).await.unwrap();
        Some(posts)
    }

    pub(crate) async fn store(&self, transactions: Transactions) -> SqlVersions<D, u64> {
        let open = SqlVersions::open_with(self.pool.clone(), self.table.clone(), transactions);
        open.await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) -> Result<u64, sqlx::Error> {
        D::run(&mut *self.pool.acquire().await?, sql.to_owned()).await
    }

    pub(crate) async fn row(&self, sql: &str) -> Result<Option<Vec<i64>>, sqlx::Error> {
        D::row(&mut *self.pool.acquire().await?, sql.to_owned()).await
    }

    pub(crate) async fn one(&self, sql: &str) -> i64 {
        self.row(sql).await.unwrap().unwrap()[0]
    }
}

/// The same test on each of the databases.
macro_rules! on_each_database {
    ($($(#[$attribute:meta])* $test:ident)*) => {
        on_each_database!(@ sqlite sqlx::Sqlite; $($(#[$attribute])* $test)*);
        on_each_database!(@ postgres sqlx::Postgres; $($(#[$attribute])* $test)*);
        on_each_database!(@ mariadb sqlx::MySql; $($(#[$attribute])* $test)*);
    };
    (@ $database:ident $type:ty; $($(#[$attribute:meta])* $test:ident)*) => {
        mod $database {
            $(
                $(#[$attribute])*
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    super::$test::<$type>().await;
                }
            )*
        }
    };
}
pub(crate) use on_each_database;

//! All that differs between the databases, in one trait.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Database;

use crate::check::Found;
use crate::key::KeyValue;
use crate::{Dialect, Error, Table};

/// The savepoint by which a transaction is known again. That it can be released shows that the
/// transaction is the one that was opened.
pub(crate) const OPENED: &str = "version_store_opened";

/// What a key is locked by before its row is looked at, because a row that does not exist cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockId(pub(crate) [u8; 16]);

/// How transactions are opened.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub(crate) isolation: Isolation,
    pub(crate) patience: Duration,
    pub(crate) idle: Duration,
}

/// How far a transaction is kept from what others commit meanwhile.
///
/// Default: [`ReadCommitted`](Self::ReadCommitted). The row is held in any case; the others matter for
/// what else a handler reads, and cost transactions that have to be tried again. SQLite has one
/// writer at a time, whatever is chosen here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it.
    #[default]
    ReadCommitted,
    /// All statements see what was committed before the first one.
    RepeatableRead,
    /// As if there were no other transaction.
    Serializable,
}

impl Isolation {
    #[cfg(any(feature = "postgres", feature = "mariadb"))]
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::ReadCommitted => "READ COMMITTED",
            Self::RepeatableRead => "REPEATABLE READ",
            Self::Serializable => "SERIALIZABLE",
        }
    }
}

/// What the store asks of a database and its driver.
pub trait Driver: Database {
    const DIALECT: Dialect;

    /// Whether an open transaction keeps everybody else from writing anything.
    const ONE_WRITER: bool;

    /// Whether a connection can be used again when the future of a statement was dropped midway.
    const RECOVERS: bool;

    /// What gives back all that a session may still hold, when a connection returns to the pool.
    const RELEASE: &'static str;

    /// Adds a value; `false` where no column of this database can hold it.
    fn bind(to: &mut Self::Arguments, value: &KeyValue) -> Result<bool, sqlx::Error>;

    /// Sends statements as they are, and gives the rows of all of them.
    fn send(
        connection: &mut Self::Connection,
        sql: String,
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    /// Runs one prepared statement.
    fn query(
        connection: &mut Self::Connection,
        sql: Arc<str>,
        arguments: Self::Arguments,
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    fn integer(row: &Self::Row, column: usize) -> Result<Option<i64>, sqlx::Error>;

    fn text(row: &Self::Row, column: usize) -> Result<Option<String>, sqlx::Error>;

    /// Begins a transaction that has these locks, with the savepoint [`OPENED`] in it.
    fn begin(
        connection: &mut Self::Connection,
        plan: Plan,
        locks: &[LockId],
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The connect options for transactions, whose waits are to be bounded.
    fn bounded(
        options: <Self::Connection as sqlx::Connection>::Options,
        patience: Duration,
    ) -> <Self::Connection as sqlx::Connection>::Options;

    /// Whether someone else was in the way, and a later attempt may succeed.
    fn is_busy(error: &sqlx::Error) -> bool;

    /// Whether this answer to COMMIT means that nothing was committed. Where in doubt: no.
    fn refused_commit(error: &sqlx::Error) -> bool;

    /// Whether a release of [`OPENED`] failed because there is no such savepoint.
    fn has_no_savepoint(error: &sqlx::Error) -> bool;

    /// What the database knows about a table.
    fn inspect(
        connection: &mut Self::Connection,
        table: &Table,
    ) -> impl Future<Output = Result<Found, sqlx::Error>> + Send;
}

/// What is written alike for all three, but cannot be written once for any database: the bounds on
/// sqlx's types would outgrow it.
macro_rules! statements {
    () => {
        async fn send(
            connection: &mut Self::Connection,
            sql: String,
        ) -> Result<Vec<Self::Row>, sqlx::Error> {
            let statements = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
            sqlx::Executor::fetch_all(connection, statements).await
        }

        async fn query(
            connection: &mut Self::Connection,
            sql: std::sync::Arc<str>,
            arguments: Self::Arguments,
        ) -> Result<Vec<Self::Row>, sqlx::Error> {
            sqlx::query_with(sqlx::AssertSqlSafe(sql), arguments)
                .fetch_all(connection)
                .await
        }

        fn integer(row: &Self::Row, column: usize) -> Result<Option<i64>, sqlx::Error> {
            sqlx::Row::try_get(row, column)
        }

        fn text(row: &Self::Row, column: usize) -> Result<Option<String>, sqlx::Error> {
            sqlx::Row::try_get(row, column)
        }
    };
}
pub(crate) use statements;

/// The octets that a database's own error has for a code, such as `40001`.
pub(crate) fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Adds the texts that an inspection asks about.
pub(crate) fn texts<D: Driver>(texts: &[&str]) -> Result<D::Arguments, sqlx::Error> {
    let mut arguments = D::Arguments::default();
    for text in texts {
        D::bind(&mut arguments, &KeyValue::Text((*text).to_owned()))?;
    }
    Ok(arguments)
}

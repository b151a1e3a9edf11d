//! Conditional writes on the tables that you have.

mod check;
mod driver;
mod error;
mod key;
mod lease;
#[cfg(feature = "mariadb")]
mod mariadb;
mod migrate;
mod migration;
#[cfg(feature = "postgres")]
mod postgres;
mod quote;
mod select;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod swap;
mod table;
mod transaction;

pub use driver::Isolation;
pub use error::{Error, ErrorKind, OpenError, SwapError};
pub use key::{KeyColumns, KeyValues, SqlKey};
pub use store::{Backend, SqlVersions, Transactions};
pub use table::{Dialect, Table, Unversioned};
pub use transaction::SqlTransaction;

/// The versions of the rows of a table in SQLite.
#[cfg(feature = "sqlite")]
pub type SqliteVersions<K> = SqlVersions<sqlx::Sqlite, K>;

/// The versions of the rows of a table in PostgreSQL.
#[cfg(feature = "postgres")]
pub type PgVersions<K> = SqlVersions<sqlx::Postgres, K>;

/// The versions of the rows of a table in MariaDB.
#[cfg(feature = "mariadb")]
pub type MariaDbVersions<K> = SqlVersions<sqlx::MySql, K>;

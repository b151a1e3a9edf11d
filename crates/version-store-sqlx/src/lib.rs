//! Conditional writes on the tables that you have: SQLite, PostgreSQL, MariaDB.
//!
//! A [`Table`] describes a table of your own. A store on it, [`SqlVersions`], tells the version of a row
//! ([`VersionStore`](version_store::VersionStore)) and writes on the version that was expected, in two ways:
//!
//! | way | by | a handler |
//! | --- | --- | --- |
//! | compare and swap | [`SqlVersions::compare_and_swap`], or SQL of your own (below) | takes `Expected` |
//! | transaction | [`Transactional`](version_store::Transactional) | takes `Tx`, and knows nothing of versions |
//!
//! # From a table to conditional writes
//!
//! 1. Describe the table: `Table::new("posts").with_key("id").with_version("version")`.
//! 2. Put [`Table::migration`] among your migrations, or call [`Table::apply`]. It adds the version column
//!    and triggers that advance it whoever writes, so statements that you have stay as they are.
//! 3. Open the store: it checks the table and tells in one line what is missing.
//! 4. Give the store to the layer, and the handlers one of the two ways.
//!
#![cfg_attr(feature = "sqlite", doc = "```")]
#![cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
//! use version_store::handover::Slot;
//! use version_store::{Demand, Expected, VersionStore};
//! use version_store_sqlx::{SqliteVersions, SwapError, Table};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let url = format!("sqlite:{}?mode=rwc", folder.path().join("posts.db").display());
//! let pool = sqlx::SqlitePool::connect(&url).await?;
//! sqlx::query("CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL)").execute(&pool).await?;
//!
//! let table = Table::new("posts").with_key("id").with_version("version");
//! table.apply(&pool).await?;
//! let posts: SqliteVersions<u64> = SqliteVersions::open(pool.clone(), table).await?;
//!
//! // A statement of before, and the version that it made.
//! sqlx::query("INSERT INTO posts (id, title) VALUES (7, 'Draft')").execute(&pool).await?;
//! let seen = posts.current(&7).await?.unwrap();
//!
//! // What a layer does for a request whose `If-Match` fits, and then for one that comes too late:
//! for in_time in [true, false] {
//!     let slot: Slot<Expected<SqliteVersions<u64>>> = Slot::new(7, Demand::Version(seen.clone()));
//!     let write = posts.compare_and_swap(slot.take()?, async |connection, _was| {
//!         let update = sqlx::query("UPDATE posts SET title = 'Post' WHERE id = 7");
//!         update.execute(connection).await
//!     });
//!     match write.await {
//!         Ok(_) => assert!(in_time),
//!         Err(SwapError::Lost(_)) => assert!(!in_time),
//!         Err(error) => return Err(error.into()),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # With statements of your own
//!
//! The condition is part of the statement. A row that comes back is `expected.written(Version::new(…))`,
//! none is `expected.lost()`. With the migration's triggers:
//!
//! | | replace | create |
//! | --- | --- | --- |
//! | PostgreSQL | `UPDATE posts SET …, version = version + 1 WHERE id = $1 AND version = $2 RETURNING version` | `INSERT INTO posts (…) VALUES (…) ON CONFLICT (id) DO NOTHING RETURNING version` |
//! | SQLite | the same, with `?` | `INSERT INTO posts (…, version) SELECT …, value + 1 FROM posts_version_store WHERE true ON CONFLICT (id) DO NOTHING RETURNING version` |
//! | MariaDB | in a transaction: the `UPDATE`, whose count of rows tells whether it took place, then `SELECT version` | `INSERT INTO posts (…) VALUES (…) RETURNING version`, whose error 1062 on the key is lost |
//!
//! (`ON CONFLICT` without its column would take another unique column's violation for a lost race, and
//! `INSERT IGNORE` would store what does not fit, cut to size.) For all three `DELETE FROM posts WHERE id = … AND version = …`. In SQLite a statement that leaves the
//! version to the trigger must not ask `RETURNING` for it: what it shows is of before the trigger.
//!
//! # The databases
//!
//! | | SQLite | PostgreSQL | MariaDB |
//! | --- | --- | --- | --- |
//! | feature | `sqlite` | `postgres` | `mariadb` |
//! | store | `SqliteVersions` | `PgVersions` | `MariaDbVersions` |
//! | tested with | 3.51 (compiled in) | 15 | 10.11 |
//! | an absent key is held by | the file's lock (`BEGIN IMMEDIATE`) | an advisory lock | `GET_LOCK` |
//! | a row is held by | the same | `SELECT … FOR UPDATE` | `SELECT … FOR UPDATE` |
//! | revisions come from | a table of one row | a sequence | a sequence |
//! | transactions at once | 1 | 8, [or as many as you say](Transactions::with_connections) | as PostgreSQL |
//! | a pooler in between | | any; above read committed one that keeps a session to its client | by session |
//! | text keys | any collation but `NOCASE`, `RTRIM` | deterministic collations; no `char(n)`, no `citext` | `…_nopad_bin` |
//!
//! SQLite is as durable as the pool's options say: an acknowledged write survives the loss of power only
//! with `synchronous=FULL`. MariaDB's own `READ COMMITTED` needs row-based or mixed binary logs.
//!
//! Two things about MariaDB that kills and clients that leave have shown, and that are the application's to
//! set:
//!
//! - **Keep a binary log** (`log_bin`, `sync_binlog=1`). Without one it shows a commit to others before
//!   it is on disk: what was acknowledged survives a crash of the server, what was merely read may not.
//! - **Let the pool send `ROLLBACK` in its `after_release`**, where handlers begin transactions of their own. A
//!   `BEGIN` whose future is dropped before its answer stays open on the connection, sqlx does not know,
//!   and whoever gets that connection next may read what stood there earlier. This store's own
//!   connections are not the application's, and are closed in that case.
//!
//! # What keeps revisions apart
//!
//! A version that comes back would let a stale write pass. The check at the start wants one of these, in
//! this order: the migration's triggers; the owner's word
//! ([`Table::asserting_that_revisions_never_repeat`]); a [incarnation column](Table::with_incarnation); a default of the
//! version column that never gives the same twice (`nextval`, `random`). `AUTOINCREMENT` is not enough: it
//! does not repeat ids of its own, but a PUT that creates chooses the id. Only the triggers hold whoever
//! writes.
//!
//! # What is sqlx's
//!
//! The types of sqlx 0.9 are part of this crate's interface: pools, connections.

// Each database alone leaves something that only another one needs.
#![cfg_attr(
    not(all(feature = "sqlite", feature = "postgres", feature = "mariadb")),
    allow(dead_code, unused_imports, unused_macros)
)]

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

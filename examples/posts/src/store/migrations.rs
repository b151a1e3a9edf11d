//! The migrations, compiled in.
//!
//! `sqlx::migrate!` would say the same in one line each. But sqlx's macros compile all of sqlx a second
//! time, for the compiler to run.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

pub(super) fn postgres() -> Migrator {
    Migrator::with_migrations(vec![migration(
        1,
        "posts",
        include_str!("../../migrations/postgres/0001_posts.sql"),
    )])
}

pub(super) fn sqlite() -> Migrator {
    Migrator::with_migrations(vec![migration(
        1,
        "posts",
        include_str!("../../migrations/sqlite/0001_posts.sql"),
    )])
}

/// The file `VERSION_DESCRIPTION.sql`. It runs in a transaction.
fn migration(version: i64, description: &'static str, sql: &'static str) -> Migration {
    Migration::new(
        version,
        description.into(),
        MigrationType::Simple,
        sql.into_sql_str(),
        false,
    )
}

#[cfg(test)]
mod tests;

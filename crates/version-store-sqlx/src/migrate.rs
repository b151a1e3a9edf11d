use sqlx::Pool;
use sqlx_core::transaction::TransactionManager;

use crate::driver::Driver;
use crate::lease::Lease;
use crate::store::Backend;
use crate::{Dialect, OpenError, Table};

impl Table {
    /// Applies the [`migration`](Self::migration), once or again. In SQLite and PostgreSQL as one
    /// transaction.
    ///
    /// For programs that bring their tables up to date themselves; others put the text among their
    /// migrations.
    ///
    /// # Errors
    ///
    /// [`OpenError`], where the table is missing or the database fails.
    pub async fn apply<D: Backend>(&self, pool: &Pool<D>) -> Result<(), OpenError> {
        if let Some(unusable) = self.unusable_name() {
            return Err(OpenError::unfit(&self.name, unusable));
        }
        let failed = |error| OpenError::failed(&self.name, error);
        let mut lease = Lease::from_pool(pool).await.map_err(failed)?;
        let found = D::inspect(lease.connection(), self).await.map_err(failed)?;
        if found.identity.is_none() {
            return Err(OpenError::unfit(&self.name, "there is no such table"));
        }
        let mut statements = self.statements(D::DIALECT);
        if D::DIALECT == Dialect::Sqlite && found.column(&self.version).is_err() {
            statements.insert(0, self.add_column());
        }
        let applied = applied::<D>(lease.connection(), statements).await;
        if applied.is_ok() {
            lease.give_back();
        } else {
            // With whatever is open on it.
            lease.discard();
        }
        applied.map_err(failed)
    }
}

async fn applied<D: Driver>(
    connection: &mut D::Connection,
    statements: Vec<String>,
) -> Result<(), sqlx::Error> {
    let begin = match D::DIALECT {
        Dialect::Sqlite => Some("BEGIN IMMEDIATE"),
        Dialect::Postgres => Some("BEGIN"),
        // It commits after each of these statements anyway.
        Dialect::MariaDb => None,
    };
    if let Some(begin) = begin {
        D::TransactionManager::begin(
            connection,
            Some(sqlx_core::sql_str::SqlSafeStr::into_sql_str(begin)),
        )
        .await?;
    }
    for statement in statements {
        D::send(connection, statement).await?;
    }
    D::TransactionManager::commit(connection).await
}

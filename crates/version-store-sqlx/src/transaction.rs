use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use sqlx_core::transaction::TransactionManager;
use tokio::time::timeout;
use version_store::{Begun, EndError, Transactional, Version, Versions};

use crate::driver::OPENED;
use crate::lease::Lease;
use crate::select::arguments;
use crate::store::{Backend, busy_or_failed};
use crate::{Error, ErrorKind, SqlKey, SqlVersions};

/// How long the answer to a COMMIT is waited for before the outcome counts as unknown. A disk that is
/// busy takes longer over a commit than anything else.
const COMMIT_PATIENCE: Duration = Duration::from_secs(30);

/// An open transaction. It derefs to the connection, so `&mut *transaction` is an executor.
///
/// Dropped, it is rolled back.
pub struct SqlTransaction<D: Backend> {
    /// There until it has ended.
    lease: Option<Lease<D>>,
    patience: Duration,
}

impl<D: Backend> SqlTransaction<D> {
    fn lease(&mut self) -> &mut Lease<D> {
        self.lease.as_mut().expect(UNTIL_ENDED)
    }

    fn depth(&self) -> usize {
        let connection = self.lease.as_ref().expect(UNTIL_ENDED).connection_ref();
        D::TransactionManager::get_transaction_depth(connection)
    }

    /// Shows that this is the transaction that was opened, and that the connection answers what it is
    /// asked: after a statement that was dropped midway, a driver may take the rest of the one answer
    /// for the next, and so anything for the answer to COMMIT.
    async fn prove(&mut self, and_open_again: bool) -> Result<(), EndError<Error>> {
        // A nested transaction of sqlx that was forgotten, or an outer one that was committed.
        if self.depth() != 1 {
            return Err(EndError::EndedByHandler);
        }
        let nonce = nonce();
        let again = if and_open_again {
            format!("SAVEPOINT {OPENED}; ")
        } else {
            String::new()
        };
        let sql = format!("RELEASE SAVEPOINT {OPENED}; {again}SELECT '{nonce}'");
        let patience = self.patience;
        let connection = self.lease().connection();
        let Some(answer) = answered(patience, D::send(connection, sql)).await? else {
            return Err(EndError::RolledBack(Error::new(
                ErrorKind::Busy,
                "no answer in time",
            )));
        };
        let rows = answer.map_err(|error| {
            if D::has_no_savepoint(&error) {
                EndError::EndedByHandler
            } else {
                EndError::RolledBack(busy_or_failed::<D>(error))
            }
        })?;
        if !is_echo::<D>(&rows, &nonce) {
            let out_of_step = Error::new(ErrorKind::Failed, "the connection is out of step");
            return Err(EndError::RolledBack(out_of_step));
        }
        Ok(())
    }

    /// To the pool, where nothing is open any more.
    fn end(mut self) {
        let done = self.depth() == 0;
        if let (Some(lease), true) = (self.lease.take(), done) {
            lease.give_back();
        }
    }

    fn discard(mut self) {
        if let Some(lease) = self.lease.take() {
            lease.discard();
        }
    }
}

/// What the connection answers, or nothing in this time. Sqlx's driver for MariaDB panics on some of the
/// rests that a statement leaves which was dropped midway; that is one more way not to answer.
async fn answered<T>(
    patience: Duration,
    answer: impl Future<Output = T>,
) -> Result<Option<T>, EndError<Error>> {
    // The connection is discarded, so nobody sees what the panic left half done.
    let answer = AssertUnwindSafe(timeout(patience, answer)).catch_unwind();
    match answer.await {
        Ok(answer) => Ok(answer.ok()),
        Err(_) => Err(EndError::RolledBack(Error::new(
            ErrorKind::Failed,
            "the driver panicked on what an earlier statement left",
        ))),
    }
}

/// A text that no answer has had before.
fn nonce() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("in step {}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn is_echo<D: Backend>(rows: &[D::Row], nonce: &str) -> bool {
    let echo = rows.last().and_then(|row| D::text(row, 0).ok().flatten());
    echo.as_deref() == Some(nonce)
}

const UNTIL_ENDED: &str = "the connection is there until the transaction has ended";

impl<D: Backend, K: SqlKey> SqlVersions<D, K> {
    /// The version of a row in a transaction; advanced, where it is the one of before.
    async fn advanced(
        &self,
        transaction: &mut SqlTransaction<D>,
        key: &K,
        before: Option<&Version>,
    ) -> Result<Option<Version>, Error> {
        let statements = &self.shared.statements;
        let connection = transaction.lease().connection();
        let now = self.read(connection, key, &statements.current).await?;
        let (Some(version), Some(before)) = (&now, before) else {
            return Ok(now);
        };
        if !version.same_state(before) {
            return Ok(now);
        }
        let Some(arguments) = arguments::<D>(key).map_err(busy_or_failed::<D>)? else {
            return Ok(now);
        };
        let sql = Arc::clone(&statements.advance);
        D::query(connection, sql, arguments)
            .await
            .map_err(busy_or_failed::<D>)?;
        let now = self.read(connection, key, &statements.current).await?;
        if now.as_ref().is_some_and(|now| now.same_state(before)) {
            return Err(Error::new(
                ErrorKind::NoVersion,
                "the row kept its version, though it was to be advanced",
            ));
        }
        Ok(now)
    }
}

impl<D: Backend, K: SqlKey> Transactional for SqlVersions<D, K> {
    type Transaction = SqlTransaction<D>;

    const HOLDS_ABSENT: bool = D::ONE_WRITER;

    async fn begin(&self, keys: &[K]) -> Result<Begun<Self>, Error> {
        let shared = &self.shared;
        for key in keys {
            // Absent, but not as a row is that a handler could create.
            if arguments::<D>(key).map_err(busy_or_failed::<D>)?.is_none() {
                return Err(Error::new(ErrorKind::NoSuchKey, "it is out of range"));
            }
        }
        let lease = Lease::from_pool(&shared.transactions).await;
        let mut transaction = SqlTransaction {
            lease: Some(lease.map_err(busy_or_failed::<D>)?),
            patience: shared.plan.patience,
        };
        let locks: Vec<_> = keys.iter().map(|key| self.lock_id(key)).collect();
        D::begin(transaction.lease().connection(), shared.plan, &locks).await?;
        let mut current = Vec::with_capacity(keys.len());
        for key in keys {
            let connection = transaction.lease().connection();
            current.push(self.read(connection, key, &shared.statements.hold).await?);
        }
        Ok(Begun {
            transaction,
            current,
        })
    }

    async fn advance(
        &self,
        transaction: &mut SqlTransaction<D>,
        keys: &[K],
        before: &[Option<Version>],
    ) -> Result<Versions<Self>, EndError<Error>> {
        transaction.prove(true).await?;
        let mut made = Vec::with_capacity(keys.len());
        for (key, before) in keys.iter().zip(before) {
            let version = self.advanced(transaction, key, before.as_ref()).await;
            made.push(version.map_err(EndError::RolledBack)?);
        }
        Ok(made)
    }

    async fn commit(&self, mut transaction: SqlTransaction<D>) -> Result<(), EndError<Error>> {
        transaction.prove(false).await?;
        let connection = transaction.lease().connection();
        let commit = D::TransactionManager::commit(connection);
        match timeout(COMMIT_PATIENCE, commit).await {
            Ok(Ok(())) => {
                transaction.end();
                Ok(())
            }
            Ok(Err(error)) if D::refused_commit(&error) => {
                let error = busy_or_failed::<D>(error);
                self.rollback(transaction).await;
                Err(EndError::RolledBack(error))
            }
            Ok(Err(error)) => {
                transaction.discard();
                Err(EndError::Unknown(Error::new(
                    ErrorKind::OutcomeUnknown,
                    error,
                )))
            }
            Err(_) => {
                transaction.discard();
                let late = Error::new(ErrorKind::OutcomeUnknown, "no answer to COMMIT in time");
                Err(EndError::Unknown(late))
            }
        }
    }

    async fn rollback(&self, mut transaction: SqlTransaction<D>) {
        let connection = transaction.lease().connection();
        let nonce = nonce();
        let rollback = async {
            D::TransactionManager::rollback(connection).await?;
            let sql = format!("{}; SELECT '{nonce}'", D::RELEASE);
            D::send(connection, sql).await
        };
        match answered(self.shared.plan.patience, rollback).await {
            Ok(Some(Ok(rows))) if is_echo::<D>(&rows, &nonce) => transaction.end(),
            _ => transaction.discard(),
        }
    }
}

impl<D: Backend> Deref for SqlTransaction<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        self.lease.as_ref().expect(UNTIL_ENDED).connection_ref()
    }
}

impl<D: Backend> DerefMut for SqlTransaction<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        self.lease().connection()
    }
}

impl<D: Backend> Drop for SqlTransaction<D> {
    fn drop(&mut self) {
        if self.lease.is_none() {
            return;
        }
        // Otherwise sqlx does not know what is open, or knows wrongly.
        if D::RECOVERS && self.depth() == 1 {
            D::TransactionManager::start_rollback(self.lease().connection());
        } else if let Some(lease) = self.lease.take() {
            lease.discard();
        }
    }
}

impl<D: Backend> fmt::Debug for SqlTransaction<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlTransaction").finish_non_exhaustive()
    }
}

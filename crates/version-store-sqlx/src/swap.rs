use tokio::time::timeout;
use version_store::{EndError, Expected, Transactional, Version};

use crate::store::Backend;
use crate::{Error, ErrorKind, SqlKey, SqlVersions, SwapError};

impl<D: Backend, K: SqlKey> SqlVersions<D, K> {
    /// Writes the row that `expected` is of, with statements of your own, if its stored version is the
    /// demanded one; and settles `expected`.
    ///
    /// It opens a transaction that holds the row (or, where there is none, its key), compares, runs the
    /// statements, gives the row its next version unless they did, and commits. The statements get the
    /// connection and the version that they write on, `None` where the row does not exist. They may
    /// update, insert or delete it, whatever the demand: the demand is met. They need no word about
    /// versions. An error of theirs rolls back.
    ///
    /// Dropped at any point, the write has taken place as a whole or not at all, and nothing is held.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] mod example {
    /// use version_store::Expected;
    /// use version_store_sqlx::{SqliteVersions, SwapError};
    ///
    /// type Posts = SqliteVersions<i64>;
    ///
    /// async fn retitle(
    ///     posts: &Posts,
    ///     title: &str,
    ///     expected: Expected<Posts>,
    /// ) -> Result<(), SwapError<sqlx::Error>> {
    ///     let id = *expected.key();
    ///     posts
    ///         .compare_and_swap(expected, async |connection, _was| {
    ///             let update = sqlx::query("UPDATE posts SET title = ? WHERE id = ?");
    ///             update.bind(title).bind(id).execute(connection).await?;
    ///             Ok(())
    ///         })
    ///         .await
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SwapError`]. Where it leaves open whether the write took place (see [`ErrorKind`]), and where the
    /// statements failed, `expected` stays unsettled, so that a layer makes no success of it.
    pub async fn compare_and_swap<T, E>(
        &self,
        expected: Expected<Self>,
        statements: impl AsyncFnOnce(&mut D::Connection, Option<&Version>) -> Result<T, E>,
    ) -> Result<T, SwapError<E>> {
        let keys = [expected.key().clone()];
        let begun = self.begin(&keys).await.map_err(SwapError::Store)?;
        let (mut transaction, before) = (begun.transaction, begun.current);
        let was = before.first().and_then(Option::as_ref);
        if !expected.admits(was) {
            self.rollback(transaction).await;
            return Err(expected.lost().into());
        }
        let output = match statements(&mut transaction, was).await {
            Ok(output) => output,
            Err(error) => {
                self.rollback(transaction).await;
                return Err(self.failed(expected, was, error).await);
            }
        };
        let made = self.advance(&mut transaction, &keys, &before).await;
        let made = made.map_err(|error| SwapError::Store(ended(error)))?;
        // No row held the place: an upsert may have written over what somebody beside the store created.
        let created = was.is_none() && made.iter().any(Option::is_some);
        if created && !D::ONE_WRITER {
            let seen = self.seen_by_others(&keys[0]).await;
            let holds = seen
                .as_ref()
                .is_ok_and(|seen| expected.admits(seen.as_ref()));
            if !holds {
                self.rollback(transaction).await;
                return Err(match seen {
                    Ok(_) => expected.lost().into(),
                    Err(error) => SwapError::Store(error),
                });
            }
        }
        self.commit(transaction)
            .await
            .map_err(|error| SwapError::Store(ended(error)))?;
        match (made.into_iter().next().flatten(), was) {
            (Some(version), _) => expected.written(version),
            (None, Some(_)) => expected.removed(),
            (None, None) => expected.unchanged(),
        }
        Ok(output)
    }

    /// What an open transaction has made nobody else sees yet.
    async fn seen_by_others(&self, key: &K) -> Result<Option<Version>, Error> {
        use version_store::VersionStore;
        // The application's pool may be more patient than whoever waits for this row.
        let seen = timeout(self.shared.plan.patience, self.current(key)).await;
        seen.map_err(|_| Error::new(ErrorKind::Busy, "no second look in time"))?
    }

    /// Statements that create the row fail where a writer that does not go through the store was faster:
    /// its key is taken. Whatever their error is, that one is a lost race.
    async fn failed<E>(
        &self,
        expected: Expected<Self>,
        was: Option<&Version>,
        error: E,
    ) -> SwapError<E> {
        use version_store::VersionStore;
        if was.is_none()
            && let Ok(now) = self.current(expected.key()).await
            && !expected.admits(now.as_ref())
        {
            return expected.lost().into();
        }
        SwapError::Statements(error)
    }
}

fn ended(error: EndError<Error>) -> Error {
    match error {
        EndError::RolledBack(error) | EndError::Unknown(error) => error,
        error => Error::new(ErrorKind::TransactionEnded, error.to_string()),
    }
}

//! The posts in a table, under compare and swap: by a bare `UPDATE … WHERE version = …` where the
//! demand is one version, by the store's own step otherwise. Both have to go together.

use sqlx::Pool;
use tower_if_match::{Expected, Version, Versioned, WriteError};
use version_store_sqlx::{ErrorKind, SqlVersions, SwapError};

use crate::answer::Failed;
use crate::compare_and_swap::Posts;
use crate::post::Post;
use crate::rows::{Posted, Rows};

/// A table of posts. A cheap handle.
#[derive(Debug)]
pub struct SqlPosts<D: Posted> {
    pool: Pool<D>,
    versions: SqlVersions<D, u64>,
}

impl<D: Posted> SqlPosts<D> {
    /// The posts in a table whose versions are these.
    pub fn new(pool: Pool<D>, versions: SqlVersions<D, u64>) -> Self {
        Self { pool, versions }
    }

    /// One statement that names the version decides. The rest of the transaction only reads back
    /// which version it made.
    async fn update(
        &self,
        version: u64,
        post: &Post,
        expected: Expected<SqlVersions<D, u64>>,
    ) -> Result<(), WriteError<Failed>> {
        let id = *expected.key();
        let mut transaction = self.pool.begin().await.map_err(unwritten)?;
        let updated = transaction.update_version(id, version, post).await;
        if !updated.map_err(unwritten)? {
            return Err(expected.lost().into());
        }
        let made = transaction.post(id).await.map_err(unwritten)?;
        let (made, _) = made.ok_or(WriteError::Backend(Failed::Unavailable))?;
        let committed = transaction.commit().await;
        committed.map_err(|_| WriteError::Backend(Failed::OutcomeUnknown))?;
        expected.written(made);
        Ok(())
    }
}

impl<D: Posted> Posts for SqlPosts<D> {
    type Versions = SqlVersions<D, u64>;

    fn versions(&self) -> Self::Versions {
        self.versions.clone()
    }

    async fn read(&self, id: u64) -> Result<Option<Versioned<Post>>, Failed> {
        read(&self.pool, id).await
    }

    async fn put(
        &self,
        post: &Post,
        expected: Expected<Self::Versions>,
    ) -> Result<bool, WriteError<Failed>> {
        if let Some(version) = expected.version().map(Version::revision).copied() {
            self.update(version, post, expected).await?;
            return Ok(false);
        }
        let id = *expected.key();
        let put = self.versions.compare_and_swap(
            expected,
            async |connection: &mut D::Connection, was: Option<&Version>| {
                connection.upsert(id, post).await?;
                Ok::<_, sqlx::Error>(was.is_none())
            },
        );
        put.await.map_err(failed)
    }

    async fn remove(&self, expected: Expected<Self::Versions>) -> Result<(), WriteError<Failed>> {
        let id = *expected.key();
        let removed = self.versions.compare_and_swap(
            expected,
            async |connection: &mut D::Connection, _: Option<&Version>| connection.delete(id).await,
        );
        if removed.await.map_err(failed)? {
            Ok(())
        } else {
            Err(WriteError::Absent)
        }
    }
}

/// A post with the version of its own row.
///
/// # Errors
///
/// [`Failed`]
pub async fn read<D: Posted>(pool: &Pool<D>, id: u64) -> Result<Option<Versioned<Post>>, Failed> {
    let mut connection = pool.acquire().await.map_err(|_| Failed::Unavailable)?;
    let found = connection.post(id).await;
    let found = found.map_err(|_| Failed::Unavailable)?;
    Ok(found.map(|(version, post)| Versioned::new(version, post)))
}

/// Before the commit, whatever fails.
fn unwritten(_: sqlx::Error) -> WriteError<Failed> {
    WriteError::Backend(Failed::Unavailable)
}

fn failed(error: SwapError<sqlx::Error>) -> WriteError<Failed> {
    WriteError::Backend(match error {
        SwapError::Lost(lost) => return lost.into(),
        SwapError::Statements(_) => Failed::Unavailable,
        SwapError::Store(error) => match error.kind() {
            ErrorKind::Busy => Failed::Busy,
            ErrorKind::Failed | ErrorKind::NoVersion => Failed::Unavailable,
            _ => Failed::OutcomeUnknown,
        },
    })
}

/// Not derived: that would ask the database to be `Clone`.
impl<D: Posted> Clone for SqlPosts<D> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            versions: self.versions.clone(),
        }
    }
}

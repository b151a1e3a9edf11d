//! Where posts are kept.

use std::error::Error;
use std::ops::Deref;

use thiserror::Error;
use tower_if_match::version_store::EndError;
use tower_if_match::{
    Conflict, Conflicts, Describe, Expected, Transactional, Versioned, WriteError,
};
use version_store_sqlx::{ErrorKind, KeyColumns, KeyValues, SqlKey, Table};

use crate::post::{Draft, Post, PostId};

pub mod location;
pub mod memory;
mod migrations;
pub mod postgres;
mod rows;
pub mod sqlite;

pub use location::Location;
pub use memory::MemoryPosts;
pub use postgres::PostgresPosts;
pub use sqlite::SqlitePosts;

/// How many versions of a post are kept beside the present one, so that a 412 can tell what changed
/// since the version that the client holds.
pub const HISTORY: usize = 100;

/// What the handlers need of a store of posts.
pub trait PostStore: Clone + Send + Sync + 'static {
    /// What the precondition layer asks for the version of a post, and what [`Expected`] is of.
    type Versions: Conflicts<Key = PostId, Revision = u64>;

    /// It.
    fn versions(&self) -> Self::Versions;

    /// All posts, each with the version of its own row.
    ///
    /// # Errors
    ///
    /// [`StoreError`], as every method here.
    fn list(&self) -> impl Future<Output = Result<Vec<Versioned<Post>>, StoreError>> + Send;

    /// A post with its version, both from one row.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn read(
        &self,
        id: PostId,
    ) -> impl Future<Output = Result<Option<Versioned<Post>>, StoreError>> + Send;

    /// Adds a post under an id that never was any post's.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn create(
        &self,
        draft: Draft,
    ) -> impl Future<Output = Result<Versioned<Post>, StoreError>> + Send;

    /// Writes the post that `expected` is about, in one atomic step that is conditional on it, and
    /// settles it.
    ///
    /// # Errors
    ///
    /// [`WriteError::Lost`]: someone was faster. [`WriteError::Backend`]: not settled; whether
    /// anything was written is what [`StoreError`] tells.
    fn put(
        &self,
        draft: Draft,
        expected: Expected<Self::Versions>,
    ) -> impl Future<Output = Result<Put, WriteError<StoreError>>> + Send;

    /// Removes the post that `expected` is about, as [`put`](Self::put) writes it.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put), and [`WriteError::Absent`] where there is nothing to remove.
    fn remove(
        &self,
        expected: Expected<Self::Versions>,
    ) -> impl Future<Output = Result<(), WriteError<StoreError>>> + Send;

    /// Whether the store answers.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn ping(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A store whose posts can also be written in a transaction that the layer opened before the handler and
/// commits after it.
///
/// The transaction holds the post, so these writes compare nothing. The handler has it as
/// [`Tx`](tower_if_match::Tx), which derefs to the [`Connection`].
pub trait TransactionalPosts:
    PostStore<Versions = Self> + Transactional<Key = PostId, Revision = u64, Error = StoreError>
{
    /// A post, as it stands in the transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError`], as every method here.
    fn read_in(
        &self,
        tx: &mut Connection<Self>,
        id: PostId,
    ) -> impl Future<Output = Result<Option<Post>, StoreError>> + Send;

    /// Writes a post, or creates it where there was none when the transaction began.
    ///
    /// # Errors
    ///
    /// [`StoreError`], also where somebody has created it meanwhile without the layer.
    fn put_in(
        &self,
        tx: &mut Connection<Self>,
        id: PostId,
        draft: Draft,
    ) -> impl Future<Output = Result<Put, StoreError>> + Send;

    /// Removes a post. Whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn remove_in(
        &self,
        tx: &mut Connection<Self>,
        id: PostId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// What statements in a store's transaction are sent on.
pub type Connection<S> = <<S as Transactional>::Transaction as Deref>::Target;

/// What a [`PostStore::put`] did.
#[derive(Clone, Debug)]
pub struct Put {
    /// The post as it is stored now.
    pub post: Post,
    /// Whether it did not exist before.
    pub created: bool,
}

/// Where the stores on SQL have the versions.
fn table() -> Table {
    Table::new("posts")
        .with_incarnation("incarnation")
        .with_modified_at("modified_at")
}

impl SqlKey for PostId {
    fn columns(to: &mut KeyColumns) {
        to.integer();
    }

    fn values(&self, to: &mut KeyValues) {
        to.integer(self.get());
    }
}

impl Put {
    fn of(written: Versioned<Post>) -> Self {
        Self {
            created: *written.version().revision() == 1,
            post: written.into_body(),
        }
    }
}

/// What a conflict about a post tells, with what the post was at the version that the client holds.
fn conflict(current: Versioned<Post>, earlier: Option<&Post>) -> Conflict {
    let version = current.version().clone();
    let version = version.with_modified_by(&*current.body().author);
    let post = current.into_body();
    let conflict = Conflict::new(version).with_current(post.to_json());
    match earlier {
        Some(earlier) => conflict.with_changed(post.changed_since(earlier)),
        None => conflict,
    }
}

/// Why a store did not do what it was asked. The text is for the log; a client reads less.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Others held what was needed for too long. Nothing was written.
    #[error("the store is busy")]
    Busy(#[source] Box<dyn Error + Send + Sync>),
    /// The commit failed, or was not answered. Whether the write took place is not known.
    #[error("the outcome of a write is unknown")]
    OutcomeUnknown(#[source] Box<dyn Error + Send + Sync>),
    /// Anything else. Nothing was written.
    #[error("the store failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// Why a store was not opened. Its text may repeat what stands in the URL, the password included:
/// [`location::not_opened`] hides it.
#[derive(Debug, Error)]
#[error(transparent)]
pub enum OpenError {
    /// The database failed, or is not to be had.
    Database(#[from] sqlx::Error),
    /// The table `posts` is not as it has to be.
    Table(#[from] version_store_sqlx::OpenError),
}

/// Of what is no commit: a statement that failed, or a connection that is not to be had.
impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let waited = matches!(error, sqlx::Error::PoolTimedOut);
        if waited || sqlite::is_locked(&error) || postgres::is_busy(&error) {
            Self::Busy(error.into())
        } else {
            Self::Failed(error.into())
        }
    }
}

impl From<version_store_sqlx::Error> for StoreError {
    fn from(error: version_store_sqlx::Error) -> Self {
        match error.kind() {
            ErrorKind::Busy => Self::Busy(error.into()),
            ErrorKind::OutcomeUnknown | ErrorKind::TransactionEnded => {
                Self::OutcomeUnknown(error.into())
            }
            _ => Self::Failed(error.into()),
        }
    }
}

/// How a transaction ended, in this program's errors.
fn ended(error: EndError<version_store_sqlx::Error>) -> EndError<StoreError> {
    match error {
        EndError::RolledBack(error) => EndError::RolledBack(error.into()),
        EndError::EndedByHandler => EndError::EndedByHandler,
        EndError::Unknown(error) => EndError::Unknown(error.into()),
        other => EndError::Unknown(StoreError::OutcomeUnknown(other.to_string().into())),
    }
}

impl From<StoreError> for WriteError<StoreError> {
    fn from(error: StoreError) -> Self {
        Self::Backend(error)
    }
}

#[cfg(test)]
mod tests;

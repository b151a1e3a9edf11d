//! Where posts are kept.

use std::error::Error;

use thiserror::Error;
use tower_if_match::{Conflicts, Expected, Versioned, WriteError};

use crate::post::{Draft, Post, PostId};

pub mod location;
pub mod memory;
pub mod sqlite;

pub use location::Location;
pub use memory::MemoryPosts;
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

/// What a [`PostStore::put`] did.
#[derive(Clone, Debug)]
pub struct Put {
    /// The post as it is stored now.
    pub post: Post,
    /// Whether it did not exist before.
    pub created: bool,
}

/// Why a store did not do what it was asked. The text is for the log; a client reads less.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Others held what was needed for too long. Nothing was written.
    #[error("the store is busy")]
    Busy(#[source] Box<dyn Error + Send + Sync>),
    /// The commit failed. Whether the write took place is not known.
    #[error("the outcome of a write is unknown")]
    OutcomeUnknown(#[source] Box<dyn Error + Send + Sync>),
    /// Anything else. Nothing was written.
    #[error("the store failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

#[cfg(test)]
mod tests;

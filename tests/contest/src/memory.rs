//! The posts in memory, under compare and swap.

use tower_if_match::{Expected, MemoryStore, Put, Versioned, WriteError};

use crate::answer::Failed;
use crate::compare_and_swap::Posts;
use crate::post::Post;

impl Posts for MemoryStore<u64, Post> {
    type Versions = Self;

    fn versions(&self) -> Self {
        self.clone()
    }

    async fn read(&self, id: u64) -> Result<Option<Versioned<Post>>, Failed> {
        Ok(self.get(&id))
    }

    async fn put(&self, post: &Post, expected: Expected<Self>) -> Result<bool, WriteError<Failed>> {
        let put = MemoryStore::put(self, post.clone(), expected)?;
        Ok(matches!(put, Put::Created(_)))
    }

    async fn remove(&self, expected: Expected<Self>) -> Result<(), WriteError<Failed>> {
        MemoryStore::remove(self, expected)
            .map_err(|error| error.map_backend(|never| match never {}))
    }
}

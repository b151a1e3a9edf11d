//! Posts in memory: they last as long as the process.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tower_if_match::http_precondition::HttpDate;
use tower_if_match::version_store;
use tower_if_match::{Expected, MemoryStore, Versioned, WriteError};

use super::{HISTORY, PostStore, Put, StoreError};
use crate::post::{Draft, Post, PostId};

/// The store behind `--store memory:`. A cheap handle on shared state.
#[derive(Clone, Debug)]
pub struct MemoryPosts {
    posts: MemoryStore<PostId, Post>,
    ids: Arc<Mutex<Ids>>,
}

impl MemoryPosts {
    /// No posts yet.
    pub fn new() -> Self {
        Self {
            posts: MemoryStore::with_history(HISTORY),
            ids: Arc::default(),
        }
    }

    fn with_ids<T>(&self, act: impl FnOnce(&mut Ids) -> T) -> T {
        act(&mut self.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for MemoryPosts {
    fn default() -> Self {
        Self::new()
    }
}

impl PostStore for MemoryPosts {
    type Versions = MemoryStore<PostId, Post>;

    fn versions(&self) -> Self::Versions {
        self.posts.clone()
    }

    async fn list(&self) -> Result<Vec<Versioned<Post>>, StoreError> {
        let mut all = self.posts.list();
        all.sort_by_key(|(id, _)| *id);
        Ok(all.into_iter().map(|(_, post)| post).collect())
    }

    async fn read(&self, id: PostId) -> Result<Option<Versioned<Post>>, StoreError> {
        Ok(self.posts.get(&id))
    }

    async fn create(&self, draft: Draft) -> Result<Versioned<Post>, StoreError> {
        // One step: between the two a PUT could create this very id, and a DELETE remove it again.
        let created = self.with_ids(|ids| {
            let id = ids.draw()?;
            let post = draft.into_post(id, now());
            let version = self.posts.create(id, post.clone())?;
            Some(Versioned::new(version, post))
        });
        created.ok_or_else(|| StoreError::Failed("all ids are used up".into()))
    }

    async fn put(
        &self,
        draft: Draft,
        expected: Expected<Self::Versions>,
    ) -> Result<Put, WriteError<StoreError>> {
        let id = *expected.key();
        if expected.admits(None) {
            // Before it exists, so that no POST can draw it however short the post's incarnation is.
            self.with_ids(|ids| ids.reserve(id));
        }
        let post = draft.into_post(id, now());
        let put = self.posts.put(post.clone(), expected)?;
        let created = matches!(put, version_store::Put::Created(_));
        Ok(Put { post, created })
    }

    async fn remove(
        &self,
        expected: Expected<Self::Versions>,
    ) -> Result<(), WriteError<StoreError>> {
        self.posts
            .remove(expected)
            .map_err(|error| error.map_backend(|never| match never {}))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The ids that POST gives: in order, and none that ever was a post's.
#[derive(Debug)]
struct Ids {
    next: Option<PostId>,
    /// What PUT created from `next` onwards.
    reserved: BTreeSet<PostId>,
}

impl Ids {
    fn draw(&mut self) -> Option<PostId> {
        loop {
            let id = self.next?;
            self.next = id.next();
            if !self.reserved.remove(&id) {
                return Some(id);
            }
        }
    }

    fn reserve(&mut self, id: PostId) {
        if self.next.is_some_and(|next| id >= next) {
            self.reserved.insert(id);
        }
    }
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            next: Some(PostId::MIN),
            reserved: BTreeSet::new(),
        }
    }
}

fn now() -> HttpDate {
    HttpDate::from(SystemTime::now())
}

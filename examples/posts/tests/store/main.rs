//! Both stores keep every promise of a `VersionStore`: the conformance suite on each of them.
//!
//! The negative control is SQLite written to by someone who compares in front of the write.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::path::{Path, PathBuf};

use posts::post::{Draft, Post, PostId};
use posts::store::{MemoryPosts, PostStore, SqlitePosts, StoreError};
use tower_if_match::{Demand, Expected, Versioned, WriteError};
use version_store::conformance::{Check, Finding, UnderTest, Worker, assert_conforms, check};
use version_store::handover::{Ending, Slot};

/// A store that can be opened once more.
trait Reopened: PostStore {
    type Place: Clone + Send + Sync + 'static;

    fn open(place: &Self::Place) -> impl Future<Output = Self>;
}

impl Reopened for MemoryPosts {
    /// Itself: it lives in its handles.
    type Place = Self;

    async fn open(place: &Self) -> Self {
        place.clone()
    }
}

impl Reopened for SqlitePosts {
    type Place = PathBuf;

    /// With connections of its own, as another process would have them.
    async fn open(place: &PathBuf) -> Self {
        Self::open(Path::new(place)).await.unwrap()
    }
}

#[derive(Clone)]
struct Posts<S: Reopened> {
    store: S,
    place: S::Place,
    /// Whether those who race run on threads of their own.
    spawns: bool,
    compares_in_front: bool,
}

impl<S: Reopened> Posts<S> {
    async fn at(place: S::Place, spawns: bool) -> Self {
        let store = S::open(&place).await;
        Self {
            store,
            place,
            spawns,
            compares_in_front: false,
        }
    }
}

/// The marker is the title.
impl<S: Reopened> UnderTest for Posts<S> {
    type Store = S::Versions;
    type Error = StoreError;

    fn versions(&self) -> S::Versions {
        self.store.versions()
    }

    fn key(&self, number: u64) -> PostId {
        PostId::try_from(number.cast_signed()).unwrap()
    }

    async fn write(
        &self,
        marker: u64,
        expected: Expected<S::Versions>,
    ) -> Result<(), WriteError<StoreError>> {
        let draft = Draft {
            title: marker.to_string(),
            content: String::new(),
            author: "ada".to_owned(),
        };
        if !self.compares_in_front {
            self.store.put(draft, expected).await?;
            return Ok(());
        }
        let current = self.store.read(*expected.key()).await?;
        if !expected.admits(current.as_ref().map(Versioned::version)) {
            return Err(expected.lost().into());
        }
        let slot: Slot<S::Versions> = Slot::new(*expected.key(), Demand::Anything);
        self.store.put(draft, slot.take().unwrap()).await?;
        if let Ending::Written { version, .. } = slot.close() {
            expected.written(version);
        }
        Ok(())
    }

    async fn remove(&self, expected: Expected<S::Versions>) -> Result<(), WriteError<StoreError>> {
        self.store.remove(expected).await
    }

    async fn read(&self, id: &PostId) -> Result<Option<Versioned<u64>>, StoreError> {
        let post = self.store.read(*id).await?;
        let marker = |post: Post| post.title.parse().unwrap();
        Ok(post.map(|post| post.map(marker)))
    }

    async fn other_handle(&self) -> Self {
        Self::at(self.place.clone(), self.spawns).await
    }

    fn spawn(&self, worker: Worker) -> Worker {
        if !self.spawns {
            return worker;
        }
        let task = tokio::spawn(worker);
        Box::pin(async { task.await.unwrap() })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory() {
    assert_conforms(Posts::<MemoryPosts>::at(MemoryPosts::new(), true).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_on_several_threads() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("posts.db");
    assert_conforms(Posts::<SqlitePosts>::at(file, true).await).await;
}

/// Those who race take turns at their await points.
#[tokio::test]
async fn sqlite_in_turns() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("posts.db");
    assert_conforms(Posts::<SqlitePosts>::at(file, false).await).await;
}

#[tokio::test]
async fn a_comparison_in_front_of_the_write_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let sound = Posts::<SqlitePosts>::at(folder.path().join("posts.db"), false).await;
    let compares_in_front = Posts {
        compares_in_front: true,
        ..sound
    };
    let report = check(compares_in_front).await;
    let found: Vec<_> = report.findings().iter().map(Finding::check).collect();
    assert_eq!(found, [Check::OneSuccessor, Check::Counting], "{report}");
}

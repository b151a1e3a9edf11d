//! Every store keeps every promise of a `VersionStore`: the conformance suite on each of them, under
//! both strategies where the store has transactions.
//!
//! The negative control is SQLite written to by someone who compares in front of the write.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::path::{Path, PathBuf};

use posts::post::{Draft, Post, PostId};
use posts::store::{
    MemoryPosts, PostStore, PostgresPosts, SqlitePosts, StoreError, TransactionalPosts,
};
use services::Database;
use tower_if_match::{Demand, Expected, Versioned, WriteError};
use version_store::conformance::{Check, Finding, UnderTest, Worker, assert_conforms, check};
use version_store::handover::{Ending, Made, Slot};
use version_store::{Begun, EndError};

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

impl Reopened for PostgresPosts {
    type Place = String;

    async fn open(url: &String) -> Self {
        Self::open(url).await.unwrap()
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

fn draft(marker: u64) -> Draft {
    Draft {
        title: marker.to_string(),
        content: String::new(),
        author: "ada".to_owned(),
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
        let draft = draft(marker);
        if !self.compares_in_front {
            self.store.put(draft, expected).await?;
            return Ok(());
        }
        let current = self.store.read(*expected.key()).await?;
        if !expected.admits(current.as_ref().map(Versioned::version)) {
            return Err(expected.lost().into());
        }
        let slot: Slot<Expected<S::Versions>> = Slot::new(*expected.key(), Demand::Any);
        self.store.put(draft, slot.take().unwrap()).await?;
        if let Ending::Written(Made {
            version: Some(version),
            ..
        }) = slot.close()
        {
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

/// The same posts, written as the layer and the handlers write them in a transaction.
#[derive(Clone)]
struct InTransactions<S: Reopened>(Posts<S>);

impl<S: Reopened + TransactionalPosts> InTransactions<S> {
    /// What stands there now decides whether a write that failed has lost.
    async fn failed(
        &self,
        expected: Expected<S>,
        error: StoreError,
    ) -> Result<(), WriteError<StoreError>> {
        let store = &self.0.store;
        match store.current(expected.key()).await {
            Ok(current) if !expected.admits(current.as_ref()) => Err(expected.lost().into()),
            _ => Err(WriteError::Backend(error)),
        }
    }

    async fn end(
        &self,
        begun: Begun<S>,
        expected: Expected<S>,
    ) -> Result<(), WriteError<StoreError>> {
        let (store, ids) = (&self.0.store, [*expected.key()]);
        let mut transaction = begun.transaction;
        let made = store.advance(&mut transaction, &ids, &begun.current).await;
        let ended = match made {
            Ok(made) => store.commit(transaction).await.map(|()| made),
            Err(error) => Err(error),
        };
        match ended {
            Ok(made) => match made.into_iter().next().flatten() {
                Some(version) => expected.written(version),
                None => expected.removed(),
            },
            Err(EndError::RolledBack(error)) => return self.failed(expected, error).await,
            Err(EndError::Unknown(error)) => return Err(WriteError::Backend(error)),
            Err(other) => panic!("{other}"),
        }
        Ok(())
    }
}

impl<S: Reopened + TransactionalPosts> UnderTest for InTransactions<S> {
    type Store = S;
    type Error = StoreError;

    fn versions(&self) -> S {
        self.0.versions()
    }

    fn key(&self, number: u64) -> PostId {
        self.0.key(number)
    }

    async fn write(
        &self,
        marker: u64,
        expected: Expected<S>,
    ) -> Result<(), WriteError<StoreError>> {
        let (store, id) = (&self.0.store, *expected.key());
        let mut begun = store.begin(&[id]).await.map_err(WriteError::Backend)?;
        if !expected.admits(begun.current[0].as_ref()) {
            store.rollback(begun.transaction).await;
            return Err(expected.lost().into());
        }
        match store
            .put_in(&mut begun.transaction, id, draft(marker))
            .await
        {
            Ok(_) => self.end(begun, expected).await,
            Err(error) => {
                store.rollback(begun.transaction).await;
                self.failed(expected, error).await
            }
        }
    }

    async fn remove(&self, expected: Expected<S>) -> Result<(), WriteError<StoreError>> {
        let (store, id) = (&self.0.store, *expected.key());
        let mut begun = store.begin(&[id]).await.map_err(WriteError::Backend)?;
        let current = begun.current[0].as_ref();
        let nothing_there = match expected.demand() {
            Demand::NotExists | Demand::Any | Demand::Never => current.is_none(),
            Demand::Version(_) | Demand::Exists => false,
        };
        if nothing_there
            || !expected.admits(current)
            || matches!(expected.demand(), Demand::NotExists)
        {
            store.rollback(begun.transaction).await;
            if nothing_there {
                expected.unchanged();
                return Err(WriteError::Absent);
            }
            return Err(expected.lost().into());
        }
        match store.remove_in(&mut begun.transaction, id).await {
            Ok(removed) => {
                assert!(removed, "the transaction holds it");
                self.end(begun, expected).await
            }
            Err(error) => {
                store.rollback(begun.transaction).await;
                self.failed(expected, error).await
            }
        }
    }

    async fn read(&self, id: &PostId) -> Result<Option<Versioned<u64>>, StoreError> {
        self.0.read(id).await
    }

    async fn other_handle(&self) -> Self {
        Self(self.0.other_handle().await)
    }

    fn spawn(&self, worker: Worker) -> Worker {
        self.0.spawn(worker)
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_in_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("posts.db");
    let posts = Posts::<SqlitePosts>::at(file, true).await;
    assert_conforms(InTransactions(posts)).await;
}

/// `None` where PostgreSQL is not installed. The database goes with the first.
async fn in_postgres() -> Option<(Database, Posts<PostgresPosts>)> {
    let database = services::postgres().await?;
    let posts = Posts::at(database.url().to_owned(), true).await;
    Some((database, posts))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres() {
    if let Some((_database, posts)) = in_postgres().await {
        assert_conforms(posts).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_in_transactions() {
    if let Some((_database, posts)) = in_postgres().await {
        assert_conforms(InTransactions(posts)).await;
    }
}

#[tokio::test]
async fn a_comparison_in_front_of_the_write_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let sound = Posts::<SqlitePosts>::at(folder.path().join("posts.db"), false).await;
    is_found(sound).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_comparison_in_front_of_the_write_is_found_in_postgres() {
    if let Some((_database, sound)) = in_postgres().await {
        is_found(sound).await;
    }
}

async fn is_found<S: Reopened>(sound: Posts<S>) {
    let compares_in_front = Posts {
        compares_in_front: true,
        ..sound
    };
    let report = check(compares_in_front).await;
    let found: Vec<_> = report.findings().iter().map(Finding::check).collect();
    assert_eq!(found, [Check::OneSuccessor, Check::Counting], "{report}");
}

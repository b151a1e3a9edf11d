//! The negative control: the same API, the same layer, the same stores, and a write that trusts the
//! check in front.

use std::net::SocketAddr;

use history::{Race, ViolationKind};
use posts::post::{Draft, Post, PostId};
use posts::store::{MemoryPosts, PostStore, PostgresPosts, Put, SqlitePosts, StoreError};
use tower_if_match::version_store::handover::{Ending, Made, Slot};
use tower_if_match::{Demand, Expected, Versioned, WriteError};

use crate::POSTS;

/// A store whose writes no longer compare.
#[derive(Clone, Debug)]
struct Naive<P>(P);

impl<P: PostStore> PostStore for Naive<P> {
    type Versions = P::Versions;

    fn versions(&self) -> Self::Versions {
        self.0.versions()
    }

    async fn list(&self) -> Result<Vec<Versioned<Post>>, StoreError> {
        self.0.list().await
    }

    async fn read(&self, id: PostId) -> Result<Option<Versioned<Post>>, StoreError> {
        self.0.read(id).await
    }

    async fn create(&self, draft: Draft) -> Result<Versioned<Post>, StoreError> {
        self.0.create(draft).await
    }

    async fn put(
        &self,
        draft: Draft,
        expected: Expected<Self::Versions>,
    ) -> Result<Put, WriteError<StoreError>> {
        tokio::task::yield_now().await;
        let slot = Slot::new(*expected.key(), Demand::Any);
        let put = self.0.put(draft, slot.take().unwrap()).await?;
        match slot.close() {
            Ending::Written(Made {
                version: Some(version),
                ..
            }) => expected.written(version),
            _ => expected.unchanged(),
        }
        Ok(put)
    }

    async fn remove(
        &self,
        expected: Expected<Self::Versions>,
    ) -> Result<(), WriteError<StoreError>> {
        let slot = Slot::new(*expected.key(), Demand::Any);
        self.0.remove(slot.take().unwrap()).await?;
        expected.removed();
        Ok(())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}

async fn serve(posts: impl PostStore) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, posts::app(posts)).await });
    addr
}

/// The same race as for the real stores, which must find forks and lost writes.
async fn is_found_out(posts: impl PostStore, acknowledged: u64) {
    let addr = serve(Naive(posts)).await;
    let race = Race {
        readers: 4,
        acknowledged,
        ..Race::new(addr, POSTS.collect::<Vec<_>>())
    };
    let report = race.run().await.unwrap().check();
    println!("{}", report.counts);
    assert!(report.has(ViolationKind::Fork), "{report}");
    assert!(!report.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn naive_writes_in_memory_are_found_out() {
    is_found_out(MemoryPosts::new(), 10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn naive_writes_in_sqlite_are_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posts.db");
    is_found_out(SqlitePosts::open(&path).await.unwrap(), 10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn naive_writes_in_postgres_are_found_out() {
    if let Some(database) = services::postgres().await {
        let posts = PostgresPosts::open(database.url()).await.unwrap();
        is_found_out(posts, 2_000).await;
    }
}

//! The posts under compare and swap: the handlers, and the same without the compare.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::{Json, Router, http::StatusCode, routing::get};
use tower_if_match::version_store::handover::{Ending, Made, Slot};
use tower_if_match::{
    Demand, Expected, IfMatchLayer, PathKey, VersionStore, Versioned, WriteError,
};

use crate::answer::{Failed, Refused, written};
use crate::post::{Patch, Post};

/// A store of posts whose writes are conditional on an [`Expected`].
pub trait Posts: Clone + Send + Sync + 'static {
    /// What the layer asks for versions.
    type Versions: VersionStore<Key = u64, Revision = u64>;

    /// It.
    fn versions(&self) -> Self::Versions;

    /// A post with the version of its own row.
    ///
    /// # Errors
    ///
    /// [`Failed`]
    fn read(&self, id: u64)
    -> impl Future<Output = Result<Option<Versioned<Post>>, Failed>> + Send;

    /// Writes the post, and tells whether it did not exist before.
    ///
    /// # Errors
    ///
    /// [`WriteError`]
    fn put(
        &self,
        post: &Post,
        expected: Expected<Self::Versions>,
    ) -> impl Future<Output = Result<bool, WriteError<Failed>>> + Send;

    /// Removes the post.
    ///
    /// # Errors
    ///
    /// [`WriteError`]
    fn remove(
        &self,
        expected: Expected<Self::Versions>,
    ) -> impl Future<Output = Result<(), WriteError<Failed>>> + Send;
}

/// The routes.
pub fn app<P: Posts>(posts: P) -> Router {
    let guard = IfMatchLayer::new("posts", posts.versions(), PathKey);
    let methods = get(read::<P>)
        .put(replace::<P>)
        .patch(patch::<P>)
        .delete(remove::<P>)
        .route_layer(guard);
    Router::new()
        .route("/api/posts/{id}", methods)
        .with_state(posts)
}

async fn read<P: Posts>(
    State(posts): State<P>,
    Path(id): Path<u64>,
) -> Result<Versioned<Json<Post>>, Refused> {
    let post = posts.read(id).await?.ok_or(Refused::Absent)?;
    Ok(post.map(Json))
}

async fn replace<P: Posts>(
    State(posts): State<P>,
    expected: Expected<P::Versions>,
    Json(post): Json<Post>,
) -> Result<impl IntoResponse, Refused> {
    let created = posts.put(&post, expected).await?;
    Ok(written(created, post))
}

async fn patch<P: Posts>(
    State(posts): State<P>,
    Path(id): Path<u64>,
    expected: Expected<P::Versions>,
    Json(patch): Json<Patch>,
) -> Result<impl IntoResponse, Refused> {
    let Some(read) = posts.read(id).await? else {
        return Err(match expected.demand() {
            Demand::Never | Demand::NotExists | Demand::Any => Refused::Absent,
            Demand::Version(_) | Demand::Exists => expected.lost().into(),
        });
    };
    let expected = expected.require_version(read.version())?;
    let post = read.into_body().patched(patch);
    posts.put(&post, expected).await?;
    Ok(written(false, post))
}

async fn remove<P: Posts>(
    State(posts): State<P>,
    expected: Expected<P::Versions>,
) -> Result<StatusCode, Refused> {
    posts.remove(expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same store without the compare: it trusts the check in front, writes over whatever is there,
/// and settles as written.
#[derive(Clone, Debug)]
pub struct Unprotected<P>(pub P);

impl<P: Posts> Posts for Unprotected<P> {
    type Versions = P::Versions;

    fn versions(&self) -> P::Versions {
        self.0.versions()
    }

    async fn read(&self, id: u64) -> Result<Option<Versioned<Post>>, Failed> {
        self.0.read(id).await
    }

    async fn put(
        &self,
        post: &Post,
        expected: Expected<P::Versions>,
    ) -> Result<bool, WriteError<Failed>> {
        let (slot, anything) = whatever_is_there(&expected).await;
        let created = self.0.put(post, anything).await?;
        settle(expected, &slot);
        Ok(created)
    }

    async fn remove(&self, expected: Expected<P::Versions>) -> Result<(), WriteError<Failed>> {
        let (slot, anything) = whatever_is_there(&expected).await;
        let removed = self.0.remove(anything).await;
        settle(expected, &slot);
        removed
    }
}

/// Another `Expected` of the same post, that demands nothing. A store in memory writes without ever
/// waiting: others get their chance here.
async fn whatever_is_there<S: VersionStore>(
    expected: &Expected<S>,
) -> (Slot<Expected<S>>, Expected<S>) {
    let slot = Slot::new(expected.key().clone(), Demand::Any);
    let anything = slot.take().expect("the slot is new");
    tokio::task::yield_now().await;
    (slot, anything)
}

fn settle<S: VersionStore>(expected: Expected<S>, slot: &Slot<Expected<S>>) {
    match slot.close() {
        Ending::Written(Made {
            version: Some(version),
            ..
        }) => expected.written(version),
        Ending::Written(Made { version: None, .. }) => expected.removed(),
        Ending::Lost => drop(expected.lost()),
        Ending::Unchanged => expected.unchanged(),
        // The store failed before it knew.
        Ending::Untaken | Ending::Unsettled => drop(expected),
    }
}

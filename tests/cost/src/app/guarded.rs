//! Our layer, on the store that leaves tags to the mint or brings its own, and on the store that the layer brings.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, options};
use tower_if_match::{
    Expected, IfMatchLayer, Lost, MemoryStore, PathKey, TagMint, Version, Versioned,
};

use super::{App, ID, POST, UNKEYED, health, own_tag, twice};
use crate::posts::Posts;

type Memory = MemoryStore<u64, Bytes>;
pub(super) type Guard<const OWN_TAGS: bool> = IfMatchLayer<Posts<OWN_TAGS>, PathKey>;

impl App {
    /// Our layer; the store brings its own tags or leaves them to the mint.
    pub(crate) fn guarded<const OWN_TAGS: bool>() -> Self {
        Self::guarded_by::<OWN_TAGS>(|methods, guard| methods.route_layer(guard))
    }

    /// The same, with something around our layer.
    pub(crate) fn guarded_by<const OWN_TAGS: bool>(
        mount: impl Fn(MethodRouter<Posts<OWN_TAGS>>, Guard<OWN_TAGS>) -> MethodRouter<Posts<OWN_TAGS>>,
    ) -> Self {
        let posts = Posts::<OWN_TAGS>::default();
        twice(|text| posts.overwrite(ID, text));
        let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
        let tag_of = if OWN_TAGS {
            Box::new(own_tag)
        } else {
            minted_tag(guard.tags(), 0)
        };
        let methods = get(read::<OWN_TAGS>)
            .put(write::<OWN_TAGS>)
            .merge(options(StatusCode::NO_CONTENT));
        Self {
            router: Router::new()
                .route(POST, mount(methods, guard.clone()))
                .route(UNKEYED, mount(get(health), guard))
                .with_state(posts),
            tag_of,
        }
    }

    /// Our layer on the store that it brings.
    pub(crate) fn memory() -> Self {
        let posts = Memory::new();
        // Revisions count the writes of the instance.
        posts.create(0, Bytes::new());
        posts.create(ID, Bytes::from_static(b"{}"));
        let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
        let incarnation = posts
            .get(&ID)
            .map_or(0, |post| post.version().incarnation());
        let tag_of = minted_tag(guard.tags(), incarnation);
        let methods = get(read_memory).put(write_memory).route_layer(guard);
        Self {
            router: Router::new().route(POST, methods).with_state(posts),
            tag_of,
        }
    }
}

async fn write<const OWN_TAGS: bool>(
    State(posts): State<Posts<OWN_TAGS>>,
    expected: Expected<Posts<OWN_TAGS>>,
    text: Bytes,
) -> Result<StatusCode, Lost> {
    posts.put(text, expected)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn write_memory(
    State(posts): State<Memory>,
    expected: Expected<Memory>,
    text: Bytes,
) -> Result<StatusCode, Lost> {
    posts.put(text, expected)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn read<const OWN_TAGS: bool>(
    State(posts): State<Posts<OWN_TAGS>>,
    Path(id): Path<u64>,
) -> Result<Versioned<Bytes>, StatusCode> {
    posts.get(id).ok_or(StatusCode::NOT_FOUND)
}

async fn read_memory(
    State(posts): State<Memory>,
    Path(id): Path<u64>,
) -> Result<Versioned<Bytes>, StatusCode> {
    posts.get(&id).ok_or(StatusCode::NOT_FOUND)
}

pub(super) fn minted_tag(tags: TagMint<u64>, incarnation: u64) -> Box<dyn Fn(u64) -> String> {
    Box::new(move |revision| {
        let tag = tags.tag(&ID, &Version::new(revision).with_incarnation(incarnation));
        tag.map(|tag| tag.to_string()).unwrap_or_default()
    })
}

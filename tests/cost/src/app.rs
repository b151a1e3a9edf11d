//! One router for each way to guard the same resource. All handlers do the same and answer alike;
//! the guarded one has the key from `Expected`, as the layer's documentation shows it, the others
//! have it from the path.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, options, put};
use tower_if_match::{
    Expected, IfMatchLayer, Lost, MemoryStore, PathKey, TagMint, Version, Versioned,
};

use crate::handwritten;
use crate::noop::{NoopLayer, RefusingLayer};
use crate::posts::{Posts, TAG_END};

/// The resource that is written and read.
pub(crate) const ID: u64 = 7;
const POST: &str = "/posts/{id}";
const UNKEYED: &str = "/health";

pub(crate) type Memory = MemoryStore<u64, Bytes>;
pub(crate) type Guard<const OWN_TAGS: bool> = IfMatchLayer<Posts<OWN_TAGS>, PathKey>;

/// A service with one post, in revision 2, and how its tags look.
pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) tag_of: Box<dyn Fn(u64) -> String>,
}

impl App {
    /// No layer at all.
    pub(crate) fn plain() -> Self {
        Self::unguarded(|methods| methods)
    }

    /// The layer that does nothing.
    pub(crate) fn noop() -> Self {
        Self::unguarded(|methods| methods.route_layer(NoopLayer))
    }

    /// The layer that refuses everything with as little as possible.
    pub(crate) fn refusing() -> Self {
        Self::unguarded(|methods| methods.route_layer(RefusingLayer))
    }

    /// Any layer around the handlers that nobody guards.
    pub(crate) fn unguarded(
        mount: impl Fn(MethodRouter<Posts<false>>) -> MethodRouter<Posts<false>>,
    ) -> Self {
        let posts = Posts::<false>::default();
        twice(|text| posts.overwrite(ID, text));
        let methods = get(read_blindly)
            .put(write_blindly)
            .options(StatusCode::NO_CONTENT);
        Self {
            router: Router::new()
                .route(POST, mount(methods))
                .route(UNKEYED, mount(get(health)))
                .with_state(posts),
            tag_of: Box::new(own_tag),
        }
    }

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

    /// The guard written by hand, in the handler.
    pub(crate) fn handler<const DERIVED: bool>() -> Self {
        Self::by_hand(|_| put(handwritten::replace::<DERIVED>))
    }

    /// The guard written by hand, as middleware.
    pub(crate) fn from_fn() -> Self {
        Self::by_hand(|posts| {
            let guard = from_fn_with_state(posts.clone(), handwritten::guard);
            put(write_blindly).route_layer(guard)
        })
    }

    fn by_hand(methods: impl Fn(&Posts<false>) -> MethodRouter<Posts<false>>) -> Self {
        let posts = Posts::<false>::default();
        twice(|text| posts.overwrite(ID, text));
        Self {
            router: Router::new().route(POST, methods(&posts)).with_state(posts),
            tag_of: Box::new(own_tag),
        }
    }
}

async fn health() -> &'static str {
    "up"
}

async fn write_blindly(
    State(posts): State<Posts<false>>,
    Path(id): Path<u64>,
    text: Bytes,
) -> StatusCode {
    posts.overwrite(id, text);
    StatusCode::NO_CONTENT
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

async fn read_blindly(
    State(posts): State<Posts<false>>,
    Path(id): Path<u64>,
) -> Result<Bytes, StatusCode> {
    let text = posts.rows().get(&id).map(|post| post.text.clone());
    text.ok_or(StatusCode::NOT_FOUND)
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

fn twice(write: impl Fn(Bytes)) {
    write(Bytes::from_static(b"{}"));
    write(Bytes::from_static(b"{}"));
}

fn own_tag(revision: u64) -> String {
    format!("\"v{revision}{TAG_END}\"")
}

fn minted_tag(tags: TagMint<u64>, incarnation: u64) -> Box<dyn Fn(u64) -> String> {
    Box::new(move |revision| {
        let tag = tags.tag(&ID, &Version::new(revision).with_incarnation(incarnation));
        tag.map(|tag| tag.to_string()).unwrap_or_default()
    })
}

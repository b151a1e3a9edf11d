//! One router for each way to guard the same resource. All handlers do the same and answer alike;
//! the guarded one has the key from `Expected`, as the layer's documentation shows it, the others
//! have it from the path.

mod around;
mod asked;
mod bulk;
mod guarded;
mod hooks;
mod overtaken;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, put};

pub(crate) use self::bulk::BulkApp;
pub(crate) use self::hooks::Hooks;
use crate::handwritten;
use crate::noop::{NoopLayer, RefusingLayer};
use crate::posts::{Posts, TAG_END};

/// The resource that is written and read.
pub(crate) const ID: u64 = 7;
const POST: &str = "/posts/{id}";
const UNKEYED: &str = "/health";

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

async fn read_blindly(
    State(posts): State<Posts<false>>,
    Path(id): Path<u64>,
) -> Result<Bytes, StatusCode> {
    let text = posts.rows().get(&id).map(|post| post.text.clone());
    text.ok_or(StatusCode::NOT_FOUND)
}

fn twice(write: impl Fn(Bytes)) {
    write(Bytes::from_static(b"{}"));
    write(Bytes::from_static(b"{}"));
}

fn own_tag(revision: u64) -> String {
    format!("\"v{revision}{TAG_END}\"")
}

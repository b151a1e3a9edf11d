//! The servers in memory: the same handlers with each guard.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get};
use tower_if_match::{Expected, IfMatchLayer, Lost, MemoryStore, PathKey, Versioned};

use crate::handwritten;
use crate::load::TEXT;
use crate::mount;
use crate::plan::Variant;
use crate::posts::Posts;

const POST: &str = "/posts/{id}";

type Memory = MemoryStore<u64, Bytes>;

/// The server of a variant, with so many posts.
pub(crate) fn router(variant: Variant, posts: u16) -> Router {
    match variant {
        Variant::Handwritten => {
            by_hand(posts, |_| get(handwritten::read).put(handwritten::replace))
        }
        Variant::FromFn => by_hand(posts, |posts| {
            let guard = from_fn_with_state(posts.clone(), handwritten::guard);
            get(read_blindly).put(write_blindly).route_layer(guard)
        }),
        Variant::Ours => guarded(posts),
        Variant::BareMount => {
            mount::around(by_hand(posts, |_| get(read_blindly).put(write_blindly)))
        }
        Variant::Mount => mount::around(guarded(posts)),
        _ => by_hand(posts, |_| get(read_blindly).put(write_blindly)),
    }
}

fn by_hand(count: u16, methods: impl Fn(&Posts) -> MethodRouter<Posts>) -> Router {
    let posts = Posts::new(count);
    Router::new().route(POST, methods(&posts)).with_state(posts)
}

fn guarded(count: u16) -> Router {
    let posts = Memory::new();
    for id in 0..u64::from(count) {
        posts.create(id, Bytes::from_static(TEXT.as_bytes()));
    }
    let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
    Router::new()
        .route(POST, get(read).put(replace).route_layer(guard))
        .with_state(posts)
}

async fn read(
    State(posts): State<Memory>,
    Path(id): Path<u64>,
) -> Result<Versioned<Bytes>, StatusCode> {
    posts.get(&id).ok_or(StatusCode::NOT_FOUND)
}

async fn replace(
    State(posts): State<Memory>,
    expected: Expected<Memory>,
    text: Bytes,
) -> Result<StatusCode, Lost> {
    posts.put(text, expected)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn read_blindly(
    State(posts): State<Posts>,
    Path(id): Path<u64>,
) -> Result<Bytes, StatusCode> {
    let text = posts.rows().get(&id).map(|post| post.text.clone());
    text.ok_or(StatusCode::NOT_FOUND)
}

async fn write_blindly(State(posts): State<Posts>, Path(id): Path<u64>, text: Bytes) -> StatusCode {
    match posts.rows().get_mut(&id) {
        Some(post) => {
            post.replace(text);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::NOT_FOUND,
    }
}

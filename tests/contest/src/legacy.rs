//! The posts as somebody wrote them long ago: handlers that read, wait, and write, without a word
//! about versions or conditions.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any_service, get};
use axum::{Json, Router};
use tower::{Layer, ServiceExt, service_fn};
use tower_if_match::{
    IfMatchLayer, PathKey, RepresentationLayer, SingleProcess, Version, VersionStore, Versioned,
};

use crate::answer::{Refused, written};
use crate::post::{Patch, Post};

/// Posts in memory. Every write gives its post a new version, as a trigger of a table would.
#[derive(Clone, Debug, Default)]
pub struct Shelf(Arc<Mutex<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    posts: HashMap<u64, (u64, Post)>,
    versions: u64,
}

impl Shelf {
    fn get(&self, id: u64) -> Option<(u64, Post)> {
        self.rows().posts.get(&id).cloned()
    }

    fn put(&self, id: u64, post: Post) {
        let mut rows = self.rows();
        rows.versions += 1;
        let version = rows.versions;
        rows.posts.insert(id, (version, post));
    }

    fn remove(&self, id: u64) {
        self.rows().posts.remove(&id);
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VersionStore for Shelf {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;
    const ANSWERS_AT_ONCE: bool = true;

    async fn current(&self, id: &u64) -> Result<Option<Version>, Infallible> {
        Ok(self.get(*id).map(|(version, _)| Version::new(version)))
    }
}

/// The routes under a lock of this process. Unprotected, every request has a table of locks of its
/// own.
pub fn single_process(protected: bool) -> Router {
    let shelf = Shelf::default();
    let guard = IfMatchLayer::new("posts", shelf.clone(), PathKey);
    let methods = writes(get(read_version)).with_state(shelf);
    let methods = if protected {
        methods.route_layer(guard.with_strategy(SingleProcess::new()))
    } else {
        any_service(service_fn(move |request: Request| {
            let alone = guard.clone().with_strategy(SingleProcess::new());
            alone.layer(methods.clone()).oneshot(request)
        }))
    };
    Router::new().route("/api/posts/{id}", methods)
}

/// The routes under a layer that knows nothing of them but what they answer. Unprotected, every
/// request has a layer of its own, with a lock of its own.
pub fn representation(protected: bool) -> Router {
    let methods = writes(get(read)).with_state(Shelf::default());
    let legacy: Router = Router::new().route("/api/posts/{id}", methods);
    if protected {
        Router::new().fallback_service(RepresentationLayer::new("posts").layer(legacy))
    } else {
        Router::new().fallback_service(service_fn(move |request: Request| {
            let alone = RepresentationLayer::new("posts");
            alone.layer(legacy.clone()).oneshot(request)
        }))
    }
}

fn writes(reads: MethodRouter<Shelf>) -> MethodRouter<Shelf> {
    reads.put(replace).patch(patch).delete(remove)
}

async fn read_version(State(shelf): State<Shelf>, Path(id): Path<u64>) -> Response {
    match shelf.get(id) {
        Some((version, post)) => Versioned::new(Version::new(version), Json(post)).into_response(),
        None => Refused::Absent.into_response(),
    }
}

async fn read(State(shelf): State<Shelf>, Path(id): Path<u64>) -> Result<Json<Post>, Refused> {
    let (_, post) = shelf.get(id).ok_or(Refused::Absent)?;
    Ok(Json(post))
}

async fn replace(
    State(shelf): State<Shelf>,
    Path(id): Path<u64>,
    Json(post): Json<Post>,
) -> (StatusCode, Json<Post>) {
    let created = shelf.get(id).is_none();
    others_run().await;
    shelf.put(id, post.clone());
    written(created, post)
}

async fn patch(
    State(shelf): State<Shelf>,
    Path(id): Path<u64>,
    Json(patch): Json<Patch>,
) -> Result<(StatusCode, Json<Post>), Refused> {
    let (_, post) = shelf.get(id).ok_or(Refused::Absent)?;
    others_run().await;
    let post = post.patched(patch);
    shelf.put(id, post.clone());
    Ok(written(false, post))
}

async fn remove(State(shelf): State<Shelf>, Path(id): Path<u64>) -> Result<StatusCode, Refused> {
    shelf.get(id).ok_or(Refused::Absent)?;
    others_run().await;
    shelf.remove(id);
    Ok(StatusCode::NO_CONTENT)
}

/// What a query to a database would do.
async fn others_run() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

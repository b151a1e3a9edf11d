use axum::Router;
use axum::body::Body;
use axum::routing::{MethodRouter, Route};
use http::StatusCode;
use version_store::VersionStore;

use super::layer::IfMatchLayer;
use crate::request::FindKey;
use crate::strategy::Runs;

/// Adds routes that are guarded as a whole.
///
/// This closes a gap of `MethodRouter::route_layer`: a fallback or an [`any`](axum::routing::any) in
/// `methods` would run unguarded, so it is **replaced** by 405. (With `any` that response lacks `Allow`,
/// because axum forgets the methods; and a `Router::method_not_allowed_fallback` does not reach the route.)
///
/// It cannot guard what is added afterwards: another `route` for the same path merges its methods into this
/// one, unguarded.
///
/// ```
/// use axum::{Router, routing::get};
/// use tower_if_match::{GuardedRoute, IfMatchLayer, MemoryStore, PathKey};
/// # async fn list() {}
/// # async fn read() {}
/// # async fn replace() {}
///
/// let posts: MemoryStore<u64, String> = MemoryStore::new();
/// let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
/// let app: Router = Router::new()
///     .route("/posts", get(list))
///     .guarded_route("/posts/{id}", get(read).put(replace), guard);
/// ```
pub trait GuardedRoute<T>: Sized {
    /// Adds a route with these methods, all of them guarded.
    #[must_use]
    fn guarded_route<S, F, W>(
        self,
        path: &str,
        methods: MethodRouter<T>,
        guard: IfMatchLayer<S, F, W>,
    ) -> Self
    where
        S: VersionStore,
        F: FindKey<S::Key>,
        W: Runs<S, Route, Body, Running: Send>;
}

impl<T: Clone + Send + Sync + 'static> GuardedRoute<T> for Router<T> {
    fn guarded_route<S, F, W>(
        self,
        path: &str,
        methods: MethodRouter<T>,
        guard: IfMatchLayer<S, F, W>,
    ) -> Self
    where
        S: VersionStore,
        F: FindKey<S::Key>,
        W: Runs<S, Route, Body, Running: Send>,
    {
        let guarded = methods.route_layer(guard);
        self.route(
            path,
            guarded.fallback(async || StatusCode::METHOD_NOT_ALLOWED),
        )
    }
}

//! The routes, and the layers around them. The order of the layers is what this file is about.

use axum::extract::DefaultBodyLimit;
use axum::http::header::{CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION};
use axum::http::{HeaderName, Method, Request};
use axum::routing::{MethodRouter, get};
use axum::{Router, middleware};
use tower::ServiceBuilder;
use tower_drain::DrainLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};
use tower_http::trace::TraceLayer;
use tower_if_match::{IfMatchLayer, PathKey, Refusals, TagMint, Transaction, VariantLayer, cors};

use crate::handlers::{compare_and_swap, transaction};
use crate::post::PostId;
use crate::request_id::X_REQUEST_ID;
use crate::store::{PostStore, TransactionalPosts};
use crate::{
    answer, client_name, declared_content, declared_size, handlers, openapi, pages, request_id,
};

/// What the handlers share.
#[derive(Clone, Debug)]
pub(crate) struct App<S: PostStore> {
    pub(crate) posts: S,
    /// The layer's own mint, for tags where the layer does not stand: in a list, in the 201 of POST.
    pub(crate) tags: TagMint<PostId>,
}

/// The whole API on this store, whose own conditional writes close the race.
pub fn app<S: PostStore>(posts: S) -> Router {
    let guard = guard(&posts);
    let post = get(handlers::read::<S>)
        .put(compare_and_swap::replace::<S>)
        .patch(compare_and_swap::patch::<S>)
        .delete(compare_and_swap::remove::<S>);
    // `route_layer` wraps what was added before it, so the methods come first, and the last layer is
    // the outermost.
    routes(posts, &guard, post.route_layer(guard.clone()))
}

/// The same API, where the layer closes the race by transactions of the store's.
pub fn app_in_transactions<S: TransactionalPosts>(posts: S) -> Router {
    let guard = guard(&posts);
    let post = get(handlers::read::<S>)
        .put(transaction::replace::<S>)
        .patch(transaction::patch::<S>)
        .delete(transaction::remove::<S>);
    let in_transactions = guard
        .clone()
        .with_strategy(Transaction::new().with_body_limit(declared_size::LIMIT));
    routes(posts, &guard, post.route_layer(in_transactions))
}

fn guard<S: PostStore>(posts: &S) -> IfMatchLayer<S::Versions, PathKey> {
    IfMatchLayer::new("posts", posts.versions(), PathKey)
        .with_refusals(
            Refusals::new()
                .with_noun("post")
                .with_client_name(client_name::of)
                .with_conflict_limit(declared_size::LIMIT),
        )
        // Everybody may read the posts, so a 412 may show everybody the current one, however long it is.
        .with_public_conflicts()
}

/// From outside in: the rest of what was refused, request id, trace, CORS, variants of the tags,
/// compression, problem documents, declared size; routing and method; what the head declares of the
/// body; the precondition layer; the handler. So 404, 405, 413 and 415 are the same whatever conditions
/// a request bears, and what is refused by its head never reads the body.
fn routes<S: PostStore>(
    posts: S,
    guard: &IfMatchLayer<S::Versions, PathKey>,
    post: MethodRouter<App<S>>,
) -> Router {
    let tags = guard.tags();
    Router::new()
        .route(
            "/api/posts",
            // A POST overwrites nothing and needs no condition. The layer is here for those who send
            // one all the same: the collection has no version that an If-Match could name.
            get(handlers::list::<S>)
                .post(handlers::create::<S>)
                .route_layer(guard.clone())
                .route_layer(middleware::from_fn(declared_content::check)),
        )
        .route(
            "/api/posts/{id}",
            post.route_layer(middleware::from_fn(declared_content::check)),
        )
        .route("/healthz", get(handlers::health::<S>))
        .route("/metrics", get(pages::metrics))
        .merge(openapi::pages(guard))
        .route("/", get(pages::index))
        .fallback(answer::no_such_resource)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .with_state(App { posts, tags })
        .layer(
            ServiceBuilder::new()
                // Outside everything that may answer without the body: a body still on its way would
                // reset the connection, and the answer with it.
                .layer(DrainLayer::new().with_body_limit(declared_size::LIMIT))
                .layer(middleware::from_fn(request_id::assign))
                .layer(TraceLayer::new_for_http().make_span_with(span))
                .layer(any_page())
                // Outside what encodes: an encoded body gets another tag than the plain one.
                .layer(VariantLayer::new())
                .layer(CompressionLayer::new())
                .layer(middleware::from_fn(answer::write_problems))
                .layer(middleware::from_fn(declared_size::check))
                .layer(DefaultBodyLimit::max(declared_size::LIMIT)),
        )
}

/// Any page may use the API, without credentials.
fn any_page() -> CorsLayer {
    const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([&cors::ALLOWED[..], &[CONTENT_TYPE, IDEMPOTENCY_KEY]].concat())
        .expose_headers([ETAG, LAST_MODIFIED, LOCATION, X_REQUEST_ID])
        // The answers are the same for every origin.
        .vary([])
}

fn span<B>(request: &Request<B>) -> tracing::Span {
    tracing::info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        id = request_id::of(request.headers()),
    )
}

//! What the documentation mounts around the layer (`tower_if_match`, "Where to mount it").

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::http::header::{CONTENT_TYPE, ETAG, LAST_MODIFIED};
use tower::ServiceBuilder;
use tower_drain::DrainLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};
use tower_http::trace::TraceLayer;
use tower_if_match::{VariantLayer, cors};

const LIMIT: usize = 64 * 1024;

/// From outside in: the rest of what was refused, trace, CORS, variants of the tags, compression, size.
pub(crate) fn around(router: Router) -> Router {
    let any_page = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::PUT])
        .allow_headers([&cors::ALLOWED[..], &[CONTENT_TYPE]].concat())
        .expose_headers([ETAG, LAST_MODIFIED])
        .vary([]);
    router.layer(
        ServiceBuilder::new()
            .layer(DrainLayer::new().with_body_limit(LIMIT))
            .layer(TraceLayer::new_for_http())
            .layer(any_page)
            .layer(VariantLayer::new())
            .layer(CompressionLayer::new())
            .layer(DefaultBodyLimit::max(LIMIT)),
    )
}

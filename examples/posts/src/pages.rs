//! What is served besides the posts.

use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::response::Html;

/// The page for people.
pub(crate) async fn index() -> Html<&'static str> {
    Html(include_str!("pages/index.html"))
}

/// The API, described (OpenAPI 3.1).
pub(crate) async fn openapi() -> ([(HeaderName, &'static str); 1], &'static str) {
    (
        [(CONTENT_TYPE, "application/json")],
        include_str!("pages/openapi.json"),
    )
}

/// What runs here, in the text format of Prometheus.
pub(crate) async fn metrics() -> ([(HeaderName, &'static str); 1], &'static str) {
    const TEXT: &str = concat!(
        "# HELP posts_build_info The program that runs, as labels.\n",
        "# TYPE posts_build_info gauge\n",
        "posts_build_info{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\"} 1\n",
    );
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        TEXT,
    )
}

//! What is served besides the posts.

use axum::Extension;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::response::Html;

use crate::Telemetry;

/// The page for people.
pub(crate) async fn index() -> Html<&'static str> {
    Html(include_str!("pages/index.html"))
}

/// What is counted here, in the text format of Prometheus; nothing where the program that mounts this has
/// no recorder.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "service",
    responses((status = 200, description = "Prometheus text.", body = String, content_type = "text/plain")),
)]
pub(crate) async fn metrics(
    telemetry: Option<Extension<Telemetry>>,
) -> ([(HeaderName, &'static str); 1], String) {
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        telemetry.map(|it| it.render()).unwrap_or_default(),
    )
}

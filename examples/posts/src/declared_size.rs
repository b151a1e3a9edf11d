//! The size that a request declares, checked before anything else is.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::answer::Refused;

/// Bytes of a request's body, at most. It leaves room for a post whose every character is
/// written as an escape.
pub(crate) const LIMIT: usize = 1024 * 1024;

/// Refuses what declares more than [`LIMIT`]. A body that declares nothing is counted while it is
/// read.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    let declared = request.headers().get(CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > LIMIT as u64) {
        return too_large().into_response();
    }
    next.run(request).await
}

/// The answer to more than [`LIMIT`].
pub(crate) fn too_large() -> Refused {
    Refused::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "A request's body has at most 1048576 bytes.",
    )
}

//! The media type of what is written.

use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::answer::Refused;

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// RFC 5789 §3.1.
pub(crate) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Refuses content of a type that the method does not take.
///
/// It stands outside the precondition layer, so that 415 does not depend on conditions.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    let (taken, told_in) = match *request.method() {
        Method::POST | Method::PUT => (JSON, ACCEPT),
        Method::PATCH => (MERGE_PATCH, ACCEPT_PATCH),
        _ => return next.run(request).await,
    };
    if is_of(request.headers(), taken) {
        return next.run(request).await;
    }
    Refused::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("The content has to be {taken}."),
    )
    .with_field(told_in, HeaderValue::from_static(taken))
    .into_response()
}

/// Whether the one Content-Type names this type, with whatever parameters: JSON has none that could
/// change its meaning.
fn is_of(fields: &HeaderMap, media_type: &str) -> bool {
    let mut lines = fields.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let essence = line
        .as_bytes()
        .split(|octet| *octet == b';')
        .next()
        .unwrap_or_default();
    essence
        .trim_ascii()
        .eq_ignore_ascii_case(media_type.as_bytes())
}

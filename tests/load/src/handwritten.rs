//! What a competent person writes by hand, in the handler and as middleware: one tag, compared strongly
//! for a write, 412 and 428 with a problem document. It is the guard of `tests/cost`, and reads besides.

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::posts::Posts;

/// The check in the handler that writes.
pub(crate) async fn replace(
    State(posts): State<Posts>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    text: Bytes,
) -> Response {
    let Some(sent) = headers.get(IF_MATCH) else {
        return missing();
    };
    let mut rows = posts.rows();
    let Some(post) = rows.get_mut(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let current = tag_of(post.revision);
    if !equal(sent, &current) {
        drop(rows);
        return stale(&current);
    }
    post.replace(text);
    let tag = tag_of(post.revision);
    (StatusCode::NO_CONTENT, [(ETAG, tag)]).into_response()
}

/// The check in the handler that reads.
pub(crate) async fn read(
    State(posts): State<Posts>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Response {
    let post = posts
        .rows()
        .get(&id)
        .map(|post| (post.revision, post.text.clone()));
    match post {
        Some((revision, text)) => shown(&headers, &tag_of(revision), text),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Both as middleware. It has the race that the layer closes; it stands here for its cost.
pub(crate) async fn guard(
    State(posts): State<Posts>,
    Path(id): Path<u64>,
    request: Request,
    next: Next,
) -> Response {
    let current = || posts.rows().get(&id).map(|post| tag_of(post.revision));
    if request.method() == Method::GET {
        let sent = request.headers().get(IF_NONE_MATCH).cloned();
        let response = next.run(request).await;
        let Some(tag) = current() else {
            return response;
        };
        if sent.is_some_and(|sent| equal(&sent, &tag)) {
            return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
        }
        return with_tag(response, tag);
    }
    let Some(sent) = request.headers().get(IF_MATCH) else {
        return missing();
    };
    let Some(before) = current() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if !equal(sent, &before) {
        return stale(&before);
    }
    let response = next.run(request).await;
    match current() {
        Some(tag) => with_tag(response, tag),
        None => response,
    }
}

/// 200 with the tag, or 304.
pub(crate) fn shown(headers: &HeaderMap, tag: &str, text: impl IntoResponse) -> Response {
    let is_known = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|sent| equal(sent, tag));
    if is_known {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    ([(ETAG, tag)], text).into_response()
}

fn with_tag(mut response: Response, tag: String) -> Response {
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// As long as a tag that the layer mints.
pub(crate) fn tag_of(revision: u64) -> String {
    format!("\"v{revision}-9f1c2ab04d77e310\"")
}

pub(crate) fn equal(sent: &HeaderValue, current: &str) -> bool {
    let sent = sent.as_bytes().trim_ascii();
    sent.starts_with(b"\"") && sent == current.as_bytes()
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    type_uri: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_etag: Option<&'a str>,
}

/// 428
pub(crate) fn missing() -> Response {
    let detail = "Send If-Match with the entity tag of the version that you have read.";
    problem(StatusCode::PRECONDITION_REQUIRED, detail, None)
}

/// 412
pub(crate) fn stale(current: &str) -> Response {
    let detail = "The resource changed since the version that If-Match names.";
    problem(StatusCode::PRECONDITION_FAILED, detail, Some(current))
}

fn problem(status: StatusCode, detail: &str, current: Option<&str>) -> Response {
    let document = Document {
        type_uri: "https://example.com/problems/precondition",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail,
        current_etag: current,
    };
    let text = serde_json::to_string(&document).unwrap_or_default();
    let response = (status, [(CONTENT_TYPE, "application/problem+json")], text).into_response();
    match current {
        Some(tag) => with_tag(response, tag.to_owned()),
        None => response,
    }
}

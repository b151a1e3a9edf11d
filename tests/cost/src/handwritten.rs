//! The references: what a competent person writes by hand, in the handler and as middleware. Each
//! parses one tag, compares strongly, and answers 412 and 428 with a problem document.

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::posts::{Posts, TAG_END};

type Table = Posts<false>;

/// The guard in the handler. The document is built with `json!`, or derived.
pub(crate) async fn replace<const DERIVED: bool>(
    State(posts): State<Table>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    text: Bytes,
) -> Response {
    let Some(sent) = headers.get(IF_MATCH) else {
        return problem::<DERIVED>(StatusCode::PRECONDITION_REQUIRED, MISSING, None);
    };
    let mut rows = posts.rows();
    let Some(post) = rows.get_mut(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let current = tag_of(post.revision);
    if !strongly_equal(sent, &current) {
        drop(rows);
        return problem::<DERIVED>(StatusCode::PRECONDITION_FAILED, STALE, Some(&current));
    }
    post.replace(text, false);
    let tag = tag_of(post.revision);
    (StatusCode::NO_CONTENT, [(ETAG, tag)]).into_response()
}

/// The guard as middleware. It has the race that the layer closes; it stands here for its cost.
pub(crate) async fn guard(
    State(posts): State<Table>,
    Path(id): Path<u64>,
    request: Request,
    next: Next,
) -> Response {
    let Some(sent) = request.headers().get(IF_MATCH) else {
        return problem::<false>(StatusCode::PRECONDITION_REQUIRED, MISSING, None);
    };
    let Some(current) = posts.rows().get(&id).map(|post| tag_of(post.revision)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if !strongly_equal(sent, &current) {
        return problem::<false>(StatusCode::PRECONDITION_FAILED, STALE, Some(&current));
    }
    let mut response = next.run(request).await;
    let tag = posts.rows().get(&id).map(|post| tag_of(post.revision));
    if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn tag_of(revision: u64) -> String {
    format!("\"v{revision}{TAG_END}\"")
}

fn strongly_equal(sent: &HeaderValue, current: &str) -> bool {
    let Ok(sent) = sent.to_str() else {
        return false;
    };
    let sent = sent.trim();
    let strong = sent.len() >= 2 && sent.starts_with('"') && sent.ends_with('"');
    strong && sent == current
}

const TYPE: &str = "https://example.com/problems/precondition";
const MISSING: &str = "Send If-Match with the entity tag of the version that you have read.";
const STALE: &str = "The resource changed since the version that If-Match names.";

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

fn problem<const DERIVED: bool>(
    status: StatusCode,
    detail: &str,
    current: Option<&str>,
) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let text = if DERIVED {
        let document = Document {
            type_uri: TYPE,
            title,
            status: status.as_u16(),
            detail,
            current_etag: current,
        };
        serde_json::to_string(&document).unwrap_or_default()
    } else {
        let mut document = json!({
            "type": TYPE,
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
        });
        if let Some(current) = current {
            document["current_etag"] = current.into();
        }
        document.to_string()
    };
    let mut response = (status, [(CONTENT_TYPE, "application/problem+json")], text).into_response();
    if let Some(tag) = current.and_then(|tag| HeaderValue::from_str(tag).ok()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

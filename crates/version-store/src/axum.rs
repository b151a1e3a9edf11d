use std::sync::LazyLock;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, RETRY_AFTER,
};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use http_precondition::{PROBLEM_JSON, Problem};

use crate::bulk::ExpectedItems;
use crate::error::{Lost, WriteError};
use crate::expected::Expected;
use crate::not_lent::{NotLent, Why};
use crate::store::VersionStore;
use crate::transactional::Transactional;
use crate::tx::Tx;
use crate::versioned::Versioned;

impl<S: VersionStore, T: Send + Sync> FromRequestParts<T> for Expected<S> {
    type Rejection = NotLent;

    async fn from_request_parts(parts: &mut Parts, _state: &T) -> Result<Self, NotLent> {
        Self::from_extensions(&parts.extensions)
    }
}

/// For a handler that serves both guarded requests and others, such as reads or routes without a layer.
///
/// | the request | |
/// | --- | --- |
/// | is guarded by a layer for this store, with compare and swap | `Some` |
/// | passed no layer for this store, or one that does not guard it | `None` |
/// | carries a condition on a write (`If-Match`, `If-None-Match`, `If-Unmodified-Since`, and the method is not safe) that no layer evaluated | rejected: 500 |
/// | is guarded with another strategy, or as a bulk write | rejected: 500 |
/// | already had its `Expected` extracted | rejected: 500 |
/// | has an invalid id | rejected: 404 |
///
/// So `None` never means that a client's condition was ignored. It can mean that the layer is missing:
/// a handler that writes on `None` then writes blindly, and nothing reports it. If every write should
/// be guarded, extract `Expected`.
impl<S: VersionStore, T: Send + Sync> OptionalFromRequestParts<T> for Expected<S> {
    type Rejection = NotLent;

    async fn from_request_parts(parts: &mut Parts, _state: &T) -> Result<Option<Self>, NotLent> {
        match Self::from_extensions(&parts.extensions) {
            Ok(expected) => Ok(Some(expected)),
            Err(rejection) if rejection.why() != Why::NoLayer => Err(rejection),
            Err(_) if is_conditional_write(parts) => Err(NotLent::because::<S>(Why::NotEvaluated)),
            Err(_) => Ok(None),
        }
    }
}

/// Whether writing blindly would ignore a condition that the client sent.
fn is_conditional_write(parts: &Parts) -> bool {
    let conditions = [IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE];
    !parts.method.is_safe()
        && conditions
            .iter()
            .any(|name| parts.headers.contains_key(name))
}

impl<S: VersionStore, T: Send + Sync> FromRequestParts<T> for ExpectedItems<S> {
    type Rejection = NotLent;

    async fn from_request_parts(parts: &mut Parts, _state: &T) -> Result<Self, NotLent> {
        Self::from_extensions(&parts.extensions)
    }
}

impl<S: Transactional, T: Send + Sync> FromRequestParts<T> for Tx<S> {
    type Rejection = NotLent;

    async fn from_request_parts(parts: &mut Parts, _state: &T) -> Result<Self, NotLent> {
        Self::from_extensions(&parts.extensions)
    }
}

impl<T: IntoResponse, R: Clone + Send + Sync + 'static> IntoResponse for Versioned<T, R> {
    fn into_response(self) -> Response {
        self.map(IntoResponse::into_response).into_response()
    }
}

/// 412, which the layer that lent the `Expected` replaces. Hardly anyone sees the document, so it is written once.
impl IntoResponse for Lost {
    fn into_response(self) -> Response {
        static DOCUMENT: LazyLock<Bytes> =
            LazyLock::new(|| document(StatusCode::PRECONDITION_FAILED, &Lost::new().to_string()));
        respond(StatusCode::PRECONDITION_FAILED, DOCUMENT.clone())
    }
}

/// 412 (which the layer replaces), 404, or 503 with `Retry-After`. The response does not contain the
/// store's error: log it first.
impl<E> IntoResponse for WriteError<E> {
    fn into_response(self) -> Response {
        match self {
            Self::Lost(lost) => lost.into_response(),
            Self::Absent => problem(StatusCode::NOT_FOUND, "The resource does not exist."),
            Self::Backend(_) => {
                let mut response = problem(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The store is temporarily unavailable.",
                );
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
        }
    }
}

/// 404 for an invalid id, otherwise 500 with a text that names the store.
impl IntoResponse for NotLent {
    fn into_response(self) -> Response {
        if self.is_invalid_key() {
            return problem(StatusCode::NOT_FOUND, "The resource does not exist.");
        }
        tracing::error!(error = %self, "an extractor was rejected");
        problem(StatusCode::INTERNAL_SERVER_ERROR, &self.to_string())
    }
}

fn problem(status: StatusCode, detail: &str) -> Response {
    respond(status, document(status, detail))
}

fn document(status: StatusCode, detail: &str) -> Bytes {
    let title = status.canonical_reason().unwrap_or_default();
    Problem::new(status, title).detail(detail).into_json()
}

fn respond(status: StatusCode, document: Bytes) -> Response {
    let headers = [(CONTENT_TYPE, PROBLEM_JSON), (CACHE_CONTROL, "no-store")];
    (status, headers, document).into_response()
}

#[cfg(test)]
mod tests;

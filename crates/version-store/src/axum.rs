use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
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

/// For a handler that serves guarded requests and others: reads, and routes without a layer.
///
/// | the request | |
/// | --- | --- |
/// | was guarded by a layer for this store, by compare and swap | `Some` |
/// | reached no layer for this store, or is one that the layer does not guard | `None` |
/// | carries a condition on a write (`If-Match`, `If-None-Match`, `If-Unmodified-Since`, and the method is not safe) that no layer evaluated | rejected: 500 |
/// | was guarded by another strategy, or as a bulk write | rejected: 500 |
/// | has had its `Expected` extracted before | rejected: 500 |
/// | has an invalid id | rejected: 404 |
///
/// So `None` never means that a client's condition was dropped. It may mean that the layer was forgotten:
/// a handler that writes on `None` writes blindly, and nothing tells. Where every write is guarded,
/// extract `Expected`.
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

/// 412. It never leaves as it is: the layer that lent the `Expected` replaces it.
impl IntoResponse for Lost {
    fn into_response(self) -> Response {
        problem(StatusCode::PRECONDITION_FAILED, &self.to_string())
    }
}

/// 412 (which the layer replaces), 404, or 503 with `Retry-After`. What the store said is for the
/// log, so log it before.
impl<E> IntoResponse for WriteError<E> {
    fn into_response(self) -> Response {
        match self {
            Self::Lost(lost) => lost.into_response(),
            Self::Absent => problem(StatusCode::NOT_FOUND, "The resource does not exist."),
            Self::Backend(_) => {
                let mut response = problem(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The store cannot answer now.",
                );
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
        }
    }
}

/// 404 where the id cannot be read, otherwise 500 with a text that names the store.
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
    let title = status.canonical_reason().unwrap_or_default();
    let body = Problem::new(status, title).detail(detail).into_json();
    let headers = [(CONTENT_TYPE, PROBLEM_JSON), (CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests;

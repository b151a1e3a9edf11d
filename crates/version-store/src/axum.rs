use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use http_precondition::{PROBLEM_JSON, Problem};

use crate::bulk::ExpectedItems;
use crate::error::{Lost, NotLent, WriteError};
use crate::expected::Expected;
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
        tracing::error!(error = %self, "a handler asked for what no layer lent");
        problem(StatusCode::INTERNAL_SERVER_ERROR, &self.to_string())
    }
}

fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = Problem::new(status, title).detail(detail).into_json();
    let headers = [(CONTENT_TYPE, PROBLEM_JSON), (CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

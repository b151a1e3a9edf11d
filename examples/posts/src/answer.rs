//! What the example refuses by itself, as problem documents (RFC 9457) like those of the layer.

use std::borrow::Cow;
use std::error::Error;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_if_match::http_precondition::{PROBLEM_JSON, Problem};
use tower_if_match::{Lost, Reason, WriteError};

use crate::post::Invalid;
use crate::request_id;
use crate::store::StoreError;

/// The layer's catalogue of problems, which its own refusals point into. Refusals that have a reason
/// stand there, all others are what their status says.
const CATALOGUE: &str = "https://docs.rs/tower-if-match/latest/tower_if_match/problems/";

/// Why a request is refused. [`write_problems`] makes the document of it, where the request's target
/// and id are known.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    detail: Cow<'static, str>,
    reason: Option<Reason>,
    fields: Vec<(HeaderName, HeaderValue)>,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            detail: detail.into(),
            reason: None,
            fields: Vec::new(),
        }
    }

    /// There is no such post.
    pub(crate) fn absent() -> Self {
        Self::new(StatusCode::NOT_FOUND, "The post does not exist.").with_reason(Reason::Absent)
    }

    pub(crate) fn with_field(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.fields.push((name, value));
        self
    }

    fn with_reason(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    fn document(&self, target: &Uri, request_id: Option<&str>) -> Problem {
        let title = title(self.status);
        let error = title.to_ascii_lowercase().replace(' ', "_");
        let mut problem = Problem::new(self.status, title);
        problem = match self.reason {
            Some(_) => problem.type_uri(&format!("{CATALOGUE}#{}", error.replace('_', "-"))),
            None => problem.type_uri("about:blank"),
        };
        problem = problem
            .detail(&self.detail)
            .instance(target.path())
            .string_member("error", &error);
        if let Some(reason) = self.reason {
            problem = problem.string_member("reason", reason.as_str());
        }
        match request_id {
            Some(id) => problem.string_member("request_id", id),
            None => problem,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the problem document of a [`Refused`].
pub(crate) async fn write_problems(request: Request, next: Next) -> Response {
    let target = request.uri().clone();
    let request_id = request_id::of(request.headers()).map(str::to_owned);
    let mut response = next.run(request).await;
    let Some(refused) = response.extensions_mut().remove::<Refused>() else {
        return response;
    };

    *response.body_mut() = Body::from(refused.document(&target, request_id.as_deref()).into_json());
    let fields = response.headers_mut();
    fields.remove(CONTENT_LENGTH);
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.extend(refused.fields);
    response
}

/// The answer to a path that is no route.
pub(crate) async fn no_such_resource() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "There is nothing at this path.")
}

/// The answer to a method that the resource does not have. The router adds `Allow`.
pub(crate) async fn method_not_allowed() -> Refused {
    Refused::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "The resource does not have this method.",
    )
}

impl From<Invalid> for Refused {
    fn from(invalid: Invalid) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, invalid.to_string())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        let cause = error.source();
        tracing::error!(cause, "{error}");
        let (reason, detail) = match error {
            StoreError::Busy(_) => (Reason::Busy, "Others are writing; try again."),
            StoreError::Failed(_) => (Reason::StoreUnavailable, "The posts cannot be had now."),
            StoreError::OutcomeUnknown(_) => (
                Reason::OutcomeUnknown,
                "Whether the write took place is not known. Read, then decide.",
            ),
        };
        let refused = Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with_reason(reason);
        match reason {
            // Retry-After would have a client repeat what may have been done.
            Reason::OutcomeUnknown => refused,
            _ => refused.with_field(RETRY_AFTER, HeaderValue::from_static("1")),
        }
    }
}

/// It never leaves as it is: the layer knows from `Expected` that the write has lost, and evaluates
/// the request afresh.
impl From<Lost> for Refused {
    fn from(lost: Lost) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, lost.to_string())
    }
}

impl From<WriteError<StoreError>> for Refused {
    fn from(error: WriteError<StoreError>) -> Self {
        match error {
            WriteError::Lost(lost) => lost.into(),
            WriteError::Absent => Self::absent(),
            WriteError::Backend(error) => error.into(),
        }
    }
}

/// The names of RFC 9110; the `http` crate has older ones for two.
fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
        other => other.canonical_reason().unwrap_or("Error"),
    }
}

//! Reading the content of a request to its end before anything is held for it: a slow sender holds up
//! nobody but itself.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use http_precondition::{PROBLEM_JSON, Problem};

use crate::body::RefusalBody;
use crate::request::Head;
use crate::sync::within;

/// How much content is read, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BufferLimits {
    pub(crate) limit: usize,
    pub(crate) deadline: Duration,
}

impl Default for BufferLimits {
    fn default() -> Self {
        Self {
            limit: 2 * 1024 * 1024,
            deadline: Duration::from_secs(30),
        }
    }
}

/// Why the content could not be read to its end. Nothing was held, and the handler never ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbuffered {
    /// More than the limit: 413.
    TooLarge,
    /// Not there by the deadline: 408.
    TooSlow,
    /// The connection broke, or the content is not what its framing says: 400.
    Broken,
}

/// A request body that can be read to its end and handed on in one piece: axum's `Body`, `Full<Bytes>`,
/// the box bodies of `http-body-util`, and whatever else is a [`RefusalBody`].
#[diagnostic::on_unimplemented(
    message = "the request body `{Self}` cannot be read to its end and handed on",
    note = "a way that holds a lock or a transaction reads the content first: the body must be `Send` and \
            implement `http_body::Body` and `RefusalBody`"
)]
pub trait Bufferable:
    Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + RefusalBody + Send
{
}

impl<B> Bufferable for B where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + RefusalBody + Send
{
}

impl BufferLimits {
    /// The same content in one piece. Trailers are dropped.
    pub(crate) async fn buffer<B: Bufferable>(self, body: B) -> Result<B, Unbuffered> {
        if body.is_end_stream() {
            return Ok(body);
        }
        self.read(body).await.map(B::from_text)
    }

    /// The content. Trailers are dropped.
    pub(crate) async fn read<B: Bufferable>(self, body: B) -> Result<Bytes, Unbuffered> {
        if body.size_hint().lower() > self.limit as u64 {
            return Err(Unbuffered::TooLarge);
        }
        let collected = within(self.deadline, Limited::new(body, self.limit).collect());
        match collected.await {
            None => Err(Unbuffered::TooSlow),
            Some(Ok(content)) => Ok(content.to_bytes()),
            Some(Err(error)) if error.is::<LengthLimitError>() => Err(Unbuffered::TooLarge),
            Some(Err(error)) => {
                tracing::debug!(error = &*error, "the content of a request broke off");
                Err(Unbuffered::Broken)
            }
        }
    }
}

impl Unbuffered {
    fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer. Not a refusal of the layer's: it says nothing about conditions, and has no reason.
    pub(crate) fn answer<B: RefusalBody>(self, head: Head<'_>) -> Response<B> {
        let (title, error, detail) = match self {
            Self::TooLarge => (
                "Content Too Large",
                "content_too_large",
                "The content is larger than this service reads.",
            ),
            Self::TooSlow => (
                "Request Timeout",
                "request_timeout",
                "The content did not arrive in time.",
            ),
            Self::Broken => (
                "Bad Request",
                "bad_request",
                "The content could not be read to its end.",
            ),
        };
        let mut problem = Problem::new(self.status(), title)
            .type_uri("about:blank")
            .detail(detail)
            .instance(head.instance())
            .string_member("error", error);
        if let Some(id) = head.request_id() {
            problem = problem.string_member("request_id", id);
        }
        let text: Bytes = problem.into_json();
        let mut response = Response::new(B::from_text(text));
        *response.status_mut() = self.status();
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // What is left of the content will not be read (RFC 9110 §15.5.9).
        fields.insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

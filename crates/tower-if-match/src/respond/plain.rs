//! Responses that say nothing about conditions, and so have no reason.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_precondition::{PROBLEM_JSON, Problem};

use crate::body::RefusalBody;
use crate::request::{Head, Unbuffered};

/// The body of a request could not be read to its end.
pub(crate) fn unbuffered<B: RefusalBody>(why: Unbuffered, head: Head<'_>) -> Response<B> {
    let (status, title, error, detail) = match why {
        Unbuffered::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "Content Too Large",
            "content_too_large",
            "The request body is larger than this service accepts.",
        ),
        Unbuffered::TooSlow => (
            StatusCode::REQUEST_TIMEOUT,
            "Request Timeout",
            "request_timeout",
            "Timed out waiting for the request body.",
        ),
        Unbuffered::Broken => (
            StatusCode::BAD_REQUEST,
            "Bad Request",
            "bad_request",
            "The request body ended unexpectedly.",
        ),
    };
    let mut problem = Problem::new(status, title)
        .type_uri("about:blank")
        .detail(detail)
        .instance(head.instance())
        .string_member("error", error);
    if let Some(id) = head.request_id() {
        problem = problem.string_member("request_id", id);
    }
    let mut response = plain(problem);
    // The rest of the body will not be read (RFC 9110 §15.5.9).
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A problem document that nothing may store.
pub(crate) fn plain<B: RefusalBody>(problem: Problem) -> Response<B> {
    let status = problem.status();
    let text: Bytes = problem.into_json();
    let mut response = Response::new(B::from_text(text));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

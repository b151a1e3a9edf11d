use std::fmt::{self, Write};

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, RETRY_AFTER, TRANSFER_ENCODING, VARY,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_precondition::Problem;
use serde_json::Value;

use super::texts::{Begun, Documents};
use crate::refusal::Reason;
use crate::refusal::Refusal;
use crate::request::Format;
use crate::request::Head;

/// An answer before it has a form.
#[derive(Clone)]
pub(super) struct Draft<'a> {
    pub(super) documents: &'a Documents,
    pub(super) begun: &'a Begun,
    pub(super) refusal: &'a Refusal,
    pub(super) head: Head<'a>,
    /// Adds the members of this refusal alone.
    pub(super) members: &'a dyn Fn(Problem) -> Problem,
    pub(super) retry_after_seconds: u32,
    /// The hook's.
    pub(super) detail: Option<String>,
    pub(super) added: Vec<(String, Value)>,
}

impl Draft<'_> {
    pub(super) fn into_response(self) -> Response<Bytes> {
        let format = self.head.format();
        let text = match format {
            Format::Problem | Format::Json => self.problem().into_json(),
            Format::Text => self.text().into(),
        };
        let mut response = Response::new(text);
        *response.status_mut() = self.refusal.status();
        let fields = response.headers_mut();
        fields.reserve(5);
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        fields.insert(VARY, HeaderValue::from_static("accept"));
        fill_fields(fields, self.refusal, self.retry_after_seconds);
        response
    }

    fn problem(&self) -> Problem {
        let problem = match &self.detail {
            Some(detail) => self.documents.worded(self.refusal, detail),
            None => self.begun.problem.clone(),
        };
        let mut problem = (self.members)(problem.instance(self.head.instance()));
        for (name, value) in &self.added {
            problem = problem.member(name, value);
        }
        match self.head.request_id() {
            Some(id) => problem.string_member("request_id", id),
            None => problem,
        }
    }

    /// The same for people at a terminal.
    fn text(&self) -> String {
        let status = self.refusal.status();
        let mut text = format!(
            "{} {}: {}\nreason: {}\n",
            status.as_str(),
            status.canonical_reason().unwrap_or_default(),
            self.detail.as_deref().unwrap_or(&self.begun.detail),
            self.refusal.reason(),
        );
        let mut line = |name: &str, value: &dyn fmt::Display| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}: {value}");
        };
        if let Some(field) = self.refusal.failed_condition() {
            line("failed condition", &field.name());
        }
        if let Some(tag) = self.refusal.current_tag() {
            line("current etag", tag);
        }
        if let Some(id) = self.head.request_id() {
            line("request id", &id);
        }
        text
    }
}

/// The fields that tell the reason's cure.
fn fill_fields(fields: &mut HeaderMap, refusal: &Refusal, retry_after_seconds: u32) {
    match refusal.status() {
        StatusCode::PRECONDITION_FAILED => {
            if let Some(tag) = refusal.current_tag() {
                fields.insert(ETAG, tag.to_header_value());
            }
        }
        // To repeat what may have happened is not the advice to give.
        StatusCode::SERVICE_UNAVAILABLE if refusal.reason() != Reason::OutcomeUnknown => {
            fields.insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
        }
        _ => {}
    }
}

/// What an owner wrote is no more to be stored than what the layer writes, unless the owner says so.
pub(super) fn stored_nowhere(mut response: Response<Bytes>) -> Response<Bytes> {
    response
        .headers_mut()
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// An owner's answer without what it says of its own framing: copied from elsewhere that is wrong, and the
/// next answer on the connection would begin in this one.
pub(crate) fn framed_by_the_server(mut response: Response<Bytes>) -> Response<Bytes> {
    for name in [CONTENT_LENGTH, TRANSFER_ENCODING] {
        response.headers_mut().remove(name);
    }
    response
}

use std::fmt::{self, Write};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::Value;

use super::document::Members;
use super::texts::{Text, Texts};
use crate::refusal::{Reason, Refusal};
use crate::request::{Format, Head};

/// A response before its form is chosen.
#[derive(Clone)]
pub(super) struct Draft<'a> {
    pub(super) texts: &'a Texts,
    retry_after_seconds: u32,
    pub(super) text: &'a Text,
    pub(super) refusal: &'a Refusal,
    pub(super) head: Head<'a>,
    pub(super) members: Members<'a>,
    /// The members that the hook adds.
    pub(super) detail: Option<String>,
    pub(super) added: Vec<(String, Value)>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        texts: &'a Texts,
        retry_after_seconds: u32,
        text: &'a Text,
        head: Head<'a>,
        refusal: &'a Refusal,
        members: Members<'a>,
    ) -> Self {
        Self {
            texts,
            retry_after_seconds,
            text,
            refusal,
            head,
            members,
            detail: None,
            added: Vec::new(),
        }
    }

    pub(super) fn into_response(self) -> Response<Bytes> {
        let format = self.head.format();
        let text = match format {
            Format::Problem | Format::Json => self.document(),
            Format::Text => self.lines().into(),
        };
        let mut response = Response::new(text);
        *response.status_mut() = self.refusal.status();
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, format.media_type());
        fields.insert(
            CACHE_CONTROL,
            const { HeaderValue::from_static("no-store") },
        );
        fields.insert(VARY, const { HeaderValue::from_static("accept") });
        fill_fields(fields, self.refusal, self.retry_after_seconds);
        response
    }

    /// The same as text, for people at a terminal.
    fn lines(&self) -> String {
        let status = self.refusal.status();
        let mut text = format!(
            "{} {}: {}\nreason: {}\n",
            status.as_str(),
            status.canonical_reason().unwrap_or_default(),
            self.detail.as_deref().unwrap_or(&self.text.detail),
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

/// The fields that help the client recover.
fn fill_fields(fields: &mut HeaderMap, refusal: &Refusal, retry_after_seconds: u32) {
    match refusal.status() {
        StatusCode::PRECONDITION_FAILED => {
            if let Some(tag) = refusal.current_tag() {
                fields.insert(ETAG, tag.to_header_value());
            }
        }
        // Do not advise a client to repeat what may have happened.
        StatusCode::SERVICE_UNAVAILABLE if refusal.reason() != Reason::OutcomeUnknown => {
            fields.insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
        }
        _ => {}
    }
}

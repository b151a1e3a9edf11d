//! The answer to a refused request: problem document, header fields, log event.

use std::borrow::Cow;
use std::fmt::{self, Write};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, RETRY_AFTER, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_precondition::Problem;
use serde::Serialize;
use version_store::{Conflict, VersionStore};

use crate::body::RefusalBody;
use crate::config::Config;
use crate::disclosure::with_conflict;
use crate::head::Head;
use crate::negotiation::Format;
use crate::reason::Reason;
use crate::refusal::{Refusal, Refused};

/// The answer that a refused request is about to get, for
/// [`IfMatchLayer::with_answer`](crate::IfMatchLayer::with_answer).
///
/// [`into_response`](Self::into_response) is the answer that goes out without such a hook: problem
/// document, JSON or text, as the request's `Accept` asks.
#[must_use = "an answer that is not sent tells nobody anything"]
pub struct Answer<'a> {
    head: &'a Parts,
    draft: Draft<'a>,
}

impl Answer<'_> {
    /// Why the request is refused.
    pub fn refusal(&self) -> &Refusal {
        self.draft.refusal
    }

    /// The head of the request.
    pub fn head(&self) -> &Parts {
        self.head
    }

    /// Adds an extension member to the problem document (RFC 9457 §3.2), with any value that
    /// serialises to JSON. The short text leaves it out.
    ///
    /// The layer's own members are `type`, `title`, `status`, `detail`, `instance`, `error`, `reason`,
    /// `failed_condition`, `current_etag`, `last_modified`, `conflict`, `items` and `request_id`; a name
    /// that is given twice comes out twice.
    pub fn member(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Self {
        self.draft.problem = self.draft.problem.member(name, value);
        self
    }

    /// The answer.
    pub fn into_response(self) -> Response<Bytes> {
        self.draft.into_response()
    }
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("refusal", self.draft.refusal)
            .finish_non_exhaustive()
    }
}

/// An answer before it has a form.
pub(crate) struct Draft<'a> {
    pub(crate) problem: Problem,
    refusal: &'a Refusal,
    detail: &'a str,
    /// Whether the refusal's field and tag are the request's, and not of one item among several.
    of_one: bool,
    request_id: Option<&'a str>,
    format: Format,
    retry_after_seconds: u32,
}

impl<S: VersionStore, F, W> Config<S, F, W> {
    /// The whole answer to a refused request, which is logged here and nowhere else.
    pub(crate) fn refuse<B: RefusalBody>(
        &self,
        head: Head<'_>,
        refusal: Refusal,
        conflict: Option<&Conflict<S::Revision>>,
    ) -> Response<B> {
        let client = self.log_refusal(head, &refusal);
        let draft = || {
            let mut draft = self.draft(head, &refusal);
            draft.of_one = true;
            if let Some(field) = refusal.failed_condition() {
                draft.problem = draft
                    .problem
                    .string_member("failed_condition", field.name());
            }
            if let Some(tag) = refusal.current_tag() {
                draft.problem = draft.problem.entity_tag_member("current_etag", tag);
            }
            if let Some(conflict) = conflict {
                let limit = self.hooks.disclosure.limit;
                draft.problem = with_conflict(draft.problem, conflict, limit);
            }
            draft.finished()
        };
        let mut response = self.answer(head, draft);
        Refused::mark(&mut response, refusal, client);
        response
    }

    /// A draft of the answer, with what all refusals have.
    pub(crate) fn draft<'a>(&'a self, head: Head<'a>, refusal: &'a Refusal) -> Draft<'a> {
        let begun = self.settings.documents.begun(refusal);
        Draft {
            problem: begun.problem.clone().instance(head.instance()),
            refusal,
            detail: &begun.detail,
            of_one: false,
            request_id: head.request_id(),
            format: head.format(),
            retry_after_seconds: self.settings.retry_after_seconds,
        }
    }

    /// The answer, as the owner's hook has it where there is one, in the stack's own body type.
    pub(crate) fn answer<'a, B: RefusalBody>(
        &self,
        head: Head<'a>,
        draft: impl Fn() -> Draft<'a>,
    ) -> Response<B> {
        let response = match (&self.settings.answer, head.parts()) {
            (Some(write), Some(parts)) => {
                let written = write(Answer {
                    head: parts,
                    draft: draft(),
                });
                if written.status().as_u16() < 400 {
                    // Nothing was written, and nobody may be told that something was.
                    tracing::error!(
                        status = written.status().as_u16(),
                        "the hook for answers made a success of a refusal; the refusal goes out"
                    );
                    draft().into_response()
                } else {
                    stored_nowhere(written)
                }
            }
            _ => draft().into_response(),
        };
        let head_only = *head.method() == Method::HEAD;
        let (mut parts, text) = response.into_parts();
        if head_only {
            // What a GET would have got (RFC 9110 §8.6), since the server cannot measure it any more.
            let length = HeaderValue::from(text.len());
            parts.headers.insert(CONTENT_LENGTH, length);
        }
        let text = if head_only { Bytes::new() } else { text };
        Response::from_parts(parts, B::from_text(text))
    }

    /// Logs it, and tells what the client is called.
    fn log_refusal(&self, head: Head<'_>, refusal: &Refusal) -> Option<Cow<'static, str>> {
        let current = refusal.current_tag().map(tracing::field::display);
        let client = self.client(head);
        macro_rules! event {
            ($level:expr) => {
                tracing::event!(
                    $level,
                    method = %head.method(),
                    resource = cut(head.instance()),
                    status = refusal.status().as_u16(),
                    reason = refusal.reason().as_str(),
                    sent = %head.sent_tags(),
                    current,
                    client = client.as_deref(),
                    request_id = head.request_id(),
                    "refused"
                )
            };
        }
        if refusal.status().is_server_error() {
            event!(tracing::Level::ERROR);
        } else {
            event!(tracing::Level::INFO);
        }
        client
    }
}

impl Draft<'_> {
    /// With what stands last in every document.
    pub(crate) fn finished(mut self) -> Self {
        if let Some(id) = self.request_id {
            self.problem = self.problem.string_member("request_id", id);
        }
        self
    }

    fn into_response(self) -> Response<Bytes> {
        let Self {
            refusal,
            format,
            of_one,
            ..
        } = self;
        let retry_after_seconds = self.retry_after_seconds;
        let text = match format {
            Format::Problem | Format::Json => self.problem.into_json(),
            Format::Text => self.text().into(),
        };
        let mut response = Response::new(text);
        *response.status_mut() = refusal.status();
        let fields = response.headers_mut();
        fields.reserve(5);
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        fields.insert(VARY, HeaderValue::from_static("accept"));
        fill_fields(fields, refusal, of_one, retry_after_seconds);
        response
    }

    /// The same for people at a terminal.
    fn text(&self) -> String {
        let status = self.refusal.status();
        let mut text = format!(
            "{} {}: {}\nreason: {}\n",
            status.as_str(),
            status.canonical_reason().unwrap_or_default(),
            self.detail,
            self.refusal.reason(),
        );
        let mut line = |name: &str, value: &dyn fmt::Display| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}: {value}");
        };
        let of_one = self.of_one.then_some(self.refusal);
        if let Some(field) = of_one.and_then(Refusal::failed_condition) {
            line("failed condition", &field.name());
        }
        if let Some(tag) = of_one.and_then(Refusal::current_tag) {
            line("current etag", tag);
        }
        if let Some(id) = self.request_id {
            line("request id", &id);
        }
        text
    }
}

/// The fields that tell the reason's cure.
fn fill_fields(fields: &mut HeaderMap, refusal: &Refusal, of_one: bool, retry_after_seconds: u32) {
    match refusal.status() {
        StatusCode::PRECONDITION_FAILED if of_one => {
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
fn stored_nowhere(mut response: Response<Bytes>) -> Response<Bytes> {
    response
        .headers_mut()
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A path may be as long as a client likes; a line in a log may not.
pub(crate) fn cut(path: &str) -> &str {
    &path[..path.floor_char_boundary(256)]
}

//! The answer to a refused request: problem document, header fields, log event.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderValue, Method, Response};
use http_precondition::Problem;
use serde::Serialize;
use version_store::{Conflict, VersionStore};

use super::conflict::with_conflict;
use super::texts::Begun;
use crate::body::RefusalBody;
use crate::config::Config;
use crate::refusal::{Refusal, Refused};
use crate::request::Head;

use super::draft::{Draft, framed_by_the_server, stored_nowhere};

/// The answer that a refused request is about to get, for
/// [`IfMatchLayer::with_refusal_response`](crate::IfMatchLayer::with_refusal_response).
///
/// [`into_response`](Self::into_response) is the answer that goes out without such a hook: problem
/// document, JSON or text, as the request's `Accept` asks.
#[must_use = "an answer that is not sent tells nobody anything"]
pub struct RefusalResponse<'a> {
    head: &'a Parts,
    draft: Draft<'a>,
}

impl RefusalResponse<'_> {
    /// Why the request is refused.
    pub fn refusal(&self) -> &Refusal {
        self.draft.refusal
    }

    /// The head of the request.
    pub fn head(&self) -> &Parts {
        self.head
    }

    /// What the answer says to people.
    pub fn detail(&self) -> &str {
        let draft = &self.draft;
        draft.detail.as_deref().unwrap_or(&draft.begun.detail)
    }

    /// Says it in other words, such as another language, in the document and in the short text.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.draft.detail = Some(detail.into());
        self
    }

    /// Adds an extension member to the problem document (RFC 9457 §3.2), with any value that
    /// serialises to JSON. The short text leaves it out.
    ///
    /// The layer's own members are not to be added a second time: `type`, `title`, `status`, `detail`,
    /// `instance`, `error`, `reason`, `failed_condition`, `current_etag`, `last_modified`, `conflict`,
    /// `items` and `request_id`. One that is called so is left out, with an error event, and so is a
    /// value that does not serialise. Of two of one name the last one stays.
    pub fn member(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Self {
        if OWN_MEMBERS.contains(&name) {
            tracing::error!(
                name,
                "the hook for answers may not write a member of the layer's own"
            );
        } else if let Ok(value) = serde_json::to_value(value) {
            self.draft.added.retain(|(other, _)| other != name);
            self.draft.added.push((name.to_owned(), value));
        }
        self
    }

    /// The answer.
    pub fn into_response(self) -> Response<Bytes> {
        self.draft.into_response()
    }
}

const OWN_MEMBERS: [&str; 13] = [
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "error",
    "reason",
    "failed_condition",
    "current_etag",
    "last_modified",
    "conflict",
    "items",
    "request_id",
];

impl fmt::Debug for RefusalResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusalResponse")
            .field("refusal", self.draft.refusal)
            .finish_non_exhaustive()
    }
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
        let refusal = refusal.by(self.tags.scope().name());
        let members = |mut problem: Problem| {
            if let Some(field) = refusal.failed_condition() {
                problem = problem.string_member("failed_condition", field.name());
            }
            if let Some(tag) = refusal.current_tag() {
                problem = problem.entity_tag_member("current_etag", tag);
            }
            match conflict {
                Some(conflict) => with_conflict(problem, conflict, self.hooks.disclosure.limit),
                None => problem,
            }
        };
        let begun = self.settings.documents.begun(&refusal);
        let mut response = self.answer(head, begun, &refusal, &members);
        Refused::mark(&mut response, refusal, client);
        response
    }

    /// The answer, as the owner's hook has it where there is one, in the stack's own body type.
    pub(crate) fn answer<B: RefusalBody>(
        &self,
        head: Head<'_>,
        begun: &Begun,
        refusal: &Refusal,
        members: &dyn Fn(Problem) -> Problem,
    ) -> Response<B> {
        let draft = Draft {
            documents: &self.settings.documents,
            begun,
            refusal,
            head,
            members,
            retry_after_seconds: self.settings.retry_after_seconds,
            detail: None,
            added: Vec::new(),
        };
        let response = match (&self.settings.answer, head.parts()) {
            (Some(write), Some(parts)) => {
                let written = write(RefusalResponse {
                    head: parts,
                    draft: draft.clone(),
                });
                if written.status().as_u16() < 400 {
                    // Nothing was written, and nobody may be told that something was.
                    tracing::error!(
                        status = written.status().as_u16(),
                        "the hook for answers made a success of a refusal; the refusal goes out"
                    );
                    draft.into_response()
                } else {
                    stored_nowhere(framed_by_the_server(written))
                }
            }
            _ => draft.into_response(),
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

/// A path may be as long as a client likes; a line in a log may not.
pub(crate) fn cut(path: &str) -> &str {
    &path[..path.floor_char_boundary(256)]
}

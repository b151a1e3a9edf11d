//! Makes every refusal, and logs it.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
#[cfg(feature = "bulk")]
use http_precondition::Problem;
use smallvec::SmallVec;

use super::conflict::Told;
use super::document::Members;
use super::draft::Draft;
use super::refusal_response::RefusalResponse;
use super::refusals::Refusals;
use crate::body::RefusalBody;
use crate::drop_fields::remove_framing;
use crate::refusal::{Denied, Reason, Refusal, Refused, Waived};
use crate::request::{Head, Taken};

/// Turns refusals into responses. It knows neither the store nor the key finder nor the strategy.
#[derive(Clone, Debug)]
pub(crate) struct Responder {
    scope: Arc<str>,
    refusals: Refusals,
}

impl Responder {
    pub(crate) fn new(scope: &Arc<str>, refusals: Refusals) -> Self {
        Self {
            scope: Arc::clone(scope),
            refusals,
        }
    }

    pub(crate) fn with_refusals(&self, refusals: Refusals) -> Self {
        Self::new(&self.scope, refusals)
    }

    pub(crate) fn is_hooked(&self) -> bool {
        self.refusals.hook.is_some() || self.refusals.clients.are_named()
    }

    /// What hooks that concern refusals take from a request's head.
    pub(crate) fn take(&self, parts: &Parts) -> Taken {
        Taken {
            response: self.refusals.hook.as_ref().map(|hook| hook.take(parts)),
            caller: self.refusals.clients.ask(parts),
            ..Taken::default()
        }
    }

    /// The whole response to a refused request. Refusals are logged here and nowhere else.
    pub(crate) fn refuse<B: RefusalBody>(&self, head: Head<'_>, refusal: Refusal) -> Response<B> {
        self.refuse_telling(head, refusal, None)
    }

    /// Like [`refuse`](Self::refuse), with conflict metadata.
    pub(crate) fn refuse_telling<B: RefusalBody>(
        &self,
        head: Head<'_>,
        refusal: Refusal,
        conflict: Option<&Told<'_>>,
    ) -> Response<B> {
        let client = self.log(head, &refusal);
        let refusal = refusal.by(&self.scope);
        let members = Members::OfOne(conflict, self.refusals.conflict_limit);
        let mut response = self.formed(self.draft(&refusal, head, &refusal, members));
        Refused::mark(&mut response, refusal, client);
        response
    }

    /// The response to a refusal that represents several items of one request.
    #[cfg(feature = "bulk")]
    pub(crate) fn refuse_several<B: RefusalBody>(
        &self,
        head: Head<'_>,
        refusal: &Refusal,
        members: &dyn Fn(Problem) -> Problem,
        client: Option<Cow<'static, str>>,
    ) -> Response<B> {
        let shown = refusal.of_several().by(&self.scope);
        let members = Members::OfSeveral(members);
        let mut response = self.formed(self.draft(refusal, head, &shown, members));
        Refused::mark(&mut response, shown, client);
        response
    }

    /// Sends the authorization hook's response.
    pub(crate) fn deny<B: RefusalBody>(&self, denied: Denied) -> Response<B> {
        let mut response = denied.into_response();
        remove_framing(response.headers_mut());
        if response.status().as_u16() < 300 {
            // Nothing was written, and the client must not be told otherwise.
            tracing::error!(
                scope = &*self.scope,
                status = response.status().as_u16(),
                "the authorization hook denied with a success status; the response is 500 instead"
            );
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        response.map(B::from_text)
    }

    /// The response in place of a success whose write was not settled. `taken` is whether the handler took what it
    /// had to settle.
    pub(crate) fn unguarded<B: RefusalBody>(
        &self,
        head: Head<'_>,
        success: StatusCode,
        taken: bool,
    ) -> Response<B> {
        tracing::error!(
            method = %head.method(),
            resource = cut(head.instance()),
            status = success.as_u16(),
            expected = if taken { "taken and not settled" } else { "not taken" },
            "a handler reported success without settling its write; the write may have happened"
        );
        self.refuse(head, Refusal::new(Reason::UnguardedWrite))
    }

    /// Waives the refusal of a request for this reason, and logs it. `before` is what was already waived for this
    /// request.
    pub(crate) fn waive(&self, head: Head<'_>, reason: Reason, before: Option<Waived>) -> Waived {
        let mut waived = before.unwrap_or_else(|| Waived {
            reasons: SmallVec::new(),
            client: self.client(head),
            scope: Arc::clone(&self.scope),
        });
        tracing::warn!(
            method = %head.method(),
            resource = cut(head.instance()),
            status = reason.status().as_u16(),
            reason = reason.as_str(),
            client = waived.client.as_deref(),
            request_id = head.request_id(),
            "would have been refused"
        );
        waived.reasons.push(reason);
        waived
    }

    /// The client's name for the log and the metrics, if you name clients.
    pub(crate) fn client(&self, head: Head<'_>) -> Option<Cow<'static, str>> {
        let caller = head.taken()?.caller.as_ref()?;
        Some(self.refusals.clients.name(caller))
    }

    /// A response to a refusal in the words for `worded`.
    fn draft<'a>(
        &'a self,
        worded: &Refusal,
        head: Head<'a>,
        refusal: &'a Refusal,
        members: Members<'a>,
    ) -> Draft<'a> {
        let (texts, retry_after) = (&*self.refusals.texts, self.refusals.retry_after_seconds);
        Draft::new(texts, retry_after, texts.of(worded), head, refusal, members)
    }

    /// The response, written by your hook if there is one, in the stack's own body type.
    fn formed<B: RefusalBody>(&self, draft: Draft<'_>) -> Response<B> {
        let head = draft.head;
        let note = head.taken().and_then(|taken| taken.response.as_ref());
        let response = match (&self.refusals.hook, note) {
            (Some(hook), Some(note)) => {
                let response = RefusalResponse {
                    draft: draft.clone(),
                };
                let mut written = (hook.then)(&**note, response);
                if written.status().as_u16() < 400 {
                    // Nothing was written, and the client must not be told otherwise.
                    tracing::error!(
                        status = written.status().as_u16(),
                        "the refusal response hook turned a refusal into a success; the layer's own response is sent"
                    );
                    draft.into_response()
                } else {
                    let fields = written.headers_mut();
                    remove_framing(fields);
                    // Like the layer's own response, it must not be stored, unless the hook says so.
                    fields
                        .entry(CACHE_CONTROL)
                        .or_insert(HeaderValue::from_static("no-store"));
                    written
                }
            }
            _ => draft.into_response(),
        };
        let head_only = *head.method() == Method::HEAD;
        let (mut parts, text) = response.into_parts();
        if head_only {
            // The length for a GET (RFC 9110 §8.6), because the server can no longer measure it.
            let length = HeaderValue::from(text.len());
            parts.headers.insert(CONTENT_LENGTH, length);
        }
        let text = if head_only { Bytes::new() } else { text };
        Response::from_parts(parts, B::from_text(text))
    }

    /// Logs a refusal, and returns the client's name.
    fn log(&self, head: Head<'_>, refusal: &Refusal) -> Option<Cow<'static, str>> {
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

/// Truncates a path for the log, because a client may send one of any length.
pub(crate) fn cut(path: &str) -> &str {
    &path[..path.floor_char_boundary(256)]
}

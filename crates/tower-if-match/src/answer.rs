//! The answer to a refused request: problem document, header fields, log event.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_precondition::{Field, PROBLEM_JSON, Problem};
use version_store::{Conflict, Version, VersionStore};

use crate::body::RefusalBody;
use crate::config::Config;
use crate::document::with_conflict;
use crate::head::Head;
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::write::denied_response;

impl<S: VersionStore, F, W> Config<S, F, W> {
    /// The whole answer to a refused request, which is logged here and nowhere else.
    pub(crate) fn refuse<B: RefusalBody>(
        &self,
        head: Head<'_>,
        refusal: Refusal,
        conflict: Option<&Conflict<S::Revision>>,
    ) -> Response<B> {
        log(head, &refusal);
        let problem = self.document(head, &refusal, conflict);
        let text = problem.into_json();
        let length = text.len();
        let head_only = *head.method() == Method::HEAD;
        let mut response = Response::new(B::from_text(if head_only { Bytes::new() } else { text }));
        *response.status_mut() = refusal.status();
        self.fill_fields(response.headers_mut(), &refusal);
        if head_only {
            // What a GET would have got (RFC 9110 §8.6), since the server cannot measure it any more.
            response
                .headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        response.extensions_mut().insert(refusal);
        response
    }

    /// As [`refuse`](Self::refuse), with what the store tells about the conflict, where the owner
    /// opted in.
    pub(crate) async fn refuse_disclosing<B: RefusalBody>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        refusal: Refusal,
        client_version: Option<Version<S::Revision>>,
    ) -> Response<B> {
        let Some(disclose) = self.disclosure_for(&refusal) else {
            return self.refuse(head, refusal, None);
        };
        match disclose(self.store.clone(), key.clone(), client_version).await {
            Ok(Some(conflict)) => {
                // Tag and representation come from one row, which may be newer than the one that the
                // decision saw, so the hook is asked about that, too.
                if let Err(denied) = self.authorize(head, key, Some(&conflict.version)) {
                    return denied_response(denied);
                }
                let tag = self.tags.tag(key, &conflict.version);
                self.refuse(head, refusal.with_current_tag(tag), Some(&conflict))
            }
            Ok(None) => self.refuse(head, self.vanished(head, refusal), None),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "no conflict metadata"
                );
                self.refuse(head, refusal, None)
            }
        }
    }

    /// The refusal of a resource that vanished after the decision.
    fn vanished(&self, head: Head<'_>, refusal: Refusal) -> Refusal {
        match refusal.failed_condition() {
            _ if !self.policy.creates(head.method()) => Refusal::gone(),
            Some(field @ (Field::IfMatch | Field::IfUnmodifiedSince)) => {
                Refusal::new(Reason::Absent).of_field(field)
            }
            // It existed when If-None-Match was evaluated, and lost when it lost.
            _ => refusal.with_current_tag(None),
        }
    }

    /// What to ask about this refusal: only a failed precondition is a conflict.
    pub(crate) fn disclosure_for(&self, refusal: &Refusal) -> Option<&crate::config::Disclose<S>> {
        let conflict =
            refusal.status() == StatusCode::PRECONDITION_FAILED && refusal.current_tag().is_some();
        self.disclosure().filter(|_| conflict)
    }

    fn document(
        &self,
        head: Head<'_>,
        refusal: &Refusal,
        conflict: Option<&Conflict<S::Revision>>,
    ) -> Problem {
        let mut problem = self.documents.begun(refusal).instance(head.instance());
        if let Some(field) = refusal.failed_condition() {
            problem = problem.string_member("failed_condition", field.name());
        }
        if let Some(tag) = refusal.current_tag() {
            problem = problem.entity_tag_member("current_etag", tag);
        }
        if let Some(conflict) = conflict {
            problem = with_conflict(problem, conflict);
        }
        if let Some(id) = head.request_id() {
            problem = problem.string_member("request_id", id);
        }
        problem
    }

    fn fill_fields(&self, fields: &mut HeaderMap, refusal: &Refusal) {
        fields.reserve(4);
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match refusal.status() {
            StatusCode::PRECONDITION_FAILED => {
                if let Some(tag) = refusal.current_tag() {
                    fields.insert(ETAG, tag.to_header_value());
                }
            }
            // To repeat what may have happened is not the advice to give.
            StatusCode::SERVICE_UNAVAILABLE if refusal.reason() != Reason::OutcomeUnknown => {
                fields.insert(RETRY_AFTER, HeaderValue::from(self.retry_after_seconds));
            }
            _ => {}
        }
    }
}

fn log(head: Head<'_>, refusal: &Refusal) {
    let current = refusal.current_tag().map(tracing::field::display);
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
}

/// A path may be as long as a client likes; a line in a log may not.
pub(crate) fn cut(path: &str) -> &str {
    &path[..path.floor_char_boundary(256)]
}

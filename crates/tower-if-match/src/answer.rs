//! The answer to a refused request: problem document, header fields, log event.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_precondition::{HttpDate, PROBLEM_JSON, Problem};
use serde::Serialize;
use serde_json::value::RawValue;
use version_store::{Conflict, Version, VersionStore};

use crate::body::RefusalBody;
use crate::config::Config;
use crate::head::Head;
use crate::reason::Reason;
use crate::refusal::Refusal;

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
            Ok(conflict) => {
                // Tag and representation come from one row, which may be newer than the one that the
                // decision saw.
                let version = conflict.as_ref().map(|conflict| &conflict.version);
                let tag = version.and_then(|version| self.tags.tag(key, version));
                self.refuse(head, refusal.with_current_tag(tag), conflict.as_ref())
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "no conflict metadata"
                );
                self.refuse(head, refusal, None)
            }
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
            StatusCode::SERVICE_UNAVAILABLE => {
                fields.insert(RETRY_AFTER, HeaderValue::from(self.retry_after_seconds));
            }
            _ => {}
        }
    }
}

/// What all refusals of one kind share, written once: type, title, status, detail, error, reason.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    by_reason: [Problem; Reason::ALL.len()],
    missing_on_existing: Problem,
    gone: Problem,
}

impl Documents {
    /// The documents, with types that are fragments of this page.
    pub(crate) fn new(page: &str) -> Self {
        let begin = |refusal: &Refusal, detail| {
            let title = refusal.status().canonical_reason().unwrap_or_default();
            let fragment = title.to_ascii_lowercase().replace(' ', "-");
            Problem::new(refusal.status(), title)
                .type_uri(&format!("{page}#{fragment}"))
                .detail(detail)
                .string_member("error", &fragment.replace('-', "_"))
                .string_member("reason", refusal.reason().as_str())
        };
        let of = |reason| {
            let refusal = Refusal::new(reason);
            begin(&refusal, detail(reason))
        };
        Self {
            by_reason: Reason::ALL.map(of),
            missing_on_existing: begin(
                &Refusal::new(Reason::MissingCondition),
                "This request would overwrite without looking. Send If-Match with the entity tag of \
                 the version that you have read.",
            ),
            gone: begin(&Refusal::gone(), detail(Reason::Absent)),
        }
    }

    fn begun(&self, refusal: &Refusal) -> Problem {
        let exists = refusal.current_tag().is_some();
        match (refusal.reason(), refusal.status()) {
            (Reason::MissingCondition, _) if exists => self.missing_on_existing.clone(),
            (Reason::Absent, StatusCode::NOT_FOUND) => self.gone.clone(),
            (reason, _) => self.by_reason[reason as usize].clone(),
        }
    }
}

/// What the client reads.
fn detail(reason: Reason) -> &'static str {
    match reason {
        Reason::MissingCondition => {
            "This request needs a condition. Send If-None-Match: * to create, or If-Match with the \
             entity tag of the version that you have read."
        }
        Reason::StaleVersion => "The resource changed since the version that If-Match names.",
        Reason::LostRace => "Another request changed the resource while this one was running.",
        Reason::ForeignTag => {
            "If-Match names a version of another resource, or of one that was deleted since."
        }
        Reason::WeakTag => {
            "If-Match names the current version by a weak entity tag, which never matches. \
             Something between client and server weakened it."
        }
        Reason::MangledTag => "The entity tag in If-Match was changed between server and client.",
        Reason::UnknownTag => "If-Match names no version that this service knows.",
        Reason::Absent => "The resource does not exist.",
        Reason::Exists => "If-None-Match names the resource, which exists.",
        Reason::ModifiedSince => {
            "The resource was modified after the date that If-Unmodified-Since names."
        }
        Reason::MalformedCondition => "A condition field is not of the form that RFC 9110 gives.",
        Reason::OversizedCondition => "A condition field has more than 8192 octets or 64 tags.",
        Reason::StoreUnavailable => "The store cannot tell the current version now.",
        Reason::Busy => "The resource could not be had in time.",
        Reason::OutcomeUnknown => "Whether the write took place is not known. Read, then decide.",
        Reason::UnguardedWrite => {
            "The service did not say how its write ended. The write may have happened."
        }
        Reason::Unkeyed => {
            "The service is put together wrongly: it cannot tell which resource this is."
        }
    }
}

/// The member `conflict`.
#[derive(Serialize)]
struct ConflictMember<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<&'a RawValue>,
}

fn with_conflict<R>(problem: Problem, conflict: &Conflict<R>) -> Problem {
    let modified_at = conflict
        .version
        .modified_at()
        .map(|at| HttpDate::from(at).to_rfc3339());
    let member = ConflictMember {
        modified_by: conflict.version.modified_by(),
        modified_at: modified_at.as_deref(),
        changed: conflict.changed.as_deref(),
        // What is not JSON is left out: it would break the whole document.
        current: conflict
            .current
            .as_deref()
            .and_then(|json| serde_json::from_str(json).ok()),
    };
    match &modified_at {
        Some(at) => problem.string_member("last_modified", at),
        None => problem,
    }
    .member("conflict", &member)
}

fn log(head: Head<'_>, refusal: &Refusal) {
    let current = refusal.current_tag().map(tracing::field::display);
    macro_rules! event {
        ($level:expr) => {
            tracing::event!(
                $level,
                method = %head.method(),
                resource = head.instance(),
                status = refusal.status().as_u16(),
                reason = refusal.reason().as_str(),
                sent = head.sent_tags(),
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

//! The problem documents of refusals (RFC 9457), and their texts.

use http::StatusCode;
use http_precondition::Problem;

use crate::refusal::Reason;
use crate::refusal::Refusal;

/// What all refusals of one kind share, written once.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    page: String,
    noun: String,
    by_reason: [Begun; Reason::ALL.len()],
    missing_on_existing: Begun,
    gone: Begun,
}

/// A document as far as it is the same for every request: type, title, status, detail, error, reason.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) problem: Problem,
    /// The detail once more, for answers that are no JSON.
    pub(crate) detail: String,
}

impl Documents {
    /// The documents, with types that are fragments of this page, and texts that call the resource by
    /// this noun.
    pub(crate) fn new(page: &str, noun: &str) -> Self {
        let begin = |refusal: &Refusal, detail: &str| {
            let detail = detail.replace("resource", noun);
            Begun {
                problem: begin(page, refusal, &detail),
                detail,
            }
        };
        let of = |reason| {
            let refusal = Refusal::new(reason);
            begin(&refusal, detail(reason))
        };
        Self {
            page: page.to_owned(),
            noun: noun.to_owned(),
            by_reason: Reason::ALL.map(of),
            missing_on_existing: begin(
                &Refusal::new(Reason::MissingCondition),
                "This request would overwrite without looking. Send If-Match with the entity tag of \
                 the version that you have read.",
            ),
            gone: begin(&Refusal::gone(), detail(Reason::Absent)),
        }
    }

    pub(crate) fn with_page(&self, page: &str) -> Self {
        Self::new(page, &self.noun)
    }

    pub(crate) fn with_noun(&self, noun: &str) -> Self {
        Self::new(&self.page, noun)
    }

    /// The same with words of somebody else's.
    pub(crate) fn worded(&self, refusal: &Refusal, detail: &str) -> Problem {
        begin(&self.page, refusal, detail)
    }

    /// The document of this refusal, as far as it is the same for every request.
    pub(crate) fn begun(&self, refusal: &Refusal) -> &Begun {
        let exists = refusal.current_tag().is_some();
        match (refusal.reason(), refusal.status()) {
            (Reason::MissingCondition, _) if exists => &self.missing_on_existing,
            (Reason::Absent, StatusCode::NOT_FOUND) => &self.gone,
            (reason, _) => &self.by_reason[reason as usize],
        }
    }
}

fn begin(page: &str, refusal: &Refusal, detail: &str) -> Problem {
    let title = refusal.status().canonical_reason().unwrap_or_default();
    let fragment = title.to_ascii_lowercase().replace(' ', "-");
    Problem::new(refusal.status(), title)
        .type_uri(&format!("{page}#{fragment}"))
        .detail(detail)
        .string_member("error", &fragment.replace('-', "_"))
        .string_member("reason", refusal.reason().as_str())
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
             Something between client and server weakened it, as a proxy that compresses does."
        }
        Reason::MangledTag => {
            "The entity tag in If-Match is one of this service's that something between server and \
             client changed, as a proxy that encodes content may."
        }
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

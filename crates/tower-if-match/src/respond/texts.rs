//! The problem documents of refusals (RFC 9457), and what clients read in them.

use http::StatusCode;
use http_precondition::Problem;

use crate::refusal::{Reason, Refusal};

/// What all refusals of one kind share, written once.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    page: String,
    noun: String,
    by_reason: [Text; Reason::EACH.len()],
    missing_on_existing: Text,
    gone: Text,
}

/// A document as far as it is the same for every request: type, title, status, detail, error, reason.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) problem: Problem,
    /// The same as it is written, as far as the text of the instance.
    pub(crate) begun: Box<[u8]>,
    /// The detail once more, for responses that are not JSON.
    pub(crate) detail: String,
}

impl Texts {
    /// The texts, with types that are fragments of this page, and that call the resource by this noun.
    pub(crate) fn new(page: &str, noun: &str) -> Self {
        let begin = |refusal: &Refusal, detail: &str| {
            let detail = detail.replace("resource", noun);
            let problem = begin(page, refusal, &detail);
            let whole = problem.clone().into_json();
            let open = whole.strip_suffix(b"}").unwrap_or_default();
            Text {
                begun: [open, b",\"instance\":\""].concat().into(),
                problem,
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
            by_reason: Reason::EACH.map(of),
            missing_on_existing: begin(
                &Refusal::new(Reason::MissingCondition),
                "This request would overwrite the resource unconditionally. Send If-Match with the ETag of \
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

    /// The same with somebody else's words.
    pub(crate) fn worded(&self, refusal: &Refusal, detail: &str) -> Problem {
        begin(&self.page, refusal, detail)
    }

    /// The text of this refusal, as far as it is the same for every request.
    pub(crate) fn of(&self, refusal: &Refusal) -> &Text {
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
            "This request needs a condition. Send If-Match with the ETag of the version that you have \
             read, or If-None-Match: * to create the resource."
        }
        Reason::StaleVersion => "The resource changed since the version that If-Match names.",
        Reason::LostRace => {
            "Another request changed the resource while this one was being processed."
        }
        Reason::ForeignTag => {
            "If-Match names a version of another resource, or of one that has since been deleted."
        }
        Reason::WeakTag => {
            "If-Match names the current version with a weak entity tag, which never matches. Something \
             between client and server weakened it, such as a proxy that compresses."
        }
        Reason::MangledTag => {
            "The entity tag in If-Match was issued by this service, but something between server and \
             client altered it, such as a proxy that encodes bodies."
        }
        Reason::UnknownTag => "If-Match names no version that this service knows.",
        Reason::Absent => "The resource does not exist.",
        Reason::Exists => "The resource exists and matches If-None-Match.",
        Reason::ModifiedSince => "The resource was modified after the date in If-Unmodified-Since.",
        Reason::MalformedCondition => {
            "A condition header field does not have the syntax that RFC 9110 defines."
        }
        Reason::OversizedCondition => {
            "A condition header field has more than 8192 bytes or 64 entity tags."
        }
        Reason::StoreUnavailable => "The current version cannot be determined right now.",
        Reason::Busy => "Timed out waiting for the resource.",
        Reason::OutcomeUnknown => {
            "It is not known whether the write took place. Read the resource, then decide."
        }
        Reason::UnguardedWrite => {
            "The handler did not report how its write ended. The write may have happened."
        }
        Reason::Unkeyed => {
            "Server misconfiguration: cannot determine which resource this request targets."
        }
    }
}

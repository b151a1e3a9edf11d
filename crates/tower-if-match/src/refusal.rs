use http::StatusCode;
use http_precondition::{EntityTag, Field};

use crate::Reason;

/// Why a request was refused: the layer puts it into the extensions of its answer, where a layer
/// outside can read it.
///
/// ```
/// # use http::Response;
/// # use tower_if_match::Refusal;
/// # fn count(_: &str) {}
/// # fn example<B>(answer: &Response<B>) {
/// if let Some(refusal) = answer.extensions().get::<Refusal>() {
///     count(refusal.reason().as_str());
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    reason: Reason,
    status: StatusCode,
    failed: Option<Field>,
    current_tag: Option<EntityTag>,
}

impl Refusal {
    pub(crate) fn new(reason: Reason) -> Self {
        Self {
            reason,
            status: reason.status(),
            failed: None,
            current_tag: None,
        }
    }

    /// A resource that vanished before a write that would not create it: what a later request would
    /// get from the handler.
    pub(crate) fn gone() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::new(Reason::Absent)
        }
    }

    pub(crate) fn of_field(mut self, field: Field) -> Self {
        self.failed = Some(field);
        self
    }

    pub(crate) fn with_current_tag(mut self, tag: Option<EntityTag>) -> Self {
        self.current_tag = tag;
        self
    }

    /// The stable code.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The condition field that failed or could not be parsed.
    pub fn failed_condition(&self) -> Option<Field> {
        self.failed
    }

    /// The entity tag of the current state, where there is one.
    pub fn current_tag(&self) -> Option<&EntityTag> {
        self.current_tag.as_ref()
    }

    /// What the client reads.
    pub(crate) fn detail(&self) -> &'static str {
        match self.reason {
            Reason::MissingCondition if self.current_tag.is_some() => {
                "This request would overwrite without looking. Send If-Match with the entity tag of \
                 the version that you have read."
            }
            Reason::MissingCondition => {
                "This request needs a condition. Send If-None-Match: * to create, or If-Match with \
                 the entity tag of the version that you have read."
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
            Reason::MangledTag => {
                "The entity tag in If-Match was changed between server and client."
            }
            Reason::UnknownTag => "If-Match names no version that this service knows.",
            Reason::Absent => "The resource does not exist.",
            Reason::Exists => "If-None-Match names the resource, which exists.",
            Reason::ModifiedSince => {
                "The resource was modified after the date that If-Unmodified-Since names."
            }
            Reason::MalformedCondition => {
                "A condition field is not of the form that RFC 9110 gives."
            }
            Reason::OversizedCondition => "A condition field has more than 8192 octets or 64 tags.",
            Reason::StoreUnavailable => "The store cannot tell the current version now.",
            Reason::Busy => "The resource could not be had in time.",
            Reason::OutcomeUnknown => {
                "Whether the write took place is not known. Read, then decide."
            }
            Reason::UnguardedWrite => {
                "The service did not say how its write ended. The write may have happened."
            }
            Reason::Unkeyed => {
                "The service is put together wrongly: it cannot tell which resource this is."
            }
        }
    }
}

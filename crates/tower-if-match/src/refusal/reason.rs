use std::fmt;

use http::StatusCode;

/// Why a request was refused: a stable code that stands in the problem document, in the log event
/// and in the response's extensions (within [`Refusal`](crate::Refusal)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// 428: the request overwrites and names no version (RFC 6585 §3).
    MissingCondition,
    /// 412: the tag is this resource's, of a version that has been replaced; or, where the store
    /// brings its own tags, simply another than the current one.
    StaleVersion,
    /// 412: the condition holds, but someone was faster between its evaluation and the write.
    LostRace,
    /// 412: the tag is one of this service's, of another resource or of an earlier incarnation of this one.
    ForeignTag,
    /// 412: the tag names the current version, but it is weak, and a weak tag never satisfies
    /// If-Match (RFC 9110 §13.1.1). Something on the way weakened it.
    WeakTag,
    /// 412: the tag begins as one of this service's and was changed on the way.
    MangledTag,
    /// 412: the tag is none of this service's.
    UnknownTag,
    /// 412 to a request that needs the resource, 404 where it vanished before the write.
    Absent,
    /// 412: If-None-Match names what exists.
    Exists,
    /// 412: the resource was modified after the date.
    ModifiedSince,
    /// 400: a condition field is not of its grammar.
    MalformedCondition,
    /// 400: a condition field has more than 8192 octets or 64 tags.
    OversizedCondition,
    /// 503: the store cannot tell the current version.
    StoreUnavailable,
    /// 503: the resource could not be had in time.
    Busy,
    /// 503, without `Retry-After`: whether the write took place is not known. With compare and swap it is
    /// the handler that says so.
    OutcomeUnknown,
    /// 500: the handler answered with a success and did not say how its write ended.
    UnguardedWrite,
    /// 500: the service is put together wrongly, no key can be derived.
    Unkeyed,
}

impl Reason {
    /// All of them, for whoever documents or counts them.
    pub const ALL: &'static [Self] = &Self::EACH;

    pub(crate) const EACH: [Self; 17] = [
        Self::MissingCondition,
        Self::StaleVersion,
        Self::LostRace,
        Self::ForeignTag,
        Self::WeakTag,
        Self::MangledTag,
        Self::UnknownTag,
        Self::Absent,
        Self::Exists,
        Self::ModifiedSince,
        Self::MalformedCondition,
        Self::OversizedCondition,
        Self::StoreUnavailable,
        Self::Busy,
        Self::OutcomeUnknown,
        Self::UnguardedWrite,
        Self::Unkeyed,
    ];

    /// The code, such as `stale_version`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingCondition => "missing_condition",
            Self::StaleVersion => "stale_version",
            Self::LostRace => "lost_race",
            Self::ForeignTag => "foreign_tag",
            Self::WeakTag => "weak_tag",
            Self::MangledTag => "mangled_tag",
            Self::UnknownTag => "unknown_tag",
            Self::Absent => "absent",
            Self::Exists => "exists",
            Self::ModifiedSince => "modified_since",
            Self::MalformedCondition => "malformed_condition",
            Self::OversizedCondition => "oversized_condition",
            Self::StoreUnavailable => "store_unavailable",
            Self::Busy => "busy",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::UnguardedWrite => "unguarded_write",
            Self::Unkeyed => "unkeyed",
        }
    }

    /// The status of the refusal, but for [`Absent`](Self::Absent), which is 404 where the resource
    /// vanished before a write that would not create it.
    pub fn status(self) -> StatusCode {
        match self {
            Self::MissingCondition => StatusCode::PRECONDITION_REQUIRED,
            Self::StaleVersion
            | Self::LostRace
            | Self::ForeignTag
            | Self::WeakTag
            | Self::MangledTag
            | Self::UnknownTag
            | Self::Absent
            | Self::Exists
            | Self::ModifiedSince => StatusCode::PRECONDITION_FAILED,
            Self::MalformedCondition | Self::OversizedCondition => StatusCode::BAD_REQUEST,
            Self::StoreUnavailable | Self::Busy | Self::OutcomeUnknown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::UnguardedWrite | Self::Unkeyed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documents of refusals are looked up by a reason's place in the list.
    #[test]
    fn the_list_is_in_the_order_of_the_reasons() {
        for (place, reason) in Reason::EACH.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
        }
    }
}

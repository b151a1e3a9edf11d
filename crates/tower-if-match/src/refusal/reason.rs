use std::fmt;

use http::StatusCode;

/// Why a request was refused: a stable code that appears in the problem document, in the log event
/// and in the response's extensions (within [`Refusal`](crate::Refusal)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// 428: the request overwrites without naming a version (RFC 6585 §3).
    MissingCondition,
    /// 412: the tag belongs to a version of this resource that has since been replaced; or, if the store supplies
    /// its own tags, it is simply not the current one.
    StaleVersion,
    /// 412: the condition holds, but someone was faster between its evaluation and the write.
    LostRace,
    /// 412: this service minted the tag, but for another resource or for an earlier incarnation of this one.
    ForeignTag,
    /// 412: the tag names the current version, but it is weak, and a weak tag never satisfies
    /// If-Match (RFC 9110 §13.1.1). Usually an intermediary weakened it.
    WeakTag,
    /// 412: the tag begins like one of this service, but was changed in transit.
    MangledTag,
    /// 412: this service does not recognise the tag.
    UnknownTag,
    /// 412 if the request needs a resource that does not exist, 404 if it vanished before the write.
    Absent,
    /// 412: If-None-Match names what exists.
    Exists,
    /// 412: the resource was modified after the date.
    ModifiedSince,
    /// 400: a condition field does not match its grammar.
    MalformedCondition,
    /// 400: a condition field has more than 8192 bytes or 64 tags.
    OversizedCondition,
    /// 503: the store cannot tell the current version.
    StoreUnavailable,
    /// 503: timed out waiting for the resource.
    Busy,
    /// 503, without `Retry-After`: whether the write took place is unknown. With compare and swap, the handler
    /// reports this.
    OutcomeUnknown,
    /// 500: the handler reported success without settling its write.
    UnguardedWrite,
    /// 500: the service is misconfigured, so no key can be derived.
    Unkeyed,
}

impl Reason {
    /// All reasons, for code that documents or counts them.
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

    /// The status of the refusal, except that [`Absent`](Self::Absent) is 404 if the resource vanished before a
    /// write that would not create it.
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

    /// The documents of refusals are looked up by the index of the reason in the list.
    #[test]
    fn the_list_is_in_the_order_of_the_reasons() {
        for (place, reason) in Reason::EACH.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
        }
    }
}

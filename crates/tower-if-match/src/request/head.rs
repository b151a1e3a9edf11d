use std::sync::OnceLock;

use http::header::{ACCEPT, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Uri};
use http_precondition::{Conditions, DateCondition, Field, TagCondition};

use super::accept::Format;
use super::fields::{ConditionLines, Fields, Lines, parse_sole};
use super::hook::Taken;

/// The maximum length of a request id that is passed on.
const MAX_REQUEST_ID: usize = 128;

/// What the decision and the response need to know about a request's head.
#[derive(Clone, Copy)]
pub(crate) enum Head<'a> {
    /// The head itself, while the layer has it.
    Whole {
        parts: &'a Parts,
        fields: &'a Fields<'a>,
        conditions: &'a Conditions,
        taken: Option<&'a Taken>,
    },
    /// What was kept of it when the request was passed to the handler; and conditions in place of its own, for one of
    /// several items.
    Kept(&'a Kept, Option<&'a Conditions>),
}

/// What is kept of a request's head until the handler has responded. It is hardly ever needed, so fields are kept as
/// they were sent, and parsed if it is.
pub(crate) struct Kept {
    method: Method,
    target: Option<PathAndQuery>,
    request_id: Option<HeaderValue>,
    accept: Option<HeaderValue>,
    sent: Sent,
    /// What hooks took from it, if there are any.
    taken: Option<Box<Taken>>,
}

/// The condition fields of a request.
enum Sent {
    Nothing,
    /// One line of If-Match or If-None-Match, and what it says, once that was needed.
    Sole(Field, HeaderValue, OnceLock<Box<Conditions>>),
    /// Anything else; and the text of a field that could not be parsed, for the log.
    Several(Box<Conditions>, Option<HeaderValue>),
}

/// What a request says that has no condition fields.
static UNCONDITIONAL: Conditions = Conditions {
    if_match: TagCondition::Absent,
    if_none_match: TagCondition::Absent,
    if_modified_since: DateCondition::Absent,
    if_unmodified_since: DateCondition::Absent,
};

impl Kept {
    /// `conditions` parses the fields; it is called only if one line does not say it all.
    #[expect(
        clippy::inline_always,
        reason = "each call moves a request, which costs more than the code"
    )]
    #[inline(always)]
    pub(crate) fn of(
        parts: &Parts,
        fields: &Fields<'_>,
        conditions: impl FnOnce() -> Conditions,
        taken: Option<Box<Taken>>,
    ) -> Self {
        Self {
            method: parts.method.clone(),
            target: target(parts).cloned(),
            request_id: fields.request_id.cloned(),
            accept: match fields.accept {
                Lines::None => None,
                Lines::One(line) => Some(line.clone()),
                Lines::Several => joined(parts.headers.get_all(ACCEPT).iter()),
            },
            sent: match fields.conditions {
                ConditionLines::None => Sent::Nothing,
                ConditionLines::Sole(field, line) => {
                    Sent::Sole(field, line.clone(), OnceLock::new())
                }
                ConditionLines::Several => Sent::several(parts, conditions()),
            },
            taken,
        }
    }

    pub(crate) fn head(&self) -> Head<'_> {
        Head::Kept(self, None)
    }

    /// The head with these conditions in place of its own.
    pub(crate) fn with<'a>(&'a self, conditions: &'a Conditions) -> Head<'a> {
        Head::Kept(self, Some(conditions))
    }
}

impl Sent {
    #[cold]
    fn several(parts: &Parts, conditions: Conditions) -> Self {
        let unparsed = unparsed(parts, &conditions).cloned();
        Self::Several(Box::new(conditions), unparsed)
    }

    fn conditions(&self) -> &Conditions {
        match self {
            Self::Nothing => &UNCONDITIONAL,
            Self::Sole(field, line, parsed) => {
                parsed.get_or_init(|| Box::new(parse_sole(*field, line)))
            }
            Self::Several(conditions, _) => conditions,
        }
    }
}

impl<'a> Head<'a> {
    pub(crate) fn method(self) -> &'a Method {
        match self {
            Self::Whole { parts, .. } => &parts.method,
            Self::Kept(kept, _) => &kept.method,
        }
    }

    pub(crate) fn conditions(self) -> &'a Conditions {
        match self {
            Self::Whole { conditions, .. } => conditions,
            Self::Kept(kept, of_item) => of_item.unwrap_or_else(|| kept.sent.conditions()),
        }
    }

    /// The form of the response that the request prefers.
    pub(crate) fn format(self) -> Format {
        match self {
            Self::Whole { parts, fields, .. } => match fields.accept {
                Lines::None => Format::Problem,
                Lines::One(line) => Format::of([line]),
                Lines::Several => Format::of(parts.headers.get_all(ACCEPT)),
            },
            Self::Kept(kept, _) => Format::of(kept.accept.as_slice()),
        }
    }

    /// What hooks took from the head, if there are any.
    pub(crate) fn taken(self) -> Option<&'a Taken> {
        match self {
            Self::Whole { taken, .. } => taken,
            Self::Kept(kept, _) => kept.taken.as_deref(),
        }
    }

    /// The path of the request's target, as the client sent it.
    pub(crate) fn instance(self) -> &'a str {
        let target = match self {
            Self::Whole { parts, .. } => target(parts),
            Self::Kept(kept, _) => kept.target.as_ref(),
        };
        target.map_or("", PathAndQuery::path)
    }

    /// The request's id, if it is safe to pass on.
    pub(crate) fn request_id(self) -> Option<&'a str> {
        let id = match self {
            Self::Whole { fields, .. } => fields.request_id,
            Self::Kept(kept, _) => kept.request_id.as_ref(),
        };
        let id = id?.to_str().ok()?;
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
        let valid = (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(plain);
        valid.then_some(id)
    }

    /// The tags that were sent, truncated and escaped: for the log, never for a response.
    pub(crate) fn sent_tags(self) -> String {
        const CUT: usize = 128;
        let conditions = self.conditions();
        let mut sent = String::new();
        for field in [&conditions.if_match, &conditions.if_none_match] {
            let octets = match field {
                TagCondition::Tags(tags) => tags.as_bytes(),
                TagCondition::Any => b"*",
                TagCondition::Absent | TagCondition::Empty => continue,
                TagCondition::Malformed | TagCondition::Oversized => self.unparsed(),
            };
            if !sent.is_empty() {
                sent.push_str(" | ");
            }
            sent.extend(
                octets[..octets.len().min(CUT)]
                    .escape_ascii()
                    .map(char::from),
            );
            if octets.len() > CUT {
                sent.push_str("...");
            }
        }
        sent
    }

    fn unparsed(self) -> &'a [u8] {
        let text = match self {
            Self::Whole {
                parts, conditions, ..
            } => unparsed(parts, conditions),
            Self::Kept(kept, _) => match &kept.sent {
                Sent::Nothing => None,
                Sent::Sole(_, line, _) => Some(line),
                Sent::Several(_, unparsed) => unparsed.as_ref(),
            },
        };
        text.map_or(b"", HeaderValue::as_bytes)
    }
}

fn unparsed<'a>(parts: &'a Parts, conditions: &Conditions) -> Option<&'a HeaderValue> {
    let defective =
        |field: &TagCondition| matches!(field, TagCondition::Malformed | TagCondition::Oversized);
    let name = if defective(&conditions.if_match) {
        IF_MATCH
    } else if defective(&conditions.if_none_match) {
        IF_NONE_MATCH
    } else {
        return None;
    };
    parts.headers.get(name)
}

/// Several lines of a field as one (RFC 9110 §5.3).
#[cold]
fn joined<'a>(lines: impl Iterator<Item = &'a HeaderValue>) -> Option<HeaderValue> {
    let lines = lines.filter(|line| line.to_str().is_ok());
    let lines: Vec<_> = lines.map(HeaderValue::as_bytes).collect();
    HeaderValue::from_bytes(&lines.join(&b", "[..])).ok()
}

/// The path and query that the client sent.
pub(crate) fn target(parts: &Parts) -> Option<&PathAndQuery> {
    original_uri(parts).path_and_query()
}

#[cfg(feature = "axum")]
pub(crate) fn original_uri(parts: &Parts) -> &Uri {
    // A nested router strips the prefix from the URI.
    let original = parts.extensions.get::<axum::extract::OriginalUri>();
    original.map_or(&parts.uri, |original| &original.0)
}

#[cfg(not(feature = "axum"))]
pub(crate) fn original_uri(parts: &Parts) -> &Uri {
    &parts.uri
}

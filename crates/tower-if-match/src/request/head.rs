use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Uri};
use http_precondition::{Conditions, TagCondition};

use super::accept::Format;

/// The maximum length of a request id that is passed on.
const MAX_REQUEST_ID: usize = 128;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the decision and the response need to know about a request's head.
#[derive(Clone, Copy)]
pub(crate) enum Head<'a> {
    /// The head itself, while the layer has it.
    Whole(&'a Parts, &'a Conditions),
    /// What was kept of it when the request was passed to the handler.
    Kept(&'a Kept),
}

/// What is kept of a request's head until the handler has responded.
pub(crate) struct Kept {
    method: Method,
    conditions: Conditions,
    target: Option<PathAndQuery>,
    request_id: Option<HeaderValue>,
    /// The text of a field that could not be parsed, for the log.
    unparsed: Option<Box<HeaderValue>>,
    format: Format,
    /// The whole head, if a hook may need it again.
    parts: Option<Box<Parts>>,
}

impl Kept {
    pub(crate) fn of(parts: &Parts, conditions: Conditions, whole: bool) -> Self {
        Self {
            method: parts.method.clone(),
            target: target(parts).cloned(),
            request_id: parts.headers.get(&X_REQUEST_ID).cloned(),
            unparsed: unparsed(parts, &conditions).cloned().map(Box::new),
            format: Format::of(&parts.headers),
            parts: whole.then(|| Box::new(parts.clone())),
            conditions,
        }
    }

    pub(crate) fn head(&self) -> Head<'_> {
        Head::Kept(self)
    }
}

impl<'a> Head<'a> {
    pub(crate) fn method(self) -> &'a Method {
        match self {
            Self::Whole(parts, _) => &parts.method,
            Self::Kept(kept) => &kept.method,
        }
    }

    pub(crate) fn conditions(self) -> &'a Conditions {
        match self {
            Self::Whole(_, conditions) => conditions,
            Self::Kept(kept) => &kept.conditions,
        }
    }

    /// The form of the response that the request prefers.
    pub(crate) fn format(self) -> Format {
        match self {
            Self::Whole(parts, _) => Format::of(&parts.headers),
            Self::Kept(kept) => kept.format,
        }
    }

    /// The head for hooks, if it was kept.
    pub(crate) fn parts(self) -> Option<&'a Parts> {
        match self {
            Self::Whole(parts, _) => Some(parts),
            Self::Kept(kept) => kept.parts.as_deref(),
        }
    }

    /// The path of the request's target, as the client sent it.
    pub(crate) fn instance(self) -> &'a str {
        let target = match self {
            Self::Whole(parts, _) => target(parts),
            Self::Kept(kept) => kept.target.as_ref(),
        };
        target.map_or("", PathAndQuery::path)
    }

    /// The request's id, if it is safe to pass on.
    pub(crate) fn request_id(self) -> Option<&'a str> {
        let id = match self {
            Self::Whole(parts, _) => parts.headers.get(&X_REQUEST_ID),
            Self::Kept(kept) => kept.request_id.as_ref(),
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
            Self::Whole(parts, conditions) => unparsed(parts, conditions),
            Self::Kept(kept) => kept.unparsed.as_deref(),
        };
        text.map_or(b"", HeaderValue::as_bytes)
    }
}

fn unparsed<'a>(parts: &'a Parts, conditions: &Conditions) -> Option<&'a HeaderValue> {
    let defective =
        |field: &TagCondition| matches!(field, TagCondition::Malformed | TagCondition::Oversized);
    let name = if defective(&conditions.if_match) {
        http::header::IF_MATCH
    } else if defective(&conditions.if_none_match) {
        http::header::IF_NONE_MATCH
    } else {
        return None;
    };
    parts.headers.get(name)
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

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method};
use http_precondition::{Conditions, HttpDate, TagCondition};

use crate::config::Clock;

/// How much of a client's request id is taken over.
const MAX_REQUEST_ID: usize = 128;

/// What an answer needs of a request's head after the head went to the handler.
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) conditions: Conditions,
    target: Option<PathAndQuery>,
    request_id: Option<HeaderValue>,
    /// The text of a field that could not be parsed, for the log.
    unparsed: Option<HeaderValue>,
    /// The whole head, where the authorization hook has to see it again after a lost race.
    pub(crate) for_authorization: Option<Box<Parts>>,
}

impl Head {
    pub(crate) fn capture(parts: &Parts, clock: &Clock, for_authorization: bool) -> Self {
        let conditions = Conditions::from_headers(&parts.headers, || HttpDate::from(clock()));
        Self {
            unparsed: unparsed(parts, &conditions),
            conditions,
            method: parts.method.clone(),
            target: target(parts).cloned(),
            request_id: parts.headers.get("x-request-id").cloned(),
            for_authorization: for_authorization.then(|| Box::new(parts.clone())),
        }
    }

    /// The path of the request's target, as the client sent it.
    pub(crate) fn instance(&self) -> &str {
        self.target.as_ref().map_or("", PathAndQuery::path)
    }

    /// The request's id, where it is one that can be passed on without a second thought.
    pub(crate) fn request_id(&self) -> Option<&str> {
        let id = self.request_id.as_ref()?.to_str().ok()?;
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
        let valid = (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(plain);
        valid.then_some(id)
    }

    /// The tags that were sent, cut and escaped: for the log, never for an answer.
    pub(crate) fn sent_tags(&self) -> String {
        const CUT: usize = 128;
        let fields = [&self.conditions.if_match, &self.conditions.if_none_match];
        let mut sent = String::new();
        for field in fields {
            let octets = match field {
                TagCondition::Tags(tags) => tags.as_bytes(),
                TagCondition::Any => b"*",
                TagCondition::Absent | TagCondition::Empty => continue,
                TagCondition::Malformed | TagCondition::Oversized => self
                    .unparsed
                    .as_ref()
                    .map_or(b"".as_slice(), HeaderValue::as_bytes),
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
}

fn unparsed(parts: &Parts, conditions: &Conditions) -> Option<HeaderValue> {
    let defective =
        |field: &TagCondition| matches!(field, TagCondition::Malformed | TagCondition::Oversized);
    let name = if defective(&conditions.if_match) {
        http::header::IF_MATCH
    } else if defective(&conditions.if_none_match) {
        http::header::IF_NONE_MATCH
    } else {
        return None;
    };
    parts.headers.get(name).cloned()
}

#[cfg(feature = "axum")]
fn target(parts: &Parts) -> Option<&PathAndQuery> {
    // A nested router strips the prefix from the URI.
    let original = parts.extensions.get::<axum::extract::OriginalUri>();
    original
        .map_or(&parts.uri, |original| &original.0)
        .path_and_query()
}

#[cfg(not(feature = "axum"))]
fn target(parts: &Parts) -> Option<&PathAndQuery> {
    parts.uri.path_and_query()
}

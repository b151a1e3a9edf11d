use http::header::{ACCEPT_ENCODING, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_precondition::{
    Conditions, EntityTag, EntityTagRef, MAX_FIELD_OCTETS, MAX_TAGS, Representation, TagCondition,
    TagList, Verdict, evaluate,
};

use super::accept_encoding::{accepts, accepts_identity};
use crate::tag::split_variant;

/// The conditions of a read that wait for the tag of the response.
#[derive(Debug)]
pub(super) struct Deferred {
    /// The conditions on tags of the mint's form.
    conditions: Conditions,
    /// An `If-None-Match` on other tags, which is evaluated inside.
    inside: TagCondition,
    /// Whether the request accepts the plain body, too.
    pub(super) accepts_plain: bool,
}

impl Deferred {
    /// Removes the conditions that cannot be evaluated inside, and widens those that need more tags there. `None`
    /// if nothing has to wait.
    pub(super) fn take(fields: &mut HeaderMap) -> Option<Box<Self>> {
        let ranged = fields.contains_key(RANGE);
        let conditional = [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE]
            .iter()
            .any(|name| fields.contains_key(name));
        if !conditional {
            return None;
        }
        let accepts_plain = !ranged && accepts_identity(fields);
        let mut plain = false;
        if let TagCondition::Tags(tags) = parse(fields, &IF_MATCH)
            && !ranged
            && tags.iter().any(|tag| !tag.is_weak() && is_minted(tag))
        {
            if let Some(widened) = widened(&tags) {
                fields.insert(IF_MATCH, widened);
            }
            // The request asks for the tags that it names, and none of them has a coding that it accepts.
            plain = !tags.iter().any(|tag| is_coded(tag, fields));
        }
        let mut inside = parse(fields, &IF_NONE_MATCH);
        let deferred = match &inside {
            TagCondition::Any => true,
            TagCondition::Tags(tags) => tags.iter().any(is_minted),
            // A date is evaluated inside, and its 304 carries the plain body's tag.
            TagCondition::Absent => {
                plain |= fields.contains_key(IF_MODIFIED_SINCE);
                false
            }
            _ => false,
        };
        // The server may choose any representation that the client accepts (RFC 9110 §12.1).
        if plain && accepts_plain {
            fields.remove(ACCEPT_ENCODING);
        }
        let mut if_none_match = TagCondition::default();
        if deferred {
            if !ranged {
                fields.remove(IF_NONE_MATCH);
                fields.remove(IF_MODIFIED_SINCE);
            }
            if_none_match = std::mem::take(&mut inside);
        }
        let waits = deferred || matches!(inside, TagCondition::Tags(_));
        waits.then(|| {
            Box::new(Self {
                conditions: Conditions {
                    if_none_match,
                    ..Conditions::default()
                },
                inside,
                accepts_plain,
            })
        })
    }

    /// Evaluates the deferred conditions on the tag of a success.
    pub(super) fn evaluate(&self, tag: EntityTag) -> Verdict {
        let representation = Representation {
            entity_tag: Some(tag),
            last_modified: None,
        };
        // All methods that get here are evaluated like GET.
        evaluate(&Method::GET, &self.conditions, Some(&representation), false)
    }

    /// Whether the request named the tag of a 304 from inside weakly. Then the client holds a body whose strong tag
    /// was weakened, here or by an intermediary, and not the body that the strong tag names.
    pub(super) fn named_weakly(&self, tag: EntityTagRef<'_>) -> bool {
        match &self.inside {
            TagCondition::Tags(tags) => tags
                .iter()
                .any(|listed| listed.is_weak() && listed.weak_eq(tag)),
            _ => false,
        }
    }
}

fn parse(fields: &HeaderMap, name: &HeaderName) -> TagCondition {
    TagCondition::parse(fields.get_all(name).iter().map(HeaderValue::as_bytes))
}

fn is_minted(tag: EntityTagRef<'_>) -> bool {
    split_variant(tag.opaque()).is_some()
}

/// Whether the tag ends with a coding that the request accepts.
fn is_coded(tag: EntityTagRef<'_>, fields: &HeaderMap) -> bool {
    let Some((_, Some(variant))) = split_variant(tag.opaque()) else {
        return false;
    };
    let last = variant.rsplit(|octet| *octet == b'.').next();
    last.is_some_and(|coding| accepts(fields, coding))
}

/// The list, plus each strong tag of the mint's form without its last parts, because it is impossible to tell
/// which of them the encoder added. So any variant of the current state satisfies `If-Match` on a read that is
/// encoded outside, as it does on a write.
///
/// `None` if there is nothing to add, or if the list would be longer than the limit inside: unchanged, the
/// worst case is a 412 for the client's coded tags, and never a body that it did not ask for.
fn widened(tags: &TagList) -> Option<HeaderValue> {
    let mut text = tags.as_bytes().to_vec();
    let mut count = tags.len();
    for tag in tags.iter().filter(|tag| !tag.is_weak()) {
        let opaque = tag.opaque();
        let Some((state, Some(_))) = split_variant(opaque) else {
            continue;
        };
        for end in (state.len()..opaque.len()).filter(|end| opaque[*end] == b'.') {
            text.extend_from_slice(b", \"");
            text.extend_from_slice(&opaque[..end]);
            text.push(b'"');
            count += 1;
            if count > MAX_TAGS || text.len() > MAX_FIELD_OCTETS {
                return None;
            }
        }
    }
    (count > tags.len()).then(|| HeaderValue::from_bytes(&text).ok())?
}

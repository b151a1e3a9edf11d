use http::header::{ACCEPT_ENCODING, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_precondition::{
    Conditions, EntityTag, EntityTagRef, MAX_FIELD_OCTETS, MAX_TAGS, Representation, TagCondition,
    TagList, Verdict, evaluate,
};

use super::codings::{accepts, accepts_identity};
use crate::tag::split_variant;

/// The conditions of a read that wait for the tag that is sent.
#[derive(Debug)]
pub(super) struct Deferred {
    /// Those on tags of the mint's form.
    conditions: Conditions,
    /// An `If-None-Match` on others, which is evaluated inside.
    inside: TagCondition,
    /// Whether the request accepts the plain body, too.
    pub(super) accepts_plain: bool,
}

impl Deferred {
    /// Takes off what cannot be evaluated inside, or only with more tags. `None` where nothing waits.
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
            // It asks for what it names, and none of it is encoded as it would accept it.
            plain = !tags.iter().any(|tag| is_coded(tag, fields));
        }
        let mut inside = parse(fields, &IF_NONE_MATCH);
        let deferred = match &inside {
            TagCondition::Any => true,
            TagCondition::Tags(tags) => tags.iter().any(is_minted),
            // A date is evaluated inside, and its 304 has the plain body's tag.
            TagCondition::Absent => {
                plain |= fields.contains_key(IF_MODIFIED_SINCE);
                false
            }
            _ => false,
        };
        // Which of those that a client accepts is sent the server is free to choose (RFC 9110 §12.1).
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

    /// Evaluates what was held back on the tag of a success.
    pub(super) fn evaluate(&self, tag: EntityTag) -> Verdict {
        let representation = Representation {
            entity_tag: Some(tag),
            last_modified: None,
        };
        // All methods that get here are evaluated alike.
        evaluate(&Method::GET, &self.conditions, Some(&representation), false)
    }

    /// Whether the tag of a 304 from inside was asked for weakly. What the client holds is then a body
    /// whose strong tag was weakened, here or on the way, and not the one that the strong tag names.
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

/// The list, and each strong tag of the mint's form without its last parts, because which of them the
/// encoder added nobody can tell. So any variant of the current state satisfies `If-Match` on a read that is
/// encoded outside, as it does on a write.
///
/// `None` where there is nothing to add. Also where the list would be longer than what is read inside: as
/// it is, the client may get a 412 for its coded tags, and never what it did not ask for.
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

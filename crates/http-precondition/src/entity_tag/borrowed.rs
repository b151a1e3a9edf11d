//! The entity tag that borrows its octets.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{EntityTag, InvalidEntityTag};
use crate::scanner::{opaque_len, trim_ows};

/// An entity tag inside octets that live elsewhere, such as a member of a
/// [`TagList`](crate::TagList).
///
/// `==` is identity of the field value, as for [`EntityTag`].
///
/// ```
/// use http_precondition::EntityTagRef;
///
/// let tag = EntityTagRef::parse(b"W/\"v1\"").unwrap();
/// assert!(tag.is_weak());
/// assert_eq!(tag.opaque(), b"v1");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntityTagRef<'a> {
    // Invariant: exactly one well-formed entity tag, nothing around it.
    field: &'a [u8],
}

impl<'a> EntityTagRef<'a> {
    /// Reads one entity tag without copying it.
    ///
    /// # Errors
    /// As [`EntityTag::parse`].
    pub fn parse(field: &'a [u8]) -> Result<Self, InvalidEntityTag> {
        let field = trim_ows(field);
        let quoted = field.strip_prefix(b"W/").unwrap_or(field);
        match quoted {
            [b'"', opaque @ .., b'"'] if opaque_len(opaque) == opaque.len() => Ok(Self { field }),
            _ => Err(InvalidEntityTag(())),
        }
    }

    /// A tag that the scanner has found well-formed.
    pub(crate) fn scanned(field: &'a [u8]) -> Self {
        debug_assert!(Self::parse(field).is_ok_and(|tag| tag.field == field));
        Self { field }
    }

    /// Whether the tag is weak, and so never equal under the strong comparison.
    pub fn is_weak(self) -> bool {
        self.field.first() == Some(&b'W')
    }

    /// The octets between the quotes.
    pub fn opaque(self) -> &'a [u8] {
        let open = if self.is_weak() { 3 } else { 1 };
        &self.field[open..self.field.len() - 1]
    }

    /// The field value: prefix if weak, quotes and all.
    pub fn as_bytes(self) -> &'a [u8] {
        self.field
    }

    /// The strong comparison: both strong, the same opaque octets (RFC 9110 §8.8.3.2).
    ///
    /// | | `"1"` | `W/"1"` | `"2"` | `W/"2"` |
    /// | --- | --- | --- | --- | --- |
    /// | `"1"` | equal | | | |
    /// | `W/"1"` | | | | |
    pub fn strong_eq<'b>(self, other: impl Into<EntityTagRef<'b>>) -> bool {
        // Equal field values are both weak or both strong.
        !self.is_weak() && self.field == other.into().field
    }

    /// The weak comparison: the same opaque octets (RFC 9110 §8.8.3.2).
    ///
    /// | | `"1"` | `W/"1"` | `"2"` | `W/"2"` |
    /// | --- | --- | --- | --- | --- |
    /// | `"1"` | equal | equal | | |
    /// | `W/"1"` | equal | equal | | |
    pub fn weak_eq<'b>(self, other: impl Into<EntityTagRef<'b>>) -> bool {
        self.opaque() == other.into().opaque()
    }

    /// The same tag with octets of its own.
    pub fn to_owned(self) -> EntityTag {
        EntityTag::copied(self)
    }
}

impl<'a> From<&'a EntityTag> for EntityTagRef<'a> {
    fn from(tag: &'a EntityTag) -> Self {
        tag.as_tag()
    }
}

impl fmt::Debug for EntityTagRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Escaped, because U+0080 to U+009F steer terminals.
        write!(f, "EntityTag({})", self.field.escape_ascii())
    }
}

/// As [`EntityTag`]'s.
impl fmt::Display for EntityTagRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ascii(self.field) {
            Some(text) => f.write_str(text),
            None => self
                .field
                .iter()
                .try_for_each(|&octet| fmt::Write::write_char(f, char::from(octet))),
        }
    }
}

/// The text that [`Display`](fmt::Display) writes.
impl Serialize for EntityTagRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match ascii(self.field) {
            Some(text) => serializer.serialize_str(text),
            None => serializer.collect_str(self),
        }
    }
}

fn ascii(octets: &[u8]) -> Option<&str> {
    octets.is_ascii().then(|| str::from_utf8(octets).ok())?
}

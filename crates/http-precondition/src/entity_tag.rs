//! Entity tags and their two comparisons (RFC 9110 §8.8.3).

use std::fmt;
use std::str::FromStr;

use http::HeaderValue;
use serde::{Serialize, Serializer};
use smallvec::SmallVec;

use crate::scanner::opaque_len;

pub use borrowed::EntityTagRef;

mod borrowed;
#[cfg(test)]
mod tests;

/// The octets that a tag keeps without the heap.
const INLINE: usize = 48;

/// An entity tag that owns its octets: `"v1"` or `W/"v1"` (RFC 9110 §8.8.3).
///
/// It stores the complete field value, so sending it is a copy and nothing is formatted. Up to 48
/// octets, quotes included, need no heap.
///
/// `==` and `Hash` are identity of the field value, for maps and tests. Preconditions use the
/// comparisons of §8.8.3.2, [`strong_eq`](Self::strong_eq) and [`weak_eq`](Self::weak_eq): a weak
/// tag is `==` to itself, but not `strong_eq`.
///
/// [`Display`](fmt::Display) writes each octet from 0x80 upwards as the character U+0080 to U+00FF
/// with the same number. The mapping loses nothing: two different tags never print alike, and
/// [`FromStr`] reads it back. The same text stands in JSON when the tag is serialised.
///
/// ```
/// use http_precondition::EntityTag;
///
/// let current = EntityTag::strong("v1")?;
/// assert_eq!(current.as_bytes(), b"\"v1\"");
/// assert!(current.strong_eq(&"\"v1\"".parse::<EntityTag>()?));
/// assert!(!current.strong_eq(&EntityTag::weak("v1")?));
/// assert!(current.weak_eq(&EntityTag::weak("v1")?));
/// # Ok::<(), http_precondition::InvalidEntityTag>(())
/// ```
#[derive(PartialEq, Eq, Hash)]
pub struct EntityTag {
    field: SmallVec<[u8; INLINE]>,
}

impl EntityTag {
    /// A strong tag around the given opaque octets, which are taken as they are: a `&str` gives its
    /// UTF-8.
    ///
    /// # Errors
    /// An octet that is no `etagc` (`%x21 / %x23-7E / %x80-FF`): white space, a double quote, a
    /// control character.
    ///
    /// ```
    /// use http_precondition::EntityTag;
    ///
    /// assert_eq!(EntityTag::strong("v1").unwrap().to_string(), "\"v1\"");
    /// assert!(EntityTag::strong("v 1").is_err());
    /// ```
    pub fn strong(opaque: impl AsRef<[u8]>) -> Result<Self, InvalidEntityTag> {
        Self::quoted(b"\"", opaque.as_ref())
    }

    /// A weak tag around the given opaque octets.
    ///
    /// # Errors
    /// As [`EntityTag::strong`].
    ///
    /// ```
    /// use http_precondition::EntityTag;
    ///
    /// assert_eq!(EntityTag::weak("v1").unwrap().to_string(), "W/\"v1\"");
    /// ```
    pub fn weak(opaque: impl AsRef<[u8]>) -> Result<Self, InvalidEntityTag> {
        Self::quoted(b"W/\"", opaque.as_ref())
    }

    /// Reads one entity tag from the octets of a field value such as `ETag`'s. SP and HTAB around
    /// it are not part of a field value (RFC 9110 §5.5) and are dropped.
    ///
    /// # Errors
    /// Anything but exactly one entity tag: no quotes, `w/`, a list, `*`, an octet that is no
    /// `etagc`.
    ///
    /// ```
    /// use http_precondition::EntityTag;
    ///
    /// assert!(EntityTag::parse(b"W/\"v1\"").unwrap().is_weak());
    /// assert!(EntityTag::parse(b"v1").is_err());
    /// assert!(EntityTag::parse(b"\"a\", \"b\"").is_err());
    /// ```
    pub fn parse(field: &[u8]) -> Result<Self, InvalidEntityTag> {
        EntityTagRef::parse(field).map(EntityTagRef::to_owned)
    }

    /// Whether the tag is weak, and so never equal under the strong comparison.
    pub fn is_weak(&self) -> bool {
        self.as_tag().is_weak()
    }

    /// The octets between the quotes.
    pub fn opaque(&self) -> &[u8] {
        self.as_tag().opaque()
    }

    /// The field value: prefix if weak, quotes and all.
    pub fn as_bytes(&self) -> &[u8] {
        &self.field
    }

    /// The same tag, borrowed.
    pub fn as_tag(&self) -> EntityTagRef<'_> {
        EntityTagRef::scanned(&self.field)
    }

    /// The strong comparison: both strong, the same opaque octets (RFC 9110 §8.8.3.2). `If-Match`
    /// uses it.
    pub fn strong_eq<'a>(&self, other: impl Into<EntityTagRef<'a>>) -> bool {
        self.as_tag().strong_eq(other)
    }

    /// The weak comparison: the same opaque octets (RFC 9110 §8.8.3.2). `If-None-Match` uses it.
    pub fn weak_eq<'a>(&self, other: impl Into<EntityTagRef<'a>>) -> bool {
        self.as_tag().weak_eq(other)
    }

    /// The field value of an `ETag` field. It cannot fail: every octet of a tag may stand in a
    /// field value.
    ///
    /// ```
    /// use http_precondition::EntityTag;
    ///
    /// let tag = EntityTag::strong("v1").unwrap();
    /// assert_eq!(tag.to_header_value(), "\"v1\"");
    /// ```
    pub fn to_header_value(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.field).expect("etagc, quotes and W/ are field content")
    }

    fn copied(tag: EntityTagRef<'_>) -> Self {
        Self {
            field: SmallVec::from_slice(tag.as_bytes()),
        }
    }

    fn quoted(open: &[u8], opaque: &[u8]) -> Result<Self, InvalidEntityTag> {
        if opaque_len(opaque) != opaque.len() {
            return Err(InvalidEntityTag(()));
        }
        let (start, end) = (open.len(), open.len() + opaque.len());
        let mut inline = [0; INLINE];
        let field = if end < INLINE {
            // Copied in place: three appends cost as much as the whole rest of a write's tag.
            inline[..start].copy_from_slice(open);
            inline[start..end].copy_from_slice(opaque);
            inline[end] = b'"';
            SmallVec::from_buf_and_len(inline, end + 1)
        } else {
            SmallVec::from_vec([open, opaque, b"\""].concat())
        };
        Ok(Self { field })
    }
}

// By hand, because the derived one goes through an iterator, octet by octet; this is one copy.
impl Clone for EntityTag {
    fn clone(&self) -> Self {
        self.as_tag().to_owned()
    }
}

impl fmt::Debug for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_tag(), f)
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_tag(), f)
    }
}

/// The text that [`Display`](fmt::Display) writes.
impl Serialize for EntityTag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_tag().serialize(serializer)
    }
}

/// Reads what [`Display`](fmt::Display) writes: one character U+0000 to U+00FF is one octet, any
/// other is an error. For a tag in UTF-8 octets use [`EntityTag::parse`].
impl FromStr for EntityTag {
    type Err = InvalidEntityTag;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let octets: Result<SmallVec<[u8; INLINE]>, _> = text.chars().map(u8::try_from).collect();
        Self::parse(&octets.map_err(|_| InvalidEntityTag(()))?)
    }
}

/// As [`EntityTag::parse`].
impl TryFrom<&HeaderValue> for EntityTag {
    type Error = InvalidEntityTag;

    fn try_from(value: &HeaderValue) -> Result<Self, Self::Error> {
        Self::parse(value.as_bytes())
    }
}

impl From<&EntityTag> for HeaderValue {
    fn from(tag: &EntityTag) -> Self {
        tag.to_header_value()
    }
}

/// The octets are not one entity tag (RFC 9110 §8.8.3).
///
/// There is one cause only, and the message does not repeat what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidEntityTag(());

impl fmt::Display for InvalidEntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not an entity tag: expected \"…\" or W/\"…\" \
             without white space, quotes or control characters inside",
        )
    }
}

impl std::error::Error for InvalidEntityTag {}

//! The entity tags of one condition field.

use std::fmt;
use std::iter::FusedIterator;

use smallvec::SmallVec;

use crate::entity_tag::EntityTagRef;
use crate::scanner::opaque_len;

/// A well-formed list of at least one entity tag, with the text that it was read from.
///
/// It is not bound to the request: the joined field lines are copied, without the heap up to 64
/// octets. Its members are found again by each [`iter`](Self::iter), which costs a walk over the
/// text and no memory.
///
/// `==` is identity of the text.
///
/// ```
/// use http_precondition::{TagCondition, TagList};
///
/// let line = &b"\"a,b\", , W/\"c\""[..];
/// let TagCondition::Tags(tags) = TagCondition::parse([line]) else { panic!("a list") };
/// let opaque: Vec<_> = tags.iter().map(|tag| tag.opaque()).collect();
/// assert_eq!(opaque, [&b"a,b"[..], b"c"]);
/// ```
#[derive(PartialEq, Eq)]
pub struct TagList {
    text: SmallVec<[u8; 64]>,
    len: usize,
}

impl TagList {
    /// A list that the scanner has found well-formed, with as many members as it counted.
    pub(crate) fn scanned(text: SmallVec<[u8; 64]>, len: usize) -> Self {
        Self { text, len }
    }

    /// The tags in the order sent, empty members left out.
    pub fn iter(&self) -> Tags<'_> {
        Tags {
            rest: &self.text,
            left: self.len,
        }
    }

    /// How many tags there are: 1 to [`MAX_TAGS`](crate::MAX_TAGS).
    #[allow(clippy::len_without_is_empty)] // A list without members is `TagCondition::Empty`.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The joined field value, as it came.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

// By hand, because the derived one goes through an iterator, octet by octet; this is one copy.
impl Clone for TagList {
    fn clone(&self) -> Self {
        Self {
            text: SmallVec::from_slice(&self.text),
            len: self.len,
        }
    }
}

impl fmt::Debug for TagList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a TagList {
    type Item = EntityTagRef<'a>;
    type IntoIter = Tags<'a>;

    fn into_iter(self) -> Tags<'a> {
        self.iter()
    }
}

/// The members of a [`TagList`], found one by one in its text.
#[derive(Clone, Debug)]
pub struct Tags<'a> {
    // Invariant: well-formed from here on, with `left` more members.
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Tags<'a> {
    type Item = EntityTagRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<EntityTagRef<'a>> {
        let left = self.left.checked_sub(1)?;
        let quote = |octet: &u8| *octet == b'"';
        let open = self.rest.iter().position(quote)?;
        // Outside the quotes a slash stands nowhere but in `W/`.
        let weak = open >= 2 && self.rest[open - 1] == b'/';
        let start = if weak { open - 2 } else { open };
        let close = if left == 0 {
            // The last member ends at the last quote, which is usually the last octet.
            self.rest.iter().rposition(quote)?
        } else {
            open + 1 + opaque_len(&self.rest[open + 1..])
        };
        let (tag, rest) = (&self.rest[start..=close], &self.rest[close + 1..]);
        (self.rest, self.left) = (rest, left);
        Some(EntityTagRef::scanned(tag))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Tags<'_> {}
impl FusedIterator for Tags<'_> {}

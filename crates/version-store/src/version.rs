use std::fmt::Debug;
use std::sync::Arc;
use std::time::SystemTime;

use arrayvec::ArrayString;
use http_precondition::EntityTag;

/// One version of a resource: its revision, the incarnation that the revision belongs to, and where known
/// when and by whom it was made.
///
/// ```
/// use std::time::SystemTime;
/// use version_store::Version;
///
/// let version = Version::new(6_u64)
///     .with_incarnation(2)
///     .with_modified_at(SystemTime::UNIX_EPOCH)
///     .with_modified_by("ada");
/// assert_eq!(*version.revision(), 6);
/// assert_eq!(version.modified_by(), Some("ada"));
/// ```
#[derive(Clone, Debug)]
pub struct Version<R = u64> {
    revision: R,
    incarnation: u64,
    modified_at: Option<SystemTime>,
    modified_by: Option<Arc<str>>,
    tagging: Tagging,
}

/// Where the entity tag of a version comes from.
///
/// Default: [`Minted`](Self::Minted), because only a minted tag tells stale, foreign and invented
/// ones apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tagging {
    /// The layer mints it from scope, key, incarnation and revision.
    #[default]
    Minted,
    /// The store brings its own, which is served and compared as it is.
    Own(EntityTag),
    /// This version has none; only `*` and dates can match it.
    Untagged,
}

impl<R> Version<R> {
    /// A version of incarnation 0, with nothing else known about it.
    pub fn new(revision: R) -> Self {
        Self {
            revision,
            incarnation: 0,
            modified_at: None,
            modified_by: None,
            tagging: Tagging::Minted,
        }
    }

    /// Which incarnation of the resource this revision belongs to.
    ///
    /// Default: 0, right where revisions never repeat for a key even after it was deleted.
    #[must_use]
    pub fn with_incarnation(mut self, incarnation: u64) -> Self {
        self.incarnation = incarnation;
        self
    }

    /// When this version was made: the stored modification date, which conditions are compared with.
    #[must_use]
    pub fn with_modified_at(mut self, at: SystemTime) -> Self {
        self.modified_at = Some(at);
        self
    }

    /// Who made this version.
    #[must_use]
    pub fn with_modified_by(mut self, by: impl Into<Arc<str>>) -> Self {
        self.modified_by = Some(by.into());
        self
    }

    /// The same version without who made it, for whom that is not told.
    #[must_use]
    pub fn without_author(mut self) -> Self {
        self.modified_by = None;
        self
    }

    /// The same version without when it was made.
    #[must_use]
    pub fn without_date(mut self) -> Self {
        self.modified_at = None;
        self
    }

    /// A tag of the store's own instead of a minted one.
    ///
    /// It is unique among all versions of the resource, across its incarnations: one that comes back would
    /// let a stale write pass. A weak one never satisfies If-Match (RFC 9110 §13.1.1), so such a resource can only be
    /// written under `*` or a date. A body with a variant of its own carries it weakly, too: which of
    /// a store's tags belong to one state only the store knows.
    #[must_use]
    pub fn with_own_tag(mut self, tag: EntityTag) -> Self {
        self.tagging = Tagging::Own(tag);
        self
    }

    /// No tag at all.
    #[must_use]
    pub fn without_tag(mut self) -> Self {
        self.tagging = Tagging::Untagged;
        self
    }

    /// The revision within the incarnation.
    pub fn revision(&self) -> &R {
        &self.revision
    }

    /// The incarnation.
    pub fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// When it was made, where the store knows.
    pub fn modified_at(&self) -> Option<SystemTime> {
        self.modified_at
    }

    /// Who made it, where the store knows.
    pub fn modified_by(&self) -> Option<&str> {
        self.modified_by.as_deref()
    }

    /// Where its tag comes from.
    pub fn tagging(&self) -> &Tagging {
        &self.tagging
    }
}

impl<R: PartialEq> Version<R> {
    /// Whether both name the same state: the same revision of the same incarnation. When and by whom they
    /// were made plays no part.
    pub fn same_state(&self, other: &Self) -> bool {
        self.incarnation == other.incarnation && self.revision == other.revision
    }
}

/// What names a version within an incarnation. It stands readable at the front of a minted tag
/// (`"v6-…"`), so that a stale tag tells which version its sender held.
///
/// Implemented for the unsigned integers, `i16`, `i32`, `i64` and `String`. A UUID's text has dashes; its
/// hexadecimal form without them fits.
///
/// ```
/// use version_store::{Revision, RevisionText};
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct Generation(u32);
///
/// impl Revision for Generation {
///     fn write_text(&self, to: &mut RevisionText) {
///         self.0.write_text(to);
///     }
///     fn from_text(text: &str) -> Option<Self> {
///         u32::from_text(text).map(Generation)
///     }
/// }
/// ```
pub trait Revision: Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Writes the text by which the revision is told from every other of the same incarnation.
    fn write_text(&self, to: &mut RevisionText);

    /// The revision that writes exactly this text, or `None`.
    fn from_text(text: &str) -> Option<Self>;
}

/// The text of a revision: 1 to 64 of `A–Z a–z 0–9 _`. Anything else makes the resource untagged,
/// with an error event.
#[derive(Clone, Debug, Default)]
pub struct RevisionText {
    text: ArrayString<64>,
    unfit: bool,
}

impl RevisionText {
    /// Appends text.
    pub fn push_str(&mut self, text: &str) {
        let fit = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
        self.unfit |= !text.bytes().all(fit) || self.text.try_push_str(text).is_err();
    }

    /// Appends a number in decimal.
    pub fn push_decimal(&mut self, number: impl Into<u128>) {
        let number = number.into();
        let mut buffer = itoa::Buffer::new();
        // Nearly all revisions have 64 bits, and 128 are slow to print.
        let text = match u64::try_from(number) {
            Ok(number) => buffer.format(number),
            Err(_) => buffer.format(number),
        };
        self.unfit |= self.text.try_push_str(text).is_err();
    }

    /// The text, if it is one that a tag can hold.
    pub fn as_str(&self) -> Option<&str> {
        (!self.unfit && !self.text.is_empty()).then_some(&self.text)
    }
}

macro_rules! decimal_revision {
    ($($integer:ty),*) => {$(
        impl Revision for $integer {
            fn write_text(&self, to: &mut RevisionText) {
                to.push_decimal(*self);
            }

            fn from_text(text: &str) -> Option<Self> {
                // Only the one spelling that `write_text` gives: no sign, no leading zero.
                let canonical = text == "0" || text.starts_with(|c: char| matches!(c, '1'..='9'));
                canonical.then(|| text.parse().ok()).flatten()
            }
        }
    )*};
}

decimal_revision!(u8, u16, u32, u64, u128);

macro_rules! signed_revision {
    ($($integer:ty),*) => {$(
        /// Not negative: a negative revision has no text, and its resource no tag.
        impl Revision for $integer {
            fn write_text(&self, to: &mut RevisionText) {
                match u64::try_from(*self) {
                    Ok(revision) => to.push_decimal(revision),
                    Err(_) => to.push_str("-"),
                }
            }

            fn from_text(text: &str) -> Option<Self> {
                u64::from_text(text)?.try_into().ok()
            }
        }
    )*};
}

signed_revision!(i16, i32, i64);

impl Revision for String {
    fn write_text(&self, to: &mut RevisionText) {
        to.push_str(self);
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

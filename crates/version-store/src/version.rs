use std::sync::Arc;
use std::time::SystemTime;

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

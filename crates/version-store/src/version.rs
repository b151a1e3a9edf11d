use std::sync::Arc;
use std::time::SystemTime;

use http_precondition::EntityTag;

/// One version of a resource: its revision, the incarnation that the revision belongs to and, if known,
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
/// Default: [`Minted`](Self::Minted), because only minted tags let the layer tell stale, foreign and
/// invented ones apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tagging {
    /// The layer mints it from scope, key, incarnation and revision.
    #[default]
    Minted,
    /// The store has its own, which is served and compared as it is.
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

    /// Sets the incarnation of the resource that this revision belongs to.
    ///
    /// Default: 0, which is right if revisions never repeat for a key, even after it was deleted.
    #[must_use]
    pub fn with_incarnation(mut self, incarnation: u64) -> Self {
        self.incarnation = incarnation;
        self
    }

    /// Sets when this version was made: the stored modification date, with which conditions are
    /// compared.
    #[must_use]
    pub fn with_modified_at(mut self, at: SystemTime) -> Self {
        self.modified_at = Some(at);
        self
    }

    /// Sets who made this version.
    #[must_use]
    pub fn with_modified_by(mut self, by: impl Into<Arc<str>>) -> Self {
        self.modified_by = Some(by.into());
        self
    }

    /// Removes who made this version, for clients that may not know.
    #[must_use]
    pub fn without_author(mut self) -> Self {
        self.modified_by = None;
        self
    }

    /// Removes when this version was made.
    #[must_use]
    pub fn without_date(mut self) -> Self {
        self.modified_at = None;
        self
    }

    /// Sets the store's own tag in place of a minted one.
    ///
    /// It must be unique among all versions of the resource, also across its incarnations: if one came
    /// back, a stale write would pass. A weak tag never satisfies `If-Match` (RFC 9110 §13.1.1), so
    /// such a resource can only be written under `*` or a date. A body with its own variant carries the
    /// tag weakly, too: only the store knows which of its tags belong to one state.
    #[must_use]
    pub fn with_own_tag(mut self, tag: EntityTag) -> Self {
        self.tagging = Tagging::Own(tag);
        self
    }

    /// Sets that this version has no tag.
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

    /// When it was made, if the store knows.
    pub fn modified_at(&self) -> Option<SystemTime> {
        self.modified_at
    }

    /// Who made it, if the store knows.
    pub fn modified_by(&self) -> Option<&str> {
        self.modified_by.as_deref()
    }

    /// Where its tag comes from.
    pub fn tagging(&self) -> &Tagging {
        &self.tagging
    }
}

impl<R: PartialEq> Version<R> {
    /// Whether both name the same state: the same revision of the same incarnation. When and by whom
    /// they were made does not matter.
    pub fn same_state(&self, other: &Self) -> bool {
        self.incarnation == other.incarnation && self.revision == other.revision
    }
}

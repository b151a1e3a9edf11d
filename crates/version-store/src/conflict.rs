use std::fmt::Debug;

use crate::store::VersionStore;
use crate::version::Version;

/// What a client needs to resolve a conflict without another request.
///
/// All of it comes from one read of one row: the version is the version of `current`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Conflict<R = u64> {
    /// The current version, with when and by whom it was made where the store knows.
    pub version: Version<R>,
    /// JSON pointers (RFC 6901) to what differs between the version that the client holds and the
    /// current one, where the store still knows the former.
    pub changed: Option<Vec<String>>,
    /// The current representation, as one JSON value.
    pub current: Option<String>,
}

impl<R> Conflict<R> {
    /// A conflict of which only the current version is known.
    pub fn new(version: Version<R>) -> Self {
        Self {
            version,
            changed: None,
            current: None,
        }
    }

    /// Which members differ.
    #[must_use]
    pub fn with_changed(mut self, pointers: Vec<String>) -> Self {
        self.changed = Some(pointers);
        self
    }

    /// The current representation, serialised as JSON.
    #[must_use]
    pub fn with_current(mut self, json: impl Into<String>) -> Self {
        self.current = Some(json.into());
        self
    }
}

/// A store that can tell what a conflict is about.
///
/// What it tells reaches a client only where the layer was told to pass it on.
pub trait Conflicts: VersionStore {
    /// The current state of the resource, beside what the client holds: `held` is the version that
    /// the tag in its condition names, where it is one of this resource's. `None` where the resource
    /// does not exist.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from knowing. The refusal then goes out without this.
    fn conflict(
        &self,
        key: &Self::Key,
        held: Option<&Version<Self::Revision>>,
    ) -> impl Future<Output = Result<Option<Conflict<Self::Revision>>, Self::Error>> + Send;
}

/// A document that can say what a conflict about it is about.
///
/// ```
/// use version_store::Describe;
///
/// struct Note { text: String, author: String }
///
/// impl Describe for Note {
///     fn modified_by(&self) -> Option<&str> {
///         Some(&self.author)
///     }
///     fn changed_since(&self, earlier: &Self) -> Vec<String> {
///         if self.text == earlier.text { vec![] } else { vec!["/text".to_owned()] }
///     }
///     fn to_json(&self) -> String {
///         format!(r#"{{"text":{:?}}}"#, self.text)
///     }
/// }
/// ```
pub trait Describe {
    /// Who made this version of the document, where the document knows. Default: unknown.
    fn modified_by(&self) -> Option<&str> {
        None
    }

    /// JSON pointers (RFC 6901) to the members that differ from an earlier version.
    fn changed_since(&self, earlier: &Self) -> Vec<String>;

    /// The representation, as one JSON value.
    fn to_json(&self) -> String;
}

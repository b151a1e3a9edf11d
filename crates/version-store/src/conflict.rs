use std::fmt::Debug;

use crate::store::VersionStore;
use crate::version::Version;

/// What a client needs to resolve a conflict without sending another request.
///
/// All of it must come from one read of one row: `version` is the version of `current`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Conflict<R = u64> {
    /// The current version, with when and by whom it was made if the store knows.
    pub version: Version<R>,
    /// JSON pointers (RFC 6901) to what differs between the version that the client has and the current
    /// one, if the store still knows the former.
    pub changed: Option<Vec<String>>,
    /// The current representation, as one JSON value.
    pub current: Option<String>,
}

impl<R> Conflict<R> {
    /// A conflict with nothing known but the current version.
    pub fn new(version: Version<R>) -> Self {
        Self {
            version,
            changed: None,
            current: None,
        }
    }

    /// Sets which members differ.
    #[must_use]
    pub fn with_changed(mut self, pointers: Vec<String>) -> Self {
        self.changed = Some(pointers);
        self
    }

    /// Sets the current representation, serialised as JSON.
    #[must_use]
    pub fn with_current(mut self, json: impl Into<String>) -> Self {
        self.current = Some(json.into());
        self
    }
}

/// A store that can describe conflicts.
///
/// Clients see the description only if the layer is configured to disclose it.
pub trait Conflicts: VersionStore {
    /// Describes the current state of the resource. `held` is the version that the client has, if the
    /// tag in its condition names one of this resource. `None` if the resource does not exist.
    ///
    /// # Errors
    ///
    /// The store failed. The refusal is then sent without the description.
    fn conflict(
        &self,
        key: &Self::Key,
        held: Option<&Version<Self::Revision>>,
    ) -> impl Future<Output = Result<Option<Conflict<Self::Revision>>, Self::Error>> + Send;
}

/// A document that can describe a conflict about itself.
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
    /// Who made this version of the document, if the document knows. Default: unknown.
    fn modified_by(&self) -> Option<&str> {
        None
    }

    /// JSON pointers (RFC 6901) to the members that differ from an earlier version.
    fn changed_since(&self, earlier: &Self) -> Vec<String>;

    /// The representation, as one JSON value.
    fn to_json(&self) -> String;
}

//! What a 412 tells about a conflict, and to whom.

use std::sync::Arc;

use http::request::Parts;
use version_store::{Conflict, Conflicts, VersionStore};

use super::layer::IfMatchLayer;
use crate::write::{Audience, ask};

impl<S: VersionStore, F: Clone, W: Clone> IfMatchLayer<S, F, W> {
    /// Puts what the store knows of a conflict into its 412, for whoever passes the authorization hook: who
    /// changed the resource and when, which members changed, the current representation.
    ///
    /// Default: the current tag and nothing else.
    ///
    /// # Panics
    ///
    /// When the layer is added to a service without [`with_authorization`](Self::with_authorization): nobody
    /// would be told anything. For resources that everybody may read use
    /// [`with_public_conflicts`](Self::with_public_conflicts).
    ///
    /// ```should_panic
    /// # use tower_if_match::{Describe, IfMatchLayer, MemoryStore, PathKey};
    /// # #[derive(Clone)] struct Note(String);
    /// # impl Describe for Note {
    /// #     fn changed_since(&self, _: &Self) -> Vec<String> { vec![] }
    /// #     fn to_json(&self) -> String { String::new() }
    /// # }
    /// # let notes: MemoryStore<u64, Note> = MemoryStore::new();
    /// # async fn replace() {}
    /// use axum::routing::put;
    ///
    /// let guard = IfMatchLayer::new("notes", notes, PathKey).with_conflicts_for_authorized();
    /// put::<_, _, ()>(replace).route_layer(guard); // panics: no hook could authorize anybody
    /// ```
    pub fn with_conflicts_for_authorized(self) -> Self
    where
        S: Conflicts,
    {
        self.with(|guard| guard.conflicts.told = Some((Audience::Authorized, Arc::new(ask))))
    }

    /// As [`with_conflicts_for_authorized`](Self::with_conflicts_for_authorized), for everybody.
    ///
    /// **Loosens safety**: only for resources that everybody may read.
    pub fn with_public_conflicts(self) -> Self
    where
        S: Conflicts,
    {
        self.with(|guard| guard.conflicts.told = Some((Audience::Everybody, Arc::new(ask))))
    }

    /// Lets this hook see, and change, what a 412 tells about a conflict before it leaves: who and when
    /// (in [`Conflict::version`]), what changed, the current representation. What it takes out is not told. It
    /// cannot change the tag, which was made before.
    ///
    /// It is called for every disclosure, also where conflicts are public.
    ///
    /// ```
    /// # use tower_if_match::{Conflict, Conflicts, IfMatchLayer, MemoryStore, PathKey, Describe};
    /// # #[derive(Clone)] struct Note(String);
    /// # impl Describe for Note {
    /// #     fn changed_since(&self, _: &Self) -> Vec<String> { vec![] }
    /// #     fn to_json(&self) -> String { String::new() }
    /// # }
    /// # let notes: MemoryStore<u64, Note> = MemoryStore::new();
    /// let guard = IfMatchLayer::new("notes", notes, PathKey)
    ///     .with_public_conflicts()
    ///     .with_redaction(|head, _id, conflict| {
    ///         conflict.version = conflict.version.clone().without_author();
    ///         if !head.headers.contains_key("authorization") {
    ///             conflict.current = None;
    ///         }
    ///     });
    /// ```
    pub fn with_redaction(
        self,
        hook: impl Fn(&Parts, &S::Key, &mut Conflict<S::Revision>) + Send + Sync + 'static,
    ) -> Self {
        self.with(|guard| guard.conflicts.redact = Some(Arc::new(hook)))
    }
}

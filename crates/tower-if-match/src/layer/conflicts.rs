//! What a 412 discloses about a conflict, and to whom.

use std::sync::Arc;

use http::request::Parts;
use version_store::{Conflict, Conflicts, VersionStore};

use super::layer::IfMatchLayer;
use crate::write::{Audience, ask};

impl<S: VersionStore, F: Clone, W: Clone> IfMatchLayer<S, F, W> {
    /// Adds what the store knows about a conflict to its 412, for clients that pass the authorization hook: who
    /// changed the resource and when, which members changed, and the current representation.
    ///
    /// Default: the current tag and nothing else.
    ///
    /// # Panics
    ///
    /// Panics when the layer is added to a service (by axum when the router gets its state) without [`with_authorization`](Self::with_authorization),
    /// because then no client would ever see this metadata. For resources that everyone may read, use
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
    /// use axum::{Router, routing::put};
    ///
    /// let guard = IfMatchLayer::new("notes", notes, PathKey).with_conflicts_for_authorized();
    /// let app: Router = Router::new()
    ///     .route("/notes/{id}", put(replace).route_layer(guard))
    ///     .with_state(()); // panics: there is no hook to authorize anyone
    /// ```
    pub fn with_conflicts_for_authorized(self) -> Self
    where
        S: Conflicts,
    {
        self.with(|guard| guard.conflicts.told = Some((Audience::Authorized, Arc::new(ask))))
    }

    /// Like [`with_conflicts_for_authorized`](Self::with_conflicts_for_authorized), but for all clients.
    ///
    /// **Loosens safety**: use it only for resources that everyone may read.
    pub fn with_public_conflicts(self) -> Self
    where
        S: Conflicts,
    {
        self.with(|guard| guard.conflicts.told = Some((Audience::Everybody, Arc::new(ask))))
    }

    /// Lets this hook inspect and change the conflict metadata of a 412 before it is sent: who and when (in
    /// [`Conflict::version`]), what changed, and the current representation. What the hook removes is not
    /// sent. It cannot change the tag, which has been minted by then. `take` takes from the request's head what the
    /// hook needs, before the handler runs.
    ///
    /// The hook is called for every disclosure, even if conflicts are public.
    ///
    /// Called again, it adds a hook that sees what the first one left.
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
    ///     .with_redaction(
    ///         |head| head.headers.contains_key("authorization"),
    ///         |known, _id, conflict| {
    ///             conflict.version = conflict.version.clone().without_author();
    ///             if !known {
    ///                 conflict.current = None;
    ///             }
    ///         },
    ///     );
    /// ```
    pub fn with_redaction<T: Send + Sync + 'static>(
        self,
        take: impl Fn(&Parts) -> T + Send + Sync + 'static,
        redact: impl Fn(&T, &S::Key, &mut Conflict<S::Revision>) + Send + Sync + 'static,
    ) -> Self {
        self.with(|guard| guard.conflicts.add_redaction(take, redact))
    }
}

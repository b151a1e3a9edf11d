//! What refused requests are answered.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use version_store::{Conflict, Conflicts, VersionStore};

use super::layer::IfMatchLayer;
use crate::request::Clients;
use crate::respond::RefusalResponse;
use crate::respond::{Audience, ask};

impl<S: VersionStore, F: Clone, W: Clone> IfMatchLayer<S, F, W> {
    /// Puts what the store knows of a conflict into its 412, for whoever passes the authorization
    /// hook: who changed the resource and when, which members changed, the current representation.
    /// Without a hook nothing is told.
    ///
    /// Default: the current tag and nothing else.
    pub fn with_conflicts_for_authorized(self) -> Self
    where
        S: Conflicts,
    {
        self.with(|config| {
            config.hooks.disclosure.told = Some((Audience::Authorized, Arc::new(ask)));
        })
    }

    /// As [`with_conflicts_for_authorized`](Self::with_conflicts_for_authorized), for everybody.
    ///
    /// **Loosens safety**: only for resources that everybody may read.
    pub fn with_public_conflicts(self) -> Self
    where
        S: Conflicts,
    {
        self.with(|config| {
            config.hooks.disclosure.told = Some((Audience::Everybody, Arc::new(ask)));
        })
    }

    /// Has this hook see, and change, what a 412 tells about a conflict before it leaves: who and when
    /// (in [`Conflict::version`]), what changed, the current representation. What it takes out is not
    /// told. The tag is not its to change: it was made before.
    ///
    /// It is asked for every disclosure, also where conflicts are public.
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
        self.with(|config| config.hooks.disclosure.redact = Some(Arc::new(hook)))
    }

    /// How many octets the member `conflict` of a 412 may have. Of a longer one first `current` is left
    /// out, then `changed`, then `modified_by`, then all of it; the client reads what it misses.
    ///
    /// Default: 64 KiB.
    pub fn with_conflict_limit(self, octets: usize) -> Self {
        self.with(|config| config.hooks.disclosure.limit = octets)
    }

    /// Writes the answers to refused requests: extends the layer's, or replaces it.
    ///
    /// The hook gets the typed [`Refusal`](crate::Refusal) and the request's head within [`RefusalResponse`]. An
    /// answer without `Cache-Control` is sent with `no-store`; the answer to a HEAD loses its content; the
    /// refusal is put into the response's extensions either way. A status below 400 is not let through,
    /// because nothing was written: it is an error event, and the layer's own answer goes out. The
    /// authorization hook's answers, 413 and 408 are none of its business.
    ///
    /// ```
    /// use http::{Response, StatusCode};
    /// # use tower_if_match::{IfMatchLayer, MemoryStore, PathKey, Reason};
    /// # let posts: MemoryStore<u64, String> = MemoryStore::new();
    /// let guard = IfMatchLayer::new("posts", posts, PathKey).with_refusal_response(|answer| {
    ///     match answer.refusal().reason() {
    ///         // Replaced: what this service's clients have known for years.
    ///         Reason::StaleVersion => Response::builder()
    ///             .status(StatusCode::CONFLICT)
    ///             .body("edit conflict".into())
    ///             .unwrap(),
    ///         // Extended.
    ///         _ => answer.member("support", "https://example.com/help").into_response(),
    ///     }
    /// });
    /// ```
    pub fn with_refusal_response(
        self,
        hook: impl Fn(RefusalResponse<'_>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.with(|config| config.settings.answer = Some(Arc::new(hook)))
    }

    /// Names the client that sends a request, for the log and for metrics: who still writes blindly, who
    /// is refused. From whatever the service knows it by, such as the account that authentication has put
    /// into the extensions.
    ///
    /// At most 64 names are told apart, because each is a series of metrics; later ones are `other`, and
    /// where the hook knows none it is `unknown`. A name is cut after 64 characters.
    ///
    /// Default: clients have no names.
    pub fn with_client_name(
        self,
        hook: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.with(|config| config.settings.clients = Clients::named_by(Arc::new(hook)))
    }

    /// The page that the problem documents' `type` points into, without a fragment.
    ///
    /// Default: [the page of this crate's documentation](crate::problems).
    pub fn with_problem_types(self, page: &str) -> Self {
        self.with(|config| {
            config.settings.documents = Arc::new(config.settings.documents.with_page(page));
        })
    }

    /// What the texts of refusals call the resource, such as "post": "The post changed since the version
    /// that If-Match names."
    ///
    /// Default: "resource".
    pub fn with_resource_noun(self, noun: &str) -> Self {
        self.with(|config| {
            config.settings.documents = Arc::new(config.settings.documents.with_noun(noun));
        })
    }

    /// What 503 says in `Retry-After`.
    ///
    /// Default: one second.
    pub fn with_retry_after(self, seconds: u32) -> Self {
        self.with(|config| config.settings.retry_after_seconds = seconds)
    }
}

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use super::refusal_response::RefusalResponse;
use super::texts::Texts;
use crate::request::{Clients, Hook, noted};

/// The page that documents the problem types.
const PROBLEM_TYPES: &str = "https://docs.rs/tower-if-match/latest/tower_if_match/problems/";

/// How refusals are answered: a value that every layer which refuses takes, so that all layers of a service respond alike.
///
/// ```
/// use tower_if_match::{IfMatchLayer, MemoryStore, PathKey, Refusals};
/// # let posts: MemoryStore<u64, String> = MemoryStore::new();
///
/// let refusals = Refusals::new().with_noun("post").with_retry_after(5);
/// let guard = IfMatchLayer::new("posts", posts, PathKey).with_refusals(refusals);
/// ```
#[derive(Clone)]
#[must_use = "it changes nothing until a layer takes it"]
pub struct Refusals {
    pub(super) texts: Arc<Texts>,
    pub(super) hook: Option<Hook<ResponseHook>>,
    pub(super) clients: Clients,
    pub(super) retry_after_seconds: u32,
    pub(super) conflict_limit: usize,
}

/// The second part of your hook that writes the response to a refusal.
pub(super) type ResponseHook =
    dyn Fn(&dyn Any, RefusalResponse<'_>) -> Response<Bytes> + Send + Sync;

impl Refusals {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            texts: Arc::new(Texts::new(PROBLEM_TYPES, "resource")),
            hook: None,
            clients: Clients::default(),
            retry_after_seconds: 1,
            conflict_limit: 64 * 1024,
        }
    }

    /// What the texts call the resource, such as "post": "The post has changed since the version named in
    /// If-Match."
    ///
    /// Default: "resource".
    pub fn with_noun(mut self, noun: &str) -> Self {
        self.texts = Arc::new(self.texts.with_noun(noun));
        self
    }

    /// The page that the problem documents' `type` points to, without a fragment.
    ///
    /// Default: [the page in this crate's documentation](crate::problems).
    pub fn with_problem_types(mut self, page: &str) -> Self {
        self.texts = Arc::new(self.texts.with_page(page));
        self
    }

    /// Writes the response to a refused request: extends the layer's, or replaces it.
    ///
    /// The hook receives a [`RefusalResponse`], with the typed [`Refusal`](crate::Refusal). If its response has no `Cache-Control`, `no-store` is added; the response to a HEAD loses its
    /// body; and the refusal is always put into the response's extensions. A status below 400 is rejected,
    /// because nothing was written: it is logged as an error, and the layer's own response is sent instead.
    /// The hook is not called for the authorization hook's responses, nor for 413 and 408.
    ///
    /// ```
    /// use http::{Response, StatusCode};
    /// use tower_if_match::{Reason, Refusals};
    ///
    /// let refusals = Refusals::new().with_response(|response| {
    ///     match response.refusal().reason() {
    ///         // Replaced: what this service's clients have been used to for years.
    ///         Reason::StaleVersion => Response::builder()
    ///             .status(StatusCode::CONFLICT)
    ///             .body("edit conflict".into())
    ///             .unwrap(),
    ///         // Extended.
    ///         _ => response.member("support", "https://example.com/help").into_response(),
    ///     }
    /// });
    /// ```
    pub fn with_response(
        self,
        hook: impl Fn(RefusalResponse<'_>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.with_response_from(|_| (), move |(), response| hook(response))
    }

    /// Like [`with_response`](Self::with_response), for a hook that needs something from the request's head: `take`
    /// takes it before the handler runs, and the hook gets it with the response.
    ///
    /// ```
    /// use http::HeaderValue;
    /// use http::header::ACCEPT_LANGUAGE;
    /// use tower_if_match::Refusals;
    ///
    /// let refusals = Refusals::new().with_response_from(
    ///     |head| head.headers.get(ACCEPT_LANGUAGE) == Some(&HeaderValue::from_static("de")),
    ///     |german, response| match german {
    ///         true => response.with_detail("Jemand anderes war schneller.").into_response(),
    ///         false => response.into_response(),
    ///     },
    /// );
    /// ```
    pub fn with_response_from<T: Send + Sync + 'static>(
        mut self,
        take: impl Fn(&Parts) -> T + Send + Sync + 'static,
        hook: impl Fn(&T, RefusalResponse<'_>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        let then: Arc<ResponseHook> = Arc::new(move |note, response| hook(noted(note), response));
        self.hook = Some(Hook::new(take, then));
        self
    }

    /// Names the client that sent a request, for the log and for metrics: who still writes blindly, who is
    /// refused. Use whatever identifies the client in your service, such as the account that authentication
    /// put into the extensions. The hook is called for every write that the layer guards, before its handler.
    ///
    /// At most 64 names are distinguished, because each is a time series in the metrics. Later ones become
    /// `other`; a client for which the hook returns `None` is `unknown`. Names are truncated to 64 characters.
    ///
    /// Default: clients have no names.
    pub fn with_client_name(
        mut self,
        hook: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.clients = Clients::named_by(Arc::new(hook));
        self
    }

    /// The value of `Retry-After` in a 503, in seconds.
    ///
    /// Default: 1.
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = seconds;
        self
    }

    /// How many bytes the member `conflict` of a 412 may have. If it is longer, `current` is left out first,
    /// then `changed`, then `modified_by`, then all of it; the client can read what is missing.
    ///
    /// Default: 64 KiB.
    pub fn with_conflict_limit(mut self, bytes: usize) -> Self {
        self.conflict_limit = bytes;
        self
    }
}

impl Default for Refusals {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows only whether hooks are present.
impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusals")
            .field("response", &self.hook.is_some())
            .field("clients", &self.clients)
            .field("retry_after_seconds", &self.retry_after_seconds)
            .field("conflict_limit", &self.conflict_limit)
            .finish_non_exhaustive()
    }
}

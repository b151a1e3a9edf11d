use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use http_precondition::{Conditions, HttpDate};
use version_store::{Version, VersionStore};

use crate::decide::Policy;
use crate::refusal::Reason;
use crate::request::Clients;
use crate::respond::Disclosure;
use crate::respond::Documents;
use crate::respond::RefusalResponse;
use crate::tag::{Scope, TagMint};

/// The page that documents the problem types.
const PROBLEM_TYPES: &str = "https://docs.rs/tower-if-match/latest/tower_if_match/problems/";

/// Everything a layer was told, shared by its services.
pub(crate) struct Config<S: VersionStore, F, W> {
    pub(crate) store: S,
    pub(crate) finder: F,
    pub(crate) strategy: W,
    pub(crate) tags: TagMint<S>,
    pub(crate) settings: Settings,
    pub(crate) hooks: Hooks<S>,
}

/// What a layer was told that does not depend on its store.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    pub(crate) clock: Clock,
    pub(crate) version_before_body: bool,
    pub(crate) strict_put_validators: bool,
    pub(crate) documents: Arc<Documents>,
    pub(crate) retry_after_seconds: u32,
    pub(crate) answer: Option<Arc<WriteAnswer>>,
    pub(crate) clients: Clients,
}

/// What a layer was told that knows the versions of its store.
pub(crate) struct Hooks<S: VersionStore> {
    pub(crate) authorize: Option<Arc<Authorize<S>>>,
    pub(crate) disclosure: Disclosure<S>,
    /// The answer to an error of the store's, where that is another than 503.
    pub(crate) answer_of_error: Option<AnswerOf<S::Error>>,
}

/// Where the time comes from.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The owner's function that writes the answer to a refusal.
pub(crate) type WriteAnswer = dyn Fn(RefusalResponse<'_>) -> Response<Bytes> + Send + Sync;

/// The authorization hook.
pub(crate) type Authorize<S> = dyn Fn(
        &Parts,
        &<S as VersionStore>::Key,
        Option<&Version<<S as VersionStore>::Revision>>,
    ) -> Result<(), Denied>
    + Send
    + Sync;

/// How an error tells its answer, where that is another than 503.
pub(crate) type AnswerOf<E> = fn(&E) -> Option<ErrorAnswer>;

/// The answer to a store's error.
pub(crate) enum ErrorAnswer {
    /// This one, which the error bears.
    Borne(Response<Bytes>),
    /// A refusal for this reason.
    Refused(Reason),
}

impl<S: VersionStore, F, W> Config<S, F, W> {
    pub(crate) fn new(scope: &str, store: S, finder: F, strategy: W) -> Self {
        Self {
            store,
            finder,
            strategy,
            tags: TagMint::new(scope),
            settings: Settings::default(),
            hooks: Hooks::default(),
        }
    }

    /// The same, with another way of closing the race.
    pub(crate) fn with_strategy<V>(self, strategy: impl FnOnce(&Scope) -> V) -> Config<S, F, V> {
        Config {
            strategy: strategy(self.tags.scope()),
            store: self.store,
            finder: self.finder,
            tags: self.tags,
            settings: self.settings,
            hooks: self.hooks,
        }
    }

    /// The same for another store. Hooks that know the versions of the old one stay behind: for a
    /// configuration that has none.
    pub(crate) fn with_store<T: VersionStore>(self, store: T) -> Config<T, F, W> {
        Config {
            store,
            tags: self.tags.for_store(),
            finder: self.finder,
            strategy: self.strategy,
            settings: self.settings,
            hooks: Hooks::default(),
        }
    }

    /// The condition fields of a request.
    pub(crate) fn conditions(&self, parts: &Parts) -> Conditions {
        Conditions::from_headers(&parts.headers, || HttpDate::from((self.settings.clock)()))
    }

    /// Whether a hook may have to see the request's head once more after the handler has it.
    pub(crate) fn keeps_head(&self) -> bool {
        self.hooks.authorize.is_some()
            || self.settings.answer.is_some()
            || self.settings.clients.are_named()
            || self.hooks.disclosure.is_redacted()
    }

    /// What the log and the metrics call the client, where the owner names clients.
    pub(crate) fn client(&self, head: crate::request::Head<'_>) -> Option<Cow<'static, str>> {
        self.settings.clients.name(head.parts()?)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            clock: Arc::new(SystemTime::now),
            version_before_body: false,
            strict_put_validators: false,
            documents: Arc::new(Documents::new(PROBLEM_TYPES, "resource")),
            retry_after_seconds: 1,
            answer: None,
            clients: Clients::default(),
        }
    }
}

impl<S: VersionStore> Default for Hooks<S> {
    fn default() -> Self {
        Self {
            authorize: None,
            disclosure: Disclosure::default(),
            answer_of_error: None,
        }
    }
}

/// An authorization hook's refusal: the answer that the request gets. One that is a success (2xx) is answered
/// 500 in its place, because nothing was written.
///
/// ```
/// use http::StatusCode;
/// use tower_if_match::Denied;
///
/// let denied: Denied = StatusCode::FORBIDDEN.into();
/// ```
#[derive(Debug)]
pub struct Denied(pub(crate) Box<Response<Bytes>>);

impl From<StatusCode> for Denied {
    fn from(status: StatusCode) -> Self {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        Self(Box::new(response))
    }
}

impl From<Response<Bytes>> for Denied {
    fn from(response: Response<Bytes>) -> Self {
        Self(Box::new(response))
    }
}

impl<S: VersionStore, F: Clone, W: Clone> Clone for Config<S, F, W> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            finder: self.finder.clone(),
            strategy: self.strategy.clone(),
            tags: self.tags.clone(),
            settings: self.settings.clone(),
            hooks: self.hooks.clone(),
        }
    }
}

impl<S: VersionStore> Clone for Hooks<S> {
    fn clone(&self) -> Self {
        Self {
            authorize: self.authorize.clone(),
            disclosure: self.disclosure.clone(),
            answer_of_error: self.answer_of_error,
        }
    }
}

/// What decides how requests are treated; hooks only by their presence.
impl<S: VersionStore, F, W> fmt::Debug for Config<S, F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.settings;
        f.debug_struct("Config")
            .field("tags", &self.tags)
            .field("policy", &settings.policy)
            .field("authorize", &self.hooks.authorize.is_some())
            .field("disclosure", &self.hooks.disclosure)
            .field("answer", &settings.answer.is_some())
            .field("clients", &settings.clients)
            .field("version_before_body", &settings.version_before_body)
            .field("strict_put_validators", &settings.strict_put_validators)
            .finish_non_exhaustive()
    }
}

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use http_precondition::{Conditions, HttpDate};
use version_store::{Canonical, Conflict, Conflicts, Version, VersionStore};

use crate::Reason;
use crate::document::Documents;
use crate::policy::Policy;
use crate::tag::TagMint;

/// Where the time comes from.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The page that documents the problem types.
const PROBLEM_TYPES: &str = "https://docs.rs/tower-if-match/latest/tower_if_match/problems/";

/// Everything a layer was told, shared by its services.
pub(crate) struct Config<S: VersionStore, F, W> {
    pub(crate) store: S,
    pub(crate) finder: F,
    pub(crate) way: W,
    pub(crate) tags: TagMint<S>,
    pub(crate) policy: Policy,
    pub(crate) clock: Clock,
    pub(crate) authorize: Option<Arc<Authorize<S>>>,
    pub(crate) disclose: Option<(Audience, Arc<Disclose<S>>)>,
    pub(crate) version_before_body: bool,
    pub(crate) strict_put_validators: bool,
    pub(crate) documents: Arc<Documents>,
    pub(crate) retry_after_seconds: u32,
    /// The answer to an error of the store's, where that is another than 503.
    pub(crate) answer_of_error: Option<AnswerOf<S::Error>>,
}

/// Who is told of conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Everybody,
    /// Whom the authorization hook agrees to, so nobody where there is none.
    Authorized,
}

/// How an error tells its answer, where that is another than 503.
pub(crate) type AnswerOf<E> = fn(&E) -> Option<ErrorAnswer>;

/// The answer to a store's error.
pub(crate) enum ErrorAnswer {
    /// This one, which the error bears.
    Borne(Response<Bytes>),
    /// A refusal for this reason.
    Refused(Reason),
}

/// The authorization hook.
pub(crate) type Authorize<S> = dyn Fn(
        &Parts,
        &<S as VersionStore>::Key,
        Option<&Version<<S as VersionStore>::Revision>>,
    ) -> Result<(), Denied>
    + Send
    + Sync;

/// How a store that implements [`Conflicts`] is asked, without asking every store to implement it.
pub(crate) type Disclose<S> = dyn Fn(S, <S as VersionStore>::Key, Option<Version<<S as VersionStore>::Revision>>) -> Disclosed<S>
    + Send
    + Sync;

type Disclosed<S> = Pin<
    Box<
        dyn Future<
                Output = Result<
                    Option<Conflict<<S as VersionStore>::Revision>>,
                    <S as VersionStore>::Error,
                >,
            > + Send,
    >,
>;

impl<S: VersionStore, F, W> Config<S, F, W> {
    pub(crate) fn new(scope: &str, store: S, finder: F, way: W) -> Self {
        Self {
            store,
            finder,
            way,
            tags: TagMint::new(scope),
            policy: Policy::default(),
            clock: Arc::new(SystemTime::now),
            authorize: None,
            disclose: None,
            version_before_body: false,
            strict_put_validators: false,
            documents: Arc::new(Documents::new(PROBLEM_TYPES, "resource")),
            retry_after_seconds: 1,
            answer_of_error: None,
        }
    }

    /// The same, with another way of closing the race.
    pub(crate) fn with_way<V>(self, way: impl FnOnce(&Canonical) -> V) -> Config<S, F, V> {
        Config {
            way: way(self.tags.scope()),
            store: self.store,
            finder: self.finder,
            tags: self.tags,
            policy: self.policy,
            clock: self.clock,
            authorize: self.authorize,
            disclose: self.disclose,
            version_before_body: self.version_before_body,
            strict_put_validators: self.strict_put_validators,
            documents: self.documents,
            retry_after_seconds: self.retry_after_seconds,
            answer_of_error: self.answer_of_error,
        }
    }

    /// The same for another store. Hooks know the versions of the old one and stay behind: for a
    /// configuration that has none.
    pub(crate) fn with_store<T: VersionStore>(self, store: T) -> Config<T, F, W> {
        Config {
            store,
            tags: self.tags.for_store(),
            finder: self.finder,
            way: self.way,
            policy: self.policy,
            clock: self.clock,
            authorize: None,
            disclose: None,
            version_before_body: self.version_before_body,
            strict_put_validators: self.strict_put_validators,
            documents: self.documents,
            retry_after_seconds: self.retry_after_seconds,
            answer_of_error: None,
        }
    }

    /// The condition fields of a request.
    pub(crate) fn conditions(&self, parts: &Parts) -> Conditions {
        Conditions::from_headers(&parts.headers, || HttpDate::from((self.clock)()))
    }

    /// What to ask for conflict metadata, where the owner opted in and whoever asks is authorized.
    pub(crate) fn disclosure(&self) -> Option<&Disclose<S>> {
        let (audience, disclose) = self.disclose.as_ref()?;
        // The hook has agreed to whoever gets as far as a refusal.
        let agreed = *audience == Audience::Everybody || self.authorize.is_some();
        agreed.then_some(disclose.as_ref())
    }
}

/// Asks a store about a conflict.
pub(crate) fn disclose<S: Conflicts>(
    store: S,
    key: S::Key,
    held: Option<Version<S::Revision>>,
) -> Disclosed<S> {
    Box::pin(async move { store.conflict(&key, held.as_ref()).await })
}

/// An authorization hook's refusal: the answer that the request gets.
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
            way: self.way.clone(),
            tags: self.tags.clone(),
            policy: self.policy.clone(),
            clock: Arc::clone(&self.clock),
            authorize: self.authorize.clone(),
            disclose: self.disclose.clone(),
            version_before_body: self.version_before_body,
            strict_put_validators: self.strict_put_validators,
            documents: Arc::clone(&self.documents),
            retry_after_seconds: self.retry_after_seconds,
            answer_of_error: self.answer_of_error,
        }
    }
}

/// What decides how requests are treated; hooks only by their presence.
impl<S: VersionStore, F, W> fmt::Debug for Config<S, F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("tags", &self.tags)
            .field("policy", &self.policy)
            .field("authorize", &self.authorize.is_some())
            .field("disclose", &self.disclosure().is_some())
            .field("version_before_body", &self.version_before_body)
            .field("strict_put_validators", &self.strict_put_validators)
            .finish_non_exhaustive()
    }
}

//! What you set on a layer: data only.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderMap;
use http::request::Parts;
use http_precondition::{Conditions, HttpDate};
use version_store::{Key, Revision, Version};

use crate::decide::Policy;
use crate::refusal::Denied;
use crate::respond::{Refusals, Responder};
use crate::tag::TagMint;

/// What you set on a layer, whatever its store and strategy are.
pub(crate) struct Config<K, R> {
    pub(crate) tags: TagMint<K, R>,
    pub(crate) policy: Policy,
    pub(crate) responder: Responder,
    pub(crate) authorize: Option<Arc<Authorize<K, R>>>,
    pub(crate) clock: Clock,
    pub(crate) version_before_body: bool,
    pub(crate) strict_put_validators: bool,
}

/// The source of the current time.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The authorization hook.
pub(crate) type Authorize<K, R> =
    dyn Fn(&Parts, &K, Option<&Version<R>>) -> Result<(), Denied> + Send + Sync;

impl<K: Key, R: Revision> Config<K, R> {
    pub(crate) fn new(tags: TagMint<K, R>) -> Self {
        Self {
            responder: Responder::new(tags.scope().name(), Refusals::new()),
            tags,
            policy: Policy::new(),
            authorize: None,
            clock: Arc::new(SystemTime::now),
            version_before_body: false,
            strict_put_validators: false,
        }
    }

    /// Adds an authorization hook: all of them have to agree, so that a layer made from another one can only
    /// tighten.
    pub(crate) fn add_authorization(
        &mut self,
        hook: impl Fn(&Parts, &K, Option<&Version<R>>) -> Result<(), Denied> + Send + Sync + 'static,
    ) {
        let all: Arc<Authorize<K, R>> = match self.authorize.take() {
            None => Arc::new(hook),
            Some(first) => Arc::new(move |head, key, version| {
                first(head, key, version)?;
                hook(head, key, version)
            }),
        };
        self.authorize = Some(all);
    }

    /// The condition fields of a request.
    pub(crate) fn conditions(&self, fields: &HeaderMap) -> Conditions {
        Conditions::from_headers(fields, || self.now())
    }

    pub(crate) fn now(&self) -> HttpDate {
        HttpDate::from((self.clock)())
    }
}

/// Not derived: `derive` would require `Clone` of key and revision, although these are shared pointers.
impl<K, R> Clone for Config<K, R> {
    fn clone(&self) -> Self {
        Self {
            tags: self.tags.clone(),
            policy: self.policy.clone(),
            responder: self.responder.clone(),
            authorize: self.authorize.clone(),
            clock: Arc::clone(&self.clock),
            version_before_body: self.version_before_body,
            strict_put_validators: self.strict_put_validators,
        }
    }
}

/// Shows the settings, but only whether hooks are present.
impl<K, R> fmt::Debug for Config<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("tags", &self.tags)
            .field("policy", &self.policy)
            .field("responder", &self.responder)
            .field("authorize", &self.authorize.is_some())
            .field("version_before_body", &self.version_before_body)
            .field("strict_put_validators", &self.strict_put_validators)
            .finish_non_exhaustive()
    }
}

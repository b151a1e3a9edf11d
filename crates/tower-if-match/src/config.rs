//! What you set on a layer: data only.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::request::Parts;
use http_precondition::{Conditions, HttpDate};
use version_store::{Key, Revision, Version};

use crate::decide::Policy;
use crate::refusal::Denied;
use crate::request::{Fields, Hook, Pair, noted};
use crate::respond::{Refusals, Responder};
use crate::tag::TagMint;

/// What you set on a layer, whatever its store and strategy are.
pub(crate) struct Config<K, R> {
    pub(crate) tags: TagMint<K, R>,
    pub(crate) policy: Policy,
    pub(crate) responder: Responder,
    pub(crate) authorize: Option<Hook<Authorize<K, R>>>,
    pub(crate) clock: Clock,
    pub(crate) version_before_body: bool,
    pub(crate) strict_put_validators: bool,
}

/// The source of the current time.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The second part of the authorization hook.
pub(crate) type Authorize<K, R> =
    dyn Fn(&dyn Any, &K, Option<&Version<R>>) -> Result<(), Denied> + Send + Sync;

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
    pub(crate) fn add_authorization<T: Send + Sync + 'static>(
        &mut self,
        take: impl Fn(&Parts) -> T + Send + Sync + 'static,
        authorize: impl Fn(&T, &K, Option<&Version<R>>) -> Result<(), Denied> + Send + Sync + 'static,
    ) {
        let then: Arc<Authorize<K, R>> =
            Arc::new(move |note, key, version| authorize(noted(note), key, version));
        let added = Hook::new(take, then);
        self.authorize = Some(match self.authorize.take() {
            None => added,
            Some(first) => {
                let [one, other] = [&first, &added].map(|hook| Arc::clone(&hook.then));
                let both: Arc<Authorize<K, R>> = Arc::new(move |notes, key, version| {
                    let Pair(of_one, of_other) = noted(notes);
                    one(&**of_one, key, version)?;
                    other(&**of_other, key, version)
                });
                Hook::both(&first, &added, both)
            }
        });
    }

    /// The conditions of a request, parsed.
    pub(crate) fn conditions(&self, parts: &Parts, fields: &Fields<'_>) -> Conditions {
        fields.parse(&parts.headers, || self.now())
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

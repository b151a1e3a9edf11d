use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use version_store::VersionStore;

use super::conflicts::ConflictDisclosure;
use crate::config::Config;
use crate::refusal::Reason;
use crate::request::{Fields, Kept, Taken};

/// What guards the writes of one kind of resource: a store, a strategy, and your settings.
pub(crate) struct Guard<S: VersionStore, W> {
    pub(crate) store: S,
    pub(crate) strategy: W,
    pub(crate) conflicts: ConflictDisclosure<S>,
    /// The response to an error of the store, if it is not 503.
    pub(crate) error_response: Option<ErrorResponseOf<S::Error>>,
    pub(crate) config: Arc<Config<S::Key, S::Revision>>,
}

/// Maps an error to its response, if that is not 503.
pub(crate) type ErrorResponseOf<E> = fn(&E) -> Option<ErrorResponse>;

/// The response to an error of the store.
#[cfg_attr(
    not(feature = "representation"),
    expect(
        dead_code,
        reason = "only a service that is its own store has a response other than 503"
    )
)]
pub(crate) enum ErrorResponse {
    /// The response that the error carries.
    Carried(Response<Bytes>),
    /// A refusal for this reason.
    Refused(Reason),
}

impl<S: VersionStore, W> Guard<S, W> {
    pub(crate) fn new(store: S, strategy: W, config: Arc<Config<S::Key, S::Revision>>) -> Self {
        Self {
            store,
            strategy,
            conflicts: ConflictDisclosure::default(),
            error_response: None,
            config,
        }
    }

    /// The same with another strategy.
    pub(crate) fn with_strategy<V>(self, strategy: V) -> Guard<S, V> {
        Guard {
            store: self.store,
            strategy,
            conflicts: self.conflicts,
            error_response: self.error_response,
            config: self.config,
        }
    }

    /// What to keep of a request's head until its handler has responded.
    #[expect(
        clippy::inline_always,
        reason = "each call moves a request, which costs more than the code"
    )]
    #[inline(always)]
    pub(crate) fn keep(
        &self,
        parts: &Parts,
        fields: &Fields<'_>,
        taken: Option<Box<Taken>>,
    ) -> Kept {
        let conditions = || self.config.conditions(parts, fields);
        Kept::of(parts, fields, conditions, taken)
    }

    /// What hooks take from a request's head, if there are any.
    #[inline]
    pub(crate) fn take(&self, parts: &Parts) -> Option<Box<Taken>> {
        let hooked = self.config.authorize.is_some()
            || self.config.responder.is_hooked()
            || self.conflicts.is_redacted();
        hooked.then(|| {
            let mut taken = self.config.responder.take(parts);
            let authorize = self.config.authorize.as_ref();
            taken.authorization = authorize.map(|hook| hook.take(parts));
            let redact = self.conflicts.redact.as_ref();
            taken.redaction = redact.map(|hook| hook.take(parts));
            Box::new(taken)
        })
    }
}

impl<S: VersionStore, W: Clone> Clone for Guard<S, W> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            strategy: self.strategy.clone(),
            conflicts: self.conflicts.clone(),
            error_response: self.error_response,
            config: Arc::clone(&self.config),
        }
    }
}

impl<S: VersionStore, W> fmt::Debug for Guard<S, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("config", &self.config)
            .field("conflicts", &self.conflicts)
            .finish_non_exhaustive()
    }
}

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use version_store::handover::{OtherStrategy, Slot};
use version_store::{Expected, VersionStore};

use super::conflicts::ConflictDisclosure;
use crate::config::Config;
use crate::refusal::Reason;

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

    /// Whether a hook may need a write's head again after it was passed to the handler.
    pub(crate) fn needs_head(&self) -> bool {
        self.config.authorize.is_some()
            || self.config.responder.needs_head()
            || self.conflicts.is_redacted()
    }
}

/// Whether a layer for a store of this type has already handed the request over.
pub(crate) fn is_guarded<S: VersionStore>(parts: &Parts) -> bool {
    let extensions = &parts.extensions;
    extensions.get::<Slot<Expected<S>>>().is_some()
        || extensions.get::<OtherStrategy<S>>().is_some()
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

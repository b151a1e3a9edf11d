//! Asking the store before the handler runs, where it does not answer at once.

use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;
use http_precondition::Conditions;
use version_store::{Version, VersionStore};

use crate::config::Config;
use crate::way::{Opened, Way};

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A request that waits for the store's answer.
pub(crate) struct Waiting<B> {
    pub(crate) parts: Parts,
    pub(crate) body: B,
    pub(crate) conditions: Conditions,
}

/// What was asked of the store, and for which key.
type Asked<S, T> = BoxFuture<(
    <S as VersionStore>::Key,
    Result<T, <S as VersionStore>::Error>,
)>;

/// The store's answer to come, and what goes on with it.
pub(crate) enum Opening<S: VersionStore, W: Way<S>> {
    Read(Asked<S, Option<Version<S::Revision>>>),
    Write(Asked<S, Opened<S::Revision, W::Held>>),
}

impl<S: VersionStore, W: Way<S>> Opening<S, W> {
    pub(crate) fn read<F>(config: Arc<Config<S, F, W>>, key: S::Key) -> Self
    where
        F: Send + Sync + 'static,
    {
        Self::Read(Box::pin(async move {
            let current = config.store.current(&key).await;
            (key, current)
        }))
    }

    pub(crate) fn write<F>(config: Arc<Config<S, F, W>>, key: S::Key) -> Self
    where
        F: Send + Sync + 'static,
    {
        Self::Write(Box::pin(async move {
            let opened = config.way.open(&config.store, &key).await;
            (key, opened)
        }))
    }
}

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use tower_layer::Layer;
use version_store::{Version, VersionStore};

use super::guard::BulkGuard;
use super::item::{InvalidItems, Item};
use super::service::Bulk;
use super::strategy::BulkStrategy;
use crate::config::Config;
use crate::decide::Policy;
use crate::refusal::Denied;
use crate::request::BufferLimits;
use crate::respond::Refusals;
use crate::strategy::CompareAndSwap;
use crate::tag::TagMint;
use crate::write::Guard;

/// The layer that guards a route whose requests write several resources at once, each under a
/// condition of its own. [The module](super) describes what happens to such a request.
///
/// It needs the **scope** and the **store** of the [`IfMatchLayer`](crate::IfMatchLayer) that guards
/// the single resources, so that both mint and recognise the same tags; and a function that **reads
/// the items** from the body: one [`Item`] per entry, in the order of the body, each with the key and
/// the conditions of its entry.
///
/// It reads the body of every request except those with safe methods, so add it to the one method that is a bulk
/// write, not to the whole route: `get(list).post(create).merge(patch(all).route_layer(bulk))`.
#[must_use = "a layer guards nothing until it is added to a service"]
pub struct BulkLayer<S: VersionStore, W = CompareAndSwap> {
    shared: Arc<BulkGuard<S, W>>,
}

impl<S: VersionStore> BulkLayer<S> {
    /// Guards bulk writes to the resources of `store`. Compare and swap closes the race.
    pub fn new(
        tags: impl Into<TagMint<S::Key, S::Revision>>,
        store: S,
        read_items: impl Fn(&Parts, &[u8]) -> Result<Vec<Item<S::Key>>, InvalidItems>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            shared: Arc::new(BulkGuard {
                guard: Guard::new(store, CompareAndSwap, Arc::new(Config::new(tags.into()))),
                read_items: Arc::new(read_items),
                limits: BufferLimits::default(),
                max_items: 100,
            }),
        }
    }
}

impl<S: VersionStore, W: Clone> BulkLayer<S, W> {
    /// Closes the race with another strategy: [`Transaction`](crate::Transaction).
    ///
    /// Give a clone of the same value to the layer for the single resources: then, of all requests that want
    /// the same resource, only one holds a connection. The value's limits for bodies apply to single writes;
    /// here use [`with_body_limit`](Self::with_body_limit) and
    /// [`with_body_timeout`](Self::with_body_timeout).
    ///
    /// Default: compare and swap.
    pub fn with_strategy<V: BulkStrategy<S>>(self, strategy: V) -> BulkLayer<S, V> {
        let shared = Arc::unwrap_or_clone(self.shared);
        BulkLayer {
            shared: Arc::new(BulkGuard {
                guard: shared.guard.with_strategy(strategy),
                read_items: shared.read_items,
                limits: shared.limits,
                max_items: shared.max_items,
            }),
        }
    }

    /// The mint of this layer's tags, for a handler that puts them into a response of its own.
    pub fn tags(&self) -> TagMint<S::Key, S::Revision> {
        self.shared.guard.config.tags.clone()
    }

    /// What items need to pass. Each item is judged by its own method
    /// ([`Item::with_method`](super::Item::with_method)). If its resource is absent and the method does not
    /// create, the item is refused with 404. Replaces the policy that was set before.
    ///
    /// Default: [`Policy::new`].
    ///
    /// # Panics
    ///
    /// Panics if the policy is report-only: bulk writes have no such mode.
    pub fn with_policy(self, policy: Policy) -> Self {
        assert!(
            !policy.reports_only(),
            "bulk writes have no report-only mode: their items would pass without being reported"
        );
        self.with(|config| config.policy = policy)
    }

    /// How refusals are answered.
    ///
    /// Default: [`Refusals::new`].
    pub fn with_refusals(self, refusals: Refusals) -> Self {
        self.with(|config| config.responder = config.responder.with_refusals(refusals))
    }

    /// Asks this hook for every item before its condition is evaluated, and again whenever it is evaluated again.
    /// `take` takes from the request's head (with the item's method) what the decision needs; `authorize` gets that,
    /// the key and the current version. The first denial is the response to the whole request, and says nothing about
    /// other items. Called again, this adds a hook: all of them have to agree.
    pub fn with_authorization<T: Send + Sync + 'static>(
        self,
        take: impl Fn(&Parts) -> T + Send + Sync + 'static,
        authorize: impl Fn(&T, &S::Key, Option<&Version<S::Revision>>) -> Result<(), Denied>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.with(|config| config.add_authorization(take, authorize))
    }

    /// How many items a request may have. More are 413, and none of them is evaluated.
    ///
    /// Default: 100.
    pub fn with_max_items(mut self, items: usize) -> Self {
        Arc::make_mut(&mut self.shared).max_items = items;
        self
    }

    /// How many bytes of the body are read. More is 413.
    ///
    /// Default: 2 MiB.
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        Arc::make_mut(&mut self.shared).limits.limit = bytes;
        self
    }

    /// How long the body may take to arrive. Longer is 408.
    ///
    /// Default: 30 seconds.
    pub fn with_body_timeout(mut self, timeout: Duration) -> Self {
        Arc::make_mut(&mut self.shared).limits.timeout = timeout;
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Config<S::Key, S::Revision>)) -> Self {
        let shared = Arc::make_mut(&mut self.shared);
        change(Arc::make_mut(&mut shared.guard.config));
        self
    }
}

impl<Svc, S: VersionStore, W> Layer<Svc> for BulkLayer<S, W> {
    type Service = Bulk<Svc, S, W>;

    fn layer(&self, inner: Svc) -> Self::Service {
        Bulk::new(inner, Arc::clone(&self.shared))
    }
}

impl<S: VersionStore, W> Clone for BulkLayer<S, W> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S: VersionStore, W> fmt::Debug for BulkLayer<S, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};
use tower_layer::Layer;
use version_store::{Version, VersionStore};

use super::item::{InvalidItems, Item};
use super::service::Bulk;
use super::shared::Shared;
use super::strategy::BulkStrategy;
use crate::config::{Config, Denied};
use crate::request::BufferLimits;
use crate::request::Clients;
use crate::respond::RefusalResponse;
use crate::strategy::CompareAndSwap;
use crate::tag::{TagKey, TagMint};

/// The layer that guards a route whose requests write several resources at once, each under a
/// condition of its own. [The module](super) tells the way of such a request.
///
/// It needs the **scope** and the **store** of the [`IfMatchLayer`](crate::IfMatchLayer) that guards
/// the single resources, so that both mint and recognise the same tags; and a function that **reads
/// the items** in the content: one [`Item`] for each entry, in the order of the content, each with the
/// key and the conditions that its entry brings.
///
/// It reads every content but those of safe methods, so it belongs on the one method that is a bulk
/// write, and not on the whole route: `get(list).post(create).merge(patch(all).route_layer(bulk))`.
#[must_use = "a layer guards nothing until it is added to a service"]
pub struct BulkLayer<S: VersionStore, W = CompareAndSwap> {
    shared: Arc<Shared<S, W>>,
}

impl<S: VersionStore> BulkLayer<S> {
    /// Guards bulk writes to the resources of `store`, with compare and swap closing the race.
    pub fn new(
        scope: &str,
        store: S,
        read_items: impl Fn(&Parts, &[u8]) -> Result<Vec<Item<S::Key>>, InvalidItems>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                config: Config::new(scope, store, (), CompareAndSwap),
                read_items: Arc::new(read_items),
                buffer: BufferLimits::default(),
                max_items: 100,
            }),
        }
    }
}

impl<S: VersionStore, W: Clone> BulkLayer<S, W> {
    /// Closes the race in another way: [`Transaction`](crate::Transaction).
    ///
    /// Give the layer for the single resources a clone of the same value: then of all that want one
    /// resource only one has a connection. What the value says about content is for single writes; here
    /// [`with_body_limit`](Self::with_body_limit) and
    /// [`with_body_timeout`](Self::with_body_timeout) do.
    ///
    /// Default: compare and swap.
    pub fn with_strategy<V: BulkStrategy<S>>(self, strategy: V) -> BulkLayer<S, V> {
        let shared = Arc::unwrap_or_clone(self.shared);
        BulkLayer {
            shared: Arc::new(Shared {
                config: shared.config.with_strategy(|_| strategy),
                read_items: shared.read_items,
                buffer: shared.buffer,
                max_items: shared.max_items,
            }),
        }
    }

    /// The mint of this layer's tags, for a handler that tells them in an answer of its own.
    pub fn tags(&self) -> TagMint<S> {
        self.shared.config.tags.clone()
    }

    /// Mints tags with the first key and recognises those of all: the same as the layer for the single
    /// resources.
    ///
    /// Default: one public key.
    pub fn with_tag_keys<const N: usize>(self, keys: [TagKey; N]) -> Self {
        self.with(|shared| shared.config.tags = shared.config.tags.rekeyed(keys))
    }

    /// How many items a request may have. More are 413, and none is looked at.
    ///
    /// Default: 100.
    pub fn with_max_items(self, items: usize) -> Self {
        self.with(|shared| shared.max_items = items)
    }

    /// How many octets of content are read. More is 413.
    ///
    /// Default: 2 MiB.
    pub fn with_body_limit(self, octets: usize) -> Self {
        self.with(|shared| shared.buffer.limit = octets)
    }

    /// How long the content may take to arrive. Longer is 408.
    ///
    /// Default: 30 seconds.
    pub fn with_body_timeout(self, deadline: Duration) -> Self {
        self.with(|shared| shared.buffer.deadline = deadline)
    }

    /// The methods of items that create their resource where it is absent; others are 404 there.
    ///
    /// Default: PUT.
    pub fn with_creating_methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.with(|shared| shared.config.settings.policy.set_creating(methods))
    }

    /// Answers an item with `*` in If-Match with 428: it keeps a client from creating, and from
    /// nothing else.
    ///
    /// Default: it satisfies the gate, as RFC 9110 has it.
    pub fn with_wildcard_refused(self) -> Self {
        self.with(|shared| shared.config.settings.policy.wildcard_refused = true)
    }

    /// Asks this hook about every item before its condition is evaluated, and again wherever it is
    /// evaluated again. It sees the request's head (with the item's method), the key and the current
    /// version. The first refusal is the answer to the whole request, and tells nothing of other items.
    pub fn with_authorization(
        self,
        hook: impl Fn(&Parts, &S::Key, Option<&Version<S::Revision>>) -> Result<(), Denied>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.with(|shared| shared.config.hooks.authorize = Some(Arc::new(hook)))
    }

    /// The page that the problem documents' `type` points into, without a fragment.
    ///
    /// Default: [the page of this crate's documentation](crate::problems).
    pub fn with_problem_types(self, page: &str) -> Self {
        self.with(|shared| {
            shared.config.settings.documents =
                Arc::new(shared.config.settings.documents.with_page(page));
        })
    }

    /// What the texts of refusals call a resource, such as "post".
    ///
    /// Default: "resource".
    pub fn with_resource_noun(self, noun: &str) -> Self {
        self.with(|shared| {
            shared.config.settings.documents =
                Arc::new(shared.config.settings.documents.with_noun(noun));
        })
    }

    /// Writes the answers to refused requests, as
    /// [`IfMatchLayer::with_refusal_response`](crate::IfMatchLayer::with_refusal_response) does.
    pub fn with_refusal_response(
        self,
        hook: impl Fn(RefusalResponse<'_>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.with(|shared| shared.config.settings.answer = Some(Arc::new(hook)))
    }

    /// Names the client for the log and for metrics, as
    /// [`IfMatchLayer::with_client_name`](crate::IfMatchLayer::with_client_name) does.
    pub fn with_client_name(
        self,
        hook: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.with(|shared| shared.config.settings.clients = Clients::named_by(Arc::new(hook)))
    }

    /// Lets a weakened tag of this service's satisfy an item's condition, as
    /// [`IfMatchLayer::with_weakened_tags_accepted`](crate::IfMatchLayer::with_weakened_tags_accepted) does.
    pub fn with_weakened_tags_accepted(self) -> Self {
        self.with(|shared| shared.config.settings.policy.weakened_accepted = true)
    }

    /// What 503 says in `Retry-After`.
    ///
    /// Default: one second.
    pub fn with_retry_after(self, seconds: u32) -> Self {
        self.with(|shared| shared.config.settings.retry_after_seconds = seconds)
    }

    fn with(mut self, change: impl FnOnce(&mut Shared<S, W>)) -> Self {
        change(Arc::make_mut(&mut self.shared));
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

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::request::Parts;
use tower_layer::Layer;
use version_store::{Version, VersionStore};

use crate::config::{Config, Denied};
use crate::request::FindKey;
use crate::service::IfMatch;
use crate::strategy::{CompareAndSwap, Strategy};
use crate::tag::{TagKey, TagMint};

/// The layer that guards a resource's writes with the request's conditions.
///
/// It needs three things: the **scope**, a name for the kind of resource, so that no tag of a post
/// fits a comment of the same id; the **store** that tells current versions; and how to **find the
/// key** of the resource in a request's head, with axum [`PathKey`](crate::PathKey).
///
/// ```
/// use axum::{Router, routing::get};
/// use tower_if_match::{IfMatchLayer, MemoryStore, PathKey};
/// # async fn read() {}
/// # async fn replace() {}
///
/// let posts: MemoryStore<u64, String> = MemoryStore::new();
/// let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
/// let app: Router = Router::new()
///     .route("/posts/{id}", get(read).put(replace).route_layer(guard));
/// ```
///
/// # Defaults
///
/// All methods that are not known to be safe need a condition. Only PUT creates. A 412 tells the
/// current tag and nothing else about the resource. Tags are minted with a public key that every
/// process shares.
#[must_use = "a layer guards nothing until it is added to a service"]
pub struct IfMatchLayer<S: VersionStore, F, W = CompareAndSwap> {
    pub(crate) config: Arc<Config<S, F, W>>,
}

impl<S: VersionStore, F: FindKey<S::Key>> IfMatchLayer<S, F> {
    /// Guards the resources of `store`, with [compare and swap](CompareAndSwap) closing the race.
    pub fn new(scope: &str, store: S, find_key: F) -> Self {
        Self {
            config: Arc::new(Config::new(scope, store, find_key, CompareAndSwap)),
        }
    }
}

impl<S: VersionStore, F: Clone, W: Clone> IfMatchLayer<S, F, W> {
    /// Closes the race in another way: [`Transaction`](crate::Transaction) or
    /// [`SingleProcess`](crate::SingleProcess).
    ///
    /// Default: [`CompareAndSwap`].
    pub fn with_strategy<V: Strategy<S>>(self, strategy: V) -> IfMatchLayer<S, F, V> {
        let config = Arc::unwrap_or_clone(self.config);
        IfMatchLayer {
            config: Arc::new(config.with_strategy(|scope| strategy.for_scope(scope))),
        }
    }

    /// The mint of this layer's tags, for wherever the layer does not stand: the 201 of a
    /// collection's POST, the items of a list.
    pub fn tags(&self) -> TagMint<S> {
        self.config.tags.clone()
    }

    /// Mints tags with the first key and recognises those of all. Take a handle with
    /// [`tags`](Self::tags) afterwards, not before.
    ///
    /// Default: [`PUBLIC_TAG_KEY`](crate::PUBLIC_TAG_KEY).
    pub fn with_tag_keys<const N: usize>(self, keys: [TagKey; N]) -> Self {
        self.with(|config| config.tags = config.tags.rekeyed(keys))
    }

    /// Asks this hook before a write's condition is evaluated. It sees the request's head, the key
    /// and the current version; its refusal is the answer.
    ///
    /// What a client may not see, a refusal would otherwise tell it: that the resource exists, and
    /// its tag. The hook is asked again before a lost race is answered, and before conflict metadata of
    /// a newer version leaves.
    ///
    /// **It does not authorize the route.** It is asked for writes of resources that have a key; reads,
    /// collections and ids that cannot be read go to the handler without it.
    ///
    /// ```
    /// use http::StatusCode;
    /// # use tower_if_match::{IfMatchLayer, MemoryStore, PathKey};
    /// # let posts: MemoryStore<u64, String> = MemoryStore::new();
    /// # #[derive(Clone)] struct Role(&'static str);
    ///
    /// let guard = IfMatchLayer::new("posts", posts, PathKey)
    ///     .with_authorization(|head, _key, _version| match head.extensions.get::<Role>() {
    ///         Some(Role("editor")) => Ok(()),
    ///         _ => Err(StatusCode::FORBIDDEN.into()),
    ///     });
    /// ```
    pub fn with_authorization(
        self,
        hook: impl Fn(&Parts, &S::Key, Option<&Version<S::Revision>>) -> Result<(), Denied>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.with(|config| config.hooks.authorize = Some(Arc::new(hook)))
    }

    /// Reads the version before the handler of a read runs, and tags its answer with that, for
    /// handlers that cannot answer with [`Versioned`](crate::Versioned).
    ///
    /// **Only** where the source of the body is at least as fresh as [`VersionStore::current`]: then
    /// a body may be newer than its tag, which costs a client one more 412, but never older, which
    /// would let it destroy what it has not seen. And **only** where the body depends on nothing but the
    /// version: for one that varies (by `Accept`, by viewer) the handler sets a weak tag of its own,
    /// which stays, or answers with `Versioned` and a variant.
    ///
    /// Default: only a `Versioned` answer is tagged. QUERY never is by this.
    pub fn with_version_before_body(self) -> Self {
        self.with(|config| config.settings.version_before_body = true)
    }

    /// Withholds the tag from the success of a PUT, unless the handler said that it stored the
    /// content as it was sent ([`Expected::written_verbatim`](crate::Expected::written_verbatim)).
    ///
    /// Default: it is sent. RFC 9110 §9.3.4 forbids it where the content was transformed, as every
    /// JSON API does; but a client without the new tag has to read before it can write again.
    pub fn with_strict_put_validators(self) -> Self {
        self.with(|config| config.settings.strict_put_validators = true)
    }

    /// Where the time comes from: it is needed for two-digit years in conditions, and because a
    /// served `Last-Modified` must not be later than `Date`.
    ///
    /// Default: [`SystemTime::now`].
    pub fn with_clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.with(|config| config.settings.clock = Arc::new(clock))
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Config<S, F, W>)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }
}

impl<Svc, S: VersionStore, F, W> Layer<Svc> for IfMatchLayer<S, F, W> {
    type Service = IfMatch<Svc, S, F, W>;

    fn layer(&self, inner: Svc) -> Self::Service {
        IfMatch::new(inner, Arc::clone(&self.config))
    }
}

impl<S: VersionStore, F, W> Clone for IfMatchLayer<S, F, W> {
    fn clone(&self) -> Self {
        Self {
            config: Arc::clone(&self.config),
        }
    }
}

impl<S: VersionStore, F, W> fmt::Debug for IfMatchLayer<S, F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IfMatchLayer")
            .field("config", &self.config)
            .finish()
    }
}

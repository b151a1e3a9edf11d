use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::request::Parts;
use tower_layer::Layer;
use version_store::{Version, VersionStore};

use crate::config::Config;
use crate::decide::Policy;
use crate::refusal::Denied;
use crate::request::FindKey;
use crate::respond::Refusals;
use crate::service::IfMatch;
use crate::strategy::{CompareAndSwap, Strategy};
use crate::tag::TagMint;
use crate::write::Guard;

/// The layer that guards a resource's writes with the request's conditions.
///
/// It needs three things: the **scope**, a name for the kind of resource, so that a post's tag never
/// matches a comment with the same id; the **store** that knows the current versions; and a way to **find
/// the key** of the resource in a request's head, which is [`PathKey`](crate::PathKey) with axum.
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
/// All methods that are not known to be safe need a condition, and only PUT creates; [`Policy`] changes that.
/// A 412 discloses the current tag and nothing else about the resource; [`Refusals`] customizes the response.
/// Tags are minted with a public key that every process shares.
#[must_use = "a layer guards nothing until it is added to a service"]
pub struct IfMatchLayer<S: VersionStore, F, W = CompareAndSwap> {
    find_key: F,
    pub(super) guard: Arc<Guard<S, W>>,
}

impl<S: VersionStore, F: FindKey<S::Key>> IfMatchLayer<S, F> {
    /// Guards the resources of `store`. [Compare and swap](CompareAndSwap) closes the race.
    ///
    /// `tags` is the name of the scope, or a [`TagMint`] with keys of your own.
    pub fn new(tags: impl Into<TagMint<S::Key, S::Revision>>, store: S, find_key: F) -> Self {
        let config = Arc::new(Config::new(tags.into()));
        Self {
            find_key,
            guard: Arc::new(Guard::new(store, CompareAndSwap, config)),
        }
    }
}

impl<S: VersionStore, F: Clone, W: Clone> IfMatchLayer<S, F, W> {
    /// Closes the race with another strategy: [`Transaction`](crate::Transaction) or
    /// [`SingleProcess`](crate::SingleProcess).
    ///
    /// Default: [`CompareAndSwap`].
    pub fn with_strategy<V: Strategy<S>>(self, strategy: V) -> IfMatchLayer<S, F, V> {
        let guard = Arc::unwrap_or_clone(self.guard);
        let strategy = strategy.for_scope(guard.config.tags.scope());
        IfMatchLayer {
            find_key: self.find_key,
            guard: Arc::new(guard.with_strategy(strategy)),
        }
    }

    /// The mint of this layer's tags, for code outside the layer that needs them: the 201 of a collection's
    /// POST, the items of a list.
    pub fn tags(&self) -> TagMint<S::Key, S::Revision> {
        self.guard.config.tags.clone()
    }

    /// What requests need to pass.
    ///
    /// Replaces the policy that was set before, including what that tightened.
    ///
    /// Default: [`Policy::new`], which requires a condition of every unsafe method.
    pub fn with_policy(self, policy: Policy) -> Self {
        self.with_config(|config| config.policy = policy)
    }

    /// How refusals are answered. Replaces what was set before.
    ///
    /// Default: [`Refusals::new`].
    pub fn with_refusals(self, refusals: Refusals) -> Self {
        self.with_config(|config| config.responder = config.responder.with_refusals(refusals))
    }

    /// Asks this hook before a write's condition is evaluated. `take` takes from the request's head what the decision
    /// needs, such as the account; `authorize` gets that, the key and the current version. If it denies the write, its
    /// response is sent.
    ///
    /// Without this check a refusal would reveal that the resource exists, and its `ETag`. `authorize` is called
    /// again before a lost race is answered, and before conflict metadata of a newer version is sent; the handler has
    /// the head by then, so what is needed of it is taken before.
    ///
    /// Called again, it adds a hook: all of them have to agree.
    ///
    /// **It does not authorize the route.** It is called only for writes to resources that have a key; reads,
    /// collections and invalid ids reach the handler without it.
    ///
    /// ```
    /// use http::StatusCode;
    /// # use tower_if_match::{IfMatchLayer, MemoryStore, PathKey};
    /// # let posts: MemoryStore<u64, String> = MemoryStore::new();
    /// # #[derive(Clone)] struct Role(&'static str);
    ///
    /// let guard = IfMatchLayer::new("posts", posts, PathKey).with_authorization(
    ///     |head| head.extensions.get::<Role>().cloned(),
    ///     |role, _key, _version| match role {
    ///         Some(Role("editor")) => Ok(()),
    ///         _ => Err(StatusCode::FORBIDDEN.into()),
    ///     },
    /// );
    /// ```
    pub fn with_authorization<T: Send + Sync + 'static>(
        self,
        take: impl Fn(&Parts) -> T + Send + Sync + 'static,
        authorize: impl Fn(&T, &S::Key, Option<&Version<S::Revision>>) -> Result<(), Denied>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.with_config(|config| config.add_authorization(take, authorize))
    }

    /// Reads the version before a read's handler runs, and tags its response with that version. This is for
    /// handlers that cannot return [`Versioned`](crate::Versioned).
    ///
    /// Use it **only** if the source of the body is at least as fresh as [`VersionStore::current`]: then a
    /// body may be newer than its tag, which costs the client one more 412, but never older, which would let
    /// the client destroy what it has not seen. And **only** if the body depends on nothing but the version:
    /// a handler whose body varies (by `Accept`, by viewer) either sets a weak tag of its own, which is kept,
    /// or returns `Versioned` with a variant.
    ///
    /// Default: only a `Versioned` response is tagged. Responses to QUERY are never tagged this way.
    pub fn with_version_before_body(self) -> Self {
        self.with_config(|config| config.version_before_body = true)
    }

    /// Withholds the tag from a successful PUT, unless the handler says that it stored the body exactly as
    /// sent ([`Expected::written_verbatim`](crate::Expected::written_verbatim)).
    ///
    /// Default: the tag is sent. RFC 9110 §9.3.4 forbids it if the body was transformed, as in every JSON API;
    /// but a client without the new tag has to read before it can write again.
    pub fn with_strict_put_validators(self) -> Self {
        self.with_config(|config| config.strict_put_validators = true)
    }

    /// The source of the current time. It is needed for two-digit years in conditions, and because
    /// `Last-Modified` in a response must not be later than `Date`.
    ///
    /// Default: [`SystemTime::now`].
    pub fn with_clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.with_config(|config| config.clock = Arc::new(clock))
    }

    fn with_config(self, change: impl FnOnce(&mut Config<S::Key, S::Revision>)) -> Self {
        self.with(|guard| change(Arc::make_mut(&mut guard.config)))
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Guard<S, W>)) -> Self {
        change(Arc::make_mut(&mut self.guard));
        self
    }
}

impl<Svc, S: VersionStore, F: Clone, W> Layer<Svc> for IfMatchLayer<S, F, W> {
    type Service = IfMatch<Svc, S, F, W>;

    /// # Panics
    ///
    /// Panics if a setting has no effect: [`IfMatchLayer::with_conflicts_for_authorized`] without
    /// [`IfMatchLayer::with_authorization`].
    fn layer(&self, inner: Svc) -> Self::Service {
        assert!(
            !self.guard.conflicts.needs_authorization() || self.guard.config.authorize.is_some(),
            "`with_conflicts_for_authorized` has no effect without `with_authorization`; \
             for resources that everyone may read, use `with_public_conflicts`"
        );
        IfMatch::new(inner, self.find_key.clone(), Arc::clone(&self.guard))
    }
}

impl<S: VersionStore, F: Clone, W> Clone for IfMatchLayer<S, F, W> {
    fn clone(&self) -> Self {
        Self {
            find_key: self.find_key.clone(),
            guard: Arc::clone(&self.guard),
        }
    }
}

impl<S: VersionStore, F, W> fmt::Debug for IfMatchLayer<S, F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IfMatchLayer")
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}

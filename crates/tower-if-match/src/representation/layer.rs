use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Uri};
use tower_layer::Layer;

use super::service::Represented;
use super::settings::Settings;
use super::watch::Watch;
use crate::config::Config;
use crate::decide::Policy;
use crate::respond::Refusals;
use crate::strategy::SingleProcess;
use crate::tag::TagMint;

/// Guards a whole service without changing it: a router of blind handlers, which has no store and knows
/// nothing about versions.
///
/// The version of a resource is a hash of the response to a GET. The layer sends that GET to the service
/// itself, evaluates the condition, and runs the write under a lock.
///
/// ```no_run
/// use axum::{Router, ServiceExt, extract::Request, routing::get};
/// use tower_if_match::RepresentationLayer;
/// use tower::Layer;
/// # async fn read() {}
/// # async fn replace() {}
///
/// # async fn serve() -> std::io::Result<()> {
/// let legacy: Router = Router::new().route("/posts/{id}", get(read).put(replace));
/// let guarded = RepresentationLayer::new("posts-api").layer(legacy);
///
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// axum::serve(listener, ServiceExt::<Request>::into_make_service(guarded)).await
/// # }
/// ```
///
/// # Where to mount it
///
/// **Around the whole service**, as above or with `nest_service` and `fallback_service`. Authentication and size
/// limits may be outside or inside; a method override must be outside, because the layer removes the fields that
/// ask for one. **Never inside a router**: not with `Router::layer`, `route_layer` or `route_service`. There the
/// GET would reach the one handler of a PUT, and would run the write. The layer detects this inside axum's router,
/// and answers unsafe methods with 500 `unkeyed`. It cannot detect it around a single handler elsewhere.
///
/// Compression belongs inside, or outside within [`VariantLayer`](crate::VariantLayer): nothing may change
/// a body but keep its tag.
///
/// # What it promises, and what it costs
///
/// No update is lost as long as **every writer is in this process and uses clones of this one layer**.
/// Note that:
///
/// - **One write runs at a time.** The layer cannot know which paths belong to the same row (`/posts/7`,
///   `/posts/07`, `/posts/7/publish`), so all writes wait for one lock, for
///   [a bounded time](Self::with_wait_timeout). [`with_locks_by`](Self::with_locks_by) narrows that.
/// - **Each write costs three GETs**: one to refuse requests that are bound to fail before their body is read,
///   one under the lock, one for the new tag. A refused write costs one.
/// - **Reads are buffered** to be hashed. A read that negotiates (an `Accept` other than
///   [the fixed one](Self::with_accept), any `Accept-Language`, any `Accept-Encoding` except `identity`)
///   costs a second GET. Browsers always negotiate.
/// - **Ranges are not served**: a read with `Range` gets the whole representation, as RFC 9110 §14.2 allows.
///   Better serve files outside this layer.
/// - **Equal bodies have equal tags**, even if the body was different in between, and even if the resource was
///   removed and created again.
/// - **The check comes before 404 and 405**, and before any other reason why the service would refuse the write. A
///   write without a condition is 428 wherever it goes; one with `If-Match` on an absent target is 412. A POST to a
///   collection is a write to that collection: it needs the collection's tag, unless POST is
///   [exempt](Policy::with_condition_exempt).
/// - **The target is the resource**, path and query as sent. The tag of `/posts/7` does not match `/posts/07`, nor
///   does that of `/posts/7?full` match `/posts/7`.
/// - **A body that changes by itself cannot be written**: with a time, a counter or a random value in it, every tag
///   is stale. If that is likely, the layer looks a second time, and logs an error. Whatever a body depends on
///   besides its target must be in fields that reads and writes share.
///
/// # What the service sees
///
/// The GET has the fields and the extensions of the request that it is made for, so it includes credentials and
/// whatever an authentication layer outside has added. Conditions, ranges, content fields, `Idempotency-Key`,
/// connection fields, method overrides and the fields that negotiate are left out. GET must be safe: the service
/// gets more of them than clients send. Its response decides about the write:
///
/// | the response to GET | the response to the write |
/// | --- | --- |
/// | 2xx | depends on its condition |
/// | 404, 410 | depends on its condition; the resource is absent |
/// | 405 that does not allow the write's method either, another 3xx or 4xx | the same, because 401, 403 and 302 are meant for the client |
/// | 405, 406 | 500 `unkeyed`: what cannot be read cannot be guarded |
/// | 206, 304, 5xx, too large, an encoded or broken body | 503 `store_unavailable` |
///
/// Reads and writes reach the service without the conditions that the layer has evaluated, reads also without
/// `Range` and method overrides. A read that asks for an upgrade (WebSocket) passes through untagged. An `ETag` of
/// the service is replaced, because writes would not recognise it. Its `Last-Modified` stays: it is useful, and no
/// condition of this layer is compared with it.
#[must_use = "a layer guards nothing until it is added to a service"]
#[derive(Clone, Debug)]
pub struct RepresentationLayer {
    settings: Arc<Settings>,
}

impl RepresentationLayer {
    /// A layer for a service with this name. The name goes into the tags, so that those of one service do not
    /// match another's. You can pass a [`TagMint`] with keys of your own instead.
    pub fn new(tags: impl Into<TagMint<String, String>>) -> Self {
        let mut config = Config::new(tags.into());
        config.policy = config.policy.where_any_method_may_create();
        Self {
            settings: Arc::new(Settings {
                config: Arc::new(config),
                process: SingleProcess::new(),
                accept: HeaderValue::from_static("*/*"),
                limit: 2 * 1024 * 1024,
                wait_timeout: Duration::from_secs(5),
                unit: None,
                watch: Watch::default(),
            }),
        }
    }

    /// The `Accept` of the GET that reads a resource's state. Name the media type that has all of the state and
    /// nothing else: an HTML page often contains a token that is never the same.
    ///
    /// Default: `*/*`, because that is what most programs send and what a service without negotiation
    /// ignores; a read that sends the same `Accept` costs no second GET.
    ///
    /// # Panics
    ///
    /// Panics if this is not a valid field value.
    pub fn with_accept(self, accept: &'static str) -> Self {
        self.with(|settings| settings.accept = HeaderValue::from_static(accept))
    }

    /// What requests need to pass. An exempt write costs no GET if it has no condition, but still waits for the
    /// lock: for methods that overwrite nothing, such as a POST that adds to a collection, and for targets that
    /// do not support GET. In report-only mode a write without a condition costs one GET, for its new tag.
    ///
    /// Default: [`Policy::new`], except that every method may create.
    pub fn with_policy(self, policy: Policy) -> Self {
        self.with_config(|config| config.policy = policy.where_any_method_may_create())
    }

    /// How refusals are answered.
    ///
    /// Default: [`Refusals::new`].
    pub fn with_refusals(self, refusals: Refusals) -> Self {
        self.with_config(|config| config.responder = config.responder.with_refusals(refusals))
    }

    /// How long a write waits for the lock, and for each GET, before it is answered 503. A read whose body takes
    /// longer is passed on untagged.
    ///
    /// Default: 5 seconds.
    pub fn with_wait_timeout(self, wait_timeout: Duration) -> Self {
        self.with(|settings| {
            settings.wait_timeout = wait_timeout;
            settings.process = settings.process.clone().with_wait_timeout(wait_timeout);
        })
    }

    /// How many bytes of a write's body are read before the lock is taken. More is 413.
    ///
    /// Default: 2 MiB.
    pub fn with_body_limit(self, bytes: usize) -> Self {
        self.with(|settings| settings.process = settings.process.clone().with_body_limit(bytes))
    }

    /// How many bytes of a representation are buffered for hashing. A larger one is passed on untagged, and
    /// writes to its resource get 503.
    ///
    /// Default: 2 MiB.
    pub fn with_representation_limit(self, bytes: usize) -> Self {
        self.with(|settings| settings.limit = bytes)
    }

    /// Names the unit to which a write's target belongs, from the URI as the client sent it: writes to the same
    /// unit wait for each other, writes to different units do not. For `/tenants/ada/posts/7` that could be
    /// `ada`.
    ///
    /// **Loosens safety**: two spellings or parts of one row that end up in different units lose updates. Use
    /// this only if no write in one unit changes the response to a GET in another.
    ///
    /// Set it before cloning, so that it is the same for all clones.
    ///
    /// Default: one unit.
    pub fn with_locks_by(self, unit: impl Fn(&Uri) -> String + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.unit = Some(Arc::new(unit)))
    }

    /// Waits until no write is running any more, for a graceful shutdown: writes run to completion even if their
    /// clients have disconnected. Stop serving first.
    pub async fn drained(&self) {
        self.settings.process.drained().await;
    }

    fn with_config(self, change: impl FnOnce(&mut Config<String, String>)) -> Self {
        self.with(|settings| change(Arc::make_mut(&mut settings.config)))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<Svc> Layer<Svc> for RepresentationLayer {
    type Service = Represented<Svc>;

    fn layer(&self, service: Svc) -> Self::Service {
        Represented::new(service, Arc::clone(&self.settings))
    }
}

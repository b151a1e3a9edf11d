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

/// Guards a whole service that stays as it is: a router of blind handlers, without a store and
/// without a word about versions.
///
/// The version of a resource is a hash of what a GET of it answers. The layer asks the service itself,
/// evaluates the condition, and runs the write under a lock.
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
/// **Around the whole service**, as above or by `nest_service` and `fallback_service`, with authentication
/// and size limits outside or inside, method override outside: the fields that ask for one are taken off. **Never inside a router**: not as `Router::layer`,
/// `route_layer` or `route_service`. There the service that is asked for a GET would be the one handler
/// of a PUT, and the GET would run the write. Inside axum's router it is found out: unsafe methods are
/// answered 500 `unkeyed`. Around a single handler elsewhere it is not.
///
/// Compression belongs inside, or outside within [`VariantLayer`](crate::VariantLayer): nothing may change
/// a body and leave its tag.
///
/// # What it promises, and what it costs
///
/// No update is lost as long as **every writer is in this process and goes through clones of this one
/// layer**. Beyond that:
///
/// - **One write at a time.** Which paths are one row the layer cannot know (`/posts/7`, `/posts/07`,
///   `/posts/7/publish`), so all writes wait for one lock, for
///   [a bounded time](Self::with_wait_timeout). [`with_locks_by`](Self::with_locks_by) narrows that.
/// - **Three GETs for each write**: one to refuse the hopeless before its content is read, one under the
///   lock, one for the new tag. A refused write costs one.
/// - **Reads are held** until they are whole, to be hashed. A read that negotiates (`Accept` other than
///   [the fixed one](Self::with_accept), any `Accept-Language`, any `Accept-Encoding` but `identity`)
///   costs a second GET. Browsers always do.
/// - **Ranges are not served**: a read with `Range` gets the whole, which RFC 9110 §14.2 allows. Files are
///   better served beside this layer.
/// - **Equal content has an equal tag**, also after it was something else in between, and also of a
///   resource that was removed and created again.
/// - **The check comes before 404 and 405**, and before whatever else the write alone would be refused
///   for. A write without a condition is 428 wherever it goes, one with
///   `If-Match` on an absent target is 412. A POST to a collection is a write of that collection: it names
///   the collection's tag, or POST is [exempt](Policy::with_condition_exempt).
/// - **The target is the resource**, path and query as sent. The tag of `/posts/7` does not fit
///   `/posts/07`, nor that of `/posts/7?full` `/posts/7`.
/// - **A body that changes by itself cannot be written**: with a time, a counter, a random value in it
///   every tag is stale. The layer looks a second time where that is likely, and reports it as an error
///   event. What a body depends on besides its target must be in fields that reads and writes share.
///
/// # What the service sees
///
/// The GET has the fields of the request that it is made for, so that credentials and whatever an
/// authentication outside has put into the extensions are there. Left out are conditions, ranges, content
/// fields, `Idempotency-Key`, what belongs to the connection, method overrides, and what negotiates. It has
/// to be safe, as GET is: it is asked more often than clients ask. What it is answered decides:
///
/// | the service says to GET | the write is answered |
/// | --- | --- |
/// | 2xx | by its condition |
/// | 404, 410 | by its condition; the resource is absent |
/// | 405 that does not allow the write's method either, another 3xx or 4xx | the same: 401, 403, 302 are the client's to see |
/// | 405, 406 | 500 `unkeyed`: what cannot be read cannot be guarded |
/// | 206, 304, 5xx, too much, an encoded or broken body | 503 `store_unavailable` |
///
/// Reads and writes come to the service without the conditions that the layer has evaluated, reads also
/// without `Range` and method overrides. One that asks for an upgrade (WebSocket) goes through untagged. An `ETag` that
/// it sets is replaced, because its writes would not recognise it. Its `Last-Modified` stays: that tells
/// something, and no condition of this layer's is compared with it.
#[must_use = "a layer guards nothing until it is added to a service"]
#[derive(Clone, Debug)]
pub struct RepresentationLayer {
    settings: Arc<Settings>,
}

impl RepresentationLayer {
    /// A layer for a service with this name. The name goes into the tags, so that those of one service
    /// do not fit another's. In its place goes a [`TagMint`] with keys of your own.
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

    /// What the GET that tells a resource's state accepts. Name the media type that has all of the
    /// state and nothing else: a page in HTML often has a token in it that is never the same.
    ///
    /// Default: `*/*`, because that is what most programs send and what a service without negotiation
    /// ignores; a read that asks for the same costs no second GET.
    ///
    /// # Panics
    ///
    /// If it is not the value of a field.
    pub fn with_accept(self, accept: &'static str) -> Self {
        self.with(|settings| settings.accept = HeaderValue::from_static(accept))
    }

    /// What requests need to pass. An exempt write asks the service nothing where no condition was sent, and
    /// still waits for the lock: for methods that overwrite nothing, such as the POST that adds to a collection,
    /// and for targets that take no GET. In report-only mode a write without a condition costs one GET, for
    /// its new tag.
    ///
    /// Default: [`Policy::new`], and every method may create.
    pub fn with_policy(self, policy: Policy) -> Self {
        self.with_config(|config| config.policy = policy.where_any_method_may_create())
    }

    /// How refusals are answered.
    ///
    /// Default: [`Refusals::new`].
    pub fn with_refusals(self, refusals: Refusals) -> Self {
        self.with_config(|config| config.responder = config.responder.with_refusals(refusals))
    }

    /// How long a write waits for the lock, and for each GET, before it is answered 503. A read whose
    /// body is not there by then goes untagged.
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

    /// How many bytes of a representation are held to be hashed. A larger one is passed on untagged, and
    /// its resource cannot be written: 503.
    ///
    /// Default: 2 MiB.
    pub fn with_representation_limit(self, bytes: usize) -> Self {
        self.with(|settings| settings.limit = bytes)
    }

    /// Names the unit that a write's target is part of, from the URI as the client sent it: writes of
    /// one unit wait for each other, writes of different units do not. For `/tenants/ada/posts/7` that
    /// could be `ada`.
    ///
    /// **Loosens safety**: two spellings or parts of one row that come to different units lose updates.
    /// It is right where no write under one unit changes what a GET under another one answers.
    ///
    /// Default: one unit.
    pub fn with_locks_by(self, unit: impl Fn(&Uri) -> String + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.unit = Some(Arc::new(unit)))
    }

    /// Waits until no write is at work any more, for the end of the program: writes whose clients have
    /// left still run to their end. Stop serving first.
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

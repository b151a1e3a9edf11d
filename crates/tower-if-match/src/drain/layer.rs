use std::time::Duration;

use tower_layer::Layer;

use super::rest::Bounds;
use super::service::Drain;

/// The outermost layer, which reads what the services inside left of a request's content, so that their
/// answer arrives.
///
/// [`IfMatchLayer`](crate::IfMatchLayer) refuses a request without its content, as it should, and as checks
/// of the declared size or the media type do. But a server that answers before it has read the content
/// closes the connection, and content on its way then resets it: behind a proxy the 412 can become 502, and
/// a client that writes all before it reads may see a broken connection. With this layer around it the
/// answer waits until the rest of the content has come and been thrown away; the connection is used on.
///
/// ```
/// use axum::{Router, routing::get};
/// use tower_if_match::{DrainLayer, IfMatchLayer, MemoryStore, PathKey};
/// # async fn read() {}
/// # async fn replace() {}
///
/// let posts: MemoryStore<u64, String> = MemoryStore::new();
/// let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
/// let app: Router = Router::new()
///     .route("/posts/{id}", get(read).put(replace).route_layer(guard))
///     .layer(DrainLayer::new()); // the last one is the outermost
/// ```
///
/// # What becomes of the content
///
/// | the services inside | the content | the answer |
/// | --- | --- | --- |
/// | read it to its end, or there is none | – | at once |
/// | left some of it | is read, up to limit and deadline | when it has come |
/// | left more than the limit, or what does not come in time | is left | with `Connection: close` |
/// | left what nothing comes of for half a second | is left | with `Connection: close` |
/// | were told `Expect: 100-continue`, and did not begin to read | is not asked for | at once, with `Connection: close` |
/// | found it broken | – | at once, with `Connection: close` |
/// | still hold it, in a task or in the answer | is theirs | at once |
/// | failed, or answered 101 | – | at once |
///
/// An error of the content's, or a panic in it, counts as broken: the answer stands already, and goes out.
/// HTTP/2 and later, which need none of this, and CONNECT go through untouched.
///
/// # What it costs
///
/// Requests without content nothing. Others two allocations, for the body that gives itself back. Whoever
/// sends content that is refused makes the server receive up to the limit, in small pieces of which none is
/// kept, and wait up to the deadline.
///
/// # Where to mount it
///
/// Outside everything that may answer without the content. A time limit outside it has to be longer than the
/// deadline, or it puts an answer of its own in place of one that may tell of a write.
///
/// The request's body must be [`Drainable`](crate::stack::Drainable), as axum's is. The deadline is measured
/// by tokio's timer; where a runtime has none, waiting for content panics.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct DrainLayer {
    bounds: Bounds,
}

impl DrainLayer {
    /// A layer with the default bounds.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many octets of what was left are read. Where there are more, the connection is closed.
    ///
    /// Best as much as the largest content that the service takes, and more where too large content should
    /// be told so.
    ///
    /// Default: 1 MiB.
    pub fn with_body_limit(mut self, octets: usize) -> Self {
        self.bounds.limit = octets as u64;
        self
    }

    /// How long an answer waits for content that keeps arriving. Where it takes longer, or stays away for half
    /// a second, the connection is closed.
    ///
    /// Default: 5 seconds.
    pub fn with_body_timeout(mut self, deadline: Duration) -> Self {
        self.bounds.deadline = deadline;
        self
    }
}

impl<Svc> Layer<Svc> for DrainLayer {
    type Service = Drain<Svc>;

    fn layer(&self, inner: Svc) -> Drain<Svc> {
        Drain::new(inner, self.bounds)
    }
}

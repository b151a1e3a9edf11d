use std::time::Duration;

use tower_layer::Layer;

use crate::rest::Bounds;
use crate::service::Drain;

/// The outermost layer: reads what the services inside left of a request's body, so that their answer
/// arrives.
///
/// Authentication, a check of the declared size or the media type, and a precondition such as `If-Match`
/// all answer on the head of a request, without its body. But a server that answers before it has read the
/// body closes the connection, and a body that is still on its way resets it: behind a proxy the answer can
/// become 502, and a client that writes everything before it reads may see a broken connection. With this
/// layer outermost the answer waits until the rest of the body has arrived and been thrown away; the
/// connection stays open.
///
/// ```
/// use axum::body::Bytes;
/// use axum::extract::DefaultBodyLimit;
/// use axum::{Router, routing::put};
/// use tower_drain::DrainLayer;
///
/// async fn replace(file: Bytes) {}
///
/// let app: Router = Router::new()
///     .route("/file", put(replace))
///     .layer(DefaultBodyLimit::max(1024)) // 413, with the rest of the body unread
///     .layer(DrainLayer::new()); // added last, so outermost
/// ```
///
/// # What becomes of the body
///
/// | the services inside | the body | the answer |
/// | --- | --- | --- |
/// | read it to its end, or there is none | – | goes out at once |
/// | left some of it | is read, within limit and timeout | goes out when all of it has arrived |
/// | left more than the limit, or what does not arrive in time | is given up | gets `Connection: close` |
/// | left it, and not a byte arrives for half a second | is given up | gets `Connection: close` |
/// | never polled it, and it waits for 100 (Continue) | is not asked for | goes out at once, with `Connection: close` |
/// | got an error from it | – | goes out at once, with `Connection: close` |
/// | still hold it, in a task or in the answer | is left to them | goes out at once |
/// | failed, or answered 101 | – | goes out at once |
///
/// If the body fails or panics while this layer reads it, the answer goes out all the same, with
/// `Connection: close`. CONNECT, and HTTP/2 and later, which need none of this, pass through untouched.
///
/// # What it costs
///
/// Nothing for requests without a body; two allocations for others, for the body that returns itself. A
/// client whose request is refused can make the server receive as much as the limit, in small pieces none of
/// which is kept, and wait as long as the timeout.
///
/// # Where to mount it
///
/// Outside everything that may answer without the body. A time limit outside this layer must be longer than
/// the timeout: otherwise it replaces an answer that may report a write.
///
/// The request's body must be [`Drainable`](crate::Drainable), as axum's is. The timeout needs tokio's timer;
/// on a runtime without one, waiting for the body panics.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct DrainLayer {
    bounds: Bounds,
}

impl DrainLayer {
    /// A layer that reads up to 1 MiB, for up to 5 seconds.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes of the rest are read. If there are more, the connection is closed.
    ///
    /// As much as the largest body that the service accepts is a good choice; take more if clients that
    /// exceed it should be sure to get their 413.
    ///
    /// Default: 1 MiB.
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.bounds.limit = bytes as u64;
        self
    }

    /// How long an answer waits for a body that keeps arriving. If it takes longer, or nothing arrives for
    /// half a second, the connection is closed.
    ///
    /// Default: 5 seconds.
    pub fn with_body_timeout(mut self, timeout: Duration) -> Self {
        self.bounds.timeout = timeout;
        self
    }
}

impl<Svc> Layer<Svc> for DrainLayer {
    type Service = Drain<Svc>;

    fn layer(&self, inner: Svc) -> Drain<Svc> {
        Drain::new(inner, self.bounds)
    }
}

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full};

use crate::sync::{Arc, Mutex, PoisonError};

/// A request body that can be handed on and come back: axum's `Body`, the box bodies of `http-body-util`,
/// and `Full<Bytes>` and `Empty<Bytes>`, of which nothing is ever left on the way. For any other body map
/// the request first:
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::combinators::UnsyncBoxBody;
/// # use http_body_util::{BodyExt, Either, Empty, Full};
/// # use std::convert::Infallible;
/// # use tower::{ServiceBuilder, service_fn};
/// # use tower_if_match::DrainLayer;
/// # type Incoming = Either<Full<Bytes>, Empty<Bytes>>;
/// # async fn handle(_: Request<UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>>)
/// #     -> Result<Response<Empty<Bytes>>, Infallible> { Ok(Response::new(Empty::new())) }
/// let service = ServiceBuilder::new()
///     .map_request(|request: Request<Incoming>| request.map(BodyExt::boxed_unsync))
///     .layer(DrainLayer::new())
///     .service(service_fn(handle));
/// # fn is_service<T: tower::Service<Request<Incoming>>>(_: T) {}
/// # is_service(service);
/// ```
#[diagnostic::on_unimplemented(
    message = "the request body `{Self}` cannot be handed on and come back",
    note = "map the request before the layer sees it: \
            `.map_request(|request: Request<_>| request.map(BodyExt::boxed_unsync))`, or implement `Drainable`"
)]
pub trait Drainable: Body + Unpin {
    /// The body that the inner service reads.
    fn lend(lent: Lent<Self>) -> Self
    where
        Self: Sized;
}

/// A request body that gives itself back when it is dropped.
#[derive(Debug)]
pub struct Lent<B> {
    /// `None` when it was read to its end or broke.
    body: Option<B>,
    state: State,
    left: Left<B>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unasked,
    Begun,
    Ended,
    Broken,
}

/// Where a body comes back to.
pub(super) type Left<B> = Arc<Mutex<Option<Rest<B>>>>;

/// What came back of a body that was not read to its end.
#[derive(Debug)]
pub(super) enum Rest<B> {
    /// Nobody has polled it.
    Unasked(B),
    /// Read in part.
    Begun(B),
    Broken,
}

impl<B: Body + Unpin> Lent<B> {
    pub(super) fn new(body: B) -> (Self, Left<B>) {
        let left = Left::default();
        let lent = Self {
            body: Some(body),
            state: State::Unasked,
            left: Arc::clone(&left),
        };
        (lent, left)
    }

    /// The body itself, for those that have all their content with them. It does not come back.
    ///
    /// `None` once it was read to its end.
    pub fn into_inner(mut self) -> Option<B> {
        self.state = State::Ended;
        self.body.take()
    }
}

impl<B> Drop for Lent<B> {
    fn drop(&mut self) {
        let rest = match (self.state, self.body.take()) {
            (State::Unasked, Some(body)) => Rest::Unasked(body),
            (State::Begun, Some(body)) => Rest::Begun(body),
            (State::Broken, _) => Rest::Broken,
            _ => return,
        };
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
    }
}

impl<B: Body + Unpin> Body for Lent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(cx);
        self.state = match &polled {
            Poll::Pending | Poll::Ready(Some(Ok(_))) => State::Begun,
            Poll::Ready(Some(Err(_))) => State::Broken,
            Poll::Ready(None) => State::Ended,
        };
        if self.state != State::Begun {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

#[cfg(feature = "axum")]
impl Drainable for axum_core::body::Body {
    fn lend(lent: Lent<Self>) -> Self {
        Self::new(lent)
    }
}

impl<E> Drainable for BoxBody<Bytes, E>
where
    E: 'static,
{
    fn lend(lent: Lent<Self>) -> Self {
        lent.boxed()
    }
}

impl<E> Drainable for UnsyncBoxBody<Bytes, E>
where
    E: 'static,
{
    fn lend(lent: Lent<Self>) -> Self {
        lent.boxed_unsync()
    }
}

impl Drainable for Full<Bytes> {
    fn lend(lent: Lent<Self>) -> Self {
        lent.into_inner().unwrap_or_default()
    }
}

impl Drainable for Empty<Bytes> {
    fn lend(_: Lent<Self>) -> Self {
        Self::new()
    }
}

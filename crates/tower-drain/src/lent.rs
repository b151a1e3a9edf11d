use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full};

/// A request body that can be lent to the inner service and returned.
///
/// Axum's `Body` is one, so are the boxed bodies of `http-body-util`, and `Full<Bytes>` and `Empty<Bytes>`,
/// which have nothing on its way. For any other body map the request first:
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::combinators::UnsyncBoxBody;
/// # use http_body_util::{BodyExt, Either, Empty, Full};
/// # use std::convert::Infallible;
/// # use tower::{ServiceBuilder, service_fn};
/// # use tower_drain::DrainLayer;
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
///
/// A body type of your own that can box another body implements it in one line:
///
/// ```
/// # use bytes::Bytes;
/// # use http_body::{Body, Frame};
/// # use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
/// # use std::{convert::Infallible, pin::Pin, task::{Context, Poll}};
/// use tower_drain::{Drainable, Lent};
///
/// struct MyBody(UnsyncBoxBody<Bytes, Infallible>);
/// # impl Body for MyBody {
/// #     type Data = Bytes;
/// #     type Error = Infallible;
/// #     fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>)
/// #         -> Poll<Option<Result<Frame<Bytes>, Infallible>>> { Pin::new(&mut self.0).poll_frame(cx) }
/// # }
///
/// impl Drainable for MyBody {
///     fn lend(lent: Lent<Self>) -> Self {
///         Self(lent.boxed_unsync())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the request body `{Self}` cannot be lent to the inner service and returned",
    note = "map the request before the layer sees it: \
            `.map_request(|request: Request<_>| request.map(BodyExt::boxed_unsync))`, or implement `Drainable`"
)]
pub trait Drainable: Body + Unpin {
    /// Makes the body that the inner service reads.
    ///
    /// Dropping it has to drop `lent`: that is what returns the body.
    fn lend(lent: Lent<Self>) -> Self
    where
        Self: Sized;
}

/// A request body that returns itself when it is dropped.
#[derive(Debug)]
pub struct Lent<B> {
    /// `None` once it was read to its end or failed.
    body: Option<B>,
    progress: Progress,
    leftover: Leftover<B>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Unpolled,
    Begun,
    Ended,
    Failed,
}

/// Where a body that was not read to its end is returned to.
#[derive(Debug)]
pub(crate) struct Leftover<B>(Arc<Mutex<Option<Rest<B>>>>);

/// What is left of a body that was not read to its end.
#[derive(Debug)]
pub(crate) enum Rest<B> {
    /// Nobody has polled it: a client that waits for 100 (Continue) was not asked for it.
    Unpolled(B),
    Begun(B),
    Failed,
}

impl<B> Leftover<B> {
    pub(crate) fn take(&self) -> Option<Rest<B>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, rest: Rest<B>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
    }
}

impl<B: Body + Unpin> Lent<B> {
    pub(crate) fn new(body: B) -> (Self, Leftover<B>) {
        let returned_to = Arc::new(Mutex::new(None));
        let lent = Self {
            body: Some(body),
            progress: Progress::Unpolled,
            leftover: Leftover(Arc::clone(&returned_to)),
        };
        (lent, Leftover(returned_to))
    }

    /// The body itself, which is then not returned: for bodies that have all their bytes with them.
    ///
    /// `None` once it was read to its end or failed.
    pub fn into_inner(mut self) -> Option<B> {
        self.progress = Progress::Ended;
        self.body.take()
    }
}

impl<B> Drop for Lent<B> {
    fn drop(&mut self) {
        let rest = match (self.progress, self.body.take()) {
            (Progress::Unpolled, Some(body)) => Rest::Unpolled(body),
            (Progress::Begun, Some(body)) => Rest::Begun(body),
            (Progress::Failed, _) => Rest::Failed,
            _ => return,
        };
        self.leftover.put(rest);
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
        self.progress = match &polled {
            Poll::Pending | Poll::Ready(Some(Ok(_))) => Progress::Begun,
            Poll::Ready(Some(Err(_))) => Progress::Failed,
            Poll::Ready(None) => Progress::Ended,
        };
        if self.progress != Progress::Begun {
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

use bytes::Bytes;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Either, Full};

/// A response body that can hold the text of a refusal, so that refusals have the stack's own body type, at no
/// cost to unguarded requests.
///
/// It is implemented for axum's `Body`, `Full<Bytes>`, `Either<Full<Bytes>, B>` and the box bodies of
/// `http-body-util`. For any other body `B`, let the inner service respond with `Either<Full<Bytes>, B>`:
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::{Either, Empty, Full};
/// # use tower::{ServiceBuilder, service_fn};
/// # use version_store::MemoryStore;
/// # use tower_if_match::{Found, IfMatchLayer};
/// # let guard = IfMatchLayer::new("posts", MemoryStore::<u64, ()>::new(),
/// #     |_: &http::request::Parts| Found::Key(7));
/// # async fn handle(_: Request<Empty<Bytes>>) -> Result<Response<Empty<Bytes>>, std::convert::Infallible> {
/// #     Ok(Response::new(Empty::new()))
/// # }
/// let service = ServiceBuilder::new()
///     .layer(guard)
///     .map_response(|response: Response<_>| response.map(Either::<Full<Bytes>, _>::Right))
///     .service(service_fn(handle));
/// # fn is_service<T: tower::Service<Request<Empty<Bytes>>>>(_: T) {}
/// # is_service(service);
/// ```
#[diagnostic::on_unimplemented(
    message = "the response body `{Self}` cannot hold a refusal",
    note = "let the inner service respond with `http_body_util::Either<Full<Bytes>, {Self}>`: \
            `.map_response(|response| response.map(Either::Right))`, or implement `RefusalBody`"
)]
pub trait RefusalBody {
    /// A body with this text.
    fn from_text(text: Bytes) -> Self;
}

impl RefusalBody for Full<Bytes> {
    fn from_text(text: Bytes) -> Self {
        Self::new(text)
    }
}

impl<B> RefusalBody for Either<Full<Bytes>, B> {
    fn from_text(text: Bytes) -> Self {
        Self::Left(Full::new(text))
    }
}

impl<E: 'static> RefusalBody for BoxBody<Bytes, E> {
    fn from_text(text: Bytes) -> Self {
        Self::new(Full::new(text).map_err(|never| match never {}))
    }
}

impl<E: 'static> RefusalBody for UnsyncBoxBody<Bytes, E> {
    fn from_text(text: Bytes) -> Self {
        Self::new(Full::new(text).map_err(|never| match never {}))
    }
}

#[cfg(feature = "axum")]
impl RefusalBody for axum_core::body::Body {
    fn from_text(text: Bytes) -> Self {
        Self::from(text)
    }
}

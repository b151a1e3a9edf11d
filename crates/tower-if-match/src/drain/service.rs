use std::task::{Context, Poll};

use http::header::EXPECT;
use http::{HeaderMap, Method, Request, Response, Version};
use tower_service::Service;

use super::future::DrainFuture;
use super::lent::{Drainable, Lent};
use super::rest::Bounds;

/// The service that [`DrainLayer`](crate::DrainLayer) makes.
#[derive(Clone, Copy, Debug)]
pub struct Drain<Svc> {
    inner: Svc,
    bounds: Bounds,
}

impl<Svc> Drain<Svc> {
    pub(super) fn new(inner: Svc, bounds: Bounds) -> Self {
        Self { inner, bounds }
    }
}

impl<Svc, ReqBody, ResBody> Service<Request<ReqBody>> for Drain<Svc>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ReqBody: Drainable,
{
    type Response = Response<ResBody>;
    type Error = Svc::Error;
    type Future = DrainFuture<Svc::Future, ReqBody, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        if !may_be_left(&request) {
            return DrainFuture::untouched(self.inner.call(request));
        }
        let held_back = is_held_back(request.headers());
        let (head, body) = request.into_parts();
        let (lent, left) = Lent::new(body);
        let request = Request::from_parts(head, ReqBody::lend(lent));
        DrainFuture::new(self.inner.call(request), left, held_back, self.bounds)
    }
}

/// Whether there is content, and the connection depends on its being read.
fn may_be_left<B: Drainable>(request: &Request<B>) -> bool {
    !request.body().is_end_stream()
        && request.version() < Version::HTTP_2
        && request.method() != Method::CONNECT
}

/// Whether the client waits for 100 (Continue). HTTP/1.0 has no such thing, and a client that says it all
/// the same is believed: the worst is a connection that is closed.
fn is_held_back(fields: &HeaderMap) -> bool {
    let lines = fields.get_all(EXPECT).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|octet| *octet == b','))
        .any(|member| member.trim_ascii().eq_ignore_ascii_case(b"100-continue"))
}

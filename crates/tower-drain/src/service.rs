use std::task::{Context, Poll};

use http::header::EXPECT;
use http::{HeaderMap, Method, Request, Response, Version};
use tower_service::Service;

use crate::future::DrainFuture;
use crate::lent::{Drainable, Lent};
use crate::rest::Bounds;

/// The service that [`DrainLayer`](crate::DrainLayer) makes.
#[derive(Clone, Copy, Debug)]
pub struct Drain<Svc> {
    inner: Svc,
    bounds: Bounds,
}

impl<Svc> Drain<Svc> {
    pub(crate) fn new(inner: Svc, bounds: Bounds) -> Self {
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
        if !needs_draining(&request) {
            return DrainFuture::untouched(self.inner.call(request));
        }
        let expects_continue = expects_continue(request.headers());
        let (head, body) = request.into_parts();
        let (lent, leftover) = Lent::new(body);
        let request = Request::from_parts(head, ReqBody::lend(lent));
        let inner = self.inner.call(request);
        DrainFuture::new(inner, leftover, expects_continue, self.bounds)
    }
}

/// Whether there is a body, and the connection depends on its being read.
fn needs_draining<B: Drainable>(request: &Request<B>) -> bool {
    !request.body().is_end_stream()
        && request.version() < Version::HTTP_2
        && request.method() != Method::CONNECT
}

/// Whether the client waits for 100 (Continue). HTTP/1.0 does not know it, but a client that sends the
/// expectation anyway is believed: at worst a connection is closed.
fn expects_continue(fields: &HeaderMap) -> bool {
    let lines = fields.get_all(EXPECT).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .any(|member| member.trim_ascii().eq_ignore_ascii_case(b"100-continue"))
}

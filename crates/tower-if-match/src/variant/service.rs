use std::task::{Context, Poll};

use http::header::{IF_RANGE, RANGE};
use http::{Method, Request, Response};
use http_body::Body;
use http_precondition::MethodClass;
use tower_service::Service;

use super::accept_encoding::{accepts_identity, exclude_nothing};
use super::deferred::Deferred;
use super::future::{VariedFuture, VariedRead};

/// The service of a [`VariantLayer`](crate::VariantLayer).
#[derive(Clone, Copy, Debug)]
pub struct Varied<Svc> {
    inner: Svc,
    head_as_get: bool,
}

impl<Svc> Varied<Svc> {
    pub(super) fn new(inner: Svc, head_as_get: bool) -> Self {
        Self { inner, head_as_get }
    }
}

impl<Svc, ReqBody, ResBody> Service<Request<ReqBody>> for Varied<Svc>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body + Default,
{
    type Response = Response<ResBody>;
    type Error = Svc::Error;
    type Future = VariedFuture<Svc::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let reading = match MethodClass::of(request.method()) {
            MethodClass::Read => Some(self.read(&mut request)),
            MethodClass::Write => Some(VariedRead {
                deferred: None,
                without_content: false,
            }),
            MethodClass::Unconditional => None,
        };
        if !accepts_identity(request.headers()) {
            exclude_nothing(request.headers_mut());
        }
        VariedFuture::new(self.inner.call(request), reading)
    }
}

impl<Svc> Varied<Svc> {
    fn read<ReqBody>(&self, request: &mut Request<ReqBody>) -> VariedRead {
        let without_content = self.head_as_get && request.method() == Method::HEAD;
        if without_content {
            *request.method_mut() = Method::GET;
            // Ranges are defined only for GET, and the client did not send one.
            request.headers_mut().remove(RANGE);
            request.headers_mut().remove(IF_RANGE);
        }
        VariedRead {
            deferred: Deferred::take(request.headers_mut()),
            without_content,
        }
    }
}

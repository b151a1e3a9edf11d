use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_precondition::MethodClass;
use tower_service::Service;

use super::get::strip_write;
use super::watch::Watch;

/// The wrapped service.
///
/// It is always ready, and makes the service ready only when it is called: a clone that is ready beforehand
/// may hold a permit of the service, and a GET that also needs one would wait for it forever.
#[derive(Clone, Debug)]
pub(super) struct Inner<Svc> {
    pub(super) service: Svc,
    pub(super) watch: Watch,
}

/// A response of the wrapped service.
pub(super) type Answer<B, E> = Pin<Box<dyn Future<Output = Result<Response<B>, E>> + Send>>;

impl<Svc, ReqBody, B> Service<Request<ReqBody>> for Inner<Svc>
where
    Svc: Service<Request<ReqBody>, Response = Response<B>> + Clone + Send + 'static,
    Svc::Future: Send,
    Svc::Error: Into<Box<dyn Error + Send + Sync>>,
    ReqBody: Send + 'static,
{
    type Response = Response<B>;
    type Error = Svc::Error;
    type Future = Answer<B, Svc::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Svc::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let mut service = self.service.clone();
        let writes = MethodClass::of(request.method()) == MethodClass::Write;
        let writing = writes.then(|| self.watch.began());
        if writes {
            strip_write(request.headers_mut());
        }
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx)).await?;
            let answer = service.call(request).await;
            drop(writing);
            answer
        })
    }
}

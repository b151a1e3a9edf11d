//! What stands outside the precondition layer: authentication, routing, limits, whatever knows its
//! answer from the head alone.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use futures_util::future::Either;
use http::{Request, Response, StatusCode};
use tower::{Layer, Service};

use crate::origin::{Content, status};

/// Answers with a status in place of everything inside, or does nothing.
#[derive(Clone, Copy)]
pub(crate) struct AnswerFromHead(Option<StatusCode>);

impl AnswerFromHead {
    pub(crate) fn new(status: Option<StatusCode>) -> Self {
        Self(status)
    }
}

impl<S> Layer<S> for AnswerFromHead {
    type Service = AnsweringFromHead<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AnsweringFromHead {
            status: self.0,
            inner,
        }
    }
}

/// The service of [`AnswerFromHead`].
#[derive(Clone)]
pub(crate) struct AnsweringFromHead<S> {
    status: Option<StatusCode>,
    inner: S,
}

impl<S, B> Service<Request<B>> for AnsweringFromHead<S>
where
    S: Service<Request<B>, Response = Response<Content>, Error = Infallible>,
{
    type Response = Response<Content>;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response<Content>, Infallible>>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.status {
            Some(outcome) => Either::Left(ready(Ok(status(outcome)))),
            None => Either::Right(self.inner.call(request)),
        }
    }
}

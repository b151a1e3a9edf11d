use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::body::RefusalBody;
use crate::sync::JoinHandle;

/// A handler that runs to completion, even if this is dropped.
#[derive(Debug)]
pub struct Task<T>(pub(super) JoinHandle<T>);

impl<B: RefusalBody, E> Future for Task<Result<Response<B>, E>> {
    type Output = Result<Response<B>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(%error, "a handler panicked; its write may have happened");
                let mut response = Response::new(B::from_text(Bytes::new()));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                Ok(response)
            }
        })
    }
}

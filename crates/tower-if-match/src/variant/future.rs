use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderValue, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use super::answer::conclude;
use super::deferred::Deferred;

/// What is kept of a read until its response arrives.
#[derive(Debug)]
pub(super) struct VariedRead {
    pub(super) deferred: Option<Box<Deferred>>,
    /// Whether it was a HEAD originally.
    pub(super) without_content: bool,
}

pin_project! {
    /// The future of [`Varied`](super::Varied).
    #[derive(Debug)]
    pub struct VariedFuture<F> {
        #[pin]
        inner: F,
        reading: Option<VariedRead>,
    }
}

impl<F> VariedFuture<F> {
    pub(super) fn new(inner: F, reading: Option<VariedRead>) -> Self {
        Self { inner, reading }
    }
}

impl<F, B, E> Future for VariedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body + Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let Some(reading) = this.reading.take() else {
            return Poll::Ready(Ok(response));
        };
        let response = conclude(reading.deferred.as_deref(), response);
        Poll::Ready(Ok(if reading.without_content {
            drop_content(response)
        } else {
            response
        }))
    }
}

/// Drops the body, and sets `Content-Length` if the length is known and not declared yet.
fn drop_content<B: Body + Default>(mut response: Response<B>) -> Response<B> {
    let said = |response: &Response<B>| {
        let fields = response.headers();
        fields.contains_key(CONTENT_LENGTH) || fields.contains_key(TRANSFER_ENCODING)
    };
    let has_content = !matches!(
        response.status(),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    if has_content
        && !said(&response)
        && let Some(length) = response.body().size_hint().exact()
    {
        let length = HeaderValue::from(length);
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
    *response.body_mut() = B::default();
    response
}

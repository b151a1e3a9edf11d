//! Response bodies, read as far as they can be held, and put together again.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Full};

use crate::body::RefusalBody;
use crate::sync::within;

/// A body that was partly read, and the rest of it.
pub struct Resumed<B: Body> {
    read: VecDeque<Frame<Bytes>>,
    rest: Option<B>,
    broken: Option<B::Error>,
    end: End,
}

/// How far a body was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// To its end.
    Whole,
    /// To the limit, or not at all if it declares to be longer.
    TooLarge,
    /// As far as it arrived in time.
    TooSlow,
    /// Up to an error.
    Broken,
}

/// A response body that can be partly read and still be passed on: axum's `Body`, `Full<Bytes>`,
/// the box bodies of `http-body-util`.
#[diagnostic::on_unimplemented(
    message = "the response body `{Self}` cannot be partly read and passed on",
    note = "let the service respond with axum's `Body`, `Full<Bytes>`, or a box body: \
            `.map_response(|response| response.map(BodyExt::boxed))`"
)]
pub trait Resumable:
    RefusalBody
    + Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>> + Send>
    + Unpin
    + Send
    + 'static
{
    /// The body that yields what was read, and then the rest.
    fn resume(resumed: Resumed<Self>) -> Self
    where
        Self: Sized;
}

#[cfg(feature = "axum")]
impl Resumable for axum_core::body::Body {
    fn resume(resumed: Resumed<Self>) -> Self {
        Self::new(resumed)
    }
}

impl Resumable for Full<Bytes> {
    /// Such a body has at most one frame.
    fn resume(mut resumed: Resumed<Self>) -> Self {
        let read = resumed.read.pop_front();
        Self::new(
            read.and_then(|frame| frame.into_data().ok())
                .unwrap_or_default(),
        )
    }
}

impl<E> Resumable for BoxBody<Bytes, E>
where
    E: Into<Box<dyn Error + Send + Sync>> + Send + Sync + Unpin + 'static,
{
    fn resume(resumed: Resumed<Self>) -> Self {
        resumed.boxed()
    }
}

impl<E> Resumable for UnsyncBoxBody<Bytes, E>
where
    E: Into<Box<dyn Error + Send + Sync>> + Send + Unpin + 'static,
{
    fn resume(resumed: Resumed<Self>) -> Self {
        resumed.boxed_unsync()
    }
}

impl<B: Resumable> Resumed<B> {
    /// A body of which nothing was read.
    pub(super) fn unread(body: B) -> Self {
        Self {
            read: VecDeque::new(),
            rest: Some(body),
            broken: None,
            end: End::TooLarge,
        }
    }

    /// Reads a body to its end, but not more than `limit` bytes and not longer than `time`.
    pub(super) async fn read(body: B, limit: usize, time: Duration) -> Self {
        let mut resumed = Self::unread(body);
        let declared = resumed.rest.as_ref().map(|rest| rest.size_hint().lower());
        if declared > Some(limit as u64) {
            return resumed;
        }
        resumed.end = End::TooSlow;
        within(time, resumed.fill(limit)).await;
        resumed
    }

    async fn fill(&mut self, limit: usize) {
        let mut octets = 0;
        while let Some(rest) = &mut self.rest {
            match rest.frame().await {
                Some(Ok(frame)) => {
                    octets += frame.data_ref().map_or(0, Bytes::len);
                    self.read.push_back(frame);
                    if octets > limit {
                        self.end = End::TooLarge;
                        return;
                    }
                }
                Some(Err(error)) => {
                    self.rest = None;
                    self.broken = Some(error);
                    self.end = End::Broken;
                }
                None => {
                    self.rest = None;
                    self.end = End::Whole;
                }
            }
        }
    }

    pub(super) fn end(&self) -> End {
        self.end
    }

    /// What was read.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &Bytes> {
        self.read.iter().filter_map(Frame::data_ref)
    }

    /// The same body, as the service returned it.
    pub(super) fn into_body(mut self) -> B {
        if self.read.is_empty() && self.broken.is_none() {
            return match self.rest.take() {
                Some(rest) => rest,
                None => B::from_text(Bytes::new()),
            };
        }
        if self.end == End::Whole && self.read.len() == 1 && self.read[0].is_data() {
            let data = self
                .read
                .pop_front()
                .and_then(|frame| frame.into_data().ok());
            return B::from_text(data.unwrap_or_default());
        }
        B::resume(self)
    }

    /// What was read, in one piece and without trailers.
    pub(super) fn into_bytes(mut self) -> Bytes {
        if self.read.len() == 1 {
            let data = self
                .read
                .pop_front()
                .and_then(|frame| frame.into_data().ok());
            return data.unwrap_or_default();
        }
        self.chunks().flatten().copied().collect()
    }
}

impl<B> Body for Resumed<B>
where
    B: Body<Data = Bytes, Error: Unpin> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(frame) = self.read.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        let ended = self.rest.as_ref().is_none_or(Body::is_end_stream);
        self.read.is_empty() && self.broken.is_none() && ended
    }

    fn size_hint(&self) -> SizeHint {
        let read: usize = self
            .read
            .iter()
            .filter_map(Frame::data_ref)
            .map(Bytes::len)
            .sum();
        let read = read as u64;
        let mut hint = SizeHint::new();
        let rest = match &self.rest {
            Some(rest) => rest.size_hint(),
            None if self.broken.is_some() => SizeHint::new(),
            None => SizeHint::with_exact(0),
        };
        hint.set_lower(read + rest.lower());
        if let Some(upper) = rest.upper() {
            hint.set_upper(read.saturating_add(upper));
        }
        hint
    }
}

impl<B: Body> fmt::Debug for Resumed<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumed")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Buf;
use http_body::{Body, Frame};

use super::lent::Rest;
use crate::sync::{Sleep, sleep};

/// How much is read of what was left, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) limit: u64,
    pub(super) deadline: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            limit: 1024 * 1024,
            deadline: Duration::from_secs(5),
        }
    }
}

/// The rest of a body on its way to its end.
#[derive(Debug)]
pub(super) struct Reading<B> {
    body: B,
    bounds: Bounds,
    /// From when it first had to be waited for.
    until: Option<Pin<Box<Sleep>>>,
    /// From when the last of it came.
    silence: Option<Pin<Box<Sleep>>>,
}

/// How long nothing may come. Whoever is sending sends; whoever waits for the answer first is not kept
/// waiting for the whole deadline.
const SILENCE: Duration = Duration::from_millis(500);

/// Why the rest was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abandoned {
    /// The client waits to be asked for it.
    HeldBack,
    TooLarge,
    TooSlow,
    Broken,
}

impl<B: Body + Unpin> Reading<B> {
    /// `None` where nothing is left.
    pub(super) fn begin(
        rest: Rest<B>,
        held_back: bool,
        bounds: Bounds,
    ) -> Result<Option<Self>, Abandoned> {
        let body = match rest {
            Rest::Broken => return Err(Abandoned::Broken),
            Rest::Unasked(_) if held_back => return Err(Abandoned::HeldBack),
            Rest::Unasked(body) | Rest::Begun(body) => body,
        };
        if body.is_end_stream() {
            return Ok(None);
        }
        if body.size_hint().lower() > bounds.limit {
            return Err(Abandoned::TooLarge);
        }
        Ok(Some(Self {
            body,
            bounds,
            until: None,
            silence: None,
        }))
    }

    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Abandoned>> {
        while !self.body.is_end_stream() {
            match poll_frame(&mut self.body, cx) {
                Poll::Ready(None) => break,
                Poll::Ready(Some(Err(broken))) => return Poll::Ready(Err(broken)),
                Poll::Ready(Some(Ok(frame))) => {
                    // What is empty counts, too: there may be no end of it.
                    let octets = frame.data_ref().map_or(1, |data| data.remaining().max(1));
                    match self.bounds.limit.checked_sub(octets as u64) {
                        Some(limit) => {
                            self.bounds.limit = limit;
                            self.silence = None;
                        }
                        None => return Poll::Ready(Err(Abandoned::TooLarge)),
                    }
                }
                Poll::Pending => {
                    let deadline = self.bounds.deadline;
                    let until = self.until.get_or_insert_with(|| Box::pin(sleep(deadline)));
                    let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(SILENCE)));
                    let over =
                        until.as_mut().poll(cx).is_ready() || silence.as_mut().poll(cx).is_ready();
                    return if over {
                        Poll::Ready(Err(Abandoned::TooSlow))
                    } else {
                        Poll::Pending
                    };
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// A panic is caught: it would take an answer away that stands already.
fn poll_frame<B: Body + Unpin>(
    body: &mut B,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<B::Data>, Abandoned>>> {
    // Nothing looks into the body after a panic.
    match catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll_frame(cx))) {
        Ok(polled) => polled.map_err(|_| Abandoned::Broken),
        Err(_) => Poll::Ready(Some(Err(Abandoned::Broken))),
    }
}

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeldBack => "the client waits to be asked for it",
            Self::TooLarge => "it is larger than the limit",
            Self::TooSlow => "it did not arrive by the deadline",
            Self::Broken => "it broke off",
        })
    }
}

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Buf;
use http_body::{Body, Frame};
use tokio::time::{Sleep, sleep};

use crate::lent::Rest;

/// How much of the rest is read, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// In bytes.
    pub(crate) limit: u64,
    pub(crate) timeout: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            limit: 1024 * 1024,
            timeout: Duration::from_secs(5),
        }
    }
}

/// The rest of a body while it is read to its end.
#[derive(Debug)]
pub(crate) struct Draining<B> {
    body: B,
    /// The limit shrinks by what is read.
    bounds: Bounds,
    /// Starts with the first wait.
    timeout: Option<Pin<Box<Sleep>>>,
    /// Starts anew after every frame.
    silence: Option<Pin<Box<Sleep>>>,
}

/// How long nothing may arrive. A client that is sending keeps sending; one that waits for the answer first
/// should not have to wait for the whole timeout.
const SILENCE: Duration = Duration::from_millis(500);

/// Why the rest was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Abandoned {
    AwaitsContinue,
    TooLarge,
    TooSlow,
    Failed,
}

impl<B: Body + Unpin> Draining<B> {
    /// `None` if nothing is left.
    pub(crate) fn begin(
        rest: Rest<B>,
        expects_continue: bool,
        bounds: Bounds,
    ) -> Result<Option<Self>, Abandoned> {
        let body = match rest {
            Rest::Failed => return Err(Abandoned::Failed),
            Rest::Unpolled(_) if expects_continue => return Err(Abandoned::AwaitsContinue),
            Rest::Unpolled(body) | Rest::Begun(body) => body,
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
            timeout: None,
            silence: None,
        }))
    }

    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Abandoned>> {
        while !self.body.is_end_stream() {
            match poll_frame(&mut self.body, cx) {
                Poll::Ready(None) => break,
                Poll::Ready(Some(Err(failed))) => return Poll::Ready(Err(failed)),
                Poll::Ready(Some(Ok(frame))) => {
                    // An empty frame counts as one byte: there may be no end of them.
                    let bytes = frame.data_ref().map_or(1, |data| data.remaining().max(1));
                    match self.bounds.limit.checked_sub(bytes as u64) {
                        Some(limit) => {
                            self.bounds.limit = limit;
                            self.silence = None;
                        }
                        None => return Poll::Ready(Err(Abandoned::TooLarge)),
                    }
                }
                Poll::Pending => {
                    let after = self.bounds.timeout;
                    let timeout = self.timeout.get_or_insert_with(|| Box::pin(sleep(after)));
                    let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(SILENCE)));
                    let over = timeout.as_mut().poll(cx).is_ready()
                        || silence.as_mut().poll(cx).is_ready();
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

/// Catches panics: there is an answer already, and a panic would lose it.
fn poll_frame<B: Body + Unpin>(
    body: &mut B,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<B::Data>, Abandoned>>> {
    // Nothing uses the body after a panic, except to drop it.
    match catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll_frame(cx))) {
        Ok(polled) => polled.map_err(|_| Abandoned::Failed),
        Err(_) => Poll::Ready(Some(Err(Abandoned::Failed))),
    }
}

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AwaitsContinue => "the client waits for 100 (Continue)",
            Self::TooLarge => "it exceeds the limit",
            Self::TooSlow => "it did not arrive in time",
            Self::Failed => "reading it failed",
        })
    }
}

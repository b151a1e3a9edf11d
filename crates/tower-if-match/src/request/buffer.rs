//! Buffers the body of a request before anything is held for it, so that a slow sender blocks only itself.

use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::body::RefusalBody;
use crate::sync::within;

/// How much of a body is read, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BufferLimits {
    pub(crate) limit: usize,
    pub(crate) timeout: Duration,
}

impl Default for BufferLimits {
    fn default() -> Self {
        Self {
            limit: 2 * 1024 * 1024,
            timeout: Duration::from_secs(30),
        }
    }
}

/// Why a body could not be buffered. Nothing was held, and the handler never ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbuffered {
    /// More than the limit: 413.
    TooLarge,
    /// Not complete in time: 408.
    TooSlow,
    /// The connection broke, or the body does not match its framing: 400.
    Broken,
}

/// A request body that can be buffered and passed on in one piece: axum's `Body`, `Full<Bytes>`, the box
/// bodies of `http-body-util`, and any other [`RefusalBody`].
#[diagnostic::on_unimplemented(
    message = "the request body `{Self}` cannot be buffered and passed on",
    note = "a strategy that holds a lock or a transaction buffers the body first: the body must be `Send` \
            and implement `http_body::Body` and `RefusalBody`"
)]
pub trait Bufferable:
    Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + RefusalBody + Send
{
}

impl<B> Bufferable for B where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + RefusalBody + Send
{
}

impl BufferLimits {
    /// The same body in one piece. Trailers are dropped.
    pub(crate) async fn buffer<B: Bufferable>(self, body: B) -> Result<B, Unbuffered> {
        if body.is_end_stream() {
            return Ok(body);
        }
        self.read(body).await.map(B::from_text)
    }

    /// The bytes of the body. Trailers are dropped.
    pub(crate) async fn read<B: Bufferable>(self, body: B) -> Result<Bytes, Unbuffered> {
        if body.size_hint().lower() > self.limit as u64 {
            return Err(Unbuffered::TooLarge);
        }
        let collected = within(self.timeout, Limited::new(body, self.limit).collect());
        match collected.await {
            None => Err(Unbuffered::TooSlow),
            Some(Ok(content)) => Ok(content.to_bytes()),
            Some(Err(error)) if error.is::<LengthLimitError>() => Err(Unbuffered::TooLarge),
            Some(Err(error)) => {
                tracing::debug!(error = &*error, "failed to read a request body");
                Err(Unbuffered::Broken)
            }
        }
    }
}

//! A request's body that tells whether it is read.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::resource::Resource;

/// A body that counts, once, that somebody polled it: the layer, the handler, or what stands
/// between.
pub(crate) struct Observed {
    body: Incoming,
    /// Whose count it is, until it was counted.
    uncounted: Option<Arc<Resource>>,
    unread: Unread,
}

/// Whether a body was not read to its end. Outlives the body.
#[derive(Clone)]
pub(crate) struct Unread(Arc<AtomicBool>);

impl Observed {
    pub(crate) fn new(body: Incoming) -> Self {
        let unread = Unread(Arc::new(AtomicBool::new(!body.is_end_stream())));
        Self {
            body,
            uncounted: None,
            unread,
        }
    }

    #[must_use]
    pub(crate) fn counted_by(mut self, resource: &Arc<Resource>) -> Self {
        self.uncounted = Some(Arc::clone(resource));
        self
    }

    pub(crate) fn unread(&self) -> Unread {
        self.unread.clone()
    }
}

impl Unread {
    pub(crate) fn is_unread(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Body for Observed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(resource) = self.uncounted.take() {
            resource.count_polled();
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() {
            self.unread.0.store(false, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

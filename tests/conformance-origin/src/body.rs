//! A request's body that tells when it is read.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

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
}

impl Observed {
    pub(crate) fn new(body: Incoming, resource: Arc<Resource>) -> Self {
        Self {
            body,
            uncounted: Some(resource),
        }
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
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

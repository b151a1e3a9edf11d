//! Requests whose body does what it is told, and services that read some of it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONNECTION;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tower::{Layer, ServiceExt, service_fn};

use crate::DrainLayer;

pub(super) type Boxed = UnsyncBoxBody<Bytes, io::Error>;

/// What a poll of the body does.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// Gives so many bytes.
    Gives(usize),
    /// Gives nothing, ever.
    Waits,
    Fails,
    Panics,
}

/// In four polls, the last of which finds the end.
pub(super) const THREE: [Step; 3] = [Step::Gives(10), Step::Gives(0), Step::Gives(10)];

/// A body that counts its polls. Whoever shares the count sees when it is dropped.
struct Scripted {
    steps: VecDeque<Step>,
    declared: Option<u64>,
    polls: Arc<AtomicUsize>,
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        match self.steps.front().copied() {
            None => Poll::Ready(None),
            Some(Step::Waits) => Poll::Pending,
            Some(Step::Fails) => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            Some(Step::Panics) => panic!("this body does"),
            Some(Step::Gives(bytes)) => {
                self.steps.pop_front();
                Poll::Ready(Some(Ok(Frame::data(vec![b'x'; bytes].into()))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.declared
            .map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// A request, and how often its body was polled.
pub(super) struct Sent {
    pub(super) request: Request<Boxed>,
    pub(super) polls: Arc<AtomicUsize>,
}

pub(super) fn put(steps: impl IntoIterator<Item = Step>) -> Sent {
    sent(steps, None)
}

pub(super) fn sent(steps: impl IntoIterator<Item = Step>, declared: Option<u64>) -> Sent {
    let polls = Arc::default();
    let body = Scripted {
        steps: steps.into_iter().collect(),
        declared,
        polls: Arc::clone(&polls),
    };
    let mut request = Request::new(body.boxed_unsync());
    *request.method_mut() = Method::PUT;
    Sent { request, polls }
}

impl Sent {
    /// Whether the body no longer exists.
    pub(super) fn is_dropped(polls: &Arc<AtomicUsize>) -> bool {
        Arc::strong_count(polls) == 1
    }
}

/// The answer, through the layer, of a service that reads so many frames and refuses, and how often the body
/// was polled in all.
pub(super) async fn refused(layer: DrainLayer, sent: Sent, frames: usize) -> (Response<()>, usize) {
    let service = service_fn(move |request: Request<Boxed>| async move {
        let mut body = request.into_body();
        for _ in 0..frames {
            body.frame().await.unwrap().unwrap();
        }
        Ok::<_, Infallible>(precondition_failed())
    });
    let answer = layer.layer(service).oneshot(sent.request).await.unwrap();
    assert_eq!(answer.status(), 412);
    assert!(Sent::is_dropped(&sent.polls));
    (answer, sent.polls.load(Ordering::Relaxed))
}

pub(super) fn precondition_failed() -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::PRECONDITION_FAILED;
    response
}

pub(super) fn closes<B>(response: &Response<B>) -> bool {
    response
        .headers()
        .get(CONNECTION)
        .is_some_and(|it| it == "close")
}

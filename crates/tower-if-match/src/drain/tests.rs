use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONNECTION, EXPECT};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{DrainLayer, Drainable};

type Content = UnsyncBoxBody<Bytes, io::Error>;

/// What a poll of the content gives.
#[derive(Clone, Copy)]
enum Step {
    Octets(usize),
    /// Nothing, ever.
    Waits,
    Breaks,
    Panics,
}

/// Content by script, of which it is known how often it was polled and whether it is dropped.
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
            Some(Step::Breaks) => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            Some(Step::Panics) => panic!("this content does"),
            Some(Step::Octets(octets)) => {
                self.steps.pop_front();
                Poll::Ready(Some(Ok(Frame::data(vec![b'x'; octets].into()))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.declared
            .map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// A request, and a count of how often its content was polled; one more while the content exists.
struct Sent {
    request: Request<Content>,
    polls: Arc<AtomicUsize>,
}

fn put(steps: impl IntoIterator<Item = Step>) -> Sent {
    sent(steps, None)
}

fn sent(steps: impl IntoIterator<Item = Step>, declared: Option<u64>) -> Sent {
    let polls = Arc::default();
    let content = Scripted {
        steps: steps.into_iter().collect(),
        declared,
        polls: Arc::clone(&polls),
    };
    let mut request = Request::new(content.boxed_unsync());
    *request.method_mut() = Method::PUT;
    Sent { request, polls }
}

impl Sent {
    fn is_dropped(polls: &Arc<AtomicUsize>) -> bool {
        Arc::strong_count(polls) == 1
    }
}

/// How many octets of the content are read before the answer.
async fn read(content: &mut Content, frames: usize) {
    for _ in 0..frames {
        content.frame().await.unwrap().unwrap();
    }
}

/// What is answered through the layer by a service that reads so many frames and refuses, and how often the
/// content was polled in all.
async fn refused(layer: DrainLayer, sent: Sent, frames: usize) -> (Response<()>, usize) {
    let service = service_fn(move |request: Request<Content>| async move {
        read(&mut request.into_body(), frames).await;
        Ok::<_, Infallible>(precondition_failed())
    });
    let answer = layer.layer(service).oneshot(sent.request).await.unwrap();
    assert_eq!(answer.status(), 412);
    assert!(Sent::is_dropped(&sent.polls));
    (answer, sent.polls.load(Ordering::Relaxed))
}

fn precondition_failed() -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::PRECONDITION_FAILED;
    response
}

fn closes<B>(response: &Response<B>) -> bool {
    response
        .headers()
        .get(CONNECTION)
        .is_some_and(|it| it == "close")
}

const THREE: [Step; 3] = [Step::Octets(10), Step::Octets(0), Step::Octets(10)];

#[tokio::test]
async fn the_rest_is_read_when_the_answer_is_there_and_not_before() {
    let sent = put(THREE);
    let seen = Arc::clone(&sent.polls);
    let service = service_fn(move |request: Request<Content>| {
        drop(request);
        let polls = seen.load(Ordering::Relaxed);
        ready(Ok::<_, Infallible>(Response::new(polls)))
    });
    let answer = DrainLayer::new().layer(service).oneshot(sent.request);
    let answer = answer.await.unwrap();
    assert_eq!(answer.body(), &0, "as a refusal finds the content");
    assert_eq!(sent.polls.load(Ordering::Relaxed), 4, "to its end");
    assert!(!closes(&answer));

    for (frames, polls) in [(0, 4), (1, 4), (3, 4)] {
        let (answer, polled) = refused(DrainLayer::new(), put(THREE), frames).await;
        assert_eq!((polled, closes(&answer)), (polls, false), "{frames}");
    }
}

#[tokio::test]
async fn control_without_the_layer_nobody_reads_it() {
    let sent = put(THREE);
    let service = service_fn(|_: Request<Content>| ready(Ok::<_, Infallible>(Response::new(()))));
    service.oneshot(sent.request).await.unwrap();
    assert_eq!(sent.polls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn content_that_was_read_to_its_end_needs_nothing() {
    let sent = put(THREE);
    let service = service_fn(|request: Request<Content>| async {
        let content = request.into_body().collect().await.unwrap();
        Ok::<_, Infallible>(Response::new(content.to_bytes().len()))
    });
    let answer = DrainLayer::new().layer(service).oneshot(sent.request);
    assert_eq!(answer.await.unwrap().into_body(), 20);
    assert_eq!(sent.polls.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn what_no_connection_depends_on_is_not_read() {
    let untouched = |change: fn(&mut Request<Content>)| {
        let mut sent = put(THREE);
        change(&mut sent.request);
        refused(DrainLayer::new(), sent, 0)
    };
    for (answer, polls) in [
        untouched(|request| *request.version_mut() = Version::HTTP_2).await,
        untouched(|request| *request.version_mut() = Version::HTTP_3).await,
        untouched(|request| *request.method_mut() = Method::CONNECT).await,
    ] {
        assert_eq!((polls, closes(&answer)), (0, false));
    }
    let (_, polls) = untouched(|request| *request.version_mut() = Version::HTTP_10).await;
    assert_eq!(polls, 4, "the control: HTTP/1.0 is read");
}

#[tokio::test]
async fn after_an_error_or_another_protocol_nothing_is_read() {
    let sent = put(THREE);
    let fails = service_fn(|_: Request<Content>| ready(Err::<Response<()>, _>("no answer")));
    let error = DrainLayer::new().layer(fails).oneshot(sent.request).await;
    assert_eq!(error.unwrap_err(), "no answer");
    assert_eq!(sent.polls.load(Ordering::Relaxed), 0);

    let sent = put(THREE);
    let switches = service_fn(|_: Request<Content>| {
        let response = Response::builder().status(101).body(()).unwrap();
        ready(Ok::<_, Infallible>(response))
    });
    let answer = DrainLayer::new().layer(switches).oneshot(sent.request);
    assert!(!closes(&answer.await.unwrap()));
    assert_eq!(sent.polls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn content_that_waits_for_100_is_not_asked_for_here() {
    let expects = |line: &'static str| {
        let mut sent = put(THREE);
        sent.request
            .headers_mut()
            .insert(EXPECT, line.parse().unwrap());
        sent
    };
    for line in ["100-continue", "100-Continue", "x=1, 100-continue"] {
        let (answer, polls) = refused(DrainLayer::new(), expects(line), 0).await;
        assert_eq!((polls, closes(&answer)), (0, true), "{line}");
    }
    // Asked for inside it is on its way.
    let (answer, polls) = refused(DrainLayer::new(), expects("100-continue"), 1).await;
    assert_eq!((polls, closes(&answer)), (4, false));
    let (answer, polls) = refused(DrainLayer::new(), expects("200-ok"), 0).await;
    assert_eq!((polls, closes(&answer)), (4, false));
}

#[tokio::test]
async fn no_more_than_the_limit_is_read() {
    let limited = |octets| DrainLayer::new().with_body_limit(octets);
    // Known beforehand.
    let (answer, polls) = refused(limited(20), sent(THREE, Some(21)), 0).await;
    assert_eq!((polls, closes(&answer)), (0, true));
    let (answer, polls) = refused(limited(21), sent(THREE, Some(21)), 0).await;
    assert_eq!((polls, closes(&answer)), (4, false));
    // Found out; an empty frame counts as one octet.
    let (answer, polls) = refused(limited(20), put(THREE), 0).await;
    assert_eq!((polls, closes(&answer)), (3, true));
    let (answer, polls) = refused(limited(21), put(THREE), 0).await;
    assert_eq!((polls, closes(&answer)), (4, false));
    // Of what is left, not of all.
    let (answer, polls) = refused(limited(11), put(THREE), 1).await;
    assert_eq!((polls, closes(&answer)), (4, false));
    let endless = std::iter::repeat_n(Step::Octets(0), 100);
    let (answer, polls) = refused(limited(21), put(endless), 0).await;
    assert_eq!((polls, closes(&answer)), (22, true));
}

#[tokio::test]
async fn the_defaults_are_one_mebibyte_and_five_seconds() {
    let text = format!("{:?}", DrainLayer::new());
    assert!(text.contains("limit: 1048576"), "{text}");
    assert!(text.contains("deadline: 5s"), "{text}");
}

/// For how long an answer is held, by a clock that stands still, where content comes in such steps.
async fn held(layer: DrainLayer, pause: Duration, steps: usize) -> (Duration, bool) {
    let frames = futures_util::stream::unfold(0, move |step| async move {
        if step == steps {
            return None;
        }
        tokio::time::sleep(pause).await;
        let frame = Frame::data(Bytes::from_static(b"octets"));
        Some((Ok::<_, io::Error>(frame), step + 1))
    });
    let content: Content = StreamBody::new(frames).boxed_unsync();
    let service = service_fn(|_: Request<Content>| ready(Ok::<_, Infallible>(Response::new(()))));
    let began = tokio::time::Instant::now();
    let answer = layer.layer(service).oneshot(Request::new(content)).await;
    (began.elapsed(), closes(&answer.unwrap()))
}

#[tokio::test(start_paused = true)]
async fn content_that_comes_holds_the_answer_and_no_longer_than_the_deadline() {
    let layer = DrainLayer::new().with_body_timeout(Duration::from_secs(3));
    let pause = Duration::from_millis(400);
    assert_eq!(held(layer, pause, 5).await, (5 * pause, false));
    assert_eq!(held(layer, pause, 50).await, (Duration::from_secs(3), true));
}

/// A client may wait for the answer before it goes on.
#[tokio::test(start_paused = true)]
async fn content_that_stays_away_does_not_hold_the_answer_until_the_deadline() {
    let soon = Duration::from_millis(500);
    let layer = DrainLayer::new();
    assert_eq!(held(layer, Duration::from_mins(1), 1).await, (soon, true));
    let short = layer.with_body_timeout(Duration::from_millis(100));
    let (held, _) = held(short, Duration::from_mins(1), 1).await;
    assert_eq!(held, Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_meanwhile_takes_its_content_along() {
    let sent = put([Step::Waits]);
    let service = service_fn(|_: Request<Content>| ready(Ok::<_, Infallible>(Response::new(()))));
    let mut reading = Box::pin(DrainLayer::new().layer(service).oneshot(sent.request));
    assert!(reading.as_mut().now_or_never().is_none());
    assert!(!Sent::is_dropped(&sent.polls));
    drop(reading);
    assert!(Sent::is_dropped(&sent.polls));
}

#[tokio::test]
async fn content_that_something_still_holds_is_left_to_it() {
    // The answer's body.
    let sent = put(THREE);
    let echo = service_fn(|request: Request<Content>| {
        ready(Ok::<_, Infallible>(Response::new(request.into_body())))
    });
    let answer = DrainLayer::new().layer(echo).oneshot(sent.request);
    let answer = answer.await.unwrap();
    assert_eq!(sent.polls.load(Ordering::Relaxed), 0);
    assert!(!closes(&answer));
    let echoed = answer.into_body().collect().await.unwrap();
    assert_eq!(echoed.to_bytes().len(), 20);

    // Whatever else.
    let sent = put(THREE);
    let kept = Mutex::new(None);
    let keeps = service_fn(|request: Request<Content>| {
        *kept.lock().unwrap() = Some(request.into_body());
        ready(Ok::<_, Infallible>(Response::new(())))
    });
    let answer = DrainLayer::new().layer(keeps).oneshot(sent.request);
    assert!(!closes(&answer.await.unwrap()));
    drop(kept.into_inner().unwrap());
    assert_eq!(
        sent.polls.load(Ordering::Relaxed),
        0,
        "nor when it is let go"
    );
    assert!(Sent::is_dropped(&sent.polls));
}

/// A future that keeps the request until it is dropped, as those that are written by hand may.
struct Keeping {
    _request: Request<Content>,
    answer: Ready<Result<Response<()>, Infallible>>,
}

impl Future for Keeping {
    type Output = Result<Response<()>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        pin!(&mut self.answer).poll(cx)
    }
}

#[tokio::test]
async fn a_future_that_has_answered_does_not_hold_it() {
    let sent = put(THREE);
    let service = service_fn(|request| Keeping {
        _request: request,
        answer: ready(Ok(Response::new(()))),
    });
    let answer = DrainLayer::new().layer(service).oneshot(sent.request);
    assert!(!closes(&answer.await.unwrap()));
    assert_eq!(sent.polls.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn content_that_breaks_or_panics_takes_no_answer_away() {
    for (step, polls) in [(Step::Breaks, 2), (Step::Panics, 2)] {
        let (answer, polled) = refused(DrainLayer::new(), put([Step::Octets(1), step]), 0).await;
        assert_eq!((polled, closes(&answer)), (polls, true));
    }
    // Found broken inside, it is not asked again.
    let sent = put([Step::Octets(1), Step::Breaks]);
    let service = service_fn(|request: Request<Content>| async {
        assert!(request.into_body().collect().await.is_err());
        Ok::<_, Infallible>(precondition_failed())
    });
    let answer = DrainLayer::new().layer(service).oneshot(sent.request);
    assert!(closes(&answer.await.unwrap()));
    assert_eq!(sent.polls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn options_of_the_connection_stay_and_close_is_said_once() {
    for (said, expected) in [
        ("x-hop", &["x-hop", "close"][..]),
        ("x-hop, Close", &["x-hop, Close"]),
    ] {
        let service = service_fn(move |_: Request<Content>| {
            let response = Response::builder().header(CONNECTION, said).body(());
            ready(Ok::<_, Infallible>(response.unwrap()))
        });
        let sent = put([Step::Breaks]);
        let answer = DrainLayer::new().layer(service).oneshot(sent.request);
        let answer = answer.await.unwrap();
        let lines = answer.headers().get_all(CONNECTION).iter();
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
}

/// Whether content of this type reaches the inner service whole, and what is left of it does no harm.
async fn goes_through<B: Drainable<Data = Bytes, Error: std::fmt::Debug>>(body: impl Fn() -> B) {
    for reads in [true, false] {
        let service = service_fn(|request: Request<B>| async {
            let content = if reads {
                request.into_body().collect().await.unwrap().to_bytes()
            } else {
                Bytes::new()
            };
            Ok::<_, Infallible>(Response::new(content))
        });
        let expected = body().collect().await.unwrap().to_bytes();
        let answer = DrainLayer::new().layer(service).call(Request::new(body()));
        let answer = answer.await.unwrap();
        assert!(!closes(&answer));
        assert_eq!(
            answer.into_body(),
            if reads { expected } else { Bytes::new() }
        );
    }
}

#[tokio::test]
async fn bodies_of_every_type_go_through() {
    let full = || Full::new(Bytes::from_static(b"content"));
    goes_through(full).await;
    goes_through(Empty::new).await;
    goes_through(|| BoxBody::new(full())).await;
    goes_through(|| UnsyncBoxBody::new(full())).await;
    #[cfg(feature = "axum")]
    goes_through(|| axum_core::body::Body::new(full())).await;
}

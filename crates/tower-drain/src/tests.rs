mod bounds;
mod scripted;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONNECTION, EXPECT};
use http::{Method, Request, Response, Version};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full};
use tower::{Layer, Service, ServiceExt, service_fn};

use self::scripted::{Boxed, Sent, Step, THREE, closes, precondition_failed, put, refused};
use crate::{DrainLayer, Drainable};

#[tokio::test]
async fn the_rest_is_read_when_the_answer_is_there_and_not_before() {
    let sent = put(THREE);
    let seen = Arc::clone(&sent.polls);
    let service = service_fn(move |request: Request<Boxed>| {
        drop(request);
        let polls = seen.load(Ordering::Relaxed);
        ready(Ok::<_, Infallible>(Response::new(polls)))
    });
    let answer = DrainLayer::new().layer(service).oneshot(sent.request);
    let answer = answer.await.unwrap();
    assert_eq!(answer.body(), &0, "unread before the answer");
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
    let service = service_fn(|_: Request<Boxed>| ready(Ok::<_, Infallible>(Response::new(()))));
    service.oneshot(sent.request).await.unwrap();
    assert_eq!(sent.polls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_body_that_was_read_to_its_end_needs_nothing() {
    let sent = put(THREE);
    let service = service_fn(|request: Request<Boxed>| async {
        let body = request.into_body().collect().await.unwrap();
        Ok::<_, Infallible>(Response::new(body.to_bytes().len()))
    });
    let answer = DrainLayer::new().layer(service).oneshot(sent.request);
    assert_eq!(answer.await.unwrap().into_body(), 20);
    assert_eq!(sent.polls.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn what_no_connection_depends_on_is_not_read() {
    let untouched = |change: fn(&mut Request<Boxed>)| {
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
    let fails = service_fn(|_: Request<Boxed>| ready(Err::<Response<()>, _>("no answer")));
    let error = DrainLayer::new().layer(fails).oneshot(sent.request).await;
    assert_eq!(error.unwrap_err(), "no answer");
    assert_eq!(sent.polls.load(Ordering::Relaxed), 0);

    let sent = put(THREE);
    let switches = service_fn(|_: Request<Boxed>| {
        let response = Response::builder().status(101).body(()).unwrap();
        ready(Ok::<_, Infallible>(response))
    });
    let answer = DrainLayer::new().layer(switches).oneshot(sent.request);
    assert!(!closes(&answer.await.unwrap()));
    assert_eq!(sent.polls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_body_that_waits_for_100_is_not_asked_for_here() {
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
    // Asked for inside, it is on its way.
    let (answer, polls) = refused(DrainLayer::new(), expects("100-continue"), 1).await;
    assert_eq!((polls, closes(&answer)), (4, false));
    let (answer, polls) = refused(DrainLayer::new(), expects("200-ok"), 0).await;
    assert_eq!((polls, closes(&answer)), (4, false));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_meanwhile_takes_its_body_along() {
    let sent = put([Step::Waits]);
    let service = service_fn(|_: Request<Boxed>| ready(Ok::<_, Infallible>(Response::new(()))));
    let mut reading = Box::pin(DrainLayer::new().layer(service).oneshot(sent.request));
    assert!(reading.as_mut().now_or_never().is_none());
    assert!(!Sent::is_dropped(&sent.polls));
    drop(reading);
    assert!(Sent::is_dropped(&sent.polls));
}

#[tokio::test]
async fn a_body_that_something_still_holds_is_left_to_it() {
    // The answer.
    let sent = put(THREE);
    let echo = service_fn(|request: Request<Boxed>| {
        ready(Ok::<_, Infallible>(Response::new(request.into_body())))
    });
    let answer = DrainLayer::new().layer(echo).oneshot(sent.request);
    let answer = answer.await.unwrap();
    assert_eq!(sent.polls.load(Ordering::Relaxed), 0);
    assert!(!closes(&answer));
    let echoed = answer.into_body().collect().await.unwrap();
    assert_eq!(echoed.to_bytes().len(), 20);

    // Anything else.
    let sent = put(THREE);
    let kept = Mutex::new(None);
    let keeps = service_fn(|request: Request<Boxed>| {
        *kept.lock().unwrap() = Some(request.into_body());
        ready(Ok::<_, Infallible>(Response::new(())))
    });
    let answer = DrainLayer::new().layer(keeps).oneshot(sent.request);
    assert!(!closes(&answer.await.unwrap()));
    drop(kept.into_inner().unwrap());
    assert_eq!(
        sent.polls.load(Ordering::Relaxed),
        0,
        "nor once it is dropped"
    );
    assert!(Sent::is_dropped(&sent.polls));
}

/// A future that keeps the request until it is dropped, as hand-written ones may.
struct Keeping {
    _request: Request<Boxed>,
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
async fn a_body_that_fails_or_panics_loses_no_answer() {
    for (step, polls) in [(Step::Fails, 2), (Step::Panics, 2)] {
        let (answer, polled) = refused(DrainLayer::new(), put([Step::Gives(1), step]), 0).await;
        assert_eq!((polled, closes(&answer)), (polls, true));
    }
    // If it failed inside, it is not polled again.
    let sent = put([Step::Gives(1), Step::Fails]);
    let service = service_fn(|request: Request<Boxed>| async {
        assert!(request.into_body().collect().await.is_err());
        Ok::<_, Infallible>(precondition_failed())
    });
    let answer = DrainLayer::new().layer(service).oneshot(sent.request);
    assert!(closes(&answer.await.unwrap()));
    assert_eq!(sent.polls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn connection_options_stay_and_close_is_said_once() {
    for (said, expected) in [
        ("x-hop", &["x-hop", "close"][..]),
        ("x-hop, Close", &["x-hop, Close"]),
    ] {
        let service = service_fn(move |_: Request<Boxed>| {
            let response = Response::builder().header(CONNECTION, said).body(());
            ready(Ok::<_, Infallible>(response.unwrap()))
        });
        let sent = put([Step::Fails]);
        let answer = DrainLayer::new().layer(service).oneshot(sent.request);
        let answer = answer.await.unwrap();
        let lines = answer.headers().get_all(CONNECTION).iter();
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
}

/// A body of this type reaches the inner service whole, and does no harm unread.
async fn goes_through<B: Drainable<Data = Bytes, Error: std::fmt::Debug>>(body: impl Fn() -> B) {
    for reads in [true, false] {
        let service = service_fn(|request: Request<B>| async {
            let read = if reads {
                request.into_body().collect().await.unwrap().to_bytes()
            } else {
                Bytes::new()
            };
            Ok::<_, Infallible>(Response::new(read))
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
    let full = || Full::new(Bytes::from_static(b"a body"));
    goes_through(full).await;
    goes_through(Empty::new).await;
    goes_through(|| BoxBody::new(full())).await;
    goes_through(|| UnsyncBoxBody::new(full())).await;
    #[cfg(feature = "axum")]
    goes_through(|| axum_core::body::Body::new(full())).await;
}

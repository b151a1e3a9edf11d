//! What a layer around a whole service reports. A test binary of its own, because a subscriber is seen
//! by all of a process's threads.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::ETAG;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_if_match::RepresentationLayer;
use tracing::field::{Field, Visit};
use tracing::span;

/// The events of warnings and errors, as text.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<String>>);

impl tracing::Subscriber for Events {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = self.0.lock().unwrap();
        write!(text, "{} ", event.metadata().level()).unwrap();
        event.record(&mut Fields(&mut text));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

type Whole = Full<Bytes>;

/// Such as `PUT` with this tag.
fn request(method: &str, tag: Option<&str>) -> Request<Whole> {
    let mut request = Request::builder().method(method).uri("/posts/7?private");
    if let Some(tag) = tag {
        request = request.header("if-match", tag);
    }
    request.body(Full::default()).unwrap()
}

/// What these GETs say in turn, the last one from then on, is guarded.
fn saying<const N: usize>(
    bodies: [&'static str; N],
) -> impl Service<Request<Whole>, Response = Response<Whole>, Error = Infallible> + Clone {
    let turn = Arc::new(AtomicUsize::new(0));
    let service = service_fn(move |request: Request<Whole>| {
        let answer = match *request.method() {
            Method::GET => bodies[turn.fetch_add(1, Ordering::Relaxed).min(N - 1)],
            _ => "",
        };
        ready(Ok::<_, Infallible>(Response::new(Full::from(answer))))
    });
    RepresentationLayer::new("posts-api").layer(service)
}

/// Reads, then writes with the tag of what was read, so many times. What the last write was answered,
/// and what was reported.
async fn reported<S>(service: S, times: usize) -> (StatusCode, String)
where
    S: Service<Request<Whole>, Response = Response<Whole>, Error = Infallible> + Clone,
{
    let events = Events::default();
    let guard = tracing::subscriber::set_default(events.clone());
    let mut status = StatusCode::OK;
    for _ in 0..times {
        let read = service.clone().oneshot(request("GET", None)).await.unwrap();
        let tag = read.headers()[ETAG].to_str().unwrap();
        let put = request("PUT", Some(tag));
        status = service.clone().oneshot(put).await.unwrap().status();
    }
    drop(guard);
    let log = events.0.lock().unwrap().clone();
    (status, log)
}

const CAUSE: &str = "its representation changes without a write";

#[tokio::test]
async fn a_representation_that_never_is_the_same_is_reported_once() {
    let changing = saying([
        "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12",
    ]);
    let (status, log) = reported(changing, 3).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(log.matches(CAUSE).count(), 1, "{log}");
    assert!(log.contains("ERROR"), "{log}");
    assert!(log.contains("/posts/7"), "{log}");
}

#[tokio::test]
async fn one_that_changes_beside_the_layer_is_not() {
    // Read, written by somebody, then asked for by the write: twice the same.
    let (status, log) = reported(saying(["1", "2"]), 1).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(log, "", "{log}");
}

#[tokio::test]
async fn one_that_changes_with_its_writes_is_not() {
    let (status, log) = reported(saying(["1", "1", "1", "2"]), 2).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(log, "", "{log}");
}

/// Whoever writes has not read it before, so only the stale tag tells that something is wrong.
#[tokio::test]
async fn a_stale_tag_of_somebody_elses_is_reason_enough_to_look_again() {
    let changing = saying(["1", "2", "3", "4", "5", "6"]);
    let events = Events::default();
    let guard = tracing::subscriber::set_default(events.clone());
    let mut read = request("GET", None);
    let ada = "Bearer ada".parse().unwrap();
    read.headers_mut().insert("authorization", ada);
    let read = changing.clone().oneshot(read).await.unwrap();
    let tag = read.headers()[ETAG].to_str().unwrap();
    let put = request("PUT", Some(tag));
    let written = changing.oneshot(put).await.unwrap();
    drop(guard);
    assert_eq!(written.status(), StatusCode::PRECONDITION_FAILED);
    let log = events.0.lock().unwrap().clone();
    assert_eq!(log.matches(CAUSE).count(), 1, "{log}");
}

/// A write that goes on may be seen in several stages.
#[tokio::test]
async fn what_changes_while_a_write_is_at_work_is_not() {
    let stage = Arc::new(AtomicUsize::new(0));
    let end = Arc::new(tokio::sync::Notify::new());
    let begun = Arc::new(tokio::sync::Notify::new());
    let (begins, ends, writes) = (
        Arc::clone(&begun),
        Arc::clone(&end),
        Arc::new(AtomicUsize::new(0)),
    );
    let service = service_fn(move |request: Request<Whole>| {
        let at_work = writes.load(Ordering::Relaxed) == 1;
        let stage = if at_work {
            stage.fetch_add(1, Ordering::Relaxed)
        } else {
            0
        };
        let (begins, ends, writes) = (Arc::clone(&begins), Arc::clone(&ends), Arc::clone(&writes));
        async move {
            if request.method() == Method::PUT {
                writes.store(1, Ordering::Relaxed);
                begins.notify_one();
                ends.notified().await;
                writes.store(2, Ordering::Relaxed);
            }
            Ok::<_, Infallible>(Response::new(Full::from(stage.to_string())))
        }
    });
    let guarded = RepresentationLayer::new("posts-api").layer(service);
    let events = Events::default();
    let guard = tracing::subscriber::set_default(events.clone());
    let put = tokio::spawn(guarded.clone().oneshot(request("PUT", Some("*"))));
    begun.notified().await;
    for _ in 0..4 {
        guarded.clone().oneshot(request("GET", None)).await.unwrap();
    }
    end.notify_one();
    assert_eq!(put.await.unwrap().unwrap().status(), StatusCode::OK);
    drop(guard);
    assert_eq!(*events.0.lock().unwrap(), "");
}

/// The service is as it always was, and did nothing wrong.
#[tokio::test]
async fn a_tag_that_is_taken_off_is_not() {
    let service = service_fn(|_: Request<Whole>| {
        let mut answer = Response::new(Full::from("too large to be held"));
        let own = http::HeaderValue::from_static("\"own\"");
        answer.headers_mut().insert(ETAG, own);
        ready(Ok::<_, Infallible>(answer))
    });
    let layer = RepresentationLayer::new("posts-api").with_representation_limit(1);
    let events = Events::default();
    let guard = tracing::subscriber::set_default(events.clone());
    let read = layer.layer(service).oneshot(request("GET", None)).await;
    drop(guard);
    assert!(!read.unwrap().headers().contains_key(ETAG));
    assert_eq!(*events.0.lock().unwrap(), "");
}

#[tokio::test]
async fn what_cannot_be_guarded_says_why() {
    let service = service_fn(|request: Request<Whole>| {
        let mut answer = Response::new(Full::default());
        if request.method() == Method::GET {
            *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        }
        ready(Ok::<_, Infallible>(answer))
    });
    let guarded = RepresentationLayer::new("posts-api").layer(service);
    let events = Events::default();
    let guard = tracing::subscriber::set_default(events.clone());
    let refused = guarded.oneshot(request("PUT", Some("*"))).await.unwrap();
    drop(guard);
    let log = events.0.lock().unwrap().clone();
    assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(log.contains("writes to it cannot be guarded"), "{log}");
}

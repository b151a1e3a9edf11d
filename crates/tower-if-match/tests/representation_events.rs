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
    assert!(log.contains("its writes cannot be guarded"), "{log}");
}

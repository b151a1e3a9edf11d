//! The requests, and how they are sent and answered.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body::Body as _;
use tower::ServiceExt;

use super::Run;
use crate::app::{App, BulkApp, ID};

/// Each request names the version that the one before it made.
pub(crate) fn passing(app: App, count: usize) -> Run {
    writing(app, count, StatusCode::NO_CONTENT)
}

/// The same, answered otherwise.
pub(super) fn writing(app: App, count: usize, expected: StatusCode) -> Run {
    let requests = (2..)
        .take(count)
        .map(|revision| put(Some((app.tag_of)(revision))));
    answering(app.router, requests.collect(), expected)
}

/// The same, where the version is the last of so many.
pub(super) fn listing(tags: u64, app: App, count: usize) -> Run {
    // As long as those of the versions that are counted, and none of them.
    let others: String = (5001..5000 + tags)
        .map(|revision| (app.tag_of)(revision) + ", ")
        .collect();
    let requests = (2..)
        .take(count)
        .map(|revision| put(Some(others.clone() + &(app.tag_of)(revision))));
    answering(app.router, requests.collect(), StatusCode::NO_CONTENT)
}

/// The same, with as many fields as a browser and a proxy send.
pub(super) fn passing_16_fields(app: App, count: usize) -> Run {
    let requests = (2..).take(count).map(|revision| {
        let mut request = put(Some((app.tag_of)(revision)));
        let fields = request.headers_mut();
        for (name, value) in TWELVE_FIELDS {
            let name = HeaderName::from_static(name);
            fields.insert(name, HeaderValue::from_static(value));
        }
        assert_eq!(fields.len(), 16);
        request
    });
    answering(app.router, requests.collect(), StatusCode::NO_CONTENT)
}

const TWELVE_FIELDS: [(&str, &str); 12] = [
    ("accept", "application/json"),
    ("accept-encoding", "gzip, br"),
    ("accept-language", "en"),
    ("authorization", "Bearer 9f1c2ab04d77e310"),
    ("cookie", "session=9f1c2ab04d77e310"),
    ("origin", "https://www.example.com"),
    ("referer", "https://www.example.com/"),
    ("user-agent", "Mozilla/5.0"),
    ("x-forwarded-for", "192.0.2.7"),
    ("x-forwarded-proto", "https"),
    ("x-request-id", "9f1c2ab04d77e310"),
    ("x-requested-with", "fetch"),
];

pub(super) fn stale(app: App, count: usize) -> Run {
    let requests = (0..count).map(|_| put(Some((app.tag_of)(1))));
    answering(
        app.router,
        requests.collect(),
        StatusCode::PRECONDITION_FAILED,
    )
}

/// All requests name the same version, which stays the current one.
pub(super) fn repeating(app: App, count: usize, expected: StatusCode) -> Run {
    let requests = (0..count).map(|_| put(Some((app.tag_of)(2))));
    answering(app.router, requests.collect(), expected)
}

/// Without a condition.
pub(super) fn missing(app: App, count: usize, expected: StatusCode) -> Run {
    let requests = (0..count).map(|_| put(None));
    answering(app.router, requests.collect(), expected)
}

pub(crate) fn reading(app: App, count: usize) -> Run {
    asking(
        app,
        count,
        &Method::GET,
        &format!("/posts/{ID}"),
        StatusCode::OK,
    )
}

/// A read by who holds the current version.
pub(super) fn rereading(app: App, count: usize, expected: StatusCode) -> Run {
    let requests = (0..count).map(|_| {
        let mut request = empty(&Method::GET, &format!("/posts/{ID}"));
        let tag = received(&(app.tag_of)(2));
        request.headers_mut().insert(IF_NONE_MATCH, tag);
        request
    });
    answering(app.router, requests.collect(), expected)
}

/// Any request without a body.
pub(super) fn asking(
    app: App,
    count: usize,
    method: &Method,
    path: &str,
    expected: StatusCode,
) -> Run {
    let requests = (0..count).map(|_| empty(method, path));
    answering(app.router, requests.collect(), expected)
}

/// Each request names the versions that the one before it made.
pub(super) fn all_passing(app: &BulkApp, count: usize) -> Run {
    let requests = (2..)
        .take(count)
        .map(|revision| bulk(app.body(|_| revision)));
    answering(app.router.clone(), requests.collect(), StatusCode::OK)
}

/// The last item of each request is stale.
pub(super) fn one_stale(app: &BulkApp, count: usize) -> Run {
    let revision_of = |id| if id == BulkApp::ITEMS { 1 } else { 2 };
    let requests = (0..count).map(|_| bulk(app.body(revision_of)));
    answering(
        app.router.clone(),
        requests.collect(),
        StatusCode::PRECONDITION_FAILED,
    )
}

pub(super) fn put(if_match: Option<String>) -> Request {
    const TEXT: &str = r#"{"title":"Hello","text":"World"}"#;
    let mut request = empty(&Method::PUT, &format!("/posts/{ID}"));
    let fields = request.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    fields.insert(CONTENT_LENGTH, HeaderValue::from(TEXT.len()));
    if let Some(tag) = if_match {
        fields.insert(IF_MATCH, received(&tag));
    }
    *request.body_mut() = Body::from(TEXT);
    request
}

/// A field value as a server has it: a part of the buffer into which the head was read.
fn received(value: &str) -> HeaderValue {
    let buffer = Bytes::from(format!("{value}\r\n"));
    HeaderValue::from_maybe_shared(buffer.slice(..value.len())).expect("a tag is a field value")
}

fn bulk(body: String) -> Request {
    let mut request = empty(&Method::PATCH, BulkApp::PATH);
    let fields = request.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    fields.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    *request.body_mut() = Body::from(body);
    request
}

fn empty(method: &Method, path: &str) -> Request {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(HOST, "api.example.com");
    request
        .body(Body::empty())
        .expect("a method, a path and a field")
}

/// Sends one request of the pool at each run.
fn answering(router: Router, requests: Vec<Request>, expected: StatusCode) -> Run {
    let mut requests = requests.into_iter();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    Box::new(move || {
        let request = requests
            .next()
            .expect("a request is made ready for each run");
        let mut cx = Context::from_waker(&waker);
        assert_eq!(answer(&router, request, &woken, &mut cx), expected);
    })
}

/// Polls a request to its answer and the answer's body to its end. Nothing here waits for anything but a store
/// that wakes at once, so no runtime is needed.
fn answer(router: &Router, request: Request, woken: &Woken, cx: &mut Context<'_>) -> StatusCode {
    let mut answered = pin!(router.clone().oneshot(request));
    let Ok(response) = woken.wait_for(answered.as_mut(), cx);
    let (parts, body) = response.into_parts();
    let mut body = pin!(body);
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(cx) {
        frame.expect("a body in memory does not break");
    }
    parts.status
}

/// Whether somebody woke.
#[derive(Default)]
struct Woken(AtomicBool);

impl Woken {
    fn wait_for<F: Future>(&self, mut future: Pin<&mut F>, cx: &mut Context<'_>) -> F::Output {
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return output;
            }
            assert!(self.0.swap(false, Ordering::Relaxed), "nobody wakes");
        }
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

//! What is measured: a name, what it is compared with, and the work of one request.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Body as _;
use http_precondition::{Conditions, EntityTag, HttpDate, Representation, evaluate};
use tower::ServiceExt;

use crate::app::{App, ID};
use crate::posts::TAG_END;

/// Something whose cost is measured.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What it stands beside in the table: the same requests through the no-op layer.
    pub(crate) beside: Option<&'static str>,
    /// Makes ready what so many runs need, outside of what is measured.
    pub(crate) prepare: fn(usize) -> Run,
}

/// Does the work once.
pub(crate) type Run = Box<dyn FnMut()>;

const fn scenario(
    name: &'static str,
    beside: Option<&'static str>,
    prepare: fn(usize) -> Run,
) -> Scenario {
    Scenario {
        name,
        beside,
        prepare,
    }
}

/// All scenarios, in the order of the table.
pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("put plain", None, |n| passing(App::plain(), n)),
    scenario("put no-op", None, |n| passing(App::noop(), n)),
    scenario("put own tags", NOOP_PUT, |n| {
        passing(App::guarded::<true>(), n)
    }),
    scenario("put minted", NOOP_PUT, |n| {
        passing(App::guarded::<false>(), n)
    }),
    #[cfg(feature = "metrics")]
    scenario("put own tags, recorded", NOOP_PUT, |n| {
        recorded(passing(App::guarded::<true>(), n))
    }),
    #[cfg(feature = "metrics")]
    scenario("put minted, recorded", NOOP_PUT, |n| {
        recorded(passing(App::guarded::<false>(), n))
    }),
    scenario("put memory", NOOP_PUT, |n| passing(App::memory(), n)),
    scenario("put handwritten", NOOP_PUT, |n| {
        passing(App::handler::<false>(), n)
    }),
    scenario("put from_fn", NOOP_PUT, |n| passing(App::from_fn(), n)),
    scenario("412 floor", NOOP_PUT, |n| stale(App::refusing(), n)),
    scenario("412 own tags", NOOP_PUT, |n| {
        stale(App::guarded::<true>(), n)
    }),
    scenario("412 minted", NOOP_PUT, |n| {
        stale(App::guarded::<false>(), n)
    }),
    scenario("412 memory", NOOP_PUT, |n| stale(App::memory(), n)),
    scenario("412 handwritten", NOOP_PUT, |n| {
        stale(App::handler::<false>(), n)
    }),
    scenario("412 handwritten, derived", NOOP_PUT, |n| {
        stale(App::handler::<true>(), n)
    }),
    scenario("412 from_fn", NOOP_PUT, |n| stale(App::from_fn(), n)),
    scenario("428 own tags", NOOP_PUT, |n| {
        missing(App::guarded::<true>(), n)
    }),
    scenario("428 minted", NOOP_PUT, |n| {
        missing(App::guarded::<false>(), n)
    }),
    scenario("428 memory", NOOP_PUT, |n| missing(App::memory(), n)),
    scenario("428 handwritten", NOOP_PUT, |n| {
        missing(App::handler::<false>(), n)
    }),
    scenario("get no-op", None, |n| reading(App::noop(), n)),
    scenario("get own tags", NOOP_GET, |n| {
        reading(App::guarded::<true>(), n)
    }),
    scenario("get minted", NOOP_GET, |n| {
        reading(App::guarded::<false>(), n)
    }),
    scenario("get memory", NOOP_GET, |n| reading(App::memory(), n)),
    scenario("unkeyed no-op", None, |n| unkeyed(App::noop(), n)),
    scenario("unkeyed guarded", Some("unkeyed no-op"), |n| {
        unkeyed(App::guarded::<false>(), n)
    }),
    scenario("options no-op", None, |n| options(App::noop(), n)),
    scenario("options guarded", Some("options no-op"), |n| {
        options(App::guarded::<false>(), n)
    }),
    scenario("parse 1 tag", None, |_| parsing(1)),
    scenario("parse 10 tags", None, |_| parsing(10)),
    scenario("parse 64 tags", None, |_| parsing(64)),
    scenario("evaluate 1 tag", None, |_| evaluating()),
];

const NOOP_PUT: Option<&str> = Some("put no-op");
const NOOP_GET: Option<&str> = Some("get no-op");

/// The scenario of this name.
pub(crate) fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

/// Each request names the version that the one before it made.
pub(crate) fn passing(app: App, count: usize) -> Run {
    let requests = (2..)
        .take(count)
        .map(|revision| put(Some((app.tag_of)(revision))));
    answering(app.router, requests.collect(), StatusCode::NO_CONTENT)
}

/// The same, with somebody who keeps what is counted.
#[cfg(feature = "metrics")]
fn recorded(mut run: Run) -> Run {
    let recorder = crate::recorder::Kept::default();
    Box::new(move || metrics::with_local_recorder(&recorder, &mut run))
}

fn stale(app: App, count: usize) -> Run {
    let requests = (0..count).map(|_| put(Some((app.tag_of)(1))));
    answering(
        app.router,
        requests.collect(),
        StatusCode::PRECONDITION_FAILED,
    )
}

fn missing(app: App, count: usize) -> Run {
    let requests = (0..count).map(|_| put(None));
    answering(
        app.router,
        requests.collect(),
        StatusCode::PRECONDITION_REQUIRED,
    )
}

pub(crate) fn reading(app: App, count: usize) -> Run {
    let requests = (0..count).map(|_| empty(Method::GET, &format!("/posts/{ID}")));
    answering(app.router, requests.collect(), StatusCode::OK)
}

fn unkeyed(app: App, count: usize) -> Run {
    let requests = (0..count).map(|_| empty(Method::GET, "/health"));
    answering(app.router, requests.collect(), StatusCode::OK)
}

fn options(app: App, count: usize) -> Run {
    let requests = (0..count).map(|_| empty(Method::OPTIONS, &format!("/posts/{ID}")));
    answering(app.router, requests.collect(), StatusCode::NO_CONTENT)
}

fn put(if_match: Option<String>) -> Request {
    const TEXT: &str = r#"{"title":"Hello","text":"World"}"#;
    let mut request = empty(Method::PUT, &format!("/posts/{ID}"));
    let fields = request.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    fields.insert(CONTENT_LENGTH, HeaderValue::from(TEXT.len()));
    if let Some(tag) = if_match {
        fields.insert(
            IF_MATCH,
            HeaderValue::try_from(tag).expect("a tag is a field value"),
        );
    }
    *request.body_mut() = Body::from(TEXT);
    request
}

fn empty(method: Method, path: &str) -> Request {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(HOST, "api.example.com");
    request
        .body(Body::empty())
        .expect("a method, a path and a field")
}

/// Sends one request of the pool at each run.
fn answering(router: Router, requests: Vec<Request>, expected: StatusCode) -> Run {
    let mut requests = requests.into_iter();
    Box::new(move || {
        let request = requests
            .next()
            .expect("a request is made ready for each run");
        assert_eq!(answer(&router, request), expected);
    })
}

/// Polls a request to its answer and the answer's body to its end. Nothing here has to wait, so no
/// runtime is needed.
fn answer(router: &Router, request: Request) -> StatusCode {
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = pin!(router.clone().oneshot(request)).poll(&mut cx) else {
        panic!("a handler waits")
    };
    let (parts, body) = response.into_parts();
    let mut body = pin!(body);
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut cx) {
        frame.expect("a body in memory does not break");
    }
    parts.status
}

fn parsing(tags: usize) -> Run {
    let line = (0..tags)
        .map(|_| format!("\"v6{TAG_END}\""))
        .collect::<Vec<_>>()
        .join(", ");
    let headers = if_match(&line);
    Box::new(move || {
        std::hint::black_box(Conditions::from_headers(&headers, || {
            HttpDate::from_unix(0)
        }));
    })
}

fn evaluating() -> Run {
    let tag = format!("\"v6{TAG_END}\"");
    let conditions = Conditions::from_headers(&if_match(&tag), || HttpDate::from_unix(0));
    let current = Representation {
        entity_tag: EntityTag::parse(tag.as_bytes()).ok(),
        last_modified: None,
    };
    Box::new(move || {
        let verdict = evaluate(&Method::PUT, &conditions, Some(&current), true);
        assert_eq!(verdict.status(), None);
    })
}

fn if_match(line: &str) -> HeaderMap {
    let mut headers = put(None).headers().clone();
    headers.insert(
        IF_MATCH,
        HeaderValue::from_str(line).expect("tags are a field value"),
    );
    headers
}

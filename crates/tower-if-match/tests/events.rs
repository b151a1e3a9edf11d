//! What a refusal logs. A test binary of its own, because a subscriber is seen by all of a process's
//! threads.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::future::ready;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::ETAG;
use http::request::Parts;
use http::{Extensions, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_if_match::{Expected, Found, IfMatchLayer, MemoryStore, Policy, Refusals, SingleProcess};
use tracing::field::{Field, Visit};
use tracing::span;

/// The events as text.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<String>>);

impl tracing::Subscriber for Events {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
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

type Posts = MemoryStore<u64, String>;

/// Under a lock the version is all that tells what a handler did.
#[tokio::test]
async fn a_success_under_a_lock_that_leaves_the_version_is_a_warning() {
    let events = Events::default();
    let _log = tracing::subscriber::set_default(events.clone());
    let posts = Posts::new();
    posts.create(7, "first".to_owned());
    let layer = IfMatchLayer::new("posts", posts, |_: &Parts| Found::Key(7))
        .with_strategy(SingleProcess::new());
    let service = layer.layer(service_fn(|_: Request<Full<Bytes>>| {
        ready(Ok::<_, Infallible>(Response::<Full<Bytes>>::default()))
    }));
    let put = Request::put("/7").header("if-match", "*");
    let answer = service.oneshot(put.body(Full::default()).unwrap()).await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    let events = events.0.lock().unwrap();
    assert!(
        events.contains("WARN") && events.contains("the version is unchanged"),
        "{events}"
    );
}

/// What a handler does with its request's extensions, out of which it may take an `Expected`.
type Handler = fn(&Extensions);

fn unchanged(extensions: &Extensions) {
    if let Ok(expected) = Expected::<Posts>::from_extensions(extensions) {
        expected.unchanged();
    }
}

/// The answer to a request to post 7, and what was logged meanwhile.
async fn logged(
    request: Request<Full<Bytes>>,
    handler: Handler,
) -> (Response<Full<Bytes>>, String) {
    let posts = Posts::new();
    posts.create(7, "first".to_owned());
    let layer = IfMatchLayer::new("posts", posts, |_: &Parts| Found::Key(7));
    let service = layer.layer(service_fn(move |request: Request<Full<Bytes>>| {
        handler(request.extensions());
        ready(Ok::<_, Infallible>(Response::new(Full::default())))
    }));
    let events = Events::default();
    let guard = tracing::subscriber::set_default(events.clone());
    let response = service.oneshot(request).await.unwrap();
    drop(guard);
    let log = events.0.lock().unwrap().clone();
    (response, log)
}

fn request(method: &str, name: &str, value: &[u8]) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri("/posts/7?private=query")
        .header(name, HeaderValue::from_bytes(value).unwrap())
        .header("x-request-id", "id-1")
        .body(Full::from("private content"))
        .unwrap()
}

#[tokio::test]
async fn a_refusal_is_an_event_with_the_tags_cut_and_escaped_and_never_content() {
    let long = [b"\"\xff".as_slice(), &[b'z'; 300], b"\""].concat();
    let (response, log) = logged(request("PUT", "if-match", &long), unchanged).await;
    assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);
    let tag = response.headers()[ETAG].to_str().unwrap().to_owned();
    for part in [
        "INFO",
        "method=PUT",
        "resource=\"/posts/7\"",
        "status=412",
        "reason=\"unknown_tag\"",
        r"\xffzzz",
        "...",
        "request_id=\"id-1\"",
        &format!("current={tag}"),
    ] {
        assert!(log.contains(part), "{part} in {log}");
    }
    assert!(!log.contains("private"), "{log}");
    assert!(!log.contains(&"z".repeat(128)), "{log}");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(
        !String::from_utf8_lossy(&body).contains("zzz"),
        "a body never echoes a sent tag"
    );
}

#[tokio::test]
async fn what_was_sent_is_logged_whether_it_could_be_parsed_or_not() {
    let just_fits = format!("\"{}\"", "z".repeat(126));
    for (method, name, value, sent) in [
        ("PUT", "if-match", "malformed", "sent=malformed "),
        ("PUT", "if-none-match", "malformed", "sent=malformed "),
        ("GET", "if-match", "malformed", "sent=malformed "),
        ("PUT", "if-none-match", "*", "sent=* "),
        ("PUT", "if-match", "", "sent= "),
        (
            "PUT",
            "if-match",
            &just_fits,
            &format!("sent=\\\"{}\\\" ", "z".repeat(126)),
        ),
    ] {
        let request = request(method, name, value.as_bytes());
        let (response, log) = logged(request, unchanged).await;
        assert!(response.status().is_client_error());
        assert!(log.contains(sent), "{method} {name}: {value} gives {log}");
    }
    let mut both = request("PUT", "if-match", b"\"a\"");
    both.headers_mut()
        .insert("if-none-match", HeaderValue::from_static("\"b\""));
    let (_, log) = logged(both, unchanged).await;
    assert!(log.contains(r#"sent=\"a\" | \"b\" "#), "{log}");
}

#[tokio::test]
async fn a_long_path_is_cut_between_two_characters() {
    let mut long = request("PUT", "if-match", b"\"x\"");
    *long.uri_mut() = format!("/{}\u{e9}end", "p".repeat(254)).parse().unwrap();
    let (_, log) = logged(long, unchanged).await;
    assert!(
        log.contains(&format!("resource=\"/{}\"", "p".repeat(254))),
        "{log}"
    );
}

#[tokio::test]
async fn a_write_that_nobody_vouches_for_is_an_error_event_that_says_what_was_missing() {
    let untaken: Handler = |_| {};
    let taken: Handler = |extensions| {
        drop(Expected::<Posts>::from_extensions(extensions).unwrap());
    };
    for (handler, missing) in [(untaken, "not taken"), (taken, "taken and not settled")] {
        let (response, log) = logged(request("PUT", "if-match", b"*"), handler).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        for part in [
            "status=200",
            &format!("expected=\"{missing}\""),
            "reason=\"unguarded_write\"",
        ] {
            assert!(log.contains(part), "{part} in {log}");
        }
        assert!(!log.contains("INFO"), "{log}");
    }
}

/// An owner who has to find out who writes blindly reads it here.
#[tokio::test]
async fn a_refusal_and_a_report_name_the_client_cut_and_escaped() {
    for reporting in [false, true] {
        let posts = Posts::new();
        posts.create(7, "first".to_owned());
        let layer = IfMatchLayer::new("posts", posts, |_: &Parts| Found::Key(7)).with_refusals(
            Refusals::new().with_client_name(|head: &Parts| {
                let name = head.headers.get("x-client-name")?.as_bytes();
                Some(format!(
                    "{}\n{}",
                    String::from_utf8_lossy(name),
                    "z".repeat(100)
                ))
            }),
        );
        let layer = if reporting {
            layer.with_policy(Policy::new().with_report_only())
        } else {
            layer
        };
        let service = layer.layer(service_fn(|_: Request<Full<Bytes>>| {
            ready(Ok::<_, Infallible>(Response::<Full<Bytes>>::default()))
        }));
        let events = Events::default();
        let guard = tracing::subscriber::set_default(events.clone());
        let sent = request("PUT", "x-client-name", b"importer");
        service.oneshot(sent).await.unwrap();
        drop(guard);
        let log = events.0.lock().unwrap().clone();
        let told = if reporting { "WARN" } else { "INFO" };
        let message = if reporting {
            "would have been refused"
        } else {
            "refused"
        };
        for part in [
            told,
            message,
            "client=\"importer\\nzzz",
            "reason=\"missing_condition\"",
        ] {
            assert!(log.contains(part), "{part} in {log}");
        }
        assert_eq!(log.contains("unguarded_write"), reporting, "{log}");
        assert!(
            !log.contains(&"z".repeat(64)) && !log.contains("private"),
            "{log}"
        );
    }
}

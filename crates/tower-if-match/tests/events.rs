//! What a refusal logs. A test binary of its own, because a subscriber is seen by all of a process's
//! threads.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::IF_MATCH;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_if_match::{Found, IfMatchLayer, MemoryStore};
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

#[tokio::test]
async fn a_refusal_is_an_event_with_the_tags_cut_and_escaped_and_never_content() {
    let events = Events::default();
    let _guard = tracing::subscriber::set_default(events.clone());

    let posts: MemoryStore<u64, String> = MemoryStore::new();
    posts.create(7, "first".to_owned());
    let layer = IfMatchLayer::new("posts", posts.clone(), |_: &Parts| Found::Key(7));
    let tag = layer
        .tags()
        .tag(&7, posts.get(&7).unwrap().version())
        .unwrap();
    let service = layer.layer(service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let long = [b"\"\xff".as_slice(), &[b'z'; 300], b"\""].concat();
    let request = Request::put("/posts/7?private=query")
        .header(IF_MATCH, HeaderValue::from_bytes(&long).unwrap())
        .header("x-request-id", "id-1")
        .body(Full::from("private content"))
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);

    let log = events.0.lock().unwrap().clone();
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

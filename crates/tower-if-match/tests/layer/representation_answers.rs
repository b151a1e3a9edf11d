//! What the service says to the layer's own GET, and what the write is answered then.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ALLOW, AUTHORIZATION, CONTENT_ENCODING, IF_NONE_MATCH, LOCATION, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tower::{Layer, ServiceExt, service_fn};

use crate::representation::{ask, guard, legacy, request, tag_of};
use crate::representation_bodies::Frames;
use crate::representation_reads::service;

/// A service whose GETs are answered like this, and how often its other methods ran.
macro_rules! answering {
    ($answer:expr) => {{
        let writes = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&writes);
        let service = service_fn(move |request: Request| {
            let answer: Response = if request.method() == Method::GET {
                $answer.into_response()
            } else {
                counter.fetch_add(1, Ordering::Relaxed);
                StatusCode::OK.into_response()
            };
            async move { Ok::<_, Infallible>(answer) }
        });
        (service, writes)
    }};
}

#[tokio::test]
async fn what_is_the_clients_to_see_is_answered_as_it_is() {
    let answers = [
        (StatusCode::UNAUTHORIZED, WWW_AUTHENTICATE, "Basic"),
        (StatusCode::FORBIDDEN, ALLOW, "GET"),
        (StatusCode::FOUND, LOCATION, "/login"),
        (StatusCode::PERMANENT_REDIRECT, LOCATION, "/other"),
        (StatusCode::TOO_MANY_REQUESTS, ALLOW, "GET"),
        (StatusCode::METHOD_NOT_ALLOWED, ALLOW, "POST, BREW"),
    ];
    for (status, name, value) in answers {
        let said = (status, [(name.clone(), value)], "as it is");
        let (service, writes) = answering!(said.clone());
        let app = guard().layer(service);
        for condition in ["*", "\"x\""] {
            let answer = ask(&app, "PUT /posts/7", &[("if-match", condition)], "").await;
            assert_eq!(
                (answer.status, answer.field(name.clone()), &*answer.body),
                (status, Some(value), &b"as it is"[..])
            );
        }
        assert_eq!(writes.load(Ordering::Relaxed), 0);
    }
}

type Says = dyn Fn() -> Response + Send + Sync;

#[tokio::test]
async fn what_says_nothing_of_the_state_is_503_and_the_write_does_not_run() {
    let encoded = || [(CONTENT_ENCODING, "gzip")].into_response();
    let large = || "x".repeat(101).into_response();
    let broken = || Body::new(Frames::of(["a"]).broken()).into_response();
    let endless = || Body::new(Frames::of(["a"]).endless()).into_response();
    let answers: [(&str, Arc<Says>); 8] = [
        (
            "500",
            Arc::new(|| StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        ),
        (
            "503",
            Arc::new(|| StatusCode::SERVICE_UNAVAILABLE.into_response()),
        ),
        (
            "206",
            Arc::new(|| StatusCode::PARTIAL_CONTENT.into_response()),
        ),
        ("304", Arc::new(|| StatusCode::NOT_MODIFIED.into_response())),
        ("encoded", Arc::new(encoded)),
        ("large", Arc::new(large)),
        ("broken", Arc::new(broken)),
        ("endless", Arc::new(endless)),
    ];
    for (what, answer) in answers {
        let (service, writes) = answering!(answer());
        let app = guard()
            .with_wait_timeout(Duration::from_millis(1))
            .with_representation_limit(100)
            .layer(service);
        let refused = ask(&app, "PUT /posts/7", &[("if-match", "*")], "").await;
        assert_eq!(refused.reason(), "store_unavailable", "{what}");
        assert_eq!(writes.load(Ordering::Relaxed), 0, "{what}");
    }
    let (service, writes) = answering!("x".repeat(100));
    let app = guard().with_representation_limit(100).layer(service);
    let written = ask(&app, "PUT /posts/7", &[("if-match", "*")], "").await;
    assert_eq!(written.status, StatusCode::OK);
    assert_eq!(writes.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_write_is_done_though_what_it_made_cannot_be_read() {
    let done = Arc::new(AtomicUsize::new(0));
    let app = guard().layer(service(move |request: &Request| {
        if request.method() == Method::PUT {
            done.fetch_add(1, Ordering::Relaxed);
        }
        match done.load(Ordering::Relaxed) {
            0 => "first".into_response(),
            _ => [("etag", "\"own\"")].into_response(),
        }
        .map(|body| match done.load(Ordering::Relaxed) {
            0 => body,
            _ => Body::new(Frames::of(["a"]).broken()),
        })
    }));
    let tag = tag_of(&app, "/posts/7").await;
    let request = request("PUT /posts/7", &[("if-match", &tag)], "second");
    let written = app.oneshot(request).await.unwrap();
    assert_eq!(written.status(), StatusCode::OK);
    assert!(!written.headers().contains_key("etag"));
}

#[tokio::test]
async fn content_that_is_too_much_is_413() {
    let (router, _) = legacy();
    let app = guard().with_body_limit(4).layer(router);
    let tag = tag_of(&app, "/posts/7").await;
    let refused = ask(&app, "PUT /posts/7", &[("if-match", &tag)], "12345").await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[derive(Clone)]
struct User(&'static str);

#[tokio::test]
async fn whoever_the_client_is_the_get_is_made_for_that_one() {
    async fn authentication(request: Request, next: Next) -> Response {
        match request.headers().get(AUTHORIZATION) {
            None => StatusCode::UNAUTHORIZED.into_response(),
            Some(_) => next.run(request).await,
        }
    }
    let (router, texts) = legacy();
    let app = guard().layer(router.layer(from_fn(authentication)));
    let who = ("authorization", "Bearer ada");
    let read = ask(&app, "GET /posts/7", &[who], "").await;
    let tag = ("if-match", read.etag().unwrap());
    let anonymous = ask(&app, "PUT /posts/7", &[tag], "second").await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
    let written = ask(&app, "PUT /posts/7", &[tag, who], "second").await;
    assert_eq!(written.status, StatusCode::OK);
    assert_eq!(texts.text(7).as_deref(), Some("second"));

    let of = async |Extension(User(name)): Extension<User>| name;
    let router: Router = Router::new().route("/me", get(of).put(of));
    let app = guard().layer(router);
    let mut read = request("GET /me", &[], "");
    read.extensions_mut().insert(User("ada"));
    let read = app.clone().oneshot(read).await.unwrap();
    let tag = read.headers()["etag"].to_str().unwrap();
    for (user, status) in [
        (User("ada"), StatusCode::OK),
        (User("bob"), StatusCode::PRECONDITION_FAILED),
    ] {
        let mut write = request("PUT /me", &[("if-match", tag)], "");
        write.extensions_mut().insert(user);
        let written = app.clone().oneshot(write).await.unwrap();
        assert_eq!(written.status(), status);
    }
}

/// The fields of the GETs that a service gets for this request.
async fn fields_of_get(line: &str, fields: &[(&str, &str)]) -> HeaderMap {
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let kept = Arc::clone(&seen);
    let app = guard().layer(service(move |request: &Request| {
        if request.method() == Method::GET {
            *kept.lock().unwrap() = request.headers().clone();
        }
        "state".into_response()
    }));
    ask(&app, line, fields, "").await;
    seen.lock().unwrap().clone()
}

#[tokio::test]
async fn the_get_has_the_fields_of_the_write_but_for_those_that_are_the_writes_own() {
    let of_the_write = [
        ("if-match", "*"),
        ("if-none-match", "\"x\""),
        ("if-modified-since", "Sat, 01 Jan 2000 00:00:00 GMT"),
        ("if-unmodified-since", "Sat, 01 Jan 2000 00:00:00 GMT"),
        ("if-range", "\"x\""),
        ("range", "bytes=0-0"),
        ("content-type", "application/json"),
        ("content-length", "0"),
        ("content-encoding", "identity"),
        ("content-digest", "sha-256=:x:"),
        ("repr-digest", "sha-256=:x:"),
        ("transfer-encoding", "chunked"),
        ("expect", "100-continue"),
        ("idempotency-key", "\"x\""),
        ("accept-charset", "utf-8"),
        ("accept-language", "fr"),
        ("prefer", "return=minimal"),
        ("connection", "close, X-Hop"),
        ("x-hop", "x"),
        ("keep-alive", "timeout=1"),
        ("te", "trailers"),
        ("trailer", "x-sum"),
        ("upgrade", "websocket"),
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "DELETE"),
    ];
    let seen = fields_of_get("PUT /posts/7", &of_the_write).await;
    assert!(!seen.is_empty(), "it was asked");
    for (name, _) in of_the_write {
        assert!(!seen.contains_key(name), "{name}");
    }
    let of_the_client = [
        ("host", "example.com"),
        ("authorization", "Bearer ada"),
        ("cookie", "session=ada"),
        ("x-tenant", "ada"),
        ("cache-control", "no-cache"),
    ];
    for (name, value) in of_the_client {
        let seen = fields_of_get("PUT /posts/7", &[("if-match", "*"), (name, value)]).await;
        assert_eq!(seen.get(name).unwrap(), value, "{name}");
    }
    let fixed = [("accept", "text/html"), ("accept-encoding", "gzip")];
    let fields = [("if-match", "*"), fixed[0], fixed[1]];
    let seen = fields_of_get("PUT /posts/7", &fields).await;
    assert_eq!(seen.get("accept").unwrap(), "*/*");
    assert_eq!(seen.get("accept-encoding").unwrap(), "identity");
}

/// Why conditions are left out: a service that evaluates them itself says nothing of its state.
#[tokio::test]
async fn a_service_that_evaluates_conditions_itself_is_not_told_of_them() {
    let own = |request: &Request| match request.headers().get(IF_NONE_MATCH) {
        Some(_) if request.method() == Method::GET => StatusCode::NOT_MODIFIED.into_response(),
        Some(_) => StatusCode::PRECONDITION_FAILED.into_response(),
        None => ([("etag", "\"own\"")], "state").into_response(),
    };
    let condition = [("if-none-match", "*")];
    let bare = service(own);
    let told = ask(&bare, "GET /posts/7", &condition, "").await;
    assert_eq!(told.status, StatusCode::NOT_MODIFIED, "which would be 503");
    let app = guard().layer(bare);
    let exists = ask(&app, "PUT /posts/7", &condition, "").await;
    assert_eq!(exists.reason(), "exists");
    let other = [("if-match", "*"), ("if-none-match", "\"x\"")];
    let written = ask(&app, "PUT /posts/7", &other, "").await;
    assert_eq!(written.status, StatusCode::OK);
}

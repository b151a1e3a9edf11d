//! Who waits for whom, and what happens where somebody leaves.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::get;
use bytes::Bytes;
use http_body::Frame;
use tokio::sync::{Notify, Semaphore};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::{Layer, ServiceExt};

use crate::representation::{ask, guard, guarded, legacy, request, tag_of};

/// A GET that waited for a permit which its own request holds would wait for ever.
#[tokio::test]
async fn a_service_that_takes_one_request_at_a_time_is_not_waited_for_in_vain() {
    let (router, texts) = legacy();
    let limited = GlobalConcurrencyLimitLayer::new(1).layer(router);
    let app = guard().layer(limited);
    let tag = tag_of(&app, "/posts/7").await;
    let mut ready = app.clone();
    ServiceExt::<Request>::ready(&mut ready).await.unwrap();
    let written = ask(&ready, "PUT /posts/7", &[("if-match", &tag)], "second").await;
    assert_eq!(written.status, StatusCode::OK);
    assert_eq!(texts.text(7).as_deref(), Some("second"));
}

#[tokio::test]
async fn a_lock_that_is_not_had_in_time_is_503_busy() {
    let (held, waiting) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begun, end) = (Arc::clone(&held), Arc::clone(&waiting));
    let router: Router = Router::new().route(
        "/{id}",
        get(async || "state").put(async move || {
            begun.notify_one();
            end.notified().await;
        }),
    );
    let layer = guard().with_wait_timeout(Duration::from_millis(50));
    let app = layer.layer(router);
    let first = tokio::spawn({
        let app = app.clone();
        async move { ask(&app, "PUT /1", &[("if-match", "*")], "").await }
    });
    held.notified().await;
    let second = ask(&app, "PUT /2", &[("if-match", "*")], "").await;
    assert_eq!(second.reason(), "busy");
    waiting.notify_one();
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    layer.drained().await;
}

/// P7: what was begun runs to its end under the lock, and nobody believes that it was not.
#[tokio::test]
async fn a_write_whose_client_leaves_is_waited_for() {
    let (begun, end) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let text = Arc::new(Mutex::new("first".to_owned()));
    let (begins, ends) = (Arc::clone(&begun), Arc::clone(&end));
    let (read, written) = (Arc::clone(&text), Arc::clone(&text));
    let router: Router = Router::new().route(
        "/",
        get(async move || read.lock().unwrap().clone()).put(async move |new: String| {
            begins.notify_one();
            let _permit = ends.acquire().await;
            *written.lock().unwrap() = new;
        }),
    );
    let app = guard().layer(router);
    let tag = tag_of(&app, "/").await;
    let write = |text: &'static str| {
        let (app, tag) = (app.clone(), tag.clone());
        tokio::spawn(async move { ask(&app, "PUT /", &[("if-match", &tag)], text).await })
    };
    let left = write("second");
    begun.notified().await;
    left.abort();
    assert!(left.await.unwrap_err().is_cancelled());
    let next = write("third");
    end.add_permits(1);
    assert_eq!(next.await.unwrap().reason(), "stale_version");
    assert_eq!(*text.lock().unwrap(), "second");
}

#[tokio::test]
async fn a_handler_that_panics_is_500_and_leaves_no_lock() {
    async fn panicking(text: String) {
        assert_ne!(text, "panic", "what this test is about");
    }
    let router: Router = Router::new().route("/", get(async || "state").put(panicking));
    let app = guard().layer(router);
    let any = [("if-match", "*")];
    let panicked = ask(&app, "PUT /", &any, "panic").await;
    assert_eq!(panicked.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(ask(&app, "PUT /", &any, "").await.status, StatusCode::OK);
}

/// Content that must not be asked for.
struct Unread;

impl HttpBody for Unread {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("it was read");
    }
}

/// P3.
#[tokio::test]
async fn the_content_of_a_refused_write_is_never_read() {
    let (app, texts) = guarded();
    let conditions = [("if-match", "\"x\""), ("if-match", "x"), ("x-none", "")];
    for condition in conditions {
        let write = request("PUT /posts/7", &[condition], "").map(|_| Body::new(Unread));
        let refused = app.clone().oneshot(write).await.unwrap();
        assert!(refused.status().is_client_error());
    }
    assert_eq!(texts.text(7).as_deref(), Some("first"));
}

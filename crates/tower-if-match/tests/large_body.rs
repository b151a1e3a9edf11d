//! P3 over a socket: a refusal of a large request arrives whole, though its body is never read.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::DefaultBodyLimit;
use axum::routing::put;
use axum::{Extension, Router};
use bytes::Bytes;
use tower_if_match::{Expected, IfMatchLayer, MemoryStore, PathKey};
use wire::{Body, Connection, Request};

const TEN_MIB: usize = 10 << 20;

type Posts = MemoryStore<u64, usize>;

/// A mount that accepts the size, on the server that axum brings.
async fn serve() -> (SocketAddr, Posts, Arc<AtomicUsize>) {
    let posts = Posts::new();
    posts.create(7, 0);
    let ran = Arc::new(AtomicUsize::new(0));
    let store = posts.clone();
    let replace =
        async move |runs: Extension<Arc<AtomicUsize>>, expected: Expected<Posts>, body: Bytes| {
            runs.fetch_add(1, Ordering::Relaxed);
            store.put(body.len(), expected).map(|_| ())
        };
    let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
    let app = Router::new()
        .route("/posts/{id}", put(replace).route_layer(guard))
        .layer(Extension(Arc::clone(&ran)))
        .layer(DefaultBodyLimit::disable());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (addr, posts, ran)
}

fn bodies() -> [Body; 3] {
    let content = || vec![b'x'; TEN_MIB];
    [
        Body::Sized(content()),
        Body::ExpectContinue(content()),
        Body::Chunked(vec![content()]),
    ]
}

#[tokio::test]
async fn a_stale_put_of_ten_mib_gets_the_whole_412() {
    let (addr, posts, ran) = serve().await;
    for body in bodies() {
        let held_back = matches!(body, Body::ExpectContinue(_));
        for _ in 0..5 {
            let put = Request::new("PUT", "/posts/7").field("If-Match", "\"stale\"");
            let mut connection = Connection::open(addr).await.unwrap();
            let answer = connection.send(&put.body(body.clone())).await.unwrap();
            assert_eq!(answer.status(), 412);
            let problem = answer.json().unwrap();
            assert_eq!(problem["current_etag"].as_str(), answer.header("etag"));
            assert!(
                answer.interim().is_empty(),
                "a refused request is not asked for its body"
            );
            assert!(!(held_back && answer.request_written()));
        }
    }
    assert_eq!(ran.load(Ordering::Relaxed), 0);
    assert_eq!(posts.get(&7).unwrap().body(), &0);
}

/// The negative control: with a condition that holds the same bodies are read to their end.
#[tokio::test]
async fn a_fitting_put_of_ten_mib_is_read() {
    let (addr, posts, ran) = serve().await;
    for body in bodies() {
        let put = Request::new("PUT", "/posts/7")
            .field("If-Match", "*")
            .body(body);
        let answer = Connection::open(addr)
            .await
            .unwrap()
            .send(&put)
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(ran.load(Ordering::Relaxed), 3);
    assert_eq!(posts.get(&7).unwrap().body(), &TEN_MIB);
}

//! What the ways that hold something do with content, before they hold it.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, IF_MATCH};
use futures_util::stream;
use tokio::sync::mpsc;
use tower_if_match::{IfMatchLayer, PathKey, SingleProcess, Transaction, Tx};

use crate::ledger::Ledger;
use crate::posts::{Answer, request, send};

async fn in_transaction(mut tx: Tx<Ledger>, text: String) {
    tx.put(7, text);
}

fn transactions(ledger: &Ledger, way: Transaction) -> Router {
    let guard = IfMatchLayer::new("rows", ledger.clone(), PathKey).with_strategy(way);
    let methods = axum::routing::put(in_transaction).route_layer(guard);
    Router::new().route("/posts/{id}", methods)
}

fn locks(ledger: &Ledger, way: SingleProcess) -> Router {
    let guard = IfMatchLayer::new("rows", ledger.clone(), PathKey).with_strategy(way);
    let writer = ledger.clone();
    let blind = async move |text: String| writer.write(7, Some(text));
    Router::new().route("/posts/{id}", axum::routing::put(blind).route_layer(guard))
}

/// Both ways, over one ledger each.
fn both() -> [(Ledger, Router); 2] {
    let (first, second) = (Ledger::new(), Ledger::new());
    let apps = [
        transactions(&first, Transaction::new()),
        locks(&second, SingleProcess::new()),
    ];
    let [transactions, locks] = apps;
    [(first, transactions), (second, locks)]
}

async fn put(app: &Router, body: Body) -> Answer {
    send(
        app,
        request("PUT", "/posts/7")
            .header(IF_MATCH, "*")
            .body(body)
            .unwrap(),
    )
    .await
}

/// Content that arrives when the test says so.
fn upload() -> (mpsc::Sender<Bytes>, Body) {
    let (send, receive) = mpsc::channel::<Bytes>(1);
    let pieces = stream::unfold(receive, async |mut receive| {
        let piece = receive.recv().await?;
        Some((Ok::<_, Infallible>(piece), receive))
    });
    (send, Body::from_stream(pieces))
}

#[tokio::test]
async fn a_slow_sender_holds_up_nobody() {
    for (ledger, app) in both() {
        let (pieces, body) = upload();
        let slow = {
            let app = app.clone();
            tokio::spawn(async move { put(&app, body).await.status })
        };
        // The second piece fits in only when the first was read.
        pieces.send(Bytes::from_static(b"sl")).await.unwrap();
        pieces.send(Bytes::from_static(b"o")).await.unwrap();
        for text in ["one", "two", "three"] {
            assert_eq!(put(&app, Body::from(text)).await.status, StatusCode::OK);
        }
        assert_eq!(ledger.open().0, 0);
        pieces.send(Bytes::from_static(b"w")).await.unwrap();
        drop(pieces);
        assert_eq!(slow.await.unwrap(), StatusCode::OK);
        assert_eq!(ledger.text(7).as_deref(), Some("slow"));
    }
}

#[tokio::test]
async fn more_content_than_the_limit_is_413() {
    let ledger = Ledger::new();
    for app in [
        transactions(&ledger, Transaction::new().with_body_limit(8)),
        locks(&ledger, SingleProcess::new().with_body_limit(8)),
    ] {
        assert_eq!(
            put(&app, Body::from("12345678")).await.status,
            StatusCode::OK
        );
        let announced = put(&app, Body::from("123456789")).await;
        assert_eq!(announced.status, StatusCode::PAYLOAD_TOO_LARGE);
        let (pieces, body) = upload();
        let unannounced = tokio::spawn(async move { put(&app, body).await });
        for _ in 0..3 {
            // An error means that enough was seen.
            let _ = pieces.send(Bytes::from_static(b"1234")).await;
        }
        let answer = unannounced.await.unwrap();
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer.problem()["instance"], "/posts/7");
        assert_eq!(answer.problem()["error"], "content_too_large");
        assert_eq!(ledger.text(7).as_deref(), Some("12345678"));
    }
}

#[tokio::test(start_paused = true)]
async fn content_that_does_not_arrive_is_408() {
    let ledger = Ledger::new();
    let deadline = Duration::from_secs(3);
    for app in [
        transactions(&ledger, Transaction::new().with_body_timeout(deadline)),
        locks(&ledger, SingleProcess::new().with_body_timeout(deadline)),
    ] {
        let (_pieces, body) = upload();
        let answer = put(&app, body).await;
        assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
        assert_eq!(answer.field(CONNECTION), Some("close"));
    }
}

#[tokio::test]
async fn content_that_breaks_off_is_400() {
    for (ledger, app) in both() {
        let broken = stream::iter([Ok("fir"), Err("the connection broke")]);
        let answer = put(&app, Body::from_stream(broken)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(ledger.text(7).as_deref(), Some("first"));
    }
}

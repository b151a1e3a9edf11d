//! A store that is a function: the layer evaluates on what it gives, and lends for its type.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::put;
use tower_if_match::version_store::{StoreFn, store_fn};
use tower_if_match::{Expected, IfMatchLayer, Lost, PathKey, Version};

use crate::posts::{request, send};

type Counters = StoreFn<u64>;

/// The version of the one row there is, number 7.
type Row = Arc<Mutex<u64>>;

async fn count(State(row): State<Row>, expected: Expected<Counters>) -> Result<StatusCode, Lost> {
    let mut row = row.lock().unwrap();
    if !expected.admits(Some(&Version::new(*row))) {
        return Err(expected.lost());
    }
    *row += 1;
    expected.settle(Some(Version::new(*row)))?;
    Ok(StatusCode::NO_CONTENT)
}

#[tokio::test]
async fn a_function_is_enough_of_a_store() {
    let row = Row::new(Mutex::new(1));
    let looked_up = Arc::clone(&row);
    let counters = store_fn(move |number: u64| {
        let row = Arc::clone(&looked_up);
        async move { Ok::<_, Infallible>((number == 7).then(|| Version::new(*row.lock().unwrap()))) }
    });
    let guard = IfMatchLayer::new("counters", counters, PathKey);
    let app = Router::new()
        .route("/counters/{number}", put(count).route_layer(guard))
        .with_state(Arc::clone(&row));
    let write = async |if_match: Option<&str>| {
        let mut sent = request("PUT", "/counters/7");
        if let Some(tag) = if_match {
            sent = sent.header("if-match", tag);
        }
        send(&app, sent.body(Body::empty()).unwrap()).await
    };
    assert_eq!(write(None).await.status, StatusCode::PRECONDITION_REQUIRED);
    let made = write(Some("*")).await;
    assert_eq!(made.status, StatusCode::NO_CONTENT);
    let tag = made.etag().unwrap();
    assert_eq!(write(Some(tag)).await.status, StatusCode::NO_CONTENT);
    let stale = write(Some(tag)).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(stale.reason(), "stale_version");
    assert_eq!(*row.lock().unwrap(), 3);
}

//! A recorder is the whole process's. A router is not.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use posts::store::MemoryPosts;
use posts::{Telemetry, app};
use tower::ServiceExt;

/// Only in this test, because it is for the whole process.
#[tokio::test]
async fn a_process_has_one_recorder_and_as_many_routers_as_it_likes() {
    for _ in 0..2 {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let answer = app(MemoryPosts::new()).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(to_bytes(answer.into_body(), 1).await.unwrap().is_empty());
    }
    assert!(Telemetry::install().is_ok());
    assert!(Telemetry::install().is_err());
}

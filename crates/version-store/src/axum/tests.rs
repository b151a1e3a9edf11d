use http::{Method, Request};

use super::*;
use crate::demand::Demand;
use crate::lent::Lent;
use crate::memory::MemoryStore;
use crate::slot::Slot;

type Posts = MemoryStore<u64, String>;

fn put() -> Parts {
    Request::put("/posts/7").body(()).unwrap().into_parts().0
}

async fn extract(parts: &mut Parts) -> Result<Option<Expected<Posts>>, NotLent> {
    <Option<Expected<Posts>> as FromRequestParts<()>>::from_request_parts(parts, &()).await
}

async fn status(parts: &mut Parts) -> StatusCode {
    extract(parts).await.unwrap_err().into_response().status()
}

#[tokio::test]
async fn what_was_lent_is_extracted_once() {
    let mut parts = put();
    let slot: Slot<Expected<Posts>> = Slot::new(7, Demand::Any);
    slot.lend(&mut parts.extensions);
    assert_eq!(*extract(&mut parts).await.unwrap().unwrap().key(), 7);
    assert_eq!(status(&mut parts).await, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn nothing_was_lent() {
    assert!(extract(&mut put()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_guarded_request_is_never_none() {
    let mut parts = put();
    Lent::<Posts>::OtherStrategy.put(&mut parts.extensions);
    assert_eq!(status(&mut parts).await, StatusCode::INTERNAL_SERVER_ERROR);
    let mut parts = put();
    Lent::<Posts>::InvalidKey.put(&mut parts.extensions);
    assert_eq!(status(&mut parts).await, StatusCode::NOT_FOUND);
}

/// Without a layer the condition would be ignored, and the update that it guards against lost.
#[tokio::test]
async fn a_condition_that_nobody_evaluated_is_never_none() {
    for name in ["if-match", "if-none-match", "if-unmodified-since"] {
        let mut parts = put();
        parts.headers.insert(name, HeaderValue::from_static("*"));
        assert_eq!(status(&mut parts).await, StatusCode::INTERNAL_SERVER_ERROR);
        // Of a read it is the response's matter.
        parts.method = Method::GET;
        assert!(extract(&mut parts).await.unwrap().is_none(), "{name}");
    }
}

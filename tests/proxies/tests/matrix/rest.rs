//! Reads what a refusal left of a request's content.
//!
//! A server that answers without having read the content has to close the connection, and what is
//! still on its way then resets it. A proxy that was about to read the answer may find the reset in its
//! place (RFC 9112 §9.6): 502.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};

/// How much is read, in octets.
const LIMIT: usize = 1 << 20;

pub(crate) async fn read(request: Request, next: Next) -> Response {
    // Reading would ask for content that the client holds back.
    if request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let shared = Shared(Arc::new(Mutex::new(body)));
    let lent = Body::new(shared.clone());
    let response = next.run(Request::from_parts(head, lent)).await;
    let _ = axum::body::to_bytes(Body::new(shared), LIMIT).await;
    response
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.0.lock().unwrap()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap().size_hint()
    }
}

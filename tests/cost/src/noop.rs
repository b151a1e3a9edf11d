//! A layer that does nothing: what any layer costs here, and so what ours is compared with.

use std::task::{Context, Poll};

use axum::extract::Request;
use tower_layer::Layer;
use tower_service::Service;

#[derive(Clone)]
pub(crate) struct NoopLayer;

#[derive(Clone)]
pub(crate) struct Noop<Svc>(Svc);

impl<Svc> Layer<Svc> for NoopLayer {
    type Service = Noop<Svc>;

    fn layer(&self, inner: Svc) -> Noop<Svc> {
        Noop(inner)
    }
}

impl<Svc: Service<Request>> Service<Request> for Noop<Svc> {
    type Response = Svc::Response;
    type Error = Svc::Error;
    type Future = Svc::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.0.call(request)
    }
}

//! A layer that does nothing: what any layer costs here, and so what ours is compared with. And one
//! that refuses everything with the least that is an answer: what no refusal can be cheaper than.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
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

#[derive(Clone)]
pub(crate) struct RefusingLayer;

#[derive(Clone)]
pub(crate) struct Refusing<Svc>(Svc);

impl<Svc> Layer<Svc> for RefusingLayer {
    type Service = Refusing<Svc>;

    fn layer(&self, inner: Svc) -> Refusing<Svc> {
        Refusing(inner)
    }
}

impl<Svc: Service<Request, Response = Response>> Service<Request> for Refusing<Svc> {
    type Response = Response;
    type Error = Svc::Error;
    type Future = Ready<Result<Response, Svc::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, _: Request) -> Self::Future {
        let mut response = Response::new("{}".into());
        *response.status_mut() = StatusCode::PRECONDITION_FAILED;
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        ready(Ok(response))
    }
}

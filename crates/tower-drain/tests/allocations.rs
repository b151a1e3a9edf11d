//! What `DrainLayer` allocates: nothing without a body.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::convert::Infallible;
use std::future::ready;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use tower::{Layer, Service, service_fn};
use tower_drain::DrainLayer;

type Boxed = UnsyncBoxBody<Bytes, Infallible>;

/// How many allocations the layer adds to one exchange.
fn allocations(request: impl Fn() -> Request<Boxed>) -> u64 {
    let allocations = |wrapped: bool| {
        let request = request();
        let mut service = service_fn(|request: Request<Boxed>| {
            drop(request);
            ready(Ok::<_, Infallible>(Response::new(())))
        });
        let count = allocation_counter::measure(|| {
            let answer = if wrapped {
                let mut service = DrainLayer::new().layer(&mut service);
                service.call(request).now_or_never()
            } else {
                service.call(request).now_or_never()
            };
            std::mem::forget(answer.unwrap().unwrap());
        });
        count.count_total
    };
    allocations(true) - allocations(false)
}

fn body() -> Boxed {
    Full::new(Bytes::from_static(b"a body")).boxed_unsync()
}

#[test]
fn requests_without_a_body_cost_no_allocation() {
    assert_eq!(allocations(|| Request::new(Empty::new().boxed_unsync())), 0);
}

#[test]
fn nor_does_http_2() {
    let request = || Request::builder().version(Version::HTTP_2).body(body());
    assert_eq!(allocations(|| request().unwrap()), 0);
}

/// The control, and the bound: the place that the body is returned to, and the box around the lent body.
#[test]
fn a_body_costs_two() {
    assert_eq!(allocations(|| Request::new(body())), 2);
}

//! What `DrainLayer` allocates: nothing where there is no content.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::convert::Infallible;
use std::future::ready;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use tower::{Layer, Service, service_fn};
use tower_if_match::DrainLayer;

type Content = UnsyncBoxBody<Bytes, Infallible>;

/// How often one exchange allocates with the layer, beyond what it does without.
fn allocations(request: impl Fn() -> Request<Content>) -> u64 {
    let allocations = |wrapped: bool| {
        let request = request();
        let mut service = service_fn(|request: Request<Content>| {
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

fn content() -> Content {
    Full::new(Bytes::from_static(b"content")).boxed_unsync()
}

#[test]
fn requests_without_content_cost_no_allocation() {
    assert_eq!(allocations(|| Request::new(Empty::new().boxed_unsync())), 0);
}

#[test]
fn nor_does_http_2() {
    let request = || Request::builder().version(Version::HTTP_2).body(content());
    assert_eq!(allocations(|| request().unwrap()), 0);
}

/// The control, and the bound: the place that the body comes back to, and the box around what is lent.
#[test]
fn content_costs_two() {
    assert_eq!(allocations(|| Request::new(content())), 2);
}

//! What `VariantLayer` allocates: nothing where there is nothing to do.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::convert::Infallible;
use std::future::{Ready, ready};

use futures_util::FutureExt;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_MATCH, IF_NONE_MATCH, VARY};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::Empty;
use tower::{Layer, Service, service_fn};
use tower_if_match::VariantLayer;

type Answer = Response<Empty<&'static [u8]>>;
type Field = (HeaderName, &'static str);

const TAG: &str = "\"v6-1ad8a72a418e1fd3\"";

/// How often one exchange allocates with the layer, beyond what it does without.
fn allocations(method: &Method, asked: &[Field], answered: &[Field]) -> u64 {
    let allocations = |wrapped: bool| {
        let mut request = Request::new(());
        *request.method_mut() = method.clone();
        let mut response = Answer::default();
        let fill = |fields: &[Field], to: &mut http::HeaderMap| {
            for (name, value) in fields {
                to.insert(name, HeaderValue::from_static(value));
            }
        };
        fill(asked, request.headers_mut());
        fill(answered, response.headers_mut());
        let mut response = Some(response);
        let mut service = service_fn(move |_: Request<()>| -> Ready<Result<_, Infallible>> {
            ready(Ok(response.take().unwrap()))
        });
        let count = allocation_counter::measure(|| {
            let answer = if wrapped {
                let mut service = VariantLayer::new().layer(&mut service);
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

#[test]
fn what_needs_nothing_costs_no_allocation() {
    let writes = [(IF_MATCH, TAG), (ACCEPT_ENCODING, "gzip")];
    let plain = [(ETAG, TAG), (VARY, "accept-encoding")];
    for method in [Method::PUT, Method::DELETE] {
        assert_eq!(allocations(&method, &writes, &plain), 0, "{method}");
        assert_eq!(allocations(&method, &writes, &[]), 0, "{method}");
    }
    let coded = [(ETAG, TAG), (CONTENT_ENCODING, "gzip")];
    assert_eq!(allocations(&Method::OPTIONS, &writes, &coded), 0);
    let reads = [(ACCEPT_ENCODING, "gzip")];
    assert_eq!(allocations(&Method::GET, &reads, &[]), 0);
    assert_eq!(allocations(&Method::GET, &reads, &plain), 0);
    assert_eq!(allocations(&Method::HEAD, &reads, &plain), 0);
    assert_eq!(allocations(&Method::GET, &[(IF_NONE_MATCH, "")], &plain), 0);
}

/// The control: what the layer does is counted.
#[test]
fn what_is_deferred_and_tagged_is_counted() {
    let reads = [(IF_NONE_MATCH, TAG)];
    let coded = [(ETAG, TAG), (CONTENT_ENCODING, "gzip")];
    assert!(allocations(&Method::GET, &reads, &coded) > 0);
    assert!(allocations(&Method::PUT, &[], &coded) > 0);
}

//! Promises that do not jitter. The aims of instructions are the program's to judge.

use std::task::{Context, Poll};

use axum::extract::Request;
use metrics_util::debugging::DebuggingRecorder;
use tower_layer::Layer;
use tower_service::Service;

use crate::app::App;
use crate::measure::allocations;
use crate::scenario::{Scenario, all, named, passing, reading};

fn count(name: &str) -> f64 {
    allocations(named(name).expect(name))
}

fn over_noop(name: &str) -> f64 {
    let scenario = named(name).expect(name);
    allocations(scenario) - count(scenario.beside.expect(name))
}

/// Three more where the layer counts for the `metrics` facade: the labels of two series and a route's name.
#[test]
fn a_write_that_passes_allocates_at_most_four_times() {
    let most = if layer_counts() { 7.0 } else { 4.0 };
    for name in ["put own tags", "put minted", "put memory"] {
        let over = over_noop(name);
        assert!((0.0..=most).contains(&over), "{name}: {over}");
    }
}

/// Whether the layer was built with its feature `metrics`: this package does not ask for it, but one that is
/// built beside it may.
fn layer_counts() -> bool {
    let recorder = DebuggingRecorder::new();
    let mut write = passing(App::guarded::<false>(), 1);
    metrics::with_local_recorder(&recorder, &mut write);
    !recorder.snapshotter().snapshot().into_vec().is_empty()
}

/// The labels of one series and a route's name where the layer counts; OPTIONS is not counted.
#[test]
fn what_is_not_guarded_allocates_nothing() {
    let counted = if layer_counts() { 2.0 } else { 0.0 };
    for (name, expected) in [("unkeyed guarded", counted), ("options guarded", 0.0)] {
        let over = over_noop(name);
        assert!((over - expected).abs() < f64::EPSILON, "{name}: {over}");
    }
}

#[test]
fn conditions_are_parsed_and_evaluated_without_an_allocation() {
    for name in ["parse 1 tag", "evaluate 1 tag"] {
        assert!(count(name).abs() < f64::EPSILON, "{name}: {}", count(name));
    }
    // Aim: none, whatever the length. A field of more than 64 bytes is copied to the heap, once.
    for name in ["parse 10 tags", "parse 64 tags"] {
        assert!(
            (count(name) - 1.0).abs() < f64::EPSILON,
            "{name}: {}",
            count(name)
        );
    }
}

#[test]
fn a_refusal_allocates_less_than_one_that_is_written_by_hand() {
    for (name, by_hand) in [
        ("412 own tags", "412 handwritten, derived"),
        ("412 minted", "412 handwritten, derived"),
        ("428 minted", "428 handwritten"),
    ] {
        assert!(count(name) < count(by_hand), "{name}");
    }
}

/// What stands in a row's name takes place: each of these makes its row dearer than the one without it.
#[test]
fn each_row_does_what_its_name_says() {
    for (name, without) in [
        ("put own tags, 64 tags", "put own tags"),
        ("put minted, 64 tags", "put minted"),
        ("412 overtaken", "412 minted"),
        ("412 lost race", "412 minted"),
        ("put authorization", "put minted"),
        ("412 client name", "412 minted"),
        ("put response hook", "put minted"),
        ("412 conflicts", "412 minted"),
        ("412 conflicts, redacted", "412 conflicts"),
        ("put report-only", "put minted"),
        ("put may wait", "put minted"),
        ("412 may wait", "412 minted"),
        ("412 overtaken, waits", "412 overtaken"),
        ("get version first, may wait", "get minted"),
        ("put no-op in drain", "put no-op in no-op"),
        ("412 minted in drain", "412 minted in no-op"),
        ("bulk minted", "bulk no-op"),
    ] {
        assert!(count(name) > count(without), "{name}");
    }
}

/// A status that is not the expected one panics.
#[test]
fn every_row_is_answered_as_expected() {
    for scenario in all() {
        (scenario.prepare)(1)();
    }
}

/// The negative control: a layer that allocates once more is seen to.
#[test]
fn one_allocation_more_is_seen() {
    const ALLOCATING: [Scenario; 2] = [
        Scenario {
            name: "put",
            beside: Some("put no-op"),
            prepare: |n| {
                passing(
                    App::unguarded(|methods| methods.route_layer(AllocatingLayer)),
                    n,
                )
            },
        },
        Scenario {
            name: "get",
            beside: Some("get no-op"),
            prepare: |n| {
                reading(
                    App::unguarded(|methods| methods.route_layer(AllocatingLayer)),
                    n,
                )
            },
        },
    ];
    for scenario in &ALLOCATING {
        let over = allocations(scenario) - count(scenario.beside.expect(scenario.name));
        assert!(
            (over - 1.0).abs() < f64::EPSILON,
            "{}: {over}",
            scenario.name
        );
    }
}

/// Allocates once more at each request.
#[derive(Clone)]
pub(crate) struct AllocatingLayer;

#[derive(Clone)]
pub(crate) struct Allocating<Svc>(Svc);

impl<Svc> Layer<Svc> for AllocatingLayer {
    type Service = Allocating<Svc>;

    fn layer(&self, inner: Svc) -> Allocating<Svc> {
        Allocating(inner)
    }
}

impl<Svc: Service<Request>> Service<Request> for Allocating<Svc> {
    type Response = Svc::Response;
    type Error = Svc::Error;
    type Future = Svc::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        drop(std::hint::black_box(Box::new(7_u8)));
        self.0.call(request)
    }
}

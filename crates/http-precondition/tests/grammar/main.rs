//! The parsers against the RFC's grammar, which is written out as data and interpreted by a matcher
//! that knows nothing of the parsers: it follows every alternative at once, over sets of positions.
//!
//! Each property also runs on a parser with a mistake that is common in the wild, and has to find a
//! counterexample there. A property that cannot fail shows nothing.

#![allow(clippy::unwrap_used)] // That is how a test fails.

mod abnf;
mod dates;
mod tags;

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestError, TestRng, TestRunner};

const CASES: u32 = 2000;

/// Looks for a counterexample and fails with the smallest it finds.
fn holds<S: Strategy>(strategy: &S, property: impl Fn(S::Value) -> TestCaseResult) {
    holds_for(CASES, strategy, property);
}

/// As `holds`, for inputs that take the matcher long.
fn holds_for<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> TestCaseResult) {
    let mut runner = TestRunner::new(config(cases));
    if let Err(error) = runner.run(strategy, property) {
        panic!("{error}\n{runner}");
    }
}

/// Demands that there is a counterexample. From a fixed seed, so that the answer does not change.
fn is_refuted<S: Strategy>(strategy: &S, property: impl Fn(S::Value) -> TestCaseResult)
where
    S::Value: Debug,
{
    let config = config(CASES);
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    match TestRunner::new_with_rng(config, rng).run(strategy, property) {
        Err(TestError::Fail(_, _)) => {}
        other => panic!("the mistake was not found: {other:?}"),
    }
}

fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}

/// Octets after some were replaced, inserted or removed.
fn mutated(
    octets: impl Strategy<Value = Vec<u8>>,
    replacement: impl Strategy<Value = u8>,
) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), 0..3, replacement);
    let changes = prop::collection::vec(change, 0..3);
    (octets, changes).prop_map(|(mut octets, changes)| {
        for (place, what, octet) in changes {
            let place = place.index(octets.len() + 1);
            match (what, place < octets.len()) {
                (0, _) => octets.insert(place, octet),
                (1, true) => octets[place] = octet,
                (_, true) => drop(octets.remove(place)),
                (_, false) => {}
            }
        }
        octets
    })
}

//! A PUT that is refused.

use axum::http::StatusCode;

use super::requests::{missing, repeating, stale, writing};
use super::{NOOP_PUT, Scenario, scenario};
use crate::app::App;

const REQUIRED: StatusCode = StatusCode::PRECONDITION_REQUIRED;
const FAILED: StatusCode = StatusCode::PRECONDITION_FAILED;

pub(super) const ROWS: &[Scenario] = &[
    scenario("412 floor", NOOP_PUT, |n| stale(App::refusing(), n)),
    scenario("412 own tags", NOOP_PUT, |n| {
        stale(App::guarded::<true>(), n)
    }),
    scenario("412 minted", NOOP_PUT, |n| {
        stale(App::guarded::<false>(), n)
    }),
    scenario("412 memory", NOOP_PUT, |n| stale(App::memory(), n)),
    scenario("412 handwritten", NOOP_PUT, |n| {
        stale(App::handler::<false>(), n)
    }),
    scenario("412 handwritten, derived", NOOP_PUT, |n| {
        stale(App::handler::<true>(), n)
    }),
    scenario("412 from_fn", NOOP_PUT, |n| stale(App::from_fn(), n)),
    scenario("428 own tags", NOOP_PUT, |n| {
        missing(App::guarded::<true>(), n, REQUIRED)
    }),
    scenario("428 minted", NOOP_PUT, |n| {
        missing(App::guarded::<false>(), n, REQUIRED)
    }),
    scenario("428 memory", NOOP_PUT, |n| {
        missing(App::memory(), n, REQUIRED)
    }),
    scenario("428 handwritten", NOOP_PUT, |n| {
        missing(App::handler::<false>(), n, REQUIRED)
    }),
    scenario("412 overtaken", NOOP_PUT, |n| {
        writing(App::overtaken(), n, FAILED)
    }),
    scenario("412 lost race", NOOP_PUT, |n| {
        repeating(App::lost(), n, FAILED)
    }),
];

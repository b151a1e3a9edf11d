//! A PUT that passes.

#[cfg(feature = "metrics")]
use super::recorded;
use super::requests::{listing, passing};
use super::{NOOP_PUT, Scenario, scenario};
use crate::app::App;

pub(super) const ROWS: &[Scenario] = &[
    scenario("put plain", None, |n| passing(App::plain(), n)),
    scenario("put no-op", None, |n| passing(App::noop(), n)),
    scenario("put own tags", NOOP_PUT, |n| {
        passing(App::guarded::<true>(), n)
    }),
    scenario("put minted", NOOP_PUT, |n| {
        passing(App::guarded::<false>(), n)
    }),
    #[cfg(feature = "metrics")]
    scenario("put own tags, recorded", NOOP_PUT, |n| {
        recorded(passing(App::guarded::<true>(), n))
    }),
    #[cfg(feature = "metrics")]
    scenario("put minted, recorded", NOOP_PUT, |n| {
        recorded(passing(App::guarded::<false>(), n))
    }),
    scenario("put memory", NOOP_PUT, |n| passing(App::memory(), n)),
    scenario("put handwritten", NOOP_PUT, |n| {
        passing(App::handler::<false>(), n)
    }),
    scenario("put from_fn", NOOP_PUT, |n| passing(App::from_fn(), n)),
    scenario("put own tags, 8 tags", NOOP_PUT, |n| {
        listing(8, App::guarded::<true>(), n)
    }),
    scenario("put own tags, 64 tags", NOOP_PUT, |n| {
        listing(64, App::guarded::<true>(), n)
    }),
    scenario("put minted, 8 tags", NOOP_PUT, |n| {
        listing(8, App::guarded::<false>(), n)
    }),
    scenario("put minted, 64 tags", NOOP_PUT, |n| {
        listing(64, App::guarded::<false>(), n)
    }),
];

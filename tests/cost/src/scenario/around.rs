//! Layers around the whole router: a layer that does nothing, with the no-op layer inside, is what the rows are
//! beside. With the no-op layer inside they tell what the outer layer costs, with ours inside what both do.

use super::requests::{passing, reading, stale};
use super::{Scenario, scenario};
use crate::app::App;

pub(super) const ROWS: &[Scenario] = &[
    scenario("put no-op in no-op", None, |n| {
        passing(App::noop().in_noop(), n)
    }),
    scenario("put no-op in drain", IN_NOOP_PUT, |n| {
        passing(App::noop().in_drain(), n)
    }),
    scenario("put minted in drain", IN_NOOP_PUT, |n| {
        passing(App::guarded::<false>().in_drain(), n)
    }),
    scenario("put no-op in variants", IN_NOOP_PUT, |n| {
        passing(App::noop().in_variants(), n)
    }),
    scenario("put minted in variants", IN_NOOP_PUT, |n| {
        passing(App::guarded::<false>().in_variants(), n)
    }),
    scenario("412 minted in no-op", IN_NOOP_PUT, |n| {
        stale(App::guarded::<false>().in_noop(), n)
    }),
    scenario("412 minted in drain", IN_NOOP_PUT, |n| {
        stale(App::guarded::<false>().in_drain(), n)
    }),
    scenario("get no-op in no-op", None, |n| {
        reading(App::noop().in_noop(), n)
    }),
    scenario("get no-op in drain", IN_NOOP_GET, |n| {
        reading(App::noop().in_drain(), n)
    }),
    scenario("get minted in drain", IN_NOOP_GET, |n| {
        reading(App::guarded::<false>().in_drain(), n)
    }),
    scenario("get no-op in variants", IN_NOOP_GET, |n| {
        reading(App::noop().in_variants(), n)
    }),
    scenario("get minted in variants", IN_NOOP_GET, |n| {
        reading(App::guarded::<false>().in_variants(), n)
    }),
];

const IN_NOOP_PUT: Option<&str> = Some("put no-op in no-op");
const IN_NOOP_GET: Option<&str> = Some("get no-op in no-op");

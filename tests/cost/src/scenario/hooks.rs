//! The layer with your hooks and settings; tags are minted, so the price of each is over `put minted` and
//! `412 minted`.

use axum::http::StatusCode;

#[cfg(feature = "metrics")]
use super::recorded;
use super::requests::{missing, passing, passing_16_fields, stale};
use super::{NOOP_PUT, Run, Scenario, scenario};
use crate::app::{App, Hooks};

pub(super) const ROWS: &[Scenario] = &[
    scenario("put authorization", NOOP_PUT, |n| {
        passing_with(Hooks::Authorization, n)
    }),
    scenario("412 authorization", NOOP_PUT, |n| {
        stale_with(Hooks::Authorization, n)
    }),
    scenario("put client name", NOOP_PUT, |n| {
        passing_with(Hooks::ClientName, n)
    }),
    scenario("412 client name", NOOP_PUT, |n| {
        stale_with(Hooks::ClientName, n)
    }),
    scenario("put response hook", NOOP_PUT, |n| {
        passing_with(Hooks::Response, n)
    }),
    scenario("412 response hook", NOOP_PUT, |n| {
        stale_with(Hooks::Response, n)
    }),
    scenario("put conflicts", NOOP_PUT, |n| {
        passing_with(Hooks::Conflicts, n)
    }),
    scenario("412 conflicts", NOOP_PUT, |n| {
        stale_with(Hooks::Conflicts, n)
    }),
    scenario("put conflicts, redacted", NOOP_PUT, |n| {
        passing_with(Hooks::Redaction, n)
    }),
    scenario("412 conflicts, redacted", NOOP_PUT, |n| {
        stale_with(Hooks::Redaction, n)
    }),
    scenario("put as posts", NOOP_PUT, |n| {
        passing_with(Hooks::AsPosts, n)
    }),
    scenario("412 as posts", NOOP_PUT, |n| stale_with(Hooks::AsPosts, n)),
    #[cfg(feature = "metrics")]
    scenario("put as posts, recorded", NOOP_PUT, |n| {
        recorded(passing_with(Hooks::AsPosts, n))
    }),
    #[cfg(feature = "metrics")]
    scenario("412 as posts, recorded", NOOP_PUT, |n| {
        recorded(stale_with(Hooks::AsPosts, n))
    }),
    scenario("put all hooks", NOOP_PUT, |n| passing_with(Hooks::All, n)),
    scenario("412 all hooks", NOOP_PUT, |n| stale_with(Hooks::All, n)),
    #[cfg(feature = "metrics")]
    scenario("put all hooks, recorded", NOOP_PUT, |n| {
        recorded(passing_with(Hooks::All, n))
    }),
    #[cfg(feature = "metrics")]
    scenario("412 all hooks, recorded", NOOP_PUT, |n| {
        recorded(stale_with(Hooks::All, n))
    }),
    scenario("put report-only", NOOP_PUT, |n| {
        missing(App::hooked(Hooks::ReportOnly), n, StatusCode::NO_CONTENT)
    }),
    scenario("put no-op, 16 fields", None, |n| {
        passing_16_fields(App::noop(), n)
    }),
    scenario("put minted, 16 fields", NOOP_16_FIELDS, |n| {
        passing_16_fields(App::guarded::<false>(), n)
    }),
    scenario("put all hooks, 16 fields", NOOP_16_FIELDS, |n| {
        passing_16_fields(App::hooked(Hooks::All), n)
    }),
];

const NOOP_16_FIELDS: Option<&str> = Some("put no-op, 16 fields");

fn passing_with(hooks: Hooks, count: usize) -> Run {
    passing(App::hooked(hooks), count)
}

fn stale_with(hooks: Hooks, count: usize) -> Run {
    stale(App::hooked(hooks), count)
}

//! Reads, and what is not guarded.

use axum::http::{Method, StatusCode};

use super::requests::{asking, reading, rereading};
use super::{NOOP_GET, Run, Scenario, scenario};
use crate::app::{App, ID};

pub(super) const ROWS: &[Scenario] = &[
    scenario("get no-op", None, |n| reading(App::noop(), n)),
    scenario("get own tags", NOOP_GET, |n| {
        reading(App::guarded::<true>(), n)
    }),
    scenario("get minted", NOOP_GET, |n| {
        reading(App::guarded::<false>(), n)
    }),
    scenario("get memory", NOOP_GET, |n| reading(App::memory(), n)),
    scenario("head no-op", None, |n| head(App::noop(), n)),
    scenario("head own tags", NOOP_HEAD, |n| {
        head(App::guarded::<true>(), n)
    }),
    scenario("head minted", NOOP_HEAD, |n| {
        head(App::guarded::<false>(), n)
    }),
    // Answers 200: nobody is there who would know the field.
    scenario("if-none-match no-op", None, |n| {
        rereading(App::noop(), n, StatusCode::OK)
    }),
    scenario("304 own tags", NOOP_REREAD, |n| {
        rereading(App::guarded::<true>(), n, StatusCode::NOT_MODIFIED)
    }),
    scenario("304 minted", NOOP_REREAD, |n| {
        rereading(App::guarded::<false>(), n, StatusCode::NOT_MODIFIED)
    }),
    scenario("304 memory", NOOP_REREAD, |n| {
        rereading(App::memory(), n, StatusCode::NOT_MODIFIED)
    }),
    scenario("unkeyed no-op", None, |n| unkeyed(App::noop(), n)),
    scenario("unkeyed guarded", Some("unkeyed no-op"), |n| {
        unkeyed(App::guarded::<false>(), n)
    }),
    scenario("options no-op", None, |n| options(App::noop(), n)),
    scenario("options guarded", Some("options no-op"), |n| {
        options(App::guarded::<false>(), n)
    }),
];

const NOOP_HEAD: Option<&str> = Some("head no-op");
const NOOP_REREAD: Option<&str> = Some("if-none-match no-op");

fn head(app: App, count: usize) -> Run {
    let path = format!("/posts/{ID}");
    asking(app, count, &Method::HEAD, &path, StatusCode::OK)
}

fn unkeyed(app: App, count: usize) -> Run {
    asking(app, count, &Method::GET, "/health", StatusCode::OK)
}

fn options(app: App, count: usize) -> Run {
    let path = format!("/posts/{ID}");
    asking(app, count, &Method::OPTIONS, &path, StatusCode::NO_CONTENT)
}

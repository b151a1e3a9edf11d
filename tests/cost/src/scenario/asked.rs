//! A store that does not promise to answer at once, as one behind a connection: it answers at once all the same
//! (`may wait`), or has to be polled twice (`waits`).

use axum::http::StatusCode;

use super::requests::{passing, reading, stale, writing};
use super::{NOOP_GET, NOOP_PUT, Scenario, scenario};
use crate::app::App;

pub(super) const ROWS: &[Scenario] = &[
    scenario("put may wait", NOOP_PUT, |n| {
        passing(App::asked::<false>(), n)
    }),
    scenario("put waits", NOOP_PUT, |n| passing(App::asked::<true>(), n)),
    scenario("412 may wait", NOOP_PUT, |n| {
        stale(App::asked::<false>(), n)
    }),
    scenario("412 waits", NOOP_PUT, |n| stale(App::asked::<true>(), n)),
    scenario("412 overtaken, waits", NOOP_PUT, |n| {
        let app = App::asked_and_overtaken::<true>();
        writing(app, n, StatusCode::PRECONDITION_FAILED)
    }),
    scenario("get version first, may wait", NOOP_GET, |n| {
        reading(App::asked::<false>(), n)
    }),
    scenario("get version first, waits", NOOP_GET, |n| {
        reading(App::asked::<true>(), n)
    }),
];

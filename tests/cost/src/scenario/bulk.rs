//! Ten items in one write.

use tokio::runtime::Builder;

use super::requests::{all_passing, one_stale};
use super::{Run, Scenario, scenario};
use crate::app::BulkApp;

pub(super) const ROWS: &[Scenario] = &[
    scenario("bulk no-op", None, |n| all_passing(&BulkApp::noop(), n)),
    scenario("bulk minted", NOOP_BULK, |n| {
        with_a_clock(all_passing(&BulkApp::guarded(), n))
    }),
    scenario("bulk 412", NOOP_BULK, |n| {
        with_a_clock(one_stale(&BulkApp::guarded(), n))
    }),
];

const NOOP_BULK: Option<&str> = Some("bulk no-op");

/// The layer bounds how long a body may take, so it needs a runtime's timer. Entering and leaving it is not a
/// part of the request.
fn with_a_clock(mut run: Run) -> Run {
    let runtime = Builder::new_current_thread().enable_time().build();
    // A few for each program: what is entered has to live as long as what is run in it.
    let runtime = Box::leak(Box::new(runtime.expect("a timer needs nothing")));
    let entered = runtime.enter();
    Box::new(move || {
        let _entered = &entered;
        run();
    })
}

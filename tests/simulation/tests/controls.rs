//! The same simulations with one thing made wrong: each has to be found.

use simulation::report::{SEEDS, check};
use simulation::simulation::Setup;
use simulation::table::Manner;

fn assert_found(setup: Setup) {
    let report = check(setup, 0..SEEDS);
    println!("{report}");
    assert!(report.violation.is_some(), "{report}");
}

#[test]
fn a_store_that_does_not_compare_is_found() {
    assert_found(Setup::Disk(Manner::Blind));
    assert_found(Setup::Database(Manner::Blind));
}

#[test]
fn a_store_that_compares_and_then_writes_is_found() {
    assert_found(Setup::Disk(Manner::TwoSteps));
    assert_found(Setup::Database(Manner::TwoSteps));
}

#[test]
fn a_write_that_was_acknowledged_and_lost_at_a_restart_is_found() {
    assert_found(Setup::Disk(Manner::Forgetful));
    assert_found(Setup::Database(Manner::Forgetful));
}

#[test]
fn a_version_that_is_read_from_a_copy_that_lags_is_found() {
    assert_found(Setup::Disk(Manner::Lagging));
    assert_found(Setup::Database(Manner::Lagging));
}

#[test]
fn an_unknown_outcome_that_is_told_as_nothing_written_is_found() {
    assert_found(Setup::Presumptuous);
}

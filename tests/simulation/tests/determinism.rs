//! A seed says everything.

use simulation::simulation::{Setup, simulate};
use simulation::table::Manner;

#[test]
fn the_same_seed_gives_the_same_history() {
    for setup in [
        Setup::Memory,
        Setup::Disk(Manner::Atomic),
        Setup::Database(Manner::Atomic),
    ] {
        for seed in 0..40 {
            assert_eq!(
                simulate(setup, seed),
                simulate(setup, seed),
                "{setup:?}, {seed}"
            );
        }
    }
}

#[test]
fn another_seed_gives_another_history() {
    let first = simulate(Setup::Memory, 0).history;
    assert_ne!(first, simulate(Setup::Memory, 1).history);
}

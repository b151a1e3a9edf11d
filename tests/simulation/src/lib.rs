//! The layer in simulated networks, and the proof that what its clients see is linearizable.
//!
//! Each simulation has a seed, which determines the clients' calls, how long every message and every
//! step takes, and the faults: links that hold or lose messages, clients that hang up, hosts that
//! crash and start again. Each register's history is then checked against one versioned register
//! ([`register`]): there has to be an order of all calls, each between its beginning and its answer,
//! in which such a register gives the same answers, refusals and their tags included.
//!
//! | variable | what |
//! | --- | --- |
//! | `SIMULATION_SEEDS` | how many seeds each test simulates, from 0 on |
//! | `SIMULATION_SEED` | the one seed to simulate, as a failure prints it |
//!
//! The figures of a run are printed: `cargo test -p simulation -- --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

pub mod client;
pub mod database;
pub mod faults;
pub mod history;
pub mod pace;
pub mod register;
pub mod report;
pub mod server;
pub mod simulation;
pub mod store;
pub mod table;

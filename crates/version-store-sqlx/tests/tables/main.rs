//! The stores on real tables of all three databases. Where one is not installed, its tests say so and pass.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bulk;
mod conformance;
mod database;
mod migrations;
mod opening;
mod outcome;
mod swaps;
mod transactions;

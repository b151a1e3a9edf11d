//! The layer from outside, as an axum service would use it and as any Tower stack would.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod answers;
mod bulk;
mod bulk_transaction;
mod disclosure;
mod gathered;
mod handlers;
mod hooks;
mod keys;
mod ledger;
mod mount;
mod own_tags;
mod policy;
mod posts;
mod race;
mod reads;
mod refusals;
mod report;
mod representation;
mod representation_answers;
mod representation_bodies;
mod representation_mount;
mod representation_race;
mod representation_reads;
mod representation_waits;
mod single_process;
mod store_fn;
mod tower_stack;
mod transaction;
mod variants;
mod variants_reads;
mod variants_stack;
mod weakened;

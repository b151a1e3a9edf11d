//! The layer from outside, as an axum service would use it and as any Tower stack would.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod handlers;
mod keys;
mod mount;
mod own_tags;
mod policy;
mod posts;
mod race;
mod reads;
mod refusals;
mod tower_stack;

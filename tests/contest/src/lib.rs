//! The campaign that tries to lose an update, on every way of closing the race.
//!
//! `contest-server` serves posts from every store in every way that can close the race on it. A
//! **cell** is one store with one way. In each cell the campaign lets many clients write the same few
//! posts at once through one or two server processes, lets them hang up, kills the servers and the
//! database, and has `history` prove from what the clients saw that nothing was lost.
//!
//! ```text
//! cargo run --release -p contest            # every cell, 100,000 attempted writes each
//! cargo run --release -p contest -- --help
//! cargo test -p contest                     # the short form, and the negative controls
//! ```
//!
//! Each cell has a negative control: the same race against the same server with `--unprotected`,
//! which takes the protection away and nothing else. It has to be found out.

pub mod answer;
pub mod campaign;
pub mod cell;
pub mod compare_and_swap;
pub mod legacy;
pub mod memory;
pub mod post;
pub mod rows;
pub mod server;
pub mod sql;
pub mod store;
pub mod table;
pub mod transaction;

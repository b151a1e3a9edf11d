//! The campaign that tries to lose an update, with every strategy that closes the race.
//!
//! `contest-server` serves posts from every store with every strategy that works on it. A
//! **cell** is one store with one strategy. In each cell the campaign lets many clients write the same few
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
//!
//! | strategy | without its protection |
//! | --- | --- |
//! | compare and swap | the write demands nothing of what is stored, and is settled as written |
//! | transaction | what it begins with was read before it began |
//! | single process | a table of locks for each request |
//! | representation | a layer, and so a lock, for each request |
//!
//! # What the database has to do for it
//!
//! Two things were found by these races and are nobody's fault here, but every user's concern:
//!
//! - **MariaDB without a binary log shows a commit to others before it is on disk.** What was
//!   acknowledged survives a crash of the database; what a reader has merely seen may not. With
//!   `log_bin` and `sync_binlog=1` it is on disk first. The campaign kills MariaDB only then, and says so
//!   where it does not.
//! - **sqlx forgets a `BEGIN` in MariaDB whose client left before the answer.** The connection goes back
//!   to its pool with an open transaction, in which later reads see what stood there at the first of
//!   them. A pool whose `after_release` sends `ROLLBACK` is not harmed ([`rows`]).

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

//! The proof that conditional writes lose nothing: a race over sockets, its whole history, and a
//! checker.
//!
//! [`Race`] lets many tasks read, replace, patch, delete and create a few posts at once, each write
//! under the tag that its task holds, and records every answer in a [`History`]. [`History::check`]
//! then looks for what cannot have happened on one versioned register for each key:
//!
//! | | looked for | [`ViolationKind`] |
//! | --- | --- | --- |
//! | 1 | one version with two successors that took effect | [`Fork`](ViolationKind::Fork) |
//! | 2 | a tag made twice, in any incarnation or for any key | [`DuplicateTag`](ViolationKind::DuplicateTag), [`ForeignTag`](ViolationKind::ForeignTag) |
//! | 3 | an acknowledged write that no chain to the final state or to a delete contains; a version that no write explains, or none that had begun | [`Lost`](ViolationKind::Lost), [`Unexplained`](ViolationKind::Unexplained), [`TookEffectTwice`](ViolationKind::TookEffectTwice), [`Detached`](ViolationKind::Detached), [`FinalReplaced`](ViolationKind::FinalReplaced) |
//! | 4 | what a refused write wrote | [`RefusedSeen`](ViolationKind::RefusedSeen) |
//! | 5 | content that the write which made its tag did not write | [`WrongContent`](ViolationKind::WrongContent) |
//! | 6 | an incarnation that begins while another one goes on | [`CreatedOverLive`](ViolationKind::CreatedOverLive) |
//! | 7 | a read that is older than what was acknowledged or seen before it began | [`StaleRead`](ViolationKind::StaleRead), [`AbsentWhileLive`](ViolationKind::AbsentWhileLive) |
//! | 8 | answers that the contract does not have | [`UnexpectedAnswer`](ViolationKind::UnexpectedAnswer), [`MissingTag`](ViolationKind::MissingTag), [`WrongStatus`](ViolationKind::WrongStatus) |
//!
//! Because every version names the one it replaced, the order of writes is in the history itself:
//! nothing has to be searched for. As long as tags are sent only by those who saw them, as a race
//! does, a clean report means that the history is linearizable; the tests compare with a search
//! through all orders. Where an answer was lost, the write may have taken effect or not, once; the
//! checker finds out from what was seen later.
//!
//! ```no_run
//! # async fn example(addr: std::net::SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
//! let race = history::Race { tasks: 64, acknowledged: 10_000, ..history::Race::new(addr, [1, 2, 3]) };
//! let report = race.run().await?.check();
//! assert!(report.is_clean(), "{report}");
//! # Ok(())
//! # }
//! ```

mod chain;
mod check;
mod client;
mod content;
mod control;
mod gaps;
mod operation;
mod posts;
mod race;
mod recording;
mod report;
mod time;
mod writer;

pub use crate::control::Control;
pub use crate::operation::{Content, Kind, Marker, Moment, Operation, Outcome, Read, Span, State};
pub use crate::race::{Ended, Race, RaceError, Run, Verify};
pub use crate::recording::History;
pub use crate::report::{Counts, Report, Violation, ViolationKind};

//! Every reason for a refusal, brought about over a socket: request and answer as they were, written
//! down in `docs/answers-by-reason.md`.
//!
//! | | where |
//! | --- | --- |
//! | posts whose versions, dates and so tags are the same in every run, with the faults of a database | [`posts`] |
//! | the service: for each thing that can go wrong a route where it does | [`service`] |
//! | that service, over a socket | [`Scene`] |
//! | one example after the other | [`examples`] |
//! | request and answer, and how they are shown | [`Exchange`] |
//! | the page | [`page`] |
//! | what no answer may have | [`leaks`](Exchange::leaks), [`misplaced`](Exchange::misplaced) |

pub mod examples;
mod exchange;
pub mod page;
pub mod posts;
mod promises;
mod scene;
pub mod service;

pub use examples::Example;
pub use exchange::{Answer, Exchange};
pub use scene::Scene;

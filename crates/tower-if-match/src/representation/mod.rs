//! The strategy that needs nothing: the version of a resource is the hash of what a GET of it answers.
//!
//! 1. A write's target is read with a GET of the service's own, made of the write's head
//!    (`get.rs`), and the answer is hashed (`state.rs`). That is a [`VersionStore`], under the service
//!    and the evaluation that every strategy has.
//! 2. The write runs under a lock (`strategy/one_lock.rs`), which every write of the service waits for.
//! 3. A read is held, hashed and tagged (`service.rs`).
//! 4. What changes though nobody wrote is found out and reported (`watch.rs`).

mod body;
mod get;
mod inner;
mod layer;
mod service;
mod settings;
mod state;
mod watch;

pub use body::{Resumable, Resumed};
pub use layer::RepresentationLayer;
pub use service::Represented;

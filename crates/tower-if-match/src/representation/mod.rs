//! A layer that needs no store: the version of a resource is the hash of the response to a GET.
//!
//! 1. A write's target is read with a GET to the same service, derived from the write's head (`get.rs`), and
//!    the response is hashed (`state.rs`). That is a [`VersionStore`], used by the same service and the same
//!    evaluation as with every strategy.
//! 2. The write runs under a lock (`strategy/one_lock.rs`), for which every write of the service waits.
//! 3. A read is buffered, hashed and tagged (`service.rs`).
//! 4. Representations that change without a write are detected and reported (`watch.rs`).

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

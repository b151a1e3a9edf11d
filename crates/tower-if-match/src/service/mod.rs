//! The Tower plumbing: it waits, and decides on no condition.

mod future;
mod service;

pub use future::ResponseFuture;
pub use service::IfMatch;

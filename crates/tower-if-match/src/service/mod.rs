//! The Tower plumbing: it waits, and decides nothing.

mod future;
mod service;

pub use future::ResponseFuture;
pub use service::IfMatch;

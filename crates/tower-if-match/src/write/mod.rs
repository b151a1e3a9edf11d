//! A write's way, from its key to its answer.

mod prepare;
mod write;

pub(crate) use prepare::{BoxFuture, Prepared, VersionBefore, Waiting, version_before};
pub(crate) use write::{Conclusion, Running, denied_response};

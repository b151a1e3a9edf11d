//! A write's way, from its key to its response.

use std::pin::Pin;

mod conflicts;
mod guard;
mod judge;
mod prepare;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use conflicts::{Audience, ask};
#[cfg(feature = "representation")]
pub(crate) use guard::ErrorResponse;
pub(crate) use guard::Guard;
pub(crate) use judge::{Clearance, Judgement};
pub(crate) use prepare::{Prepared, Waiting};
pub(crate) use write::Running;

/// What has to be waited for, because the futures of a store have no names.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

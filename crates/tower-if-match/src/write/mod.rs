//! A write, from its key to its response.

use std::pin::Pin;

mod conflicts;
mod finish;
mod guard;
mod hand_over;
mod judge;
mod prepare;
mod tell;
#[cfg(test)]
mod tests;
mod unavailable;

pub(crate) use conflicts::{Audience, ask};
#[cfg(feature = "representation")]
pub(crate) use guard::ErrorResponse;
pub(crate) use guard::Guard;
pub(crate) use hand_over::Running;
pub(crate) use judge::{Clearance, Judgement};
pub(crate) use prepare::{Prepared, Waiting};

/// A boxed future, because the futures of a store have no names.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

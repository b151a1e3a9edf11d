//! The decision about a write: pure, synchronous, no store, no hook.

mod decide;
mod policy;
#[cfg(test)]
mod tests;

pub(crate) use decide::{Decision, Rules, decide_unkeyed, reason_of, why};
pub(crate) use policy::Need;
pub use policy::Policy;

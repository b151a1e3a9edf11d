//! The decision about a write: pure and synchronous, without a store or a hook.

#[cfg(test)]
mod at_once_tests;
mod decide;
mod policy;
#[cfg(test)]
mod tests;

pub(crate) use decide::{Decision, Rules, decide_unkeyed, reason_of, why};
pub(crate) use policy::Need;
pub use policy::Policy;

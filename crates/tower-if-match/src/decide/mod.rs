//! The decision about a write.

mod decide;
mod policy;

pub(crate) use decide::{Decision, decide_unkeyed, reason_of, why};
pub(crate) use policy::{Mode, Need, Policy};

//! The strategies that close the race between the evaluation of a condition and the write.

mod compare_and_swap;
mod locks;
#[cfg(feature = "representation")]
mod one_lock;
mod single_process;
mod strategy;
mod task;
#[cfg(test)]
mod tests;
mod transaction;

pub use compare_and_swap::CompareAndSwap;
#[cfg(feature = "bulk")]
pub(crate) use locks::Lock;
#[cfg(test)]
pub(crate) use locks::Locks;
#[cfg(feature = "representation")]
pub(crate) use one_lock::OneLock;
pub use single_process::SingleProcess;
pub(crate) use strategy::{
    Buffers, OpenError, OpenResult, Opened, Runs, Settled, Strategy, in_scope,
};
pub use transaction::Transaction;
#[cfg(feature = "bulk")]
pub(crate) use transaction::{Ended, Loan, end};

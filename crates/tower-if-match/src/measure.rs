//! What is counted and timed. Without the feature `metrics` nothing is, and all of this is nothing.

#[cfg(feature = "metrics")]
mod facade;
#[cfg(not(feature = "metrics"))]
mod nothing;
#[cfg(feature = "metrics")]
pub use facade::describe_metrics;
#[cfg(feature = "metrics")]
pub(crate) use facade::{Observed, timed, waited};
#[cfg(not(feature = "metrics"))]
pub(crate) use nothing::{Observed, timed, waited};

/// What the store is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// The current version, to refuse the hopeless or to answer a lost race.
    Current,
    /// The current version that a write is decided on, with whatever is taken hold of.
    Open,
    /// How a write ended, with its commit.
    Settle,
    /// What a conflict is about.
    Conflict,
}

//! What is counted and timed. Without the feature `metrics` nothing is, and all of this is nothing.

#[cfg(not(feature = "metrics"))]
mod disabled;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
pub(crate) use self::disabled::{Observed, timed, waited};
#[cfg(feature = "metrics")]
pub use self::metrics::describe_metrics;
#[cfg(feature = "metrics")]
pub(crate) use self::metrics::{Observed, timed, waited};

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

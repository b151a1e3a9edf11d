//! Counts and times. Without the feature `metrics` all of this compiles to nothing.

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

/// The operations of a store.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// Reads the current version, to refuse requests that are bound to fail or to answer a lost race.
    Current,
    /// Reads the current version for the decision on a write, and acquires what the strategy holds.
    Open,
    /// Finds out how a write ended, including its commit.
    Settle,
    /// Reads conflict metadata.
    Conflict,
}

//! Rows, versions, demands and endings as a report shows them.

use std::fmt;

use crate::demand::Demand;
use crate::handover::{Ending, Made};
use crate::version::Version;
use crate::versioned::Versioned;

/// A row.
pub(super) struct Shown<'a, R>(pub(super) Option<&'a Versioned<u64, R>>);

impl<R: fmt::Debug> fmt::Display for Shown<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(row) => write!(
                f,
                "{} with marker {}",
                ShownVersion(Some(row.version())),
                row.body()
            ),
            None => f.write_str("no row"),
        }
    }
}

/// A version.
pub(super) struct ShownVersion<'a, R>(pub(super) Option<&'a Version<R>>);

impl<R: fmt::Debug> fmt::Display for ShownVersion<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(version) => write!(
                f,
                "revision {:?} of incarnation {}",
                version.revision(),
                version.incarnation()
            ),
            None => f.write_str("no version"),
        }
    }
}

/// A demand.
pub(super) struct ShownDemand<'a, R>(pub(super) &'a Demand<R>);

impl<R: fmt::Debug> fmt::Display for ShownDemand<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Demand::Version(version) => write!(f, "Version({})", ShownVersion(Some(version))),
            Demand::Exists => f.write_str("Exists"),
            Demand::NotExists => f.write_str("NotExists"),
            Demand::Any => f.write_str("Any"),
            Demand::Never => f.write_str("Never"),
        }
    }
}

/// How a write was settled.
pub(super) struct ShownEnding<'a, R>(pub(super) &'a Ending<Made<R>>);

impl<R: fmt::Debug> fmt::Display for ShownEnding<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Ending::Written(Made {
                version: Some(version),
                ..
            }) => {
                return write!(f, "settled as written with {}", ShownVersion(Some(version)));
            }
            Ending::Written(Made { version: None, .. }) => "settled as removed",
            Ending::Unchanged => "settled as unchanged",
            Ending::Lost => "settled as lost",
            Ending::Untaken | Ending::Unsettled => "not settled",
        })
    }
}

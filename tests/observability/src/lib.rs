//! What stands under `docs/observability`, read by programs: so that the alerts, the dashboard, their
//! description and what the layer counts cannot drift apart.
//!
//! | need | where |
//! | --- | --- |
//! | the metrics and labels that the README describes | [`Catalogue`] |
//! | the rules and what they ask for | [`Rules`] |
//! | the dashboard and what it asks for | [`Dashboard`] |
//! | the metrics and labels of a `PromQL` expression | [`Names`] |
//! | the series that a program serves | [`Exposition`] |
//! | the verdict of Prometheus' own `promtool` | [`Promtool`] |

mod catalogue;
mod dashboard;
mod exposition;
mod names;
mod promtool;
mod rules;

pub use crate::{
    catalogue::{Catalogue, Kind, Metric, Values},
    dashboard::{Dashboard, Panel},
    exposition::{Exposition, Series},
    names::Names,
    promtool::{Promtool, Verdict},
    rules::{Rule, Rules},
};

/// The rules, as they stand in the repository.
pub const ALERTS: &str = include_str!("../../../docs/observability/alerts.yaml");

/// The unit tests of the rules, as they stand in the repository.
pub const ALERTS_TEST: &str = include_str!("../../../docs/observability/alerts_test.yaml");

/// The dashboard, as it stands in the repository.
pub const DASHBOARD: &str = include_str!("../../../docs/observability/dashboard.json");

/// The description of all of it, as it stands in the repository.
pub const README: &str = include_str!("../../../docs/observability/README.md");

/// The codes of all refusals, which are values of the label `reason`.
///
/// `Reason` can grow, so its public interface lists none; they are read from its source.
pub fn reasons() -> Vec<&'static str> {
    let source = include_str!("../../../crates/tower-if-match/src/refusal/reason.rs");
    let codes = source.lines().filter_map(|line| {
        let code = line.trim().strip_prefix("Self::")?.split_once(" => \"")?.1;
        code.strip_suffix("\",")
    });
    codes.collect()
}

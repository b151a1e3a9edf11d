//! The table, and the aims.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::scenario::Scenario;

/// What was measured of one scenario, each per run.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) allocations: f64,
    pub(crate) instructions: Option<f64>,
    /// These jitter; look at their ratio only.
    pub(crate) nanoseconds: Option<f64>,
}

pub(crate) type Measured = BTreeMap<&'static str, Figures>;

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    name: &'static str,
    #[serde(flatten)]
    figures: Figures,
    beside: Option<&'static str>,
    allocations_over: Option<f64>,
    instructions_over: Option<f64>,
    instructions_ratio: Option<f64>,
    nanoseconds_ratio: Option<f64>,
}

impl Row {
    pub(crate) fn new(scenario: &Scenario, measured: &Measured) -> Option<Self> {
        let figures = *measured.get(scenario.name)?;
        let base = scenario.beside.and_then(|name| measured.get(name));
        let pair = |of: fn(&Figures) -> Option<f64>| of(&figures).zip(base.and_then(of));
        let instructions = pair(|figures| figures.instructions);
        Some(Self {
            name: scenario.name,
            figures,
            beside: scenario.beside,
            allocations_over: base.map(|base| figures.allocations - base.allocations),
            instructions_over: instructions.map(|(own, base)| own - base),
            instructions_ratio: instructions.map(|(own, base)| own / base),
            nanoseconds_ratio: pair(|figures| figures.nanoseconds).map(|(own, base)| own / base),
        })
    }
}

/// An aim of the design, and whether it is met; `None` where a figure for it is missing.
#[derive(Debug, Serialize)]
pub(crate) struct Aim {
    what: String,
    value: Option<f64>,
    met: Option<bool>,
}

/// What the aims are about.
enum Value {
    AllocationsOver(&'static str),
    InstructionsOver(&'static str),
    Allocations(&'static str),
    Instructions(&'static str),
    /// Instructions of the first as a share of those of the second.
    Share(&'static str, &'static str),
}

/// Each aim with its limit. Sixty-four tags are 6.4 times ten: linear, with what one call costs.
const AIMS: [(Value, f64); 18] = {
    use Value::{Allocations, AllocationsOver, Instructions, InstructionsOver, Share};
    [
        (InstructionsOver("put own tags"), 3400.0),
        (AllocationsOver("put own tags"), 4.0),
        (InstructionsOver("put minted"), 3900.0),
        (AllocationsOver("put minted"), 4.0),
        (Share("412 minted", "412 handwritten"), 0.52),
        (AllocationsOver("412 minted"), 2.0),
        (Instructions("428 minted"), 11_000.0),
        (InstructionsOver("get minted"), 2800.0),
        (InstructionsOver("unkeyed guarded"), 350.0),
        (AllocationsOver("unkeyed guarded"), 0.0),
        (InstructionsOver("options guarded"), 150.0),
        (AllocationsOver("options guarded"), 0.0),
        (Allocations("parse 1 tag"), 0.0),
        (Allocations("parse 10 tags"), 0.0),
        (Allocations("parse 64 tags"), 0.0),
        (Allocations("evaluate 1 tag"), 0.0),
        (Share("parse 64 tags", "parse 10 tags"), 6.4),
        (Share("parse 10 tags", "parse 1 tag"), 10.0),
    ]
};

/// The aims that what was measured tells something about.
pub(crate) fn aims(rows: &[Row]) -> Vec<Aim> {
    let row = |name| rows.iter().find(|row| row.name == name);
    let judged = AIMS.iter().filter_map(|(value, limit)| {
        let (what, value) = match *value {
            Value::AllocationsOver(name) => {
                let row = row(name)?;
                (
                    format!("{name}: allocations over the no-op layer"),
                    row.allocations_over,
                )
            }
            Value::InstructionsOver(name) => {
                let row = row(name)?;
                (
                    format!("{name}: instructions over the no-op layer"),
                    row.instructions_over,
                )
            }
            Value::Allocations(name) => {
                let row = row(name)?;
                (
                    format!("{name}: allocations"),
                    Some(row.figures.allocations),
                )
            }
            Value::Instructions(name) => {
                let row = row(name)?;
                (format!("{name}: instructions"), row.figures.instructions)
            }
            Value::Share(name, of) => {
                let both = row(name)?
                    .figures
                    .instructions
                    .zip(row(of)?.figures.instructions);
                (
                    format!("{name}: instructions as a share of `{of}`"),
                    both.map(|(a, b)| a / b),
                )
            }
        };
        Some(Aim {
            what: format!("{what} at most {limit}"),
            value,
            met: value.map(|value| value <= *limit),
        })
    });
    judged.collect()
}

/// The table as text.
pub(crate) fn table(rows: &[Row], with_time: bool) -> String {
    let mut text = format!(
        "{:<28}{:>12}{:>8}{:>14}{:>10}{:>8}",
        "per request", "allocations", "over", "instructions", "over", "ratio"
    );
    if with_time {
        let _ = write!(text, "{:>12}{:>8}", "ns (jitter)", "ratio");
    }
    text.push('\n');
    for row in rows {
        let _ = write!(
            text,
            "{:<28}{:>12}{:>8}{:>14}{:>10}{:>8}",
            row.name,
            row.figures.allocations,
            shown(row.allocations_over, 0, true),
            shown(row.figures.instructions, 0, false),
            shown(row.instructions_over, 0, true),
            shown(row.instructions_ratio, 2, false),
        );
        if with_time {
            let nanoseconds = shown(row.figures.nanoseconds, 0, false);
            let ratio = shown(row.nanoseconds_ratio, 2, false);
            let _ = write!(text, "{nanoseconds:>12}{ratio:>8}");
        }
        text.push('\n');
    }
    text
}

/// The aims as text.
pub(crate) fn judgement(aims: &[Aim]) -> String {
    let mut text = String::new();
    for aim in aims {
        let met = match aim.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "unknown",
        };
        let _ = writeln!(text, "{met:<9}{}: {}", aim.what, shown(aim.value, 2, false));
    }
    text
}

fn shown(value: Option<f64>, decimals: usize, signed: bool) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if signed => format!("{value:+.decimals$}"),
        Some(value) => format!("{value:.decimals$}"),
    }
}

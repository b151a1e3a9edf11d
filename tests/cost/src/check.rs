//! Holds what was measured to the record: nothing becomes dearer unseen.

use std::fmt;

use crate::record::Recorded;
use crate::report::Measured;

/// The share by which instructions may grow. What jitters (hash keys, where things lie in memory) is a
/// tenth of it.
const TOLERANCE: f64 = 0.02;

/// Less than one allocation in all that are counted, and more than what reading a number can lose.
const NO_ALLOCATION: f64 = 0.0005;

/// What there is to tell about a row.
#[derive(Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) row: String,
    pub(crate) what: What,
}

#[derive(Debug, PartialEq)]
pub(crate) enum What {
    Dearer(Change),
    Cheaper(Change),
    /// A scenario that the record does not know.
    NotRecorded,
    /// A row of the record that no scenario has.
    NoScenario,
    /// Its instructions are to be compared, and could not be counted.
    NotMeasured,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Change {
    Allocations { recorded: f64, measured: f64 },
    Instructions { recorded: f64, measured: f64 },
}

/// Whether instructions can be compared, which takes the tools that they were recorded with.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Instructions {
    Compared,
    Ignored,
}

/// All that there is to tell, in the order of the record, and then what the record does not know.
pub(crate) fn compare(
    recorded: &[Recorded],
    measured: &Measured,
    instructions: Instructions,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tell = |row: &str, what| {
        let row = row.to_owned();
        findings.push(Finding { row, what });
    };
    for recorded in recorded {
        let row = recorded.row.as_str();
        let Some(figures) = measured.get(row) else {
            tell(row, What::NoScenario);
            continue;
        };
        if let Some(what) = allocations(recorded.allocations, figures.allocations) {
            tell(row, what);
        }
        if instructions == Instructions::Compared {
            let what = match figures.instructions {
                Some(measured) => self::instructions(recorded.instructions, measured),
                None => Some(What::NotMeasured),
            };
            if let Some(what) = what {
                tell(row, what);
            }
        }
    }
    for name in measured.keys() {
        if !recorded.iter().any(|recorded| recorded.row == *name) {
            tell(name, What::NotRecorded);
        }
    }
    findings
}

fn allocations(recorded: f64, measured: f64) -> Option<What> {
    let change = Change::Allocations { recorded, measured };
    if measured > recorded + NO_ALLOCATION {
        Some(What::Dearer(change))
    } else if measured < recorded - NO_ALLOCATION {
        Some(What::Cheaper(change))
    } else {
        None
    }
}

fn instructions(recorded: f64, measured: f64) -> Option<What> {
    let change = Change::Instructions { recorded, measured };
    if measured > recorded * (1.0 + TOLERANCE) {
        Some(What::Dearer(change))
    } else if measured < recorded * (1.0 - TOLERANCE) {
        Some(What::Cheaper(change))
    } else {
        None
    }
}

impl Finding {
    /// What has become cheaper is a hint only.
    pub(crate) fn fails(&self) -> bool {
        !matches!(self.what, What::Cheaper(_))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = &self.row;
        match &self.what {
            What::Dearer(change) => write!(f, "DEARER   {row}: {change}"),
            What::Cheaper(change) => write!(f, "cheaper  {row}: {change}"),
            What::NotRecorded => write!(f, "UNKNOWN  {row}: not in the record"),
            What::NoScenario => write!(
                f,
                "GONE     {row}: in the record, but no scenario has this name"
            ),
            What::NotMeasured => write!(f, "UNKNOWN  {row}: its instructions could not be counted"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Allocations { recorded, measured } => {
                // Means of many runs: without rounding, a difference of decimals has a long tail.
                let more = ((measured - recorded) * 1000.0).round() / 1000.0;
                write!(f, "{measured} allocations, recorded {recorded} ({more:+})")
            }
            Self::Instructions { recorded, measured } => {
                let more = measured - recorded;
                let share = more / recorded * 100.0;
                write!(
                    f,
                    "{measured:.0} instructions, recorded {recorded:.0} ({more:+.0}, {share:+.1} %)"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;

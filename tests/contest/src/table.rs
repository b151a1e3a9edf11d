//! The rows of a campaign, for people.

use std::fmt::Write as _;

use crate::campaign::Row;

const HEAD: [&str; 10] = [
    "cell",
    "attempted",
    "acknowledged",
    "refused",
    "unknown",
    "kills",
    "lost",
    "forked",
    "other violations",
    "seconds",
];

/// The line above all rows.
pub fn head() -> String {
    line(&HEAD.map(str::to_owned))
}

/// The line of a row.
pub fn row(row: &Row) -> String {
    let counts = &row.report.counts;
    line(&[
        row.cell.to_string(),
        counts.attempted.to_string(),
        counts.acknowledged.to_string(),
        row.refused().to_string(),
        row.unknown().to_string(),
        row.kills.to_string(),
        row.lost().to_string(),
        row.forked().to_string(),
        row.other_violations().to_string(),
        format!("{:.1}", row.took.as_secs_f64()),
    ])
}

fn line(columns: &[String; 10]) -> String {
    let mut line = format!("{:<26}", columns[0]);
    for (column, head) in columns.iter().zip(HEAD).skip(1) {
        let _ = write!(line, "  {column:>width$}", width = head.len().max(7));
    }
    line
}

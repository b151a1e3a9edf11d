//! The figures as they stand in the documentation, and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::plan::Kind;
use crate::round_trips::PerRequest;
use crate::rounds::{Measured, Turns};

/// A table for each group.
pub(crate) fn tables(all: &[Measured]) -> String {
    let mut text = String::new();
    for measured in all {
        let group = measured.group;
        let _ = writeln!(
            text,
            "{}, {} connections:\n",
            group.title, measured.connections
        );
        let one_row = group.kind == Kind::OneRow;
        text.push_str(if one_row {
            "| variant | successes/s | attempts/s | of blind | lowest to highest | server's µs an attempt |\n\
             | --- | --- | --- | --- | --- | --- |\n"
        } else {
            "| variant | requests/s | ratio | lowest to highest | server's µs a request |\n\
             | --- | --- | --- | --- | --- |\n"
        });
        for of in &measured.variants {
            text.push_str(&row(measured, of, one_row));
        }
        text.push('\n');
        if !measured.round_trips.is_empty() {
            text.push_str(
                "| variant | round trips a request | statements |\n| --- | --- | --- |\n",
            );
        }
        for of in &measured.round_trips {
            let (title, trips) = (of.variant.title(), of.round_trips);
            let _ = writeln!(text, "| {title} | {trips:.1} | {:.1} |", of.statements);
        }
        if !measured.round_trips.is_empty() {
            text.push('\n');
        }
    }
    text
}

fn row(measured: &Measured, of: &Turns, one_row: bool) -> String {
    let mut cells = vec![
        of.variant.title().to_owned(),
        thousands(of.median(|turn| Some(turn.successes))),
    ];
    if one_row {
        cells.push(thousands(of.median(|turn| Some(turn.requests))));
    }
    match measured.ratios(of) {
        Some([least, median, most]) => {
            cells.push(format!("{median:.2}"));
            cells.push(format!("{least:.2} to {most:.2}"));
        }
        None => cells.extend(["1".to_owned(), String::new()]),
    }
    let busy = of.median(|turn| turn.busy);
    cells.push(busy.map(|busy| format!("{busy:.1}")).unwrap_or_default());
    format!("| {} |\n", cells.join(" | "))
}

/// `12,345`
fn thousands(figure: Option<f64>) -> String {
    let Some(figure) = figure else {
        return String::new();
    };
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same, with every round.
pub(crate) fn json(all: &[Measured]) -> Value {
    let variant = |measured: &Measured, of: &Turns| {
        json!({
            "variant": of.variant.title(),
            "beside": of.beside.title(),
            "ratio": measured.ratios(of).map(|[_, median, _]| median),
            "rounds": of.each,
        })
    };
    let round_trips = |of: &PerRequest| {
        json!({
            "variant": of.variant.title(),
            "round_trips": of.round_trips,
            "statements": of.statements,
            "sent": of.sent,
        })
    };
    let group = |measured: &Measured| {
        let variants = measured.variants.iter();
        json!({
            "group": measured.group.name,
            "connections": measured.connections,
            "round_trips": measured.round_trips.iter().map(round_trips).collect::<Vec<_>>(),
            "variants": variants.map(|of| variant(measured, of)).collect::<Vec<_>>(),
        })
    };
    Value::Array(all.iter().map(group).collect())
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_set_apart() {
        for (figure, text) in [(7.4, "7"), (999.6, "1,000"), (1_234_567.0, "1,234,567")] {
            assert_eq!(thousands(Some(figure)), text);
        }
    }
}

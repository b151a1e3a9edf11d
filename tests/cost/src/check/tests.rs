//! Each way to fail, and the check itself on a layer that became dearer.

use super::*;
use crate::app::App;
use crate::measure::{self, Wanted};
use crate::report::Figures;
use crate::scenario::{Scenario, named, passing};
use crate::tests::AllocatingLayer;

fn row(name: &str, allocations: f64, instructions: f64) -> Recorded {
    Recorded {
        row: name.to_owned(),
        allocations,
        instructions,
    }
}

/// `put`, recorded with 23 allocations and 10,000 instructions.
fn recorded() -> [Recorded; 1] {
    [row("put", 23.0, 10_000.0)]
}

fn measured(
    rows: impl IntoIterator<Item = (&'static str, f64, impl Into<Option<f64>>)>,
) -> Measured {
    let figures = |(name, allocations, instructions): (_, _, _)| {
        let figures = Figures {
            allocations,
            instructions: Into::into(instructions),
            nanoseconds: None,
        };
        (name, figures)
    };
    rows.into_iter().map(figures).collect()
}

fn put(allocations: f64, instructions: impl Into<Option<f64>>) -> Measured {
    measured([("put", allocations, instructions)])
}

/// What is told, and whether the check fails.
fn told(recorded: &[Recorded], measured: &Measured, instructions: Instructions) -> (String, bool) {
    let findings = compare(recorded, measured, instructions);
    let lines = findings.iter().map(ToString::to_string);
    (
        lines.collect::<Vec<_>>().join("\n"),
        findings.iter().any(Finding::fails),
    )
}

#[test]
fn what_costs_the_same_is_not_told() {
    for instructions in [10_000.0, 10_200.0, 9_800.0] {
        let told = told(
            &recorded(),
            &put(23.0, instructions),
            Instructions::Compared,
        );
        assert_eq!(told, (String::new(), false), "{instructions}");
    }
}

#[test]
fn one_allocation_more_fails() {
    let (text, fails) = told(&recorded(), &put(24.0, 10_000.0), Instructions::Compared);
    assert_eq!(text, "DEARER   put: 24 allocations, recorded 23 (+1)");
    assert!(fails);
}

#[test]
fn an_allocation_at_one_request_of_all_fails() {
    let (text, fails) = told(&recorded(), &put(23.001, 10_000.0), Instructions::Compared);
    assert_eq!(
        text,
        "DEARER   put: 23.001 allocations, recorded 23 (+0.001)"
    );
    assert!(fails);
}

#[test]
fn more_than_two_percent_more_instructions_fail() {
    let (text, fails) = told(&recorded(), &put(23.0, 10_201.0), Instructions::Compared);
    assert_eq!(
        text,
        "DEARER   put: 10201 instructions, recorded 10000 (+201, +2.0 %)"
    );
    assert!(fails);
}

#[test]
fn both_figures_of_a_row_are_told() {
    let (text, fails) = told(&recorded(), &put(25.0, 12_000.0), Instructions::Compared);
    assert_eq!(
        text,
        "DEARER   put: 25 allocations, recorded 23 (+2)\n\
         DEARER   put: 12000 instructions, recorded 10000 (+2000, +20.0 %)"
    );
    assert!(fails);
}

#[test]
fn what_fell_is_a_hint() {
    let (text, fails) = told(&recorded(), &put(22.0, 9_000.0), Instructions::Compared);
    assert_eq!(
        text,
        "cheaper  put: 22 allocations, recorded 23 (-1)\n\
         cheaper  put: 9000 instructions, recorded 10000 (-1000, -10.0 %)"
    );
    assert!(!fails);
}

#[test]
fn instructions_of_other_tools_are_not_compared_but_allocations_are() {
    for instructions in [Some(20_000.0), None] {
        let same = told(&recorded(), &put(23.0, instructions), Instructions::Ignored);
        assert_eq!(same, (String::new(), false));
        let (text, fails) = told(&recorded(), &put(24.0, instructions), Instructions::Ignored);
        assert_eq!(text, "DEARER   put: 24 allocations, recorded 23 (+1)");
        assert!(fails);
    }
}

#[test]
fn instructions_that_could_not_be_counted_fail() {
    let (text, fails) = told(&recorded(), &put(23.0, None), Instructions::Compared);
    assert_eq!(text, "UNKNOWN  put: its instructions could not be counted");
    assert!(fails);
}

#[test]
fn a_row_that_is_not_recorded_fails() {
    let rows = [("put", 23.0, 10_000.0), ("patch", 1.0, 1.0)];
    for instructions in [Instructions::Compared, Instructions::Ignored] {
        let (text, fails) = told(&recorded(), &measured(rows), instructions);
        assert_eq!(text, "UNKNOWN  patch: not in the record");
        assert!(fails);
    }
}

#[test]
fn a_recorded_row_without_a_scenario_fails() {
    let [put_row] = recorded();
    let recorded = [row("patch", 1.0, 1.0), put_row];
    for instructions in [Instructions::Compared, Instructions::Ignored] {
        let (text, fails) = told(&recorded, &put(23.0, 10_000.0), instructions);
        assert_eq!(
            text,
            "GONE     patch: in the record, but no scenario has this name"
        );
        assert!(fails);
    }
}

/// Held to the figures of the real layer in this build. Other packages that are built beside this one may ask
/// for features that make them other than the file's.
fn against_the_layer(scenario: &'static Scenario) -> (String, bool) {
    let real = named(scenario.name).expect(scenario.name);
    let (real, _) = measure::measured(&[real], Wanted::ALLOCATIONS);
    let recorded = [row(scenario.name, real[scenario.name].allocations, 0.0)];
    let (measured, _) = measure::measured(&[scenario], Wanted::ALLOCATIONS);
    told(&recorded, &measured, Instructions::Ignored)
}

/// The negative control: the same layer, measured and compared alike, with one allocation around it.
#[test]
fn a_layer_that_allocates_once_more_fails_by_name() {
    static DEARER: Scenario = Scenario {
        name: "put minted",
        beside: None,
        prepare: |n| {
            let app = App::guarded_by::<false>(|methods, guard| {
                methods.route_layer((AllocatingLayer, guard))
            });
            passing(app, n)
        },
    };
    let (text, fails) = against_the_layer(&DEARER);
    assert!(text.starts_with("DEARER   put minted: "), "{text}");
    assert!(text.ends_with("(+1)"), "{text}");
    assert!(fails);
    let same = against_the_layer(named("put minted").expect("a scenario"));
    assert_eq!(same, (String::new(), false));
}

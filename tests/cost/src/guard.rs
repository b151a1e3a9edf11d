//! The two commands about the record: hold a build to it, and write it.

use std::process::ExitCode;

use crate::check::{self, Finding, Instructions};
use crate::measure::{Wanted, measured};
use crate::record::{Record, Recorded};
use crate::scenario;
use crate::tools::Tools;

/// Measures every row, tells what differs from the record, and fails where something is dearer.
pub(crate) fn check() -> ExitCode {
    let path = Record::path();
    let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    let record = match read.and_then(|text| Record::read(&text)) {
        Ok(record) => record,
        Err(why) => return failed(&format!("{}: {why}", path.display())),
    };
    let others = Tools::here().others_than(&record.tools);
    let (instructions, wanted) = if others.is_empty() {
        (Instructions::Compared, Wanted::INSTRUCTIONS)
    } else {
        (Instructions::Ignored, Wanted::ALLOCATIONS)
    };
    let (measured, failure) = measured(&scenario::all().collect::<Vec<_>>(), wanted);
    let findings = check::compare(&record.rows, &measured, instructions);
    for finding in &findings {
        println!("{finding}");
    }
    if let Some(why) = failure {
        println!("no instructions: {why}");
    }
    if instructions == Instructions::Ignored {
        println!("Allocations only: instructions are not compared with those of other tools.");
        for other in others {
            println!("  {other}");
        }
    }
    let failing = findings.iter().filter(|finding| finding.fails()).count();
    if failing > 0 {
        let what = if failing == 1 { "finding" } else { "findings" };
        return failed(&format!(
            "{failing} {what} against {}: make it cheaper, or raise the record in a commit that names the \
             feature and its price (CONTRIBUTING.md)",
            path.display()
        ));
    }
    println!("No row of {} has become dearer.", measured.len());
    if !findings.iter().all(Finding::fails) {
        println!("Some have become cheaper: keep that with `record`.");
    }
    ExitCode::SUCCESS
}

/// Writes the record of this build.
pub(crate) fn record() -> ExitCode {
    let tools = Tools::here();
    if tools.profile != "release" {
        return failed("what is built without optimization is not recorded; add `--release`");
    }
    let (measured, failure) = measured(&scenario::all().collect::<Vec<_>>(), Wanted::INSTRUCTIONS);
    if let Some(why) = failure {
        return failed(&format!("no instructions: {why}"));
    }
    let rows = scenario::all().filter_map(|scenario| {
        let figures = measured.get(scenario.name)?;
        Some(Recorded {
            row: scenario.name.to_owned(),
            allocations: figures.allocations,
            instructions: figures.instructions?,
        })
    });
    let record = Record {
        tools,
        rows: rows.collect(),
    };
    let path = Record::path();
    if let Err(error) = std::fs::write(&path, record.text()) {
        return failed(&format!("{}: {error}", path.display()));
    }
    println!("{} rows in {}", record.rows.len(), path.display());
    ExitCode::SUCCESS
}

fn failed(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

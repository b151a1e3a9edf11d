//! What the layer costs a request, counted in allocations and instructions, beside a layer that does
//! nothing and beside what is written by hand.

mod app;
mod check;
mod guard;
mod handwritten;
mod measure;
mod noop;
mod posts;
mod record;
#[cfg(feature = "metrics")]
mod recorder;
mod report;
mod scenario;
mod sizes;
#[cfg(test)]
mod tests;
mod tools;

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use crate::measure::Wanted;
use crate::report::Row;
use crate::scenario::{Scenario, named};

/// Counts what one request costs, in process, and says which aims are met.
///
/// A figure holds: cloning the prepared router, one `oneshot`, polling the answer and its body to
/// their ends, dropping all of it, the request too. Requests are made ready outside of it. All PUTs
/// are the same bytes, but for the digits of a minted tag; tags have 23 bytes.
///
/// `over` and `ratio` compare with a layer that does nothing, mounted as ours with
/// `MethodRouter::route_layer`, around a handler that does the same without a condition. That one
/// writes to a map behind a mutex, even beside `memory` (`MemoryStore`). It has the key from the path,
/// the guarded handler from `Expected`. With `own tags` the store makes one at each write, which is
/// within the figure.
///
/// `handwritten` is a guard in the handler, with `format!` and `json!`, or (`derived`) with a derived
/// `Serialize`; `from_fn` is the same as middleware, with `json!`. `412 floor` is a layer that answers
/// at once, with two bytes.
///
/// `8 tags` and `64 tags` are lists in If-Match of which the last one matches. `412 overtaken` is a write whose
/// handler finds that somebody was faster, `412 lost race` one whose handler says so and the layer finds nothing.
/// The rows named after a hook or setting have minted tags and hooks that do next to nothing; `as posts` is what
/// `examples/posts` sets, `all hooks` is authorization, client name, response, conflicts and redaction. Stores that
/// do not promise to answer at once do so all the same (`may wait`), or are polled twice (`waits`). `in no-op`,
/// `in drain` and `in variants` have that layer around the router. `bulk` writes ten items.
///
/// Instructions are callgrind's, without those of the allocator that counts, and with a cache of
/// glibc's malloc that never overflows. They depend on the build profile.
///
/// The repository holds the figures of all rows, in `tests/cost/record.json`, and those with the feature
/// `metrics` in `record-metrics.json`. `check` keeps a build to them, `record` writes them.
#[derive(Parser)]
#[command(
    version,
    about,
    long_about,
    verbatim_doc_comment,
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Measures only this scenario and what it is compared with; may be given several times
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(names()))]
    scenario: Vec<String>,

    /// Prints JSON instead of a table
    #[arg(long)]
    json: bool,

    /// Adds nanoseconds, the median of several rounds; they jitter, so compare ratios of one run
    #[arg(long)]
    time: bool,

    /// Sends the requests that are counted, for callgrind
    #[arg(long, hide = true)]
    under_callgrind: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Holds every row to the record and fails if one has become dearer
    ///
    /// Exits with 1 if a row allocates more, or takes more than 2 % more instructions, or is not in the
    /// record, or is in the record and has no scenario. Instructions are compared only if compiler, target,
    /// build profile, valgrind and libc are those that the record names, and it says where they are not;
    /// allocations are compared always. What has become cheaper is told and does not fail.
    #[command(verbatim_doc_comment)]
    Check,
    /// Measures every row and writes the record
    ///
    /// Only a commit that names the feature and its price raises a figure. Needs the build profile
    /// `release`, and valgrind.
    #[command(verbatim_doc_comment)]
    Record,
    /// Prints how many bytes the values have that move with every request; they are not recorded
    Sizes,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let scenarios = chosen(&arguments.scenario);
    if arguments.under_callgrind {
        let of_this_name = arguments.scenario.first().and_then(|name| named(name));
        if let Some(scenario) = of_this_name {
            measure::under_callgrind(scenario);
        }
        return ExitCode::SUCCESS;
    }
    match arguments.command {
        Some(Command::Check) => return guard::check(),
        Some(Command::Record) => return guard::record(),
        Some(Command::Sizes) => {
            print!("{}", sizes::table());
            return ExitCode::SUCCESS;
        }
        None => {}
    }

    let wanted = Wanted {
        time: arguments.time,
        ..Wanted::INSTRUCTIONS
    };
    let (measured, failure) = measure::measured(&scenarios, wanted);
    let rows: Vec<Row> = scenarios
        .iter()
        .filter_map(|scenario| Row::new(scenario, &measured))
        .collect();
    let aims = report::aims(&rows);
    if arguments.json {
        let report = serde_json::json!({ "rows": rows, "aims": aims, "failure": failure });
        println!("{report:#}");
        return ExitCode::SUCCESS;
    }
    println!("{}", report::table(&rows, arguments.time));
    print!("{}", report::judgement(&aims));
    if let Some(why) = failure {
        println!("\nno instructions: {why}");
    }
    ExitCode::SUCCESS
}

/// The scenarios with these names and those that they are compared with, or all.
fn chosen(names: &[String]) -> Vec<&'static Scenario> {
    let wanted = |scenario: &&Scenario| {
        let named = names.iter().any(|name| name == scenario.name);
        let compared = names
            .iter()
            .filter_map(|name| named_beside(name))
            .any(|beside| beside == scenario.name);
        names.is_empty() || named || compared
    };
    scenario::all().filter(wanted).collect()
}

fn named_beside(name: &str) -> Option<&'static str> {
    named(name)?.beside
}

fn names() -> impl Iterator<Item = &'static str> {
    scenario::all().map(|scenario| scenario.name)
}

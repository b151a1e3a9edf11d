//! What the layer costs a service end to end: requests per second over loopback TCP, beside the same
//! service without it and beside what is written by hand.

mod child;
mod connection;
mod cores;
mod handwritten;
mod load;
mod memory;
mod mount;
mod plan;
mod posts;
mod report;
mod round_trips;
mod rounds;
mod rows;
mod serve;
mod tables;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use crate::plan::{GROUPS, Group, Place};
use crate::rounds::Setting;
use crate::serve::Served;

/// Measures how many requests per second one core serves, with the layer and without it.
///
/// The server is a process of its own with one thread, on one core; the load comes from this process, on
/// another one, by a client that costs less than the server. Each connection is kept alive, sends its
/// next request when the last is answered, and has a resource of its own, so that its writes pass. The
/// status of every response is checked.
///
/// A figure holds: the system's part of loopback TCP, hyper, axum's routing, the layer, the handler, the
/// database. All variants of a group are sent the same requests, also those that look at no condition.
///
/// In each round every variant of a group has its turn, in an order that changes from round to round. A
/// ratio is the median, over all rounds, of a variant's requests per second divided by those of the one
/// that it is compared with in the same round. Requests per second depend on the machine; ratios do less.
#[derive(Debug, Parser)]
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

    /// Measures only this group; may be given several times
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(names()))]
    only: Vec<String>,

    /// How often each variant has its turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,

    /// How long a turn counts; a quarter of it more, before, does not
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    seconds: f64,

    /// How many connections there are, in place of 32 in memory and 16 with a database
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64))]
    connections: Option<u16>,

    /// Prints JSON, with every round, instead of tables
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves one variant until stdin ends
    #[command(hide = true)]
    Serve(Served),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Serve(served)) = &arguments.command {
        return serve::main(served);
    }
    match serve::runtime() {
        Ok(runtime) => runtime.block_on(measure(&arguments)),
        Err(error) => failed(&error),
    }
}

async fn measure(arguments: &Arguments) -> ExitCode {
    let groups = || GROUPS.iter().filter(|group| arguments.wants(group));
    // Before this process keeps to one core: the database may have all.
    let postgres = if groups().any(|group| group.place == Place::Postgres) {
        services::postgres().await
    } else {
        None
    };
    let setting = Setting {
        rounds: usize::from(arguments.rounds),
        counted: Duration::from_secs_f64(arguments.seconds),
        connections: arguments.connections,
        cores: cores::two(),
        postgres: postgres.as_ref().map(services::Database::url),
    };
    match setting.cores {
        Some(cores) if cores::pin(cores.load) => {}
        _ => eprintln!("There are not two cores to choose: server and load share what there is."),
    }
    let mut all = Vec::new();
    for group in groups() {
        if group.place == Place::Postgres && setting.postgres.is_none() {
            eprintln!("SKIPPED: {}: PostgreSQL is not installed", group.name);
            continue;
        }
        match rounds::measured(group, setting).await {
            Ok(measured) => all.push(measured),
            Err(broken) => return failed(&format!("{}: {broken}", group.name)),
        }
    }
    if arguments.json {
        println!("{:#}", report::json(&all));
    } else {
        print!("{}", report::tables(&all));
    }
    ExitCode::SUCCESS
}

impl Arguments {
    fn wants(&self, group: &Group) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == group.name)
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().map(|group| group.name)
}

/// More than nothing, and less than a server lives.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "no number".to_owned())?;
    if seconds > 0.0 && seconds <= 300.0 {
        Ok(seconds)
    } else {
        Err("more than 0 and at most 300".to_owned())
    }
}

fn failed(why: &impl std::fmt::Display) -> ExitCode {
    eprintln!("load: {why}");
    ExitCode::FAILURE
}

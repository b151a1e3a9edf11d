//! The command `contest`: the long form of the campaign.

use std::process::ExitCode;

use clap::Parser;
use contest::campaign::{Campaign, Program};
use contest::cell::Cell;
use contest::{server, table};

/// Tries to lose an update: races conditional writes against servers on every store, with every
/// strategy, kills what can be killed, and proves from the history that nothing was lost.
///
/// Prints a row for each cell. The exit status is 1 if anything was lost, or if a cell could not run.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    /// The cells to run, such as sqlite/transaction.
    #[arg(long, value_name = "CELL,…", value_delimiter = ',', default_values_t = Cell::ALL)]
    cells: Vec<Cell>,

    /// How many conditional writes are attempted in each cell.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    attempts: u64,

    /// How often a server, or the database, is killed in each cell that outlives it.
    #[arg(long, value_name = "N", default_value_t = 24)]
    kills: u64,

    /// How many clients write at once.
    #[arg(long, value_name = "N", default_value_t = 64)]
    clients: usize,

    /// The fraction of writes whose client hangs up.
    #[arg(long, value_name = "0..1", default_value_t = 0.15)]
    hang_ups: f64,

    /// What the clients' choices are drawn from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Takes the protection away, and nothing else: the negative controls.
    #[arg(long)]
    unprotected: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Serves, as contest-server does: `cargo run` builds no other program than this one.
    #[command(hide = true)]
    Serve(server::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Serve(arguments)) = arguments.command {
        return server::main(arguments).await;
    }
    match std::env::current_exe() {
        Ok(path) => {
            let arguments_of_server = vec!["serve".to_owned()];
            let server = Program {
                path,
                arguments: arguments_of_server,
            };
            run(&arguments, server).await
        }
        Err(error) => {
            eprintln!("contest: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, server: Program) -> ExitCode {
    let campaign = Campaign {
        clients: arguments.clients,
        hang_ups: arguments.hang_ups,
        seed: arguments.seed,
        unprotected: arguments.unprotected,
        ..Campaign::new(server, arguments.attempts, arguments.kills)
    };
    let mut failed = false;
    println!("{}", table::head());
    for cell in &arguments.cells {
        eprintln!("{cell}: begins");
        let progress = |text: &str| eprintln!("{cell}: {text}");
        match campaign.run(*cell, progress).await {
            Ok(Some(row)) => {
                println!("{}", table::row(&row));
                eprint!("{cell}: {}", row.report);
                failed |= !row.report.is_clean();
            }
            Ok(None) => failed = true,
            Err(error) => {
                eprintln!("{cell}: {error}");
                failed = true;
            }
        }
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

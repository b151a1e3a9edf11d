//! The command `contest-server`.

use std::process::ExitCode;

use clap::Parser;
use contest::server;

#[tokio::main]
async fn main() -> ExitCode {
    server::main(server::Arguments::parse()).await
}

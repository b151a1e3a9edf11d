//! The command `posts`: serves the posts API until it is told to stop.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use posts::store::location::masked;
use posts::store::{Location, MemoryPosts, PostStore, SqlitePosts};
use posts::{app, serve};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Serves the posts API, whose writes cannot lose an update.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: String,

    /// Where the posts are kept: sqlite:PATH (created when missing) or memory:.
    #[arg(long, value_name = "URL", default_value = "sqlite:posts.db")]
    store: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::builder()
        .with_default_directive(tracing::Level::INFO.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();

    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("posts: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), String> {
    match arguments
        .store
        .parse()
        .map_err(|error| format!("{error}"))?
    {
        Location::Memory => listen(arguments, MemoryPosts::new()).await,
        Location::Sqlite(path) => {
            let posts = SqlitePosts::open(&path).await.map_err(|error| {
                format!(
                    "cannot open the store {}: {error}",
                    masked(&arguments.store)
                )
            })?;
            listen(arguments, posts).await
        }
    }
}

async fn listen(arguments: &Arguments, posts: impl PostStore) -> Result<(), String> {
    let told = serve::told_to_stop().map_err(|error| format!("no signals: {error}"))?;
    let listener = TcpListener::bind(&arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    // Whoever started this may have closed its end; that is no reason not to serve.
    let _ = writeln!(std::io::stdout(), "listening on http://{address}");
    serve::until(told, listener, app(posts))
        .await
        .map_err(|error| error.to_string())
}

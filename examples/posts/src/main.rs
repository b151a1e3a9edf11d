//! The command `posts`: serves the posts API until it is told to stop.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use axum::{Extension, Router};
use clap::{Parser, ValueEnum};
use posts::store::location::not_opened;
use posts::store::{
    Location, MemoryPosts, OpenError, PostgresPosts, SqlitePosts, TransactionalPosts,
};
use posts::{Telemetry, app, app_in_transactions, serve};
use tokio::net::TcpListener;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Serves the posts API, whose writes cannot lose an update.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: String,

    /// Where the posts are kept: sqlite:PATH (created when missing), postgres://… or memory:.
    #[arg(long, value_name = "URL", default_value = "sqlite:posts.db")]
    store: String,

    /// What closes the race between two writes of one post: each write is conditional on the version, or runs in
    /// a transaction that holds the post (not with memory:).
    #[arg(
        long,
        value_name = "NAME",
        value_enum,
        default_value = "compare-and-swap"
    )]
    strategy: Strategy,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Strategy {
    CompareAndSwap,
    Transaction,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry()
        .with(log)
        .with(logged())
        .init();

    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("posts: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What `RUST_LOG` names, as in `posts=debug,sqlx=warn`.
fn logged() -> Targets {
    let named = std::env::var("RUST_LOG").unwrap_or_default();
    let everything = Targets::new().with_default(tracing::Level::INFO);
    if named.is_empty() {
        return everything;
    }
    named.parse().unwrap_or_else(|error| {
        eprintln!("posts: RUST_LOG is ignored: {error}");
        everything
    })
}

async fn run(arguments: &Arguments) -> Result<(), String> {
    let location: Location = arguments
        .store
        .parse()
        .map_err(|error| format!("{error}"))?;
    match (location, arguments.strategy) {
        (Location::Memory, Strategy::CompareAndSwap) => {
            listen(arguments, app(MemoryPosts::new())).await
        }
        (Location::Memory, Strategy::Transaction) => Err(
            "the store memory: has no transactions: leave --strategy transaction out".to_owned(),
        ),
        (Location::Sqlite(path), _) => {
            let posts = opened(arguments, SqlitePosts::open(&path).await)?;
            let served = listen(arguments, guarded(arguments, posts.clone())).await;
            ended(posts.close()).await;
            served
        }
        (Location::Postgres(url), _) => {
            let posts = opened(arguments, PostgresPosts::open(&url).await)?;
            let served = listen(arguments, guarded(arguments, posts.clone())).await;
            ended(posts.close()).await;
            served
        }
    }
}

fn opened<S>(arguments: &Arguments, posts: Result<S, OpenError>) -> Result<S, String> {
    posts.map_err(|error| not_opened(&arguments.store, &error))
}

fn guarded(arguments: &Arguments, posts: impl TransactionalPosts) -> Router {
    match arguments.strategy {
        Strategy::CompareAndSwap => app(posts),
        Strategy::Transaction => app_in_transactions(posts),
    }
}

/// Waits for connections to be closed, unless a request that was cut off still uses one.
async fn ended(closed: impl Future<Output = ()>) {
    if tokio::time::timeout(Duration::from_secs(5), closed)
        .await
        .is_err()
    {
        tracing::warn!("a connection of the store is still in use");
    }
}

async fn listen(arguments: &Arguments, app: Router) -> Result<(), String> {
    let app = app.layer(Extension(Telemetry::install()?));
    let told = serve::told_to_stop().map_err(|error| format!("no signals: {error}"))?;
    let listener = TcpListener::bind(&arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    // Whoever started this may have closed its end; that is no reason not to serve.
    let _ = writeln!(std::io::stdout(), "listening on http://{address}");
    serve::until(told, listener, app)
        .await
        .map_err(|error| error.to_string())
}

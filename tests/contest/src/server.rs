//! The server: one store, one strategy.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use axum::Router;
use axum::serve::ListenerExt;
use clap::{Parser, ValueEnum};
use sqlx::{MySql, Postgres, Sqlite};
use tokio::net::TcpListener;
use tower_if_match::MemoryStore;
use version_store_sqlx::{Isolation, SqlVersions, Transactions};

use crate::cell::Strategy;
use crate::compare_and_swap::{self, Unprotected};
use crate::post::Post;
use crate::rows::{self, Posted};
use crate::sql::SqlPosts;
use crate::{legacy, transaction};

/// Serves posts from one store, with one strategy.
#[derive(Clone, Debug, Parser)]
#[command(name = "contest-server")]
pub struct Arguments {
    /// Where the posts are: memory:, sqlite:PATH, postgres://… or mysql://…
    #[arg(long, value_name = "URL")]
    pub store: String,

    /// Who closes the race.
    #[arg(long, value_enum)]
    pub strategy: Strategy,

    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// How far transactions are kept from each other.
    #[arg(long, value_enum, default_value_t = Level::ReadCommitted)]
    pub isolation: Level,

    /// Takes the protection away, and nothing else: for negative controls.
    #[arg(long)]
    pub unprotected: bool,
}

/// Serves until it is killed.
pub async fn main(arguments: Arguments) -> ExitCode {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .init();
    match serve(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("contest-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> Result<(), String> {
    let app = app(arguments).await?;
    let cannot_listen = |error| format!("cannot listen on {}: {error}", arguments.listen);
    let listener = TcpListener::bind(arguments.listen).await;
    let listener = listener.map_err(cannot_listen)?;
    let addr = listener.local_addr().map_err(cannot_listen)?;
    let _ = writeln!(std::io::stdout(), "listening on http://{addr}");
    let listener = listener.tap_io(|connection| {
        // Answers are small and whole; holding them back to fill a packet only delays them.
        let _ = connection.set_nodelay(true);
    });
    axum::serve(listener, app)
        .await
        .map_err(|error| error.to_string())
}

/// The routes that these arguments ask for.
///
/// # Errors
///
/// One line for people.
pub async fn app(arguments: &Arguments) -> Result<Router, String> {
    let protected = !arguments.unprotected;
    match (arguments.store.as_str(), arguments.strategy) {
        ("memory:", Strategy::CompareAndSwap) => {
            let posts = MemoryStore::<u64, Post>::new();
            Ok(if protected {
                compare_and_swap::app(posts)
            } else {
                compare_and_swap::app(Unprotected(posts))
            })
        }
        ("memory:", Strategy::SingleProcess) => Ok(legacy::single_process(protected)),
        ("memory:", Strategy::Representation) => Ok(legacy::representation(protected)),
        (store, strategy) => match store.split_once(':') {
            Some(("sqlite", _)) => sql::<Sqlite>(arguments).await,
            Some(("postgres", _)) => sql::<Postgres>(arguments).await,
            Some(("mysql", _)) => sql::<MySql>(arguments).await,
            _ => Err(format!("{strategy} is not for {store}")),
        },
    }
}

async fn sql<D: Posted>(arguments: &Arguments) -> Result<Router, String> {
    let store = &arguments.store;
    let pool = D::connect(store).await;
    let pool = pool.map_err(|error| format!("cannot connect to {store}: {error}"))?;
    let transactions = Transactions::new().with_isolation(arguments.isolation.into());
    let versions = SqlVersions::open_with(pool.clone(), rows::table(), transactions).await;
    let versions = versions.map_err(|error| error.to_string())?;
    match (arguments.strategy, arguments.unprotected) {
        (Strategy::CompareAndSwap, unprotected) => {
            let posts = SqlPosts::new(pool, versions);
            Ok(if unprotected {
                compare_and_swap::app(Unprotected(posts))
            } else {
                compare_and_swap::app(posts)
            })
        }
        (Strategy::Transaction, false) => Ok(transaction::app(pool, versions)),
        (Strategy::Transaction, true) => {
            let versions = transaction::Unprotected(versions);
            Ok(transaction::app(pool, versions))
        }
        (strategy, _) => Err(format!("{strategy} is not for {store}")),
    }
}

/// How far the transactions are kept from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// All statements see what was committed before the first one.
    RepeatableRead,
    /// As if there were no other transaction.
    Serializable,
}

impl From<Level> for Isolation {
    fn from(level: Level) -> Self {
        match level {
            Level::ReadCommitted => Self::ReadCommitted,
            Level::RepeatableRead => Self::RepeatableRead,
            Level::Serializable => Self::Serializable,
        }
    }
}

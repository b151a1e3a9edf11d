//! The measured server: a process of its own, which says its port and ends with its stdin.

use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use sqlx::{Postgres, Sqlite};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::cores;
use crate::plan::{Place, Variant};
use crate::{memory, tables};

/// Nobody measures for as long.
const LIFETIME: Duration = Duration::from_mins(10);

/// What a server is told on its command line.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Served {
    #[arg(long, value_enum)]
    pub(crate) place: Place,
    /// The path of a file for SQLite, a URL for PostgreSQL.
    #[arg(long, default_value = "")]
    pub(crate) database: String,
    #[arg(long, value_enum)]
    pub(crate) variant: Variant,
    /// How many connections, each with a post of its own.
    #[arg(long)]
    pub(crate) connections: u16,
    /// The only core to run on.
    #[arg(long)]
    pub(crate) core: Option<usize>,
}

/// Serves until stdin ends, which it does with the process that holds its other end.
pub(crate) fn main(served: &Served) -> ExitCode {
    // Before any other thread is there, so that all of them stay on the core.
    if let Some(core) = served.core
        && !cores::pin(core)
    {
        eprintln!("load: core {core} may not be chosen");
    }
    end_with(io::stdin());
    let failed = |why: &dyn std::fmt::Display| {
        eprintln!("load: {why}");
        ExitCode::FAILURE
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let ended = runtime.block_on(async {
        let router = router(served).await?;
        let (listener, port) = listener().await?;
        println!("{port}");
        io::stdout().flush()?;
        serve(listener, router).await
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

pub(crate) fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

pub(crate) async fn router(served: &Served) -> io::Result<Router> {
    let (variant, connections) = (served.variant, served.connections);
    let database = served.database.as_str();
    match served.place {
        Place::Memory => Ok(memory::router(variant, connections)),
        Place::Sqlite => tables::router::<Sqlite>(variant, database, connections).await,
        Place::Postgres => tables::router::<Postgres>(variant, database, connections).await,
    }
}

/// A free port of loopback.
pub(crate) async fn listener() -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

pub(crate) async fn serve(listener: TcpListener, router: Router) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Otherwise what is measured are delayed acknowledgements. A connection that is gone has no need.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await
}

/// Ends this process when nobody holds the other end any more, and in any case some time.
fn end_with(mut input: impl Read + Send + 'static) {
    thread::spawn(move || {
        let _ = input.read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    thread::spawn(|| {
        thread::sleep(LIFETIME);
        std::process::exit(1);
    });
}

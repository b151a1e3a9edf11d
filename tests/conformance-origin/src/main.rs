//! A scriptable origin: puts any resource state behind the real precondition layer, so that a
//! conformance vector can be replayed over a socket.
//!
//! | request | answer |
//! | --- | --- |
//! | `PUT /_control/NAME` | sets the state of NAME, see [`control`] |
//! | `GET /_control/NAME` | `{"runs": N, "polled": M}` since the state was set |
//! | any method, `/r/NAME` | what the stack says: see [`stack`] |

mod body;
mod connection;
mod control;
mod date;
mod handler;
mod origin;
mod outside;
mod resource;
mod stack;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::origin::Origin;

/// How long connections may take to end once the process was asked to.
const DRAIN: Duration = Duration::from_secs(5);

/// Any resource state behind the real precondition layer, for conformance vectors over a socket.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The address to listen on; port 0 takes a free one, which is printed.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Leaves the precondition layer out: the negative control of every test that uses this.
    #[arg(long, hide = true)]
    without_layer: bool,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    // Before the announcement: whoever reads it may signal at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind(arguments.listen).await?;
    writeln!(
        io::stdout(),
        "listening on http://{}",
        listener.local_addr()?
    )?;

    let origin = Origin::new(!arguments.without_layer);
    let (end, ending) = watch::channel(());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection::serve(stream, origin.clone(), ending.clone()));
                }
                // Such as a client that was gone before it was accepted.
                Err(error) => eprintln!("accepting a connection: {error}"),
            },
            // So that what ended is not kept.
            Some(_) = connections.join_next() => {}
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        }
    }
    drop(listener);
    drop(end);
    let drained = async { while connections.join_next().await.is_some() {} };
    // What is left by then is dropped with the runtime.
    let _ = tokio::time::timeout(DRAIN, drained).await;
    Ok(())
}

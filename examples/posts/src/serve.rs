//! Serving, and ending well.

use std::future::IntoFuture;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How long requests that run when the server is told to stop may still take.
const DRAIN: Duration = Duration::from_secs(30);

/// What ends when SIGTERM or Ctrl-C comes. From this call on, not only from its first poll: whoever
/// waits for the announcement and then stops the program must not kill it instead.
///
/// # Errors
///
/// Where the signals cannot be listened to.
#[cfg(unix)]
pub fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}

/// What ends when Ctrl-C comes.
///
/// # Errors
///
/// None.
#[cfg(not(unix))]
pub fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // An error means that no Ctrl-C will ever come.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Serves until `told` ends. Then no connection is accepted, idle ones are closed at once, and
/// requests that run have 30 seconds.
///
/// # Errors
///
/// Those of the listener.
pub async fn until(
    told: impl Future<Output = ()> + Send + 'static,
    listener: TcpListener,
    app: Router,
) -> io::Result<()> {
    let listener = listener.tap_io(|connection| {
        // Answers are small and whole; holding them back to fill a packet only delays them.
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
    });
    let (stopping, stopped) = oneshot::channel();
    let drained = axum::serve(listener, app).with_graceful_shutdown(async {
        told.await;
        tracing::info!("stopping");
        let _ = stopping.send(());
    });
    tokio::select! {
        result = drained.into_future() => result,
        () = overdue(stopped) => {
            tracing::warn!("requests still ran after {DRAIN:?}; they are cut off");
            Ok(())
        }
    }
}

async fn overdue(stopped: oneshot::Receiver<()>) {
    // An error means that the server ended by itself, which the other branch tells.
    if stopped.await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(DRAIN).await;
}

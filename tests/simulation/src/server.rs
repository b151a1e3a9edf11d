//! The system under test: the layer around a small API, on a simulated host.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tower_if_match::{Expected, IfMatchLayer, PathKey, WriteError};
use turmoil::net::TcpListener;

use crate::pace::Pace;
use crate::store::Registers;

/// Where a server listens.
pub const PORT: u16 = 80;

/// How many milliseconds a handler takes.
const WORK: u64 = 4;

/// What a server is made of.
#[derive(Clone, Debug)]
pub struct Server<S> {
    /// Its store.
    pub registers: S,
    /// How long its handlers take.
    pub pace: Pace,
    /// How many writes have passed the layer's check and then lost in the store.
    pub lost: Arc<AtomicU64>,
}

/// The software of a server's host.
///
/// # Errors
/// The port cannot be had.
pub async fn serve<S: Registers>(server: Server<S>) -> turmoil::Result {
    let app = app(server);
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(app.clone());
        // Not `tokio::spawn`: in which order a crash drops those tasks is not for the seed to say.
        tokio::task::spawn_local(async move {
            // A client that hung up is none of the server's business.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn app<S: Registers>(server: Server<S>) -> Router {
    let guard = IfMatchLayer::new("registers", server.registers.clone(), PathKey);
    let methods = get(read::<S>).put(write::<S>).delete(remove::<S>);
    Router::new()
        .route("/registers/{id}", methods.route_layer(guard))
        .with_state(server)
}

async fn read<S: Registers>(State(server): State<Server<S>>, Path(key): Path<u64>) -> Response {
    let register = server.registers.read(key).await;
    server.pace.step(WORK).await;
    match register {
        Ok(Some(register)) => register.into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(failure) => failure.into_response(),
    }
}

async fn write<S: Registers>(
    State(server): State<Server<S>>,
    expected: Expected<S>,
    text: String,
) -> Response {
    server.write(Some(text), expected).await
}

async fn remove<S: Registers>(State(server): State<Server<S>>, expected: Expected<S>) -> Response {
    server.write(None, expected).await
}

impl<S: Registers> Server<S> {
    async fn write(&self, text: Option<String>, expected: Expected<S>) -> Response {
        self.pace.step(WORK).await;
        match self.registers.write(text, expected).await {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(WriteError::Lost(lost)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                lost.into_response()
            }
            Err(WriteError::Absent) => StatusCode::NOT_FOUND.into_response(),
            Err(WriteError::Backend(failure)) => failure.into_response(),
        }
    }
}

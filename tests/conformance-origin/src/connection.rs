//! One connection.

use std::convert::Infallible;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::origin::Origin;

/// Above hyper's 100, so that a vector with many field lines reaches the layer.
const MAX_FIELD_LINES: usize = 1024;

/// How long a client may go on sending what nobody reads.
const LINGER: Duration = Duration::from_secs(1);

/// Serves one connection until it ends, or until the sender of `ending` is gone and the exchange
/// under way is over.
pub(crate) async fn serve(stream: TcpStream, origin: Origin, mut ending: watch::Receiver<()>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let origin = origin.clone();
        async move { Ok::<_, Infallible>(origin.answer(request).await) }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_headers(MAX_FIELD_LINES)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    // How a connection ends is its client's to judge.
    let _ = tokio::select! {
        ended = &mut connection => ended,
        _ = ending.changed() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    linger(connection.into_parts().io.into_inner()).await;
}

/// Reads on for a while after the last answer. A request that was refused in front has a body that
/// nobody read; a close with that on its way would reset the connection, and the client could lose
/// the refusal (RFC 9112 §9.6).
async fn linger(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let mut nowhere = tokio::io::sink();
    let _ = tokio::time::timeout(LINGER, tokio::io::copy(&mut stream, &mut nowhere)).await;
}

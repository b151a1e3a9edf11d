//! An HTTP/1.1 client for tests that sends exactly the bytes it is given, and a runner for the
//! server under test.
//!
//! A client library normalises: it merges field lines, drops what it thinks wrong, pools and
//! retries. A test of conditions needs the opposite, so this one does nothing on its own:
//!
//! | need | where |
//! | --- | --- |
//! | a request byte by byte, five ways to frame its body | [`Request`], [`Body`] |
//! | one connection, reused only where RFC 9112 §9.3 allows it, never silently reopened | [`Connection`] |
//! | the whole answer: every field line, interim answers, trailers | [`Response`], [`Head`] |
//! | hang-ups: a reset, a close, half a request | [`Connection::abort`], [`Connection::write_bytes`] |
//! | a server as a child process, killed on drop | [`Server`] |
//!
//! Every wait has a deadline ([`DEADLINE`] unless told otherwise), so a server that hangs fails a
//! test and never stalls it.
//!
//! ```
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use wire::{Connection, Request};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let addr = listener.local_addr()?;
//! let server = tokio::spawn(async move {
//!     let (mut stream, _) = listener.accept().await?;
//!     let mut request = vec![0; 1024];
//!     let length = stream.read(&mut request).await?;
//!     stream.write_all(b"HTTP/1.1 428 Precondition Required\r\ncontent-length: 0\r\n\r\n").await?;
//!     request.truncate(length);
//!     Ok::<_, std::io::Error>(request)
//! });
//!
//! let request = Request::new("PUT", "/posts/1").field("If-Match", "").json(r#"{"title":"a"}"#);
//! let answer = Connection::open(addr).await?.send(&request).await?;
//! assert_eq!(answer.status(), 428);
//! assert_eq!(server.await??, request.bytes());
//! # Ok(())
//! # }
//! ```

mod connection;
mod error;
mod incoming;
mod request;
mod response;
mod server;

use std::time::Duration;

pub use crate::connection::Connection;
pub use crate::error::{Error, ErrorKind};
pub use crate::request::{Body, Request};
pub use crate::response::{FieldLine, Head, Response};
pub use crate::server::Server;

/// How long any single wait may take before it fails with [`ErrorKind::Deadline`]: 30 seconds.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

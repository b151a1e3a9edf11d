//! Reads what is left of an answered request's body, so that the answer arrives.
//!
//! A server that answers before it has read the request's body has to close the connection (RFC 9112 §9.3).
//! If the body is still on its way, the connection is reset, and the reset can overtake the answer (§9.6):
//! the client sees a broken connection, and a proxy says 502. [`DrainLayer`], as the outermost layer, holds
//! the answer until the rest of the body has arrived and been thrown away.
//!
//! # The decision
//!
//! 1. Requests without a body, over HTTP/2 and later, or with CONNECT pass through untouched. HTTP/2 resets
//!    a stream and not the connection, and no body follows CONNECT.
//! 2. The inner service gets a body that returns itself when it is dropped, read or not. Nothing is read
//!    here before the inner service has answered.
//! 3. Errors are not answers and pass through. So does 101.
//! 4. A body that was read to its end needs nothing. A body that something still holds, such as a task or
//!    the answer's own body, is left to whoever holds it.
//! 5. A body that waits for 100 (Continue), and that the inner service never polled, is not asked for here
//!    (RFC 9110 §10.1.1). Nor is one that failed, or whose rest is known to exceed the limit.
//! 6. Any other body is read and thrown away, within the limit and the timeout; then the answer goes out.
//!    It must not go out earlier: some proxies stop sending as soon as they have an answer, and close.
//! 7. If the rest was not read to its end, the answer gets `Connection: close` (§9.6): that is what the
//!    server does next.
//!
//! # Features
//!
//! | feature | default | what |
//! | --- | --- | --- |
//! | `axum` | yes | axum's `Body` is [`Drainable`] |

mod future;
mod layer;
mod lent;
mod rest;
mod service;
#[cfg(test)]
mod tests;

pub use future::DrainFuture;
pub use layer::DrainLayer;
pub use lent::{Drainable, Lent};
pub use service::Drain;

//! Reading what is left of a request's content once the request is answered, so that the answer arrives.
//!
//! A server that answers without having read the content has to close the connection (RFC 9112 §9.3), and
//! content that is still on its way resets it: the reset can overtake the answer (§9.6). A client finds a
//! broken connection in its place, a proxy says 502.
//!
//! # The decision
//!
//! 1. A request without content, of HTTP/2 and later, or with CONNECT goes through as it is. HTTP/2 resets
//!    a stream and not the connection, and behind CONNECT no content follows.
//! 2. The content goes inside in a body that gives itself back when it is dropped, read or not. Nothing is
//!    read here before the inner service has answered.
//! 3. An error is no answer: it goes on. So does 101.
//! 4. Content that was read to its end needs nothing. Content that something still holds, such as a task or
//!    the answer's own body, is read by whoever holds it, or not at all.
//! 5. Content that waits for 100 (Continue) and was not asked for inside is not asked for here (RFC 9110
//!    §10.1.1). Nor is content that broke off, or whose rest is known to be longer than the limit.
//! 6. All other content is read and thrown away, up to the limit and the deadline, and then the answer goes
//!    on. Before that it would reach proxies that stop sending as soon as they have it, and close.
//! 7. Where the rest was not read to its end, the answer gets `Connection: close` (§9.6), which says what
//!    the server does then.

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

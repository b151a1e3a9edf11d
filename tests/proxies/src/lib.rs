//! Real reverse proxies in front of an origin, started for one test process and thrown away with it.
//!
//! A condition names a tag that the client read, and between the two stands what the service does not
//! control: a proxy that encodes bodies may weaken their tags (RFC 9110 §8.8.1), give them others
//! (§8.8.3.3), or leave them alone. What each does, and what becomes of the writes, is in `matrix.md`,
//! which `tests/matrix` makes.
//!
//! The programs are the distribution's. One that is not installed is skipped, visibly, or fails the
//! test where `REQUIRE_SERVICES` is set, as in `services`.
//!
//! ```
//! use proxies::{Proxy, Relay, SetUp};
//! use wire::{Connection, Request};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> wire::Result<()> {
//! # let origin = "127.0.0.1:9".parse().unwrap();
//! let Some(relay) = Relay::start(Proxy::Nginx, SetUp::Plain, origin).await else {
//!     return Ok(()); // nginx is not installed; this was printed
//! };
//! let mut connection = Connection::open(relay.addr()).await?;
//! let answer = connection.send(&Request::new("GET", "/api/posts/1")).await?;
//! assert_eq!(answer.status(), 502, "nobody listens at that origin");
//! # Ok(())
//! # }
//! ```

mod configuration;
mod proxy;
mod relay;

pub use crate::proxy::{Proxy, SetUp};
pub use crate::relay::Relay;

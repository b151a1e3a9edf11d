//! What the layer needs to know about one request.

mod accept;
mod buffer;
mod client_name;
mod fields;
mod head;
mod hook;
mod key;
#[cfg(feature = "axum")]
mod path_key;

pub(crate) use accept::Format;
pub use buffer::Bufferable;
pub(crate) use buffer::{BufferLimits, Unbuffered};
pub(crate) use client_name::Clients;
pub(crate) use fields::Fields;
pub(crate) use head::{Head, Kept};
#[cfg(feature = "representation")]
pub(crate) use head::{original_uri, target};
pub(crate) use hook::{Hook, Pair, Taken, noted};
pub use key::{FindKey, Found};
#[cfg(feature = "axum")]
pub use path_key::PathKey;

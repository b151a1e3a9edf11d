//! What you set: data only.

mod config;

pub use config::Denied;
pub(crate) use config::{Config, ErrorAnswer};

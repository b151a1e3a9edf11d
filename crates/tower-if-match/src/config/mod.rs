//! What you set: data only.

mod config;

pub(crate) use config::Config;

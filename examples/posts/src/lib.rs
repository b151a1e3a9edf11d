//! A posts API whose writes cannot lose an update.
//!
//! Read it in this order: [`app`], where the precondition layer is mounted and with what around it;
//! the handlers, one file for each strategy that closes the race; [`store::postgres`], where a conditional
//! write is one statement.
//!
//! ```
//! use posts::{app, store::MemoryPosts};
//!
//! let app: axum::Router = app(MemoryPosts::new());
//! ```

mod answer;
mod app;
mod client_name;
mod declared_content;
mod declared_size;
mod extract;
mod handlers;
mod openapi;
mod pages;
pub mod post;
mod request_id;
pub mod serve;
pub mod store;
mod telemetry;

pub use app::{app, app_in_transactions};
pub use telemetry::Telemetry;

//! A refusal becomes a response.

mod conflict;
mod draft;
mod respond;
mod texts;

pub(crate) use conflict::{Audience, Disclosure, ask};
pub(crate) use draft::framed_by_the_server;
pub use respond::RefusalResponse;
pub(crate) use respond::cut;
pub(crate) use texts::Documents;

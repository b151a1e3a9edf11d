//! Turns a refusal into a response.

mod conflict;
mod document;
mod draft;
mod plain;
mod refusal_response;
mod refusals;
mod respond;
mod texts;

pub(crate) use conflict::Told;
#[cfg(feature = "bulk")]
pub(crate) use plain::plain;
pub(crate) use plain::unbuffered;
pub use refusal_response::RefusalResponse;
pub use refusals::Refusals;
pub(crate) use respond::Responder;
#[cfg(any(feature = "bulk", feature = "representation"))]
pub(crate) use respond::cut;
#[cfg(test)]
pub(crate) use texts::Texts;

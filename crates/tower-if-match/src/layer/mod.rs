//! The public face: what you build a layer with.

mod layer;
mod policy;
mod refusals;

pub use layer::IfMatchLayer;

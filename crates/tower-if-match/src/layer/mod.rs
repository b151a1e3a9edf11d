//! The public API with which you build a layer.

mod conflicts;
mod contract;
#[cfg(feature = "axum")]
mod guarded_route;
mod layer;

pub use contract::Contract;
#[cfg(feature = "axum")]
pub use guarded_route::GuardedRoute;
pub use layer::IfMatchLayer;

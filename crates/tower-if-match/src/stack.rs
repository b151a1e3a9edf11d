//! What only code names that is generic over Tower stacks: the service and its future, the bodies that
//! refusals come in and that requests bring, the way that closes the race by default; the service around
//! a whole other one, and the bodies that it can hold. With axum none of it is needed.

pub use crate::body::RefusalBody;
#[cfg(feature = "representation")]
pub use crate::representation::{Represented, Resumable, Resumed};
pub use crate::request::Bufferable;
pub use crate::service::IfMatch;
pub use crate::service::ResponseFuture;
pub use crate::strategy::CompareAndSwap;
#[cfg(feature = "variant")]
pub use crate::variant::{Varied, VariedFuture};

//! Names for code that is generic over Tower stacks: the service and its future, the traits of response and
//! request bodies, the default strategy, the service around a whole other one, and the bodies that it can
//! buffer. With axum you need none of them.

pub use crate::body::RefusalBody;
#[cfg(feature = "representation")]
pub use crate::representation::{Represented, Resumable, Resumed};
pub use crate::request::Bufferable;
pub use crate::service::IfMatch;
pub use crate::service::ResponseFuture;
pub use crate::strategy::CompareAndSwap;
#[cfg(feature = "variant")]
pub use crate::variant::{Varied, VariedFuture};

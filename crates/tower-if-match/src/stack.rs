//! What only code names that is generic over Tower stacks: the service and its future, the bodies that
//! refusals come in, the way that closes the race. With axum none of it is needed.

pub use crate::body::RefusalBody;
pub use crate::future::ResponseFuture;
pub use crate::service::IfMatch;
pub use crate::way::CompareAndSwap;

//! Why a request is refused, or would have been refused.

mod denied;
mod reason;
mod refusal;
mod waived;

pub use denied::Denied;
pub use reason::Reason;
pub use refusal::Refusal;
pub(crate) use refusal::Refused;
pub(crate) use waived::Waived;

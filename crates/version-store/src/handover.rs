//! How a layer lends [`Expected`](crate::Expected) to a handler and learns how the write ended.
//!
//! Only layers and the tests of stores need this module. The [`Slot`] is the authority: it lends its
//! `Expected` once, no matter who cloned the request's extensions, and it keeps the outcome, whatever
//! happens to the response on its way.

pub use crate::expected::Made;
pub use crate::lent::Lent;
pub use crate::slot::{Ending, Slot};
pub use crate::tx::{Returned, TxSlot};
pub use crate::versioned::Mark;

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use version_store::VersionStore;

use super::item::{InvalidItems, Item};
use crate::request::BufferLimits;
use crate::write::Guard;

/// All settings of a layer, shared by its services.
pub(super) struct BulkGuard<S: VersionStore, W> {
    /// The same as in a layer for single resources; its code decides on each item.
    pub(super) guard: Guard<S, W>,
    pub(super) read_items: Arc<ReadItems<S>>,
    pub(super) limits: BufferLimits,
    pub(super) max_items: usize,
}

/// Your function that reads items from a body.
type ReadItems<S> = dyn Fn(&Parts, &[u8]) -> Result<Vec<Item<<S as VersionStore>::Key>>, InvalidItems>
    + Send
    + Sync;

impl<S: VersionStore, W: Clone> Clone for BulkGuard<S, W> {
    fn clone(&self) -> Self {
        Self {
            guard: self.guard.clone(),
            read_items: Arc::clone(&self.read_items),
            limits: self.limits,
            max_items: self.max_items,
        }
    }
}

impl<S: VersionStore, W> fmt::Debug for BulkGuard<S, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkLayer")
            .field("guard", &self.guard)
            .field("limits", &self.limits)
            .field("max_items", &self.max_items)
            .finish_non_exhaustive()
    }
}

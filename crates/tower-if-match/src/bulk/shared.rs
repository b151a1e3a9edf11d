use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use version_store::VersionStore;

use super::item::{InvalidItems, Item};
use crate::config::Config;
use crate::request::BufferLimits;

/// Everything a layer was told, shared by its services.
pub(super) struct Shared<S: VersionStore, W> {
    /// As a layer for single resources has it; items are decided on by its code.
    pub(super) config: Config<S, (), W>,
    pub(super) read_items: Arc<ReadItems<S>>,
    pub(super) buffer: BufferLimits,
    pub(super) max_items: usize,
}

/// The owner's function that makes items of a content.
type ReadItems<S> = dyn Fn(&Parts, &[u8]) -> Result<Vec<Item<<S as VersionStore>::Key>>, InvalidItems>
    + Send
    + Sync;

impl<S: VersionStore, W: Clone> Clone for Shared<S, W> {
    fn clone(&self) -> Self {
        Self {
            config: self.config.clone(),
            read_items: Arc::clone(&self.read_items),
            buffer: self.buffer,
            max_items: self.max_items,
        }
    }
}

impl<S: VersionStore, W> fmt::Debug for Shared<S, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkLayer")
            .field("config", &self.config)
            .field("buffer", &self.buffer)
            .field("max_items", &self.max_items)
            .finish_non_exhaustive()
    }
}

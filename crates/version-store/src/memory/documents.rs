use std::collections::{HashMap, VecDeque};
use std::hash::RandomState;
use std::time::SystemTime;

use crate::sync::{AtomicU64, RwLock};
use crate::version::Version;

/// How many locks the keys are spread over, so that writers of different resources rarely wait for each
/// other.
pub(super) const SHARDS: usize = 32;

/// What a `MemoryStore` is a handle to.
pub(super) struct Documents<K, D> {
    pub(super) shards: [RwLock<Shard<K, D>>; SHARDS],
    pub(super) hasher: RandomState,
    pub(super) epoch: u64,
    pub(super) writes: AtomicU64,
    pub(super) history: usize,
}

pub(super) struct Shard<K, D> {
    pub(super) documents: HashMap<K, Document<D>>,
    /// The latest modification date of anything removed from this shard. What is created later is dated
    /// after it, so that dates advance across incarnations without a tombstone for each key.
    pub(super) removed: Option<SystemTime>,
}

pub(super) struct Document<D> {
    pub(super) version: Version,
    pub(super) data: D,
    /// Earlier versions of this incarnation, oldest first.
    pub(super) past: VecDeque<(Version, D)>,
}

impl<D> Document<D> {
    /// The data at a version of this incarnation, if it is still known.
    pub(super) fn at(&self, version: &Version) -> Option<&D> {
        if self.version.same_state(version) {
            return Some(&self.data);
        }
        let found = self.past.iter().find(|(past, _)| past.same_state(version));
        found.map(|(_, data)| data)
    }
}

use std::collections::{HashMap, VecDeque};
use std::hash::RandomState;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

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

impl<K, D> Documents<K, D> {
    /// Writes another version of a document. The lock of its key is held, so revisions of one key are in the order
    /// of its writes.
    pub(super) fn replace(&self, document: &mut Document<D>, data: D) -> Version {
        let was = &document.version;
        let revision = self.revision();
        let version = Version::new(revision)
            .with_incarnation(was.incarnation())
            .with_modified_at(next_date(SystemTime::now(), was.modified_at()));
        let version_before = std::mem::replace(&mut document.version, version.clone());
        let data_before = std::mem::replace(&mut document.data, data);
        if self.history > 0 {
            while document.past.len() >= self.history {
                document.past.pop_front();
            }
            document.past.push_back((version_before, data_before));
        }
        version
    }

    /// The first version of a document in a shard from which something was removed on this date.
    pub(super) fn begin(&self, data: D, removed: Option<SystemTime>) -> Document<D> {
        let revision = self.revision();
        Document {
            version: Version::new(revision)
                .with_incarnation(self.epoch.wrapping_add(revision))
                .with_modified_at(next_date(SystemTime::now(), removed)),
            data,
            past: VecDeque::new(),
        }
    }

    fn revision(&self) -> u64 {
        self.writes.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// The modification date of a write: now, but at least a second after the last one.
pub(super) fn next_date(now: SystemTime, last: Option<SystemTime>) -> SystemTime {
    last.map_or(now, |last| now.max(last + Duration::from_secs(1)))
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

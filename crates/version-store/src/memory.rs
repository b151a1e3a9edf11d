use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::SystemTime;

use crate::demand::Demand;
use crate::error::{Lost, WriteError};
use crate::expected::Expected;
use crate::key::Key;
use crate::store::VersionStore;
use crate::sync::{Arc, AtomicU64, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use crate::version::Version;
use crate::versioned::Versioned;

mod bulk;
mod conflicts;
mod documents;

use documents::{Documents, SHARDS, Shard};

/// Documents in memory, each with its version.
///
/// A cheap handle to shared state. Revisions count the writes of the whole instance, so none ever
/// repeats for a key, even if it was deleted and created again. Incarnations count from a random epoch,
/// so no tag from an earlier run of the program fits. Modification dates advance by at least a second
/// with each write of a key, so `If-Unmodified-Since` alone can guard a write.
///
/// ```
/// use version_store::MemoryStore;
///
/// let posts: MemoryStore<u64, &str> = MemoryStore::new();
/// assert!(posts.create(7, "first").is_some());
/// assert!(posts.create(7, "again").is_none(), "creating overwrites nothing");
/// assert_eq!(posts.get(&7).unwrap().body(), &"first");
/// ```
pub struct MemoryStore<K, D>(Arc<Documents<K, D>>);

/// What a [`put`](MemoryStore::put) did.
#[derive(Clone, Debug)]
pub enum Put {
    /// The resource did not exist before.
    Created(Version),
    /// It replaced an earlier version.
    Replaced(Version),
}

impl<K, D> MemoryStore<K, D>
where
    K: Key + Eq + Hash,
    D: Clone + Send + Sync + 'static,
{
    /// An empty store that keeps the current versions only.
    pub fn new() -> Self {
        Self::with_history(0)
    }

    /// An empty store that keeps the last `versions` versions of each document beside the current
    /// one, for [`past`](Self::past).
    pub fn with_history(versions: usize) -> Self {
        // The standard library's hasher state is the one source of randomness that needs no crate;
        // its keys are drawn from the operating system.
        let epoch = RandomState::new().hash_one(SystemTime::now());
        Self(Arc::new(Documents {
            shards: std::array::from_fn(|_| {
                RwLock::new(Shard {
                    documents: HashMap::new(),
                    removed: None,
                })
            }),
            hasher: RandomState::new(),
            epoch,
            writes: AtomicU64::new(0),
            history: versions,
        }))
    }

    /// The document with its version.
    pub fn get(&self, key: &K) -> Option<Versioned<D>> {
        let shard = self.read(key);
        let document = shard.documents.get(key)?;
        Some(Versioned::new(
            document.version.clone(),
            document.data.clone(),
        ))
    }

    /// The document as it was at an earlier version of its present incarnation, or at the current one;
    /// `None` if that is no longer kept.
    pub fn past(&self, key: &K, version: &Version) -> Option<D> {
        let shard = self.read(key);
        shard.documents.get(key)?.at(version).cloned()
    }

    /// All documents, in no particular order. Each is consistent in itself; together they are no
    /// snapshot.
    pub fn list(&self) -> Vec<(K, Versioned<D>)> {
        let mut all = Vec::new();
        for shard in &self.0.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            all.extend(shard.documents.iter().map(|(key, document)| {
                (
                    key.clone(),
                    Versioned::new(document.version.clone(), document.data.clone()),
                )
            }));
        }
        all
    }

    /// Creates a document, without a condition: it overwrites nothing. `None`, and nothing is written,
    /// if the key is taken.
    pub fn create(&self, key: K, data: D) -> Option<Version> {
        let mut shard = self.write(&key);
        if shard.documents.contains_key(&key) {
            return None;
        }
        Some(self.store(&mut shard, key, data))
    }

    /// Writes the document that `expected` was evaluated on if its version is still the expected one,
    /// and settles `expected`. Comparing and writing are one step under one lock.
    ///
    /// # Errors
    ///
    /// [`Lost`] if the version was another; nothing was written.
    pub fn put(&self, data: D, expected: Expected<Self>) -> Result<Put, Lost> {
        let key = expected.key().clone();
        let mut shard = self.write(&key);
        let Shard { documents, removed } = &mut *shard;
        let (made, version) = match documents.entry(key) {
            Entry::Occupied(mut found) => {
                if !expected.admits(Some(&found.get().version)) {
                    return Err(expected.lost());
                }
                let version = self.0.replace(found.get_mut(), data);
                (Put::Replaced(version.clone()), version)
            }
            Entry::Vacant(free) => {
                if !expected.admits(None) {
                    return Err(expected.lost());
                }
                let version = free.insert(self.0.begin(data, *removed)).version.clone();
                (Put::Created(version.clone()), version)
            }
        };
        drop(shard);
        expected.written(version);
        Ok(made)
    }

    /// Removes the document that `expected` was evaluated on if its version is still the expected one,
    /// and settles `expected`.
    ///
    /// # Errors
    ///
    /// [`WriteError::Lost`] if the version was another, [`WriteError::Absent`] if there was nothing to
    /// remove, as expected.
    pub fn remove(&self, expected: Expected<Self>) -> Result<(), WriteError> {
        let key = expected.key().clone();
        let mut shard = self.write(&key);
        let Entry::Occupied(found) = shard.documents.entry(key) else {
            // Absent as it was when the condition was evaluated, or gone since.
            if expected.admits(None) || matches!(expected.demand(), Demand::Never) {
                expected.unchanged();
                return Err(WriteError::Absent);
            }
            return Err(expected.lost().into());
        };
        if !expected.admits(Some(&found.get().version)) {
            return Err(expected.lost().into());
        }
        let removed = found.remove();
        shard.removed = shard.removed.max(removed.version.modified_at());
        drop(shard);
        expected.removed();
        Ok(())
    }

    fn store(&self, shard: &mut Shard<K, D>, key: K, data: D) -> Version {
        match shard.documents.entry(key) {
            Entry::Occupied(mut found) => self.0.replace(found.get_mut(), data),
            Entry::Vacant(free) => {
                let document = free.insert(self.0.begin(data, shard.removed));
                document.version.clone()
            }
        }
    }

    fn read(&self, key: &K) -> RwLockReadGuard<'_, Shard<K, D>> {
        self.shard(key)
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, key: &K) -> RwLockWriteGuard<'_, Shard<K, D>> {
        self.shard(key)
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn shard(&self, key: &K) -> &RwLock<Shard<K, D>> {
        &self.0.shards[self.place(key)]
    }

    fn place(&self, key: &K) -> usize {
        let hash = self.0.hasher.hash_one(key);
        usize::try_from(hash % SHARDS as u64).unwrap_or(0)
    }
}

impl<K, D> VersionStore for MemoryStore<K, D>
where
    K: Key + Eq + Hash,
    D: Clone + Send + Sync + 'static,
{
    type Key = K;
    type Revision = u64;
    type Error = Infallible;
    const ANSWERS_AT_ONCE: bool = true;

    fn dates_advance(&self) -> bool {
        true
    }

    async fn current(&self, key: &K) -> Result<Option<Version>, Infallible> {
        Ok(self
            .read(key)
            .documents
            .get(key)
            .map(|document| document.version.clone()))
    }
}

/// Another handle to the same documents.
impl<K, D> Clone for MemoryStore<K, D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, D> Default for MemoryStore<K, D>
where
    K: Key + Eq + Hash,
    D: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<K, D> fmt::Debug for MemoryStore<K, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("epoch", &self.0.epoch)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

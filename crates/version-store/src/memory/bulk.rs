use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use super::MemoryStore;
use crate::bulk::ExpectedItems;
use crate::error::Lost;
use crate::key::Key;
use crate::sync::PoisonError;
use crate::version::Version;

/// Writes of several documents in one step.
impl<K, D> MemoryStore<K, D>
where
    K: Key + Eq + Hash,
    D: Clone + Send + Sync + 'static,
{
    /// Writes all documents of a bulk write, in the order of its items, if every version is still the
    /// expected one, and settles `expected`. Otherwise none is written. Returns the new versions.
    ///
    /// # Errors
    ///
    /// [`Lost`] if a version was another; nothing was written.
    ///
    /// # Panics
    ///
    /// If there are not as many documents as items. Nothing is written then.
    pub fn put_all(
        &self,
        data: Vec<D>,
        expected: ExpectedItems<Self>,
    ) -> Result<Vec<Version>, Lost> {
        let made = self.write_all(data.into_iter().map(Some).collect(), expected)?;
        Ok(made.into_iter().flatten().collect())
    }

    /// Like [`put_all`](Self::put_all), but removes the documents that are `None`.
    ///
    /// # Errors
    ///
    /// [`Lost`] if a version was another; nothing was written.
    ///
    /// # Panics
    ///
    /// If there are not as many documents as items. Nothing is written then.
    pub fn write_all(
        &self,
        data: Vec<Option<D>>,
        expected: ExpectedItems<Self>,
    ) -> Result<Vec<Option<Version>>, Lost> {
        assert_eq!(data.len(), expected.len(), "one document for each item");
        let keys: Vec<K> = expected.keys().cloned().collect();
        let places: Vec<usize> = keys.iter().map(|key| self.place(key)).collect();
        // Locked in one order, whatever the order of the items, so that two bulk writes never wait for
        // each other.
        let wanted: BTreeSet<usize> = places.iter().copied().collect();
        let lock = |place: usize| {
            let shard = self.0.shards[place].write();
            (place, shard.unwrap_or_else(PoisonError::into_inner))
        };
        let mut shards: BTreeMap<usize, _> = wanted.into_iter().map(lock).collect();
        let current: Vec<Option<Version>> = keys
            .iter()
            .zip(&places)
            .map(|(key, place)| {
                let document = shards[place].documents.get(key)?;
                Some(document.version.clone())
            })
            .collect();
        if !expected.admits(&current) {
            return Err(expected.lost());
        }
        let mut made = Vec::with_capacity(keys.len());
        for ((key, place), data) in keys.into_iter().zip(&places).zip(data) {
            let shard = shards.get_mut(place).expect("every shard was locked");
            let version = data.map(|data| self.store(shard, key.clone(), data));
            if version.is_none()
                && let Some(removed) = shard.documents.remove(&key)
            {
                shard.removed = shard.removed.max(removed.version.modified_at());
            }
            made.push(version);
        }
        drop(shards);
        expected.written(made.clone());
        Ok(made)
    }
}

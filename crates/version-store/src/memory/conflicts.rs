use std::convert::Infallible;
use std::hash::Hash;

use super::MemoryStore;
use crate::conflict::{Conflict, Conflicts, Describe};
use crate::key::Key;
use crate::version::Version;

/// If its documents describe themselves, the store describes conflicts. `changed` needs a history:
/// [`MemoryStore::with_history`].
impl<K, D> Conflicts for MemoryStore<K, D>
where
    K: Key + Eq + Hash,
    D: Describe + Clone + Send + Sync + 'static,
{
    async fn conflict(
        &self,
        key: &K,
        held: Option<&Version>,
    ) -> Result<Option<Conflict>, Infallible> {
        let shard = self.read(key);
        let Some(document) = shard.documents.get(key) else {
            return Ok(None);
        };
        let mut version = document.version.clone();
        if let Some(by) = document.data.modified_by() {
            version = version.with_modified_by(by);
        }
        let conflict = Conflict::new(version).with_current(document.data.to_json());
        let known = held.and_then(|held| document.at(held));
        Ok(Some(match known {
            Some(known) => conflict.with_changed(document.data.changed_since(known)),
            None => conflict,
        }))
    }
}

//! What is tested of a store, and a store without the protection.

use std::convert::Infallible;
use std::sync::Arc;

use shuttle::sync::Mutex;
use version_store::{Expected, Lost, MemoryStore, Version, VersionStore};

/// A store whose documents are numbers.
pub(crate) trait Posts: VersionStore<Key = u64, Revision = u64> {
    fn empty() -> Self;
    fn stored(&self, key: u64) -> Option<(Version, u64)>;
    fn create(&self, key: u64, text: u64) -> bool;
    fn put(&self, text: u64, expected: Expected<Self>) -> Result<(), Lost>;
}

impl Posts for MemoryStore<u64, u64> {
    fn empty() -> Self {
        Self::new()
    }

    fn stored(&self, key: u64) -> Option<(Version, u64)> {
        let document = self.get(&key)?;
        Some((document.version().clone(), *document.body()))
    }

    fn create(&self, key: u64, text: u64) -> bool {
        self.create(key, text).is_some()
    }

    fn put(&self, text: u64, expected: Expected<Self>) -> Result<(), Lost> {
        self.put(text, expected).map(drop)
    }
}

/// One document. What compares and what writes are critical sections of their own.
#[derive(Clone)]
pub(crate) struct TwoSteps(pub(crate) Arc<Mutex<Option<(u64, u64)>>>);

impl TwoSteps {
    pub(crate) fn version(&self) -> Option<Version> {
        let row = self.0.lock().unwrap();
        row.map(|(revision, _)| Version::new(revision))
    }

    fn write(&self, text: u64) -> Version {
        let next = self.version().map_or(1, |version| *version.revision() + 1);
        *self.0.lock().unwrap() = Some((next, text));
        Version::new(next)
    }
}

impl VersionStore for TwoSteps {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;
    const ANSWERS_AT_ONCE: bool = true;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        Ok(self.version())
    }
}

impl Posts for TwoSteps {
    fn empty() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }

    fn stored(&self, _: u64) -> Option<(Version, u64)> {
        let row = *self.0.lock().unwrap();
        row.map(|(revision, text)| (Version::new(revision), text))
    }

    fn create(&self, _: u64, text: u64) -> bool {
        let free = self.version().is_none();
        if free {
            self.write(text);
        }
        free
    }

    fn put(&self, text: u64, expected: Expected<Self>) -> Result<(), Lost> {
        if !expected.admits(self.version().as_ref()) {
            return Err(expected.lost());
        }
        expected.written(self.write(text));
        Ok(())
    }
}

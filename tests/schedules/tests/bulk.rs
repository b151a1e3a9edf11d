//! Several documents in one step: all or nothing, and nobody waits for each other.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::convert::Infallible;
use std::sync::Arc;

use schedules::Search::Many;
use schedules::{fails, holds};
use shuttle::sync::{Mutex, MutexGuard};
use shuttle::thread;
use version_store::bulk::ExpectedItems;
use version_store::handover::{Ending, Slot};
use version_store::{Demand, Lost, MemoryStore, Version, VersionStore};

const KEYS: [u64; 2] = [7, 8];

/// A store with one document for each of [`KEYS`], which are numbers.
trait Documents: VersionStore<Key = u64, Revision = u64> {
    fn filled() -> Self;
    fn stored(&self, key: u64) -> (Version, u64);
    fn put_all(&self, texts: Vec<u64>, expected: ExpectedItems<Self>) -> Result<(), Lost>;
}

impl Documents for MemoryStore<u64, u64> {
    fn filled() -> Self {
        let store = Self::new();
        for key in KEYS {
            store.create(key, 0).unwrap();
        }
        store
    }

    fn stored(&self, key: u64) -> (Version, u64) {
        let document = self.get(&key).unwrap();
        (document.version().clone(), *document.body())
    }

    fn put_all(&self, texts: Vec<u64>, expected: ExpectedItems<Self>) -> Result<(), Lost> {
        self.put_all(texts, expected).map(drop)
    }
}

/// A row is a number of a version and a text. Each has a lock of its own.
#[derive(Clone)]
struct Rows(Arc<[Mutex<(u64, u64)>; 2]>);

impl Rows {
    fn filled() -> Self {
        Self(Arc::new([Mutex::new((1, 0)), Mutex::new((1, 0))]))
    }

    fn row(&self, key: u64) -> MutexGuard<'_, (u64, u64)> {
        let place = KEYS.iter().position(|known| *known == key).unwrap();
        self.0[place].lock().unwrap()
    }

    fn stored(&self, key: u64) -> (Version, u64) {
        let (revision, text) = *self.row(key);
        (Version::new(revision), text)
    }
}

/// The rows are locked in the order of the items.
#[derive(Clone)]
struct InOrderOfItems(Rows);

impl VersionStore for InOrderOfItems {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, key: &u64) -> Result<Option<Version>, Infallible> {
        Ok(Some(self.0.stored(*key).0))
    }
}

impl Documents for InOrderOfItems {
    fn filled() -> Self {
        Self(Rows::filled())
    }

    fn stored(&self, key: u64) -> (Version, u64) {
        self.0.stored(key)
    }

    fn put_all(&self, texts: Vec<u64>, expected: ExpectedItems<Self>) -> Result<(), Lost> {
        let mut rows: Vec<_> = expected.keys().map(|key| self.0.row(*key)).collect();
        let version = |row: &MutexGuard<'_, (u64, u64)>| Some(Version::new(row.0));
        if !expected.admits(&rows.iter().map(version).collect::<Vec<_>>()) {
            return Err(expected.lost());
        }
        for (row, text) in rows.iter_mut().zip(texts) {
            **row = (row.0 + 1, text);
        }
        expected.written(rows.iter().map(version).collect());
        Ok(())
    }
}

/// Each row is locked, compared and written by itself.
#[derive(Clone)]
struct OneByOne(Rows);

impl VersionStore for OneByOne {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, key: &u64) -> Result<Option<Version>, Infallible> {
        Ok(Some(self.0.stored(*key).0))
    }
}

impl Documents for OneByOne {
    fn filled() -> Self {
        Self(Rows::filled())
    }

    fn stored(&self, key: u64) -> (Version, u64) {
        self.0.stored(key)
    }

    fn put_all(&self, texts: Vec<u64>, expected: ExpectedItems<Self>) -> Result<(), Lost> {
        let mut made = Vec::new();
        let items: Vec<_> = expected
            .iter()
            .map(|(key, demand)| (*key, demand.clone()))
            .collect();
        for ((key, demand), text) in items.into_iter().zip(texts) {
            let mut row = self.0.row(key);
            if !demand.admits(Some(&Version::new(row.0))) {
                return Err(expected.lost());
            }
            *row = (row.0 + 1, text);
            made.push(Some(Version::new(row.0)));
        }
        expected.written(made);
        Ok(())
    }
}

/// Writers of both documents, every other one in the opposite order: one of them takes effect, on both.
fn one_successor<S: Documents>(writers: u64) -> impl Fn() {
    move || {
        let store = S::filled();
        let first: Vec<_> = KEYS.map(|key| store.stored(key).0).into();
        let writers: Vec<_> = (1..=writers)
            .map(|text| {
                let demands = first.iter().cloned().map(Demand::Version);
                let mut items: Vec<_> = KEYS.into_iter().zip(demands).collect();
                if text % 2 == 0 {
                    items.reverse();
                }
                let store = store.clone();
                thread::spawn(move || {
                    let slot = Slot::of_items(items);
                    let expected = slot.take().unwrap();
                    let took_effect = store.put_all(vec![text; 2], expected).is_ok();
                    match slot.close() {
                        Ending::Written(_) if took_effect => Some(text),
                        Ending::Lost if !took_effect => None,
                        ending => panic!("settled as {ending:?}"),
                    }
                })
            })
            .collect();
        let ended = writers.into_iter().map(|writer| writer.join().unwrap());
        let successors: Vec<_> = ended.flatten().collect();
        assert_eq!(successors.len(), 1, "successors of one version");
        for (key, first) in KEYS.into_iter().zip(&first) {
            let (version, text) = store.stored(key);
            assert_eq!(text, successors[0], "the text that is stored");
            assert!(!version.same_state(first), "a new version was made");
        }
    }
}

// Not all schedules: which documents of the store in memory share a lock is drawn at random for each
// store, and a search through all of them needs the same decisions to come again.
const WRITERS: [u64; 3] = [2, 4, 6];

#[test]
fn one_bulk_write_succeeds() {
    for writers in WRITERS {
        let what = format!("memory, {writers} bulk writes in opposite orders");
        holds(&what, Many, one_successor::<MemoryStore<u64, u64>>(writers));
    }
}

#[test]
fn locking_in_the_order_of_items_is_found() {
    for writers in WRITERS {
        let what = format!("locked in the order of items, {writers} bulk writes");
        fails(
            &what,
            Many,
            &["deadlock"],
            one_successor::<InOrderOfItems>(writers),
        );
    }
}

#[test]
fn writing_one_by_one_is_found() {
    for writers in WRITERS {
        let what = format!("written one by one, {writers} bulk writes");
        let reasons = &["successors of one version", "the text that is stored"];
        fails(&what, Many, reasons, one_successor::<OneByOne>(writers));
    }
}

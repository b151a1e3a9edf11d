//! Rows on a simulated disk: they outlive the software of the host that they are on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::pace::Pace;
use crate::store::{Failure, Rows, Swap};

/// How a table treats a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Compares and writes in one step.
    Atomic,
    /// Writes whatever is expected.
    Blind,
    /// Compares, lets others run, and writes whatever is there by then.
    TwoSteps,
    /// Compares and writes in one step, and answers before it is on the disk.
    Forgetful,
    /// Compares and writes in one step, and reads from a copy that lags behind.
    Lagging,
}

/// A handle on the rows.
#[derive(Clone, Debug)]
pub struct Table {
    manner: Manner,
    pace: Pace,
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    now: Stored,
    /// What a forgetful table has on its disk, and a lagging one in its copy.
    synced: Stored,
}

#[derive(Clone, Debug, Default)]
struct Stored {
    rows: BTreeMap<u64, (u64, String)>,
    /// Revisions count the writes of the whole table, so that none returns after a delete.
    writes: u64,
}

/// How many milliseconds the disk takes, before and after a write.
const SEEK: u64 = 4;

/// After how many writes all of them are synced.
const SYNCED: u64 = 3;

impl Table {
    /// An empty table.
    pub fn new(manner: Manner, pace: Pace) -> Self {
        Self {
            manner,
            pace,
            disk: Arc::default(),
        }
    }

    /// What a host does before it serves: it has what is on the disk.
    pub fn open(&self) {
        if self.manner == Manner::Forgetful {
            let mut disk = self.disk();
            disk.now = disk.synced.clone();
        }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows for Table {
    async fn row(&self, key: u64) -> Result<Option<(u64, String)>, Failure> {
        self.pace.step(1).await;
        let disk = self.disk();
        let stored = match self.manner {
            Manner::Lagging => &disk.synced,
            _ => &disk.now,
        };
        Ok(stored.rows.get(&key).cloned())
    }

    async fn swap(
        &self,
        key: u64,
        expected: Option<u64>,
        text: Option<String>,
    ) -> Result<Swap, Failure> {
        self.pace.step(SEEK).await;
        let swap = match self.manner {
            Manner::Atomic | Manner::Forgetful | Manner::Lagging => {
                let mut disk = self.disk();
                if disk.admits(key, expected) {
                    disk.write(key, text)
                } else {
                    Swap::Lost
                }
            }
            Manner::Blind => self.disk().write(key, text),
            Manner::TwoSteps => {
                let admitted = self.disk().admits(key, expected);
                self.pace.step(SEEK).await;
                if admitted {
                    self.disk().write(key, text)
                } else {
                    Swap::Lost
                }
            }
        };
        self.pace.step(SEEK).await;
        Ok(swap)
    }
}

impl Disk {
    fn admits(&self, key: u64, expected: Option<u64>) -> bool {
        let current = self.now.rows.get(&key).map(|(revision, _)| *revision);
        current == expected
    }

    fn write(&mut self, key: u64, text: Option<String>) -> Swap {
        self.now.writes += 1;
        let revision = self.now.writes;
        match text {
            Some(text) => self.now.rows.insert(key, (revision, text)),
            None => self.now.rows.remove(&key),
        };
        if revision.is_multiple_of(SYNCED) {
            self.synced = self.now.clone();
        }
        Swap::Done(revision)
    }
}

//! A store in memory with transactions, and the faults that a database can have.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use thiserror::Error;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tower_if_match::version_store::{Begun, EndError, Versions};
use tower_if_match::{Transactional, Version, VersionStore};

/// Rows of text, by number. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    rows: Mutex<BTreeMap<u64, (u64, String)>>,
    last_revision: AtomicU64,
    locks: Mutex<BTreeMap<u64, Arc<AsyncMutex<()>>>>,
    without_locks: bool,
    fault: Mutex<Option<Fault>>,
    next_look: Mutex<Option<Fault>>,
    next_begin: Mutex<Option<Fault>>,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

/// What goes wrong with the next commit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It is committed, and nobody hears of it.
    AcknowledgementLost,
    /// Another transaction was in the way.
    Deadlock,
    /// The disk is full.
    Full,
    /// No answer.
    Silence,
}

#[derive(Debug, Error)]
#[error("{0:?}")]
pub(crate) struct LedgerError(Fault);

/// A transaction: what was written in it.
#[derive(Debug)]
pub(crate) struct Open {
    pages: Pages,
    ledger: Ledger,
    locks: Vec<OwnedMutexGuard<()>>,
}

/// What a handler writes on.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    written: BTreeMap<u64, Option<String>>,
    ended: bool,
}

impl Pages {
    pub(crate) fn put(&mut self, number: u64, text: String) {
        self.written.insert(number, Some(text));
    }

    pub(crate) fn remove(&mut self, number: u64) {
        self.written.insert(number, None);
    }

    /// What a handler may not do.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }
}

impl Ledger {
    /// With row 7.
    pub(crate) fn new() -> Self {
        Self::with(Shared::default())
    }

    /// The negative control: transactions that lock nothing.
    pub(crate) fn without_locks() -> Self {
        Self::with(Shared {
            without_locks: true,
            ..Shared::default()
        })
    }

    fn with(shared: Shared) -> Self {
        let ledger = Self(Arc::new(shared));
        ledger.write(7, Some("first".to_owned()));
        ledger
    }

    /// A writer beside the layer, and a commit.
    pub(crate) fn write(&self, number: u64, text: Option<String>) {
        let revision = self.0.last_revision.fetch_add(1, Ordering::SeqCst) + 1;
        let mut rows = self.0.rows.lock().unwrap();
        match text {
            Some(text) => rows.insert(number, (revision, text)),
            None => rows.remove(&number),
        };
    }

    pub(crate) fn row(&self, number: u64) -> Option<(u64, String)> {
        self.0.rows.lock().unwrap().get(&number).cloned()
    }

    pub(crate) fn text(&self, number: u64) -> Option<String> {
        self.row(number).map(|(_, text)| text)
    }

    pub(crate) fn fail_next_commit(&self, fault: Fault) {
        *self.0.fault.lock().unwrap() = Some(fault);
    }

    pub(crate) fn fail_next_look(&self, fault: Fault) {
        *self.0.next_look.lock().unwrap() = Some(fault);
    }

    pub(crate) fn overtake_next_begin(&self, fault: Fault) {
        *self.0.next_begin.lock().unwrap() = Some(fault);
    }

    /// How many transactions are open, and how many ever were at once.
    pub(crate) fn open(&self) -> (usize, usize) {
        let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        (of(&self.0.open), of(&self.0.most_open))
    }

    fn version(&self, number: u64) -> Option<Version> {
        self.row(number).map(|(revision, _)| Version::new(revision))
    }

    fn lock_of(&self, number: u64) -> Arc<AsyncMutex<()>> {
        Arc::clone(self.0.locks.lock().unwrap().entry(number).or_default())
    }
}

impl VersionStore for Ledger {
    type Key = u64;
    type Revision = u64;
    type Error = LedgerError;

    fn is_busy(error: &LedgerError) -> bool {
        matches!(error.0, Fault::Deadlock)
    }

    async fn current(&self, number: &u64) -> Result<Option<Version>, LedgerError> {
        tokio::task::yield_now().await;
        let fault = self.0.next_look.lock().unwrap().take();
        match fault {
            None => Ok(self.version(*number)),
            Some(Fault::Silence) => std::future::pending().await,
            Some(fault) => Err(LedgerError(fault)),
        }
    }
}

impl Transactional for Ledger {
    type Transaction = Open;

    async fn begin(&self, numbers: &[u64]) -> Result<Begun<Self>, LedgerError> {
        let fault = self.0.next_begin.lock().unwrap().take();
        if let Some(fault) = fault {
            self.write(numbers[0], Some("beside".to_owned()));
            return Err(LedgerError(fault));
        }
        let open = self.0.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most_open.fetch_max(open, Ordering::SeqCst);
        let mut transaction = Open {
            pages: Pages::default(),
            ledger: self.clone(),
            locks: Vec::new(),
        };
        if !self.0.without_locks {
            for number in numbers {
                let lock = self.lock_of(*number).lock_owned().await;
                transaction.locks.push(lock);
            }
        }
        tokio::task::yield_now().await;
        let current = numbers.iter().map(|number| self.version(*number)).collect();
        Ok(Begun {
            transaction,
            current,
        })
    }

    async fn advance(
        &self,
        transaction: &mut Open,
        numbers: &[u64],
        before: &[Option<Version>],
    ) -> Result<Versions<Self>, EndError<LedgerError>> {
        if transaction.ended {
            return Err(EndError::EndedByHandler);
        }
        tokio::task::yield_now().await;
        // Nobody draws a revision in between: this test's runtime has one thread.
        let mut next = self.0.last_revision.load(Ordering::SeqCst);
        let made = numbers.iter().zip(before).map(|(number, before)| {
            match transaction.written.get(number) {
                Some(Some(_)) => {
                    next += 1;
                    Some(Version::new(next))
                }
                Some(None) => None,
                None => before.clone(),
            }
        });
        Ok(made.collect())
    }

    async fn commit(&self, mut transaction: Open) -> Result<(), EndError<LedgerError>> {
        let fault = self.0.fault.lock().unwrap().take();
        if let Some(fault @ (Fault::Deadlock | Fault::Full)) = fault {
            return Err(EndError::RolledBack(LedgerError(fault)));
        }
        for (number, text) in std::mem::take(&mut transaction.written) {
            self.write(number, text);
        }
        match fault {
            Some(fault) => Err(EndError::Unknown(LedgerError(fault))),
            None => Ok(()),
        }
    }

    async fn rollback(&self, _: Open) {}
}

impl Deref for Open {
    type Target = Pages;

    fn deref(&self) -> &Pages {
        &self.pages
    }
}

impl DerefMut for Open {
    fn deref_mut(&mut self) -> &mut Pages {
        &mut self.pages
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.ledger.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

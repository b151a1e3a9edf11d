//! Tests whether a store keeps every promise of [`VersionStore`].
//!
//! To write your own store, implement [`VersionStore`], make the store's writes conditional on
//! [`Expected`], implement [`UnderTest`] to show the suite how to write, remove and read, and call
//! [`assert_conforms`] in a test. It runs on any runtime, against an empty store, with about a thousand
//! writes, and reports what is wrong together with what to fix.
//!
//! | check | what holds |
//! | --- | --- |
//! | [`Keys`](Check::Keys) | equal keys are one row and one encoding, unequal keys are not |
//! | [`Demands`](Check::Demands) | each [`Demand`](crate::Demand) admits what it names; a refused write changes nothing |
//! | [`Settlement`](Check::Settlement) | `Expected` is settled with what happened; the settled version is the current one |
//! | [`Versions`](Check::Versions) | no version of a key ever comes back, also across incarnations; each has a text for its tag |
//! | [`Dates`](Check::Dates) | if [`dates_advance`](VersionStore::dates_advance) is true, they do, also across incarnations |
//! | [`Independence`](Check::Independence) | a write of one key leaves all others unchanged |
//! | [`Freshness`](Check::Freshness) | an acknowledged write is visible at once, also through another handle |
//! | [`AnswersAtOnce`](Check::AnswersAtOnce) | if [`ANSWERS_AT_ONCE`](VersionStore::ANSWERS_AT_ONCE) is true, `current` is ready when first polled |
//! | [`OneSuccessor`](Check::OneSuccessor) | of many concurrent writes, removals or creations on one version, one succeeds |
//! | [`Counting`](Check::Counting) | of many concurrent increments by read and conditional write, none is lost |
//! | [`Cancellation`](Check::Cancellation) | a write that is dropped at any await point took place or did not, and holds nothing |
//!
//! It cannot see crashes, power failures, several processes (unless
//! [`other_handle`](UnderTest::other_handle) reaches one) and writers that bypass the store.
//!
//! # Example
//!
//! ```
//! use std::convert::Infallible;
//! use version_store::conformance::{UnderTest, assert_conforms};
//! use version_store::{Expected, MemoryStore, Versioned, WriteError};
//!
//! type Numbers = MemoryStore<u64, u64>;
//!
//! /// The suite's markers are the documents.
//! #[derive(Clone)]
//! struct InMemory(Numbers);
//!
//! impl UnderTest for InMemory {
//!     type Store = Numbers;
//!     type Error = Infallible;
//!
//!     fn versions(&self) -> Numbers {
//!         self.0.clone()
//!     }
//!     fn key(&self, number: u64) -> u64 {
//!         number
//!     }
//!     async fn write(&self, marker: u64, expected: Expected<Numbers>) -> Result<(), WriteError> {
//!         self.0.put(marker, expected)?;
//!         Ok(())
//!     }
//!     async fn remove(&self, expected: Expected<Numbers>) -> Result<(), WriteError> {
//!         self.0.remove(expected)
//!     }
//!     async fn read(&self, key: &u64) -> Result<Option<Versioned<u64>>, Infallible> {
//!         Ok(self.0.get(key))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // In a test of your own, on your runtime:
//! assert_conforms(InMemory(MemoryStore::new())).await;
//! # }
//! ```

use std::error::Error;
use std::pin::Pin;
use std::time::Duration;

use crate::error::WriteError;
use crate::expected::Expected;
use crate::store::VersionStore;
use crate::versioned::Versioned;

mod attempt;
mod cancellation;
mod demands;
mod history;
mod keys;
mod race;
mod reads;
mod report;
mod shown;
mod suite;
mod timeout;

pub use report::{Check, Finding, Report};
use suite::{Checked, Suite};

/// One of several concurrent writers: see [`UnderTest::spawn`].
pub type Worker = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A row as the suite reads it: its marker with its version.
pub type RowOf<T> = Versioned<u64, <<T as UnderTest>::Store as VersionStore>::Revision>;

/// A store and how the suite writes to it.
///
/// A value of the implementing type is one handle to the store, such as the store itself or a newtype
/// around it. The suite writes *markers*, numbers by which it recognizes its writes; where in a row a
/// marker is stored is up to you. Use the operations that handlers call, so that what is tested is what
/// will run.
///
/// The store must be empty, or at least have none of the rows that [`key`](Self::key) names.
pub trait UnderTest: Clone + Send + Sync + 'static {
    /// The store that is tested, and the one in [`Expected`].
    type Store: VersionStore;

    /// Why a write or a read failed; often the store's own error.
    type Error: Error + Send + Sync + 'static;

    /// The store that a layer would ask for versions.
    fn versions(&self) -> Self::Store;

    /// The key with this number. The suite counts from 1 and stays below 10 000; different numbers must
    /// give different keys.
    fn key(&self, number: u64) -> <Self::Store as VersionStore>::Key;

    /// Writes a row with this marker if the stored version is what `expected` demands, and settles
    /// `expected`. Creates the row if that is admitted.
    ///
    /// # Errors
    ///
    /// [`WriteError::Lost`] if it is not, [`WriteError::Absent`] if there is nothing to write,
    /// [`WriteError::Backend`] if the store failed.
    fn write(
        &self,
        marker: u64,
        expected: Expected<Self::Store>,
    ) -> impl Future<Output = Result<(), WriteError<Self::Error>>> + Send;

    /// Removes the row if the stored version is what `expected` demands, and settles `expected`.
    ///
    /// # Errors
    ///
    /// Like [`write`](Self::write).
    fn remove(
        &self,
        expected: Expected<Self::Store>,
    ) -> impl Future<Output = Result<(), WriteError<Self::Error>>> + Send;

    /// Reads the marker of a row with its version, both from one read.
    ///
    /// # Errors
    ///
    /// The store failed.
    fn read(
        &self,
        key: &<Self::Store as VersionStore>::Key,
    ) -> impl Future<Output = Result<Option<RowOf<Self>>, Self::Error>> + Send;

    /// A second handle to the same rows, as independent of this one as possible: with its own
    /// connections, caches and locks, or even in another process.
    ///
    /// Called once, on the task that runs the suite, so its future need not be `Send`.
    ///
    /// Default: a clone, as the layer makes one.
    fn other_handle(&self) -> impl Future<Output = Self> {
        let clone = self.clone();
        async { clone }
    }

    /// Another spelling of a key that reaches the same row, if the key type has one.
    ///
    /// Default: none.
    fn same_key(
        &self,
        _key: &<Self::Store as VersionStore>::Key,
    ) -> Option<<Self::Store as VersionStore>::Key> {
        None
    }

    /// Starts one worker of a race, and returns a future that waits for its end.
    ///
    /// Default: the worker itself. The workers of a race then take turns at their await points, on the
    /// task that runs the suite, so a store that never waits is never interrupted. On a runtime with
    /// several threads, spawn:
    ///
    /// ```
    /// use version_store::conformance::Worker;
    ///
    /// fn spawn(worker: Worker) -> Worker {
    ///     let task = tokio::spawn(worker);
    ///     Box::pin(async { task.await.expect("a worker does not panic") })
    /// }
    /// ```
    fn spawn(&self, worker: Worker) -> Worker {
        worker
    }

    /// How long one operation may take until it counts as hanging. Default: 30 seconds.
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// Tests a store, and panics with the report if it breaks a promise.
///
/// # Panics
///
/// If the store does not conform.
pub async fn assert_conforms(store: impl UnderTest) {
    let report = check(store).await;
    assert!(report.is_clean(), "{report}");
}

/// Tests a store and reports. Most tests use [`assert_conforms`].
///
/// A check ends with its first finding. After an operation that hangs no further check runs: it might
/// wait for the same thing.
pub async fn check(store: impl UnderTest) -> Report {
    let suite = Suite::new(store).await;
    let checks: [(Check, Running<'_>); 11] = [
        (Check::Keys, Box::pin(keys::check(&suite))),
        (Check::Demands, Box::pin(demands::check(&suite))),
        (Check::Settlement, Box::pin(demands::settlement(&suite))),
        (Check::Versions, Box::pin(history::versions(&suite))),
        (Check::Dates, Box::pin(history::dates(&suite))),
        (Check::Independence, Box::pin(keys::independence(&suite))),
        (Check::Freshness, Box::pin(reads::freshness(&suite))),
        (Check::AnswersAtOnce, Box::pin(reads::at_once(&suite))),
        (Check::OneSuccessor, Box::pin(race::one_successor(&suite))),
        (Check::Counting, Box::pin(race::counting(&suite))),
        (Check::Cancellation, Box::pin(cancellation::check(&suite))),
    ];
    let mut report = Report::new();
    for (check, running) in checks {
        report.run(check, running).await;
    }
    report
}

/// Boxed, so that the future of the whole suite does not overflow a stack.
type Running<'a> = Pin<Box<dyn Future<Output = Checked> + Send + 'a>>;

#[cfg(test)]
mod tests;

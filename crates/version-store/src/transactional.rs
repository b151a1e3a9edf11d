use std::ops::DerefMut;

use thiserror::Error;

use crate::store::VersionStore;
use crate::version::Version;

/// A store whose writes can be made in a transaction that a layer opens before the handler runs and
/// commits after it, so that handlers need no word about versions. They get it as [`Tx`](crate::Tx).
///
/// # What an implementer promises
///
/// Beside what [`VersionStore`] asks:
///
/// 1. **From [`begin`](Self::begin) to the end of the transaction nobody else who begins one has any of
///    its keys**, in any process, whether the row exists or not. So two that create the same row wait
///    for each other, too.
/// 2. **What `begin` read is what stands there** until the transaction writes: it holds the rows against
///    writers beside the layer. Where there is no row to hold, one of those may still create it, unless
///    [`HOLDS_ABSENT`](Self::HOLDS_ABSENT); the layer looks for that before it commits, on
///    [`current`](VersionStore::current), which therefore **does not see what an open transaction has
///    written**.
/// 3. **A transaction that is dropped is rolled back**, at whatever await point that happens, and
///    leaves no lock behind.
/// 4. **[`commit`](Self::commit) commits only what `begin` began.** A handler that ended the transaction
///    by itself is told from one that did not, also where it began another one.
/// 5. **Waits are bounded**, those for a connection and those for a row. What took too long is an error
///    that [`is_busy`](VersionStore::is_busy).
/// 6. Connections for transactions are not those that handlers draw from: a handler may take another
///    connection while its transaction holds one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no transactions that a layer could open",
    note = "the stores of `version-store-sqlx` have; others close the race by compare and swap"
)]
pub trait Transactional: VersionStore {
    /// An open transaction. It derefs to what statements are sent on.
    type Transaction: DerefMut<Target: Send> + Send + 'static;

    /// Whether a transaction holds the place of an absent row against everybody, writers beside the layer
    /// included, as where there is one writer at a time.
    ///
    /// Default: `false`. The layer then asks [`current`](VersionStore::current), on another connection,
    /// before it commits a creation.
    const HOLDS_ABSENT: bool = false;

    /// Opens a transaction that holds these resources, and reads their versions in it.
    ///
    /// The keys are distinct, and all who call this give them in one order ([`KeyEncoder`]'s), so that no
    /// two wait for each other.
    ///
    /// [`KeyEncoder`]: crate::KeyEncoder
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from that. Nothing is held then.
    fn begin(
        &self,
        keys: &[Self::Key],
    ) -> impl Future<Output = Result<Begun<Self>, Self::Error>> + Send;

    /// The last thing before the commit: the versions that it will make, in the order of the keys,
    /// `None` where the resource does not exist any more. `before` is what [`begin`](Self::begin) read.
    ///
    /// A row that still has the version of before gets a new one, because what a handler wrote beside
    /// the version column cannot be seen.
    ///
    /// # Errors
    ///
    /// [`EndError`]. The transaction is rolled back when it is dropped.
    fn advance(
        &self,
        transaction: &mut Self::Transaction,
        keys: &[Self::Key],
        before: &[Option<Version<Self::Revision>>],
    ) -> impl Future<Output = Result<Versions<Self>, EndError<Self::Error>>> + Send;

    /// Commits. It has taken place when this returns `Ok`.
    ///
    /// # Errors
    ///
    /// [`EndError`]
    fn commit(
        &self,
        transaction: Self::Transaction,
    ) -> impl Future<Output = Result<(), EndError<Self::Error>>> + Send;

    /// Rolls back, and waits until nothing is held any more. Dropping the transaction does as much, but
    /// later.
    fn rollback(&self, transaction: Self::Transaction) -> impl Future<Output = ()> + Send;
}

/// What [`Transactional::begin`] opened, and the versions that it read, in the order of the keys.
#[derive(Debug)]
pub struct Begun<S: Transactional> {
    /// The transaction.
    pub transaction: S::Transaction,
    /// The versions; `None` where the resource does not exist.
    pub current: Versions<S>,
}

/// The versions of several resources, in the order of their keys.
pub type Versions<S> = Vec<Option<Version<<S as VersionStore>::Revision>>>;

/// Why a transaction did not end as it should.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EndError<E> {
    /// It was rolled back; nothing was written. Where it failed because of another transaction, the
    /// error [`is_busy`](VersionStore::is_busy).
    #[error("the transaction was rolled back")]
    RolledBack(#[source] E),
    /// The handler ended the transaction that it was lent. What it wrote may have been committed.
    #[error("the handler ended the transaction that it was lent")]
    EndedByHandler,
    /// The acknowledgement of the commit was lost: whether it took place is not known.
    #[error("whether the commit took place is not known")]
    Unknown(#[source] E),
}

use std::ops::DerefMut;

use thiserror::Error;

use crate::store::VersionStore;
use crate::version::Version;

/// A store whose writes can run in a transaction that a layer opens before the handler and commits
/// after it, so that handlers need not deal with versions. They extract it as [`Tx`](crate::Tx).
///
/// # What an implementer promises
///
/// In addition to those of [`VersionStore`]:
///
/// 1. **From [`begin`](Self::begin) to the end of the transaction no other transaction that was begun
///    here holds any of its keys**, in any process, whether the row exists or not. So two that create
///    the same row also wait for each other.
/// 2. **What `begin` read is what stands there** until the transaction writes: it holds the rows
///    against writers beside the layer. If there is no row to hold, one of those may still create it,
///    unless [`HOLDS_ABSENT`](Self::HOLDS_ABSENT); the layer checks that before it commits, with
///    [`current`](VersionStore::current), which therefore **must not see what an open transaction has
///    written**.
/// 3. **A dropped transaction is rolled back**, at whatever await point that happens, and leaves no
///    lock behind.
/// 4. **[`commit`](Self::commit) commits only what `begin` began.** It detects that the handler ended
///    the transaction itself, even if the handler then began another one.
/// 5. **Waits are bounded**, for a connection as for a row. If one takes too long, the error
///    [`is_busy`](VersionStore::is_busy).
/// 6. Transactions have connections of their own: a handler may take another one while its transaction
///    holds one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no transactions that a layer could open",
    note = "the stores of `version-store-sqlx` have; use compare and swap with others"
)]
pub trait Transactional: VersionStore {
    /// An open transaction. It derefs to what statements are sent on.
    type Transaction: DerefMut<Target: Send> + Send + 'static;

    /// Whether a transaction keeps everybody from creating an absent row, writers beside the layer
    /// included, as a database with one writer at a time does.
    ///
    /// Default: `false`. The layer then asks [`current`](VersionStore::current), on another connection,
    /// before it commits a creation.
    const HOLDS_ABSENT: bool = false;

    /// Opens a transaction that holds these resources, and reads their versions in it.
    ///
    /// The keys are distinct, and all callers pass them in one order (that of [`KeyEncoder`]), so that
    /// no two wait for each other.
    ///
    /// [`KeyEncoder`]: crate::KeyEncoder
    ///
    /// # Errors
    ///
    /// The store failed. Nothing is held then.
    fn begin(
        &self,
        keys: &[Self::Key],
    ) -> impl Future<Output = Result<Begun<Self>, Self::Error>> + Send;

    /// The last step before the commit: returns the versions that it will make, in the order of the
    /// keys, `None` if the resource no longer exists. `before` is what [`begin`](Self::begin) read.
    ///
    /// A row that still has its old version gets a new one: whether the handler wrote its other columns
    /// cannot be seen.
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

    /// Commits. `Ok` means that the commit took place.
    ///
    /// # Errors
    ///
    /// [`EndError`]
    fn commit(
        &self,
        transaction: Self::Transaction,
    ) -> impl Future<Output = Result<(), EndError<Self::Error>>> + Send;

    /// Rolls back and waits until nothing is held any more. Dropping the transaction does the same, but
    /// later.
    fn rollback(&self, transaction: Self::Transaction) -> impl Future<Output = ()> + Send;
}

/// What [`Transactional::begin`] opened, and the versions that it read, in the order of the keys.
#[derive(Debug)]
pub struct Begun<S: Transactional> {
    /// The transaction.
    pub transaction: S::Transaction,
    /// The versions; `None` if the resource does not exist.
    pub current: Versions<S>,
}

/// The versions of several resources, in the order of their keys.
pub type Versions<S> = Vec<Option<Version<<S as VersionStore>::Revision>>>;

/// Why a transaction did not end as it should.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EndError<E> {
    /// It was rolled back; nothing was written. If another transaction was the cause, the error
    /// [`is_busy`](VersionStore::is_busy).
    #[error("the transaction was rolled back")]
    RolledBack(#[source] E),
    /// The handler ended the transaction itself. What it wrote may have been committed.
    #[error("the handler ended the transaction itself")]
    EndedByHandler,
    /// The acknowledgement of the commit was lost: it may or may not have taken place.
    #[error("the commit may or may not have taken place")]
    Unknown(#[source] E),
}

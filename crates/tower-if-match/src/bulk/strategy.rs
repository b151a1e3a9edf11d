use http::Extensions;
use version_store::bulk::ExpectedItems;
use version_store::handover::{Ending, Slot};
use version_store::{Version, VersionStore};

use super::items::Order;
use crate::refusal::Reason;
use crate::strategy::OpenError;
use crate::tag::Scope;

mod compare_and_swap;
mod transaction;

/// A strategy that makes several writes one: **open** reads the current versions, **hand over** gives the
/// handler what it needs, **settle** finds out how the write ended. It is the counterpart of
/// [`Strategy`](crate::strategy::Strategy) for single writes, and sealed for the same reason.
///
/// If the request ends early, what is held is dropped, so dropping it must undo it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot make several writes one",
    label = "not a strategy for bulk writes to `{S}`",
    note = "bulk writes are all or nothing: use `CompareAndSwap` (the default), where the handler writes in \
            one atomic step, or `Transaction`, which needs a store that is `Transactional`"
)]
pub trait BulkStrategy<S: VersionStore>: Clone + Send + Sync + 'static {
    /// What is held while the handler runs: nothing, or a transaction.
    type Held: Send + 'static;

    /// Whether others wait for what is held. If so, requests that are bound to fail are refused after a plain
    /// read first.
    const HOLDS: bool;

    /// Reads the current versions, in the order of the keys, and acquires the resources in `order` if the
    /// strategy does so.
    fn open(
        &self,
        store: &S,
        scope: &Scope,
        keys: &[S::Key],
        order: &Order,
    ) -> impl Future<Output = OpenAllResult<S, Self::Held>> + Send;

    /// Gives the handler what it needs to write.
    fn hand_over(&self, held: &mut Self::Held, slot: &Slot<ExpectedItems<S>>, to: &mut Extensions);

    /// Releases what is held, before anything was written.
    fn give_up(&self, held: Self::Held, store: &S) -> impl Future<Output = ()> + Send;

    /// Finds out how the write ended, and completes it. `success` is whether the status of the handler's
    /// response is below 400.
    fn settle(
        &self,
        held: Self::Held,
        store: &S,
        slot: &Slot<ExpectedItems<S>>,
        success: bool,
    ) -> impl Future<Output = SettledAll<S::Revision>> + Send;
}

/// What [`BulkStrategy::open`] found, and what it holds from now on.
#[derive(Debug)]
pub struct OpenedAll<R, H> {
    pub(super) current: Vec<Option<Version<R>>>,
    pub(super) held: H,
}

/// The result of [`BulkStrategy::open`].
pub(super) type OpenAllResult<S, H> =
    Result<OpenedAll<<S as VersionStore>::Revision, H>, OpenError<<S as VersionStore>::Error>>;

/// How a bulk write ended, as far as the strategy can tell.
#[derive(Debug)]
pub enum SettledAll<R> {
    /// In this way.
    Ended(Ending<Vec<Option<Version<R>>>>),
    /// The strategy could not complete it, whatever the handler returned.
    Refused(Reason),
}

/// The current versions of several resources, in the order of their keys.
pub(super) async fn current_of_all<S: VersionStore>(
    store: &S,
    keys: &[S::Key],
) -> Result<Vec<Option<Version<S::Revision>>>, S::Error> {
    let mut current = Vec::with_capacity(keys.len());
    for key in keys {
        current.push(store.current(key).await?);
    }
    Ok(current)
}

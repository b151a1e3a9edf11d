use http::Extensions;
use version_store::bulk::ExpectedItems;
use version_store::handover::{Ending, Slot};
use version_store::{Version, VersionStore};

use super::items::Order;
use crate::refusal::Reason;
use crate::strategy::{CompareAndSwap, OpenError};
use crate::tag::Scope;

mod transaction;

/// A way of closing the race that makes one write of several: **open** reads the current versions,
/// **hand over** gives the handler what it needs, **settle** finds out how the write ended. As
/// [`Strategy`](crate::strategy::Strategy) for single writes, and sealed as that is.
///
/// What is held is dropped if the request ends early, so dropping it must undo it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot make several writes one",
    label = "not a way for bulk writes to `{S}`",
    note = "bulk writes are all or nothing: `CompareAndSwap`, the default, leaves that to the handler's one \
            atomic step, and `Transaction` to the store, which must be `Transactional`"
)]
pub trait BulkStrategy<S: VersionStore>: Clone + Send + Sync + 'static {
    /// What is held while the handler runs: nothing, or a transaction.
    type Held: Send + 'static;

    /// Whether others wait for what is held. The hopeless is then refused on a plain read first.
    const HOLDS: bool;

    /// Reads the current versions, in the order of the keys, and takes hold of the resources in `order`
    /// where the way does.
    fn open(
        &self,
        store: &S,
        scope: &Scope,
        keys: &[S::Key],
        order: &Order,
    ) -> impl Future<Output = OpenAllResult<S, Self::Held>> + Send;

    /// Gives the handler what it needs to write.
    fn hand_over(&self, held: &mut Self::Held, slot: &Slot<ExpectedItems<S>>, to: &mut Extensions);

    /// Lets go of what is held, before anything was written.
    fn give_up(&self, held: Self::Held, store: &S) -> impl Future<Output = ()> + Send;

    /// Finds out how the write ended, and makes it so. `success` is whether the handler's answer is
    /// below 400.
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

/// What [`BulkStrategy::open`] came to.
pub(super) type OpenAllResult<S, H> =
    Result<OpenedAll<<S as VersionStore>::Revision, H>, OpenError<<S as VersionStore>::Error>>;

/// How a bulk write ended, as far as the way can tell.
#[derive(Debug)]
pub enum SettledAll<R> {
    /// As this says.
    Ended(Ending<Vec<Option<Version<R>>>>),
    /// The way could not make it end well, whatever the handler answered.
    Refused(Reason),
}

/// Nothing is held; the handler's one atomic step over all items decides.
impl<S: VersionStore> BulkStrategy<S> for CompareAndSwap {
    type Held = ();

    const HOLDS: bool = false;

    async fn open(&self, store: &S, _: &Scope, keys: &[S::Key], _: &Order) -> OpenAllResult<S, ()> {
        Ok(OpenedAll {
            current: current_of_all(store, keys).await?,
            held: (),
        })
    }

    fn hand_over(&self, (): &mut (), slot: &Slot<ExpectedItems<S>>, to: &mut Extensions) {
        slot.lend(to);
    }

    async fn give_up(&self, (): (), _: &S) {}

    async fn settle(
        &self,
        (): (),
        _: &S,
        slot: &Slot<ExpectedItems<S>>,
        _: bool,
    ) -> SettledAll<S::Revision> {
        SettledAll::Ended(slot.close())
    }
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

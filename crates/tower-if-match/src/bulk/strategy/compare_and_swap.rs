use http::Extensions;
use version_store::VersionStore;
use version_store::bulk::ExpectedItems;
use version_store::handover::Slot;

use super::{BulkStrategy, OpenAllResult, OpenedAll, SettledAll, current_of_all};
use crate::bulk::items::Order;
use crate::strategy::CompareAndSwap;
use crate::tag::Scope;

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

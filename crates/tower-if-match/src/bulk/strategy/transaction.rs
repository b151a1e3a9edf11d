use std::fmt;

use http::Extensions;
use version_store::bulk::ExpectedItems;
use version_store::handover::{Ending, Returned, Slot};
use version_store::{Begun, Transactional, Versions};

use super::{BulkStrategy, OpenAllResult, OpenedAll, SettledAll, current_of_all};
use crate::bulk::items::Order;
use crate::observe::waited;
use crate::refusal::Reason;
use crate::strategy::Lock;
use crate::strategy::{Ended, Loan, OpenError, Transaction, end, in_scope};
use crate::sync::within;
use crate::tag::Scope;

/// The transaction over all resources, and the versions that it read.
pub struct ItemsInTransaction<S: Transactional> {
    loan: Loan<S>,
    order: Order,
    /// Sorted in that order.
    keys: Vec<S::Key>,
    before: Versions<S>,
    /// Dropped after the transaction, so that the next request in this process finds it ended.
    _turns: Vec<Lock>,
}

/// Turns and rows are acquired in one order, so of any two requests one precedes the other on all resources
/// that both want.
impl<S: Transactional> BulkStrategy<S> for Transaction {
    type Held = ItemsInTransaction<S>;

    const HOLDS: bool = true;

    async fn open(
        &self,
        store: &S,
        scope: &Scope,
        keys: &[S::Key],
        order: &Order,
    ) -> OpenAllResult<S, Self::Held> {
        let opened = within(self.wait_timeout, async {
            let keys = order.sorted(keys);
            let mut turns = Vec::with_capacity(keys.len());
            for key in &keys {
                let turn = self.turns.lock(in_scope(scope, key));
                turns.push(waited(scope, turn).await);
            }
            let Begun {
                transaction,
                current,
            } = store.begin(&keys).await?;
            let held = ItemsInTransaction {
                loan: Loan::of(transaction),
                order: order.clone(),
                keys,
                before: current.clone(),
                _turns: turns,
            };
            Ok(OpenedAll {
                current: order.of_content(current),
                held,
            })
        });
        opened.await.unwrap_or(Err(OpenError::Busy))
    }

    fn hand_over(&self, held: &mut Self::Held, _: &Slot<ExpectedItems<S>>, to: &mut Extensions) {
        held.loan.hand_over(to);
    }

    async fn give_up(&self, held: Self::Held, store: &S) {
        if let Returned::Untaken(transaction) = held.loan.take_back() {
            store.rollback(transaction).await;
        }
    }

    async fn settle(
        &self,
        held: Self::Held,
        store: &S,
        slot: &Slot<ExpectedItems<S>>,
        success: bool,
    ) -> SettledAll<S::Revision> {
        // What is absent and would not be created was refused, so all that is made was demanded.
        let ended = end(
            store,
            &held.loan,
            &held.keys,
            &held.before,
            success,
            self.wait_timeout,
            |_| true,
        );
        SettledAll::Ended(match ended.await {
            Ended::Untaken => Ending::Untaken,
            Ended::Kept => Ending::Unsettled,
            Ended::Forbidden => Ending::Lost,
            Ended::Committed(made) => Ending::Written(held.order.of_content(made)),
            Ended::Unknown => return SettledAll::Refused(Reason::OutcomeUnknown),
            Ended::RolledBack(reason) => {
                let otherwise = match reason {
                    Some(reason) => SettledAll::Refused(reason),
                    None => SettledAll::Ended(Ending::Unchanged),
                };
                return after_rollback(store, slot, otherwise).await;
            }
        })
    }
}

/// The outcome of a write that was rolled back: if any of its conditions no longer holds, it has lost, whatever
/// made it fail (a unique violation, a deadlock).
async fn after_rollback<S: Transactional>(
    store: &S,
    slot: &Slot<ExpectedItems<S>>,
    otherwise: SettledAll<S::Revision>,
) -> SettledAll<S::Revision> {
    let Ok(current) = current_of_all(store, slot.keys()).await else {
        return otherwise;
    };
    let mut demanded = slot.demands().iter().zip(&current);
    if demanded.all(|(demand, current)| demand.admits(current.as_ref())) {
        otherwise
    } else {
        SettledAll::Ended(Ending::Lost)
    }
}

impl<S: Transactional> fmt::Debug for ItemsInTransaction<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemsInTransaction")
            .field("keys", &self.keys)
            .field("before", &self.before)
            .finish_non_exhaustive()
    }
}

use std::fmt;

use http::Extensions;
use version_store::bulk::{Ending, Slot};
use version_store::handover::{Returned, TxSlot};
use version_store::{Begun, Canonical, EndError, Transactional, Versions};

use super::{BulkWay, OpenAllResult, OpenedAll, SettledAll};
use crate::bulk::request::Order;
use crate::bulk::write::current_of_all;
use crate::locks::Lock;
use crate::reason::Reason;
use crate::sync::within;
use crate::way::{OpenError, Transaction, in_scope};

/// The transaction over all resources, and what it found.
pub struct InTransaction<S: Transactional> {
    slot: TxSlot<S>,
    order: Order,
    /// In that order.
    keys: Vec<S::Key>,
    before: Versions<S>,
    /// After the transaction: the next in this process finds it ended.
    _turns: Vec<Lock>,
}

/// Turns and rows are taken in one order, so of any two requests one is before the other on all that
/// both want.
impl<S: Transactional> BulkWay<S> for Transaction {
    type Held = InTransaction<S>;

    const HOLDS: bool = true;

    async fn open(
        &self,
        store: &S,
        scope: &Canonical,
        keys: &[S::Key],
        order: &Order,
    ) -> OpenAllResult<S, Self::Held> {
        let opened = within(self.patience, async {
            let keys = order.sorted(keys);
            let mut turns = Vec::with_capacity(keys.len());
            for key in &keys {
                turns.push(self.turns.lock(in_scope(scope, key)).await);
            }
            let Begun {
                transaction,
                current,
            } = store.begin(&keys).await?;
            let held = InTransaction {
                slot: TxSlot::new(transaction),
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

    fn hand_over(&self, held: &mut Self::Held, _: &Slot<S>, to: &mut Extensions) {
        held.slot.lend(to);
    }

    async fn give_up(&self, held: Self::Held, store: &S) {
        if let Returned::Untaken(transaction) = held.slot.close() {
            store.rollback(transaction).await;
        }
    }

    async fn settle(
        &self,
        held: Self::Held,
        store: &S,
        slot: &Slot<S>,
        success: bool,
    ) -> SettledAll<S::Revision> {
        let transaction = match held.slot.close() {
            Returned::Kept => return SettledAll::Ended(Ending::Unsettled),
            Returned::Untaken(transaction) => {
                store.rollback(transaction).await;
                return SettledAll::Ended(Ending::Untaken);
            }
            Returned::Returned(transaction) => transaction,
        };
        if !success {
            store.rollback(transaction).await;
            return after_rollback(store, slot, SettledAll::Ended(Ending::Unchanged)).await;
        }
        match end(store, &held, transaction).await {
            Ok(made) => SettledAll::Ended(Ending::Written(held.order.of_content(made))),
            Err(EndError::RolledBack(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a transaction was rolled back in place of its commit"
                );
                let reason = if S::is_busy(&error) {
                    Reason::Busy
                } else {
                    Reason::StoreUnavailable
                };
                after_rollback(store, slot, SettledAll::Refused(reason)).await
            }
            Err(EndError::EndedByHandler) => {
                tracing::error!("a handler ended the transaction that it was lent");
                SettledAll::Ended(Ending::Unsettled)
            }
            // Whatever is not known to have failed may have taken place.
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "whether a commit took place is not known"
                );
                SettledAll::Refused(Reason::OutcomeUnknown)
            }
        }
    }
}

/// The versions that the handler's writes make, and the commit.
async fn end<S: Transactional>(
    store: &S,
    held: &InTransaction<S>,
    mut transaction: S::Transaction,
) -> Result<Versions<S>, EndError<S::Error>> {
    let advanced = store.advance(&mut transaction, &held.keys, &held.before);
    let made = advanced.await?;
    store.commit(transaction).await?;
    Ok(made)
}

/// What became of a write that was rolled back: where its conditions do not all hold any more, it has
/// lost, whatever made it fail (a unique violation, a deadlock).
async fn after_rollback<S: Transactional>(
    store: &S,
    slot: &Slot<S>,
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

impl<S: Transactional> fmt::Debug for InTransaction<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InTransaction")
            .field("keys", &self.keys)
            .field("before", &self.before)
            .finish_non_exhaustive()
    }
}

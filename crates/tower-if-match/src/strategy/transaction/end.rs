//! How a transaction that was lent to a handler ends, whether it covers one resource or several.

use std::time::Duration;

use http::Extensions;
use version_store::handover::{Returned, TxSlot};
use version_store::{EndError, Transactional, Version, Versions};

use crate::refusal::Reason;
use crate::sync::within;

/// A transaction on loan. However the request ends, the transaction is out of reach afterwards, even if a
/// clone of the request's extensions outlives the request.
pub(crate) struct Loan<S: Transactional>(TxSlot<S>);

impl<S: Transactional> Loan<S> {
    pub(crate) fn of(transaction: S::Transaction) -> Self {
        Self(TxSlot::new(transaction))
    }

    pub(crate) fn hand_over(&self, to: &mut Extensions) {
        self.0.lend(to);
    }

    pub(crate) fn take_back(&self) -> Returned<S::Transaction> {
        self.0.close()
    }
}

impl<S: Transactional> Drop for Loan<S> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// How it ended.
pub(crate) enum Ended<S: Transactional> {
    /// The handler never took it. Rolled back.
    Untaken,
    /// The handler still has it, or ended it itself.
    Kept,
    /// Committed; it made these versions.
    Committed(Versions<S>),
    /// It wrote what it may not write, or over what someone else had written. Rolled back.
    Forbidden,
    /// Rolled back, because the handler's response is not a success, or for this reason.
    RolledBack(Option<Reason>),
    /// Whether it was committed is unknown.
    Unknown,
}

/// Takes a transaction back from the handler and ends it: with a commit if the response is a success and what
/// the transaction wrote is `allowed`, otherwise with a rollback.
pub(crate) async fn end<S: Transactional>(
    store: &S,
    loan: &Loan<S>,
    keys: &[S::Key],
    before: &[Option<Version<S::Revision>>],
    success: bool,
    wait_timeout: Duration,
    allowed: impl FnOnce(&Versions<S>) -> bool + Send,
) -> Ended<S> {
    let mut transaction = match loan.take_back() {
        Returned::Kept => return Ended::Kept,
        Returned::Untaken(transaction) => {
            store.rollback(transaction).await;
            return Ended::Untaken;
        }
        Returned::Returned(transaction) => transaction,
    };
    if !success {
        store.rollback(transaction).await;
        return Ended::RolledBack(None);
    }
    let made = match store.advance(&mut transaction, keys, before).await {
        Ok(made) => made,
        Err(error) => return failed::<S>(error),
    };
    // No matter what the transaction made of it: it may have overwritten what appeared after it looked, or
    // removed it, and then sees nothing itself.
    let absent = keys.iter().zip(before);
    let absent = absent
        .filter(|(_, before)| before.is_none() && !S::HOLDS_ABSENT)
        .map(|(key, _)| key);
    let beside = within(wait_timeout, exists_for_others(store, absent)).await;
    let ended = match beside {
        Some(Ok(false)) if allowed(&made) => None,
        Some(Ok(_)) => Some(Ended::Forbidden),
        Some(Err(error)) => Some(failed::<S>(EndError::RolledBack(error))),
        None => Some(Ended::RolledBack(Some(Reason::Busy))),
    };
    if let Some(ended) = ended {
        store.rollback(transaction).await;
        return ended;
    }
    match store.commit(transaction).await {
        Ok(()) => Ended::Committed(made),
        Err(error) => failed::<S>(error),
    }
}

/// Whether others see one of the resources that the transaction found absent. There was no row to lock, so a
/// writer that bypasses the layer may have come first; then the handler's upsert has overwritten what it found,
/// or its DELETE has removed it. What the transaction itself wrote is not visible to others yet.
async fn exists_for_others<'a, S: Transactional>(
    store: &S,
    absent: impl Iterator<Item = &'a S::Key> + Send,
) -> Result<bool, S::Error> {
    for key in absent {
        if store.current(key).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn failed<S: Transactional>(error: EndError<S::Error>) -> Ended<S> {
    match error {
        EndError::RolledBack(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a transaction was rolled back instead of committed"
            );
            Ended::RolledBack(Some(if S::is_busy(&error) {
                Reason::Busy
            } else {
                Reason::StoreUnavailable
            }))
        }
        EndError::EndedByHandler => {
            tracing::error!("a handler ended the transaction that it was lent");
            Ended::Kept
        }
        // What is not known to have failed may have succeeded.
        error => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "it is unknown whether a commit succeeded"
            );
            Ended::Unknown
        }
    }
}

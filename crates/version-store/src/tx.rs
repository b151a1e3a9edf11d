use http::Extensions;
use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::lent::Lent;
use crate::not_lent::{NotLent, Why};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::transactional::Transactional;

/// The transaction that the layer opened for this request: the handler writes in it as it always did,
/// and the layer commits it.
///
/// It derefs to the connection, so with the stores on sqlx `&mut *tx` is the executor of a statement.
/// All its statements are committed together if the handler's status is below 400, and rolled back
/// otherwise. The row of the request's resource is held before the handler runs, so the handler need
/// not look at versions.
///
/// The handler returns it by dropping it, as happens at its end. If it keeps it (in a task, in a
/// streamed body) or ends the transaction itself, its success becomes 500. A handler that writes the
/// same row on another connection waits for itself until the store's wait times out.
pub struct Tx<S: Transactional> {
    /// There until it is dropped.
    transaction: Option<S::Transaction>,
    slot: TxSlot<S>,
}

impl<S: Transactional> Tx<S> {
    /// Takes it from a request's extensions, for services that are not axum handlers.
    ///
    /// # Errors
    ///
    /// [`NotLent`] if no layer for this store with the strategy `Transaction` is in front of the
    /// handler, if it was taken and not returned, or if the id of the resource is invalid.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, NotLent> {
        match extensions.get::<TxSlot<S>>() {
            Some(slot) => slot.take(),
            None if matches!(Lent::<S>::find(extensions), Some(Lent::InvalidKey)) => {
                Err(NotLent::because::<S>(Why::InvalidKey))
            }
            None => Err(NotLent::because::<S>(Why::NoTransaction)),
        }
    }
}

impl<S: Transactional> Deref for Tx<S> {
    type Target = <S::Transaction as Deref>::Target;

    fn deref(&self) -> &Self::Target {
        self.transaction.as_ref().expect(UNTIL_DROPPED)
    }
}

impl<S: Transactional> DerefMut for Tx<S> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.transaction.as_mut().expect(UNTIL_DROPPED)
    }
}

const UNTIL_DROPPED: &str = "the transaction is there until `Tx` is dropped";

impl<S: Transactional> Drop for Tx<S> {
    fn drop(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            self.slot.give_back(transaction);
        }
    }
}

impl<S: Transactional> fmt::Debug for Tx<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx").finish_non_exhaustive()
    }
}

/// The slot from which a layer lends a transaction, and to which it returns.
///
/// | state | by |
/// | --- | --- |
/// | idle | [`TxSlot::new`] |
/// | lent | [`TxSlot::take`] |
/// | returned | the [`Tx`] was dropped |
/// | closed | [`TxSlot::close`]; a `Tx` that is dropped later rolls back |
pub struct TxSlot<S: Transactional>(Arc<Mutex<TxState<S::Transaction>>>);

enum TxState<T> {
    Idle(T),
    Lent,
    Returned(T),
    Closed,
}

/// What became of the transaction until the layer closed the slot.
#[derive(Debug)]
pub enum Returned<T> {
    /// The handler never took the transaction. If it wrote, it wrote elsewhere.
    Untaken(T),
    /// The handler took it and returned it.
    Returned(T),
    /// The handler took it and still has it.
    Kept,
}

impl<S: Transactional> TxSlot<S> {
    /// A slot with this transaction in it.
    pub fn new(transaction: S::Transaction) -> Self {
        Self(Arc::new(Mutex::new(TxState::Idle(transaction))))
    }

    /// Puts the slot into a request's extensions, where [`Tx::from_extensions`] finds it.
    pub fn lend(&self, to: &mut Extensions) {
        to.insert(self.clone());
    }

    /// Takes the transaction. Once returned it can be taken again.
    ///
    /// # Errors
    ///
    /// [`NotLent`] if it is taken, or the layer has closed the slot.
    pub fn take(&self) -> Result<Tx<S>, NotLent> {
        let mut state = self.state();
        let transaction = match std::mem::replace(&mut *state, TxState::Lent) {
            TxState::Idle(transaction) | TxState::Returned(transaction) => transaction,
            other => {
                *state = other;
                return Err(NotLent::because::<S>(Why::TransactionTwice));
            }
        };
        drop(state);
        Ok(Tx {
            transaction: Some(transaction),
            slot: self.clone(),
        })
    }

    /// Closes the slot and takes the transaction out of it.
    pub fn close(&self) -> Returned<S::Transaction> {
        match std::mem::replace(&mut *self.state(), TxState::Closed) {
            TxState::Idle(transaction) => Returned::Untaken(transaction),
            TxState::Returned(transaction) => Returned::Returned(transaction),
            TxState::Lent | TxState::Closed => Returned::Kept,
        }
    }

    fn give_back(&self, transaction: S::Transaction) {
        let mut state = self.state();
        if matches!(*state, TxState::Lent) {
            *state = TxState::Returned(transaction);
        } else {
            // Rolled back by being dropped, and not under the slot's lock.
            drop(state);
            drop(transaction);
        }
    }

    fn state(&self) -> MutexGuard<'_, TxState<S::Transaction>> {
        // Nothing panics while it is held, and each state is whole by itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Another handle to the same slot.
impl<S: Transactional> Clone for TxSlot<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Transactional> fmt::Debug for TxSlot<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxSlot").finish_non_exhaustive()
    }
}

//! Locks by key, for strategies that hold one while the handler runs.
//!
//! 1. A key is in the table as long as someone holds or awaits its lock, and no longer, no matter who gave up
//!    or when.
//! 2. Two keys never share a lock: otherwise a handler that writes a second resource could wait for itself,
//!    and a busy resource would block an unrelated one.
//! 3. A released lock passes to the longest waiter, and is never free in between.
//! 4. No foreign code runs while the table is locked: wakers are woken, and dropped, afterwards. Dropping a
//!    waker may drop a task, and with it a lock of this table.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use version_store::KeyEncoder;

use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Locks by key. Clones share one table.
#[derive(Clone, Default)]
pub(crate) struct Locks(Arc<Mutex<Table>>);

impl Locks {
    /// Waits for the lock of a key. The first poll takes a place in the queue; dropping the future gives it up.
    pub(crate) fn lock(&self, key: KeyEncoder) -> Locking {
        Locking(Some(Claim {
            locks: self.clone(),
            key,
            ticket: None,
        }))
    }

    /// How many keys are locked.
    pub(crate) fn len(&self) -> usize {
        self.table().keys.len()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // The one thing that can panic while it is held is the clone of a waker, before any change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does not show which keys are locked.
impl fmt::Debug for Locks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locks").finish_non_exhaustive()
    }
}

/// The future of a [`Lock`].
#[derive(Debug)]
#[must_use = "the lock is not requested until the future is polled"]
pub(crate) struct Locking(Option<Claim>);

impl Future for Locking {
    type Output = Lock;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Lock> {
        let mut claim = self.0.take().expect(ONCE);
        if claim.ask(cx.waker()) {
            return Poll::Ready(Lock { _claim: claim });
        }
        self.0 = Some(claim);
        Poll::Pending
    }
}

const ONCE: &str = "a future is not polled again after completion";

/// The lock of a key. Dropping it releases the lock.
#[derive(Debug)]
#[must_use = "a lock that is dropped immediately protects nothing"]
pub(crate) struct Lock {
    _claim: Claim,
}

/// A claim to a key's lock: nothing yet, a place in its queue, or the lock itself. Only the table knows which,
/// because a lock is handed over without asking. So there is one way to give a claim up, which works for all
/// three.
struct Claim {
    locks: Locks,
    key: KeyEncoder,
    ticket: Option<Ticket>,
}

impl Claim {
    /// Whether this claim has the lock. If not, the waker will be woken when it does.
    fn ask(&mut self, waker: &Waker) -> bool {
        let mut table = self.locks.table();
        let ticket = *self.ticket.get_or_insert_with(|| table.draw());
        let asked = table.ask(&self.key, ticket, waker);
        drop(table);
        asked.is_ok()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else {
            return;
        };
        let mut table = self.locks.table();
        let left = table.leave(&self.key, ticket);
        drop(table);
        if let Left::Next(waker) = left {
            waker.wake();
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").finish_non_exhaustive()
    }
}

/// Identifies and orders claims; no ticket is issued twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ticket(u64);

#[derive(Default)]
struct Table {
    keys: HashMap<KeyEncoder, Queue>,
    drawn: u64,
}

/// The lock of one key. While this exists, the lock is held.
struct Queue {
    holder: Ticket,
    /// A tree and not a ring buffer: giving up in the middle costs no more than anywhere else, and the memory of
    /// a long queue is freed as it gets shorter.
    waiting: BTreeMap<Ticket, Waker>,
}

/// What is left to do for a claim that was given up, once the table is unlocked.
enum Left {
    /// The lock passed to the next waiter, which still has to be woken.
    Next(Waker),
    /// A place in the queue was given up. Its waker is no longer needed, and is dropped outside.
    Place { _own: Option<Waker> },
    /// No one was waiting, and the key is gone.
    Nothing,
}

impl Table {
    /// Above this capacity a nearly empty table shrinks. Below, it is not worth the work.
    const WORTH_SHRINKING: usize = 1024;

    fn draw(&mut self) -> Ticket {
        self.drawn += 1;
        Ticket(self.drawn)
    }

    /// `Ok` if this ticket has the lock. Otherwise it waits, and its previous waker is returned, to be dropped
    /// while the table is not locked.
    fn ask(
        &mut self,
        key: &KeyEncoder,
        ticket: Ticket,
        waker: &Waker,
    ) -> Result<(), Option<Waker>> {
        let Some(queue) = self.keys.get_mut(key) else {
            let queue = Queue {
                holder: ticket,
                waiting: BTreeMap::new(),
            };
            self.keys.insert(key.clone(), queue);
            return Ok(());
        };
        if queue.holder == ticket {
            return Ok(());
        }
        match queue.waiting.get(&ticket) {
            Some(known) if known.will_wake(waker) => Err(None),
            _ => Err(queue.waiting.insert(ticket, waker.clone())),
        }
    }

    fn leave(&mut self, key: &KeyEncoder, ticket: Ticket) -> Left {
        let Some(queue) = self.keys.get_mut(key) else {
            return Left::Nothing;
        };
        if queue.holder != ticket {
            let own = queue.waiting.remove(&ticket);
            return Left::Place { _own: own };
        }
        if let Some((next, waker)) = queue.waiting.pop_first() {
            queue.holder = next;
            return Left::Next(waker);
        }
        self.keys.remove(key);
        self.shrink();
        Left::Nothing
    }

    /// A map keeps the capacity of the largest burst that it ever saw. At least as many insertions built up what
    /// is freed here, so the cost is amortised over them.
    fn shrink(&mut self) {
        let (length, capacity) = (self.keys.len(), self.keys.capacity());
        if capacity > Self::WORTH_SHRINKING && length < capacity / 8 {
            self.keys.shrink_to(length * 2);
        }
    }
}

// `tests/schedules` includes this file as a module of its own; the path is valid from both places.
#[cfg(all(test, not(feature = "shuttle")))]
#[path = "locks/tests.rs"]
mod tests;

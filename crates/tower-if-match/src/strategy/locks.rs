//! Locks by key, for a way that holds one while the handler runs.
//!
//! 1. A key is in the table while somebody holds or awaits its lock, and not longer, whoever gave up
//!    at whatever point.
//! 2. Two keys never share a lock: a handler that writes a second resource would otherwise wait for
//!    itself, and a busy resource would hold up an unrelated one.
//! 3. A lock that is released goes to whoever has waited longest, without ever being free in between.
//! 4. Nobody's code runs while the table is locked: a waker is woken, and dropped, afterwards. Dropping
//!    one may drop a task, and with it a lock of this table.

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
    /// Waits for the lock of a key. The place in the queue is that of the first poll; whoever drops
    /// the future gives the place up.
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

/// Which keys are locked is nobody's business.
impl fmt::Debug for Locks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locks").finish_non_exhaustive()
    }
}

/// The future of a [`Lock`].
#[derive(Debug)]
#[must_use = "a lock is not asked for until the future is polled"]
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

const ONCE: &str = "a future is not polled again after it completed";

/// The lock of a key. Dropping it releases.
#[derive(Debug)]
#[must_use = "a lock that is dropped at once protects nothing"]
pub(crate) struct Lock {
    _claim: Claim,
}

/// Whatever somebody has of a key's lock: nothing yet, a place in its queue, or the lock itself.
/// Which of them only the table knows, because a lock is handed over without asking. So there is one
/// way to give it up, and it fits all three.
struct Claim {
    locks: Locks,
    key: KeyEncoder,
    ticket: Option<Ticket>,
}

impl Claim {
    /// Whether the lock is ours. If not, the waker will be woken when it is.
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

/// Tells claims apart and orders them; none is drawn twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ticket(u64);

#[derive(Default)]
struct Table {
    keys: HashMap<KeyEncoder, Queue>,
    drawn: u64,
}

/// The lock of one key. That it is here means that it is held.
struct Queue {
    holder: Ticket,
    /// A tree and not a ring: whoever gives up in the middle costs no more than anybody else, and
    /// what a long queue took is given back as it gets shorter.
    waiting: BTreeMap<Ticket, Waker>,
}

/// What is left to do, once the table is unlocked, for a claim that was given up.
enum Left {
    /// The lock went to the next one, who does not know yet.
    Next(Waker),
    /// A place in the queue was given up. The waker is not needed any more; it is dropped out there.
    Place { _own: Option<Waker> },
    /// Nobody was waiting, the key is gone.
    Nothing,
}

impl Table {
    /// Above this, a table that is nearly empty gives its room back. Below, it is not worth the work.
    const WORTH_SHRINKING: usize = 1024;

    fn draw(&mut self) -> Ticket {
        self.drawn += 1;
        Ticket(self.drawn)
    }

    /// `Ok` where the lock is this ticket's. Otherwise it waits, and the waker that it waited with
    /// before comes back, to be dropped where the table is not locked.
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

    /// A map keeps the room of the largest burst that it ever saw. What is given back was taken in by
    /// at least as many insertions, so the work is spread over them.
    fn shrink(&mut self) {
        let (length, capacity) = (self.keys.len(), self.keys.capacity());
        if capacity > Self::WORTH_SHRINKING && length < capacity / 8 {
            self.keys.shrink_to(length * 2);
        }
    }
}

// `tests/schedules` takes this file for a module of its own; its path leads there from both.
#[cfg(all(test, not(feature = "shuttle")))]
#[path = "locks/tests.rs"]
mod tests;

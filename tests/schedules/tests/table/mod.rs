//! What is tested of a table of locks, and a model of one with what may be missing in it.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use shuttle::sync::Mutex;
use version_store::KeyEncoder;

use crate::locks;

/// Locks by key.
pub(crate) trait Table: Clone + Default + Send + Sync + 'static {
    type Lock: Send;
    type Locking: Future<Output = Self::Lock> + Send;

    fn lock(&self, key: u64) -> Self::Locking;
    fn len(&self) -> usize;
}

impl Table for locks::Locks {
    type Lock = locks::Lock;
    type Locking = locks::Locking;

    fn lock(&self, key: u64) -> Self::Locking {
        self.lock(KeyEncoder::of(&key))
    }

    fn len(&self) -> usize {
        self.len()
    }
}

/// What may be missing.
pub(crate) trait Flaw: Send + Sync + 'static {
    /// Whoever is next is not woken.
    const FORGETS_TO_WAKE: bool = false;
    /// Whoever is handed the lock and gives up keeps it.
    const KEEPS_WHAT_WAS_HANDED_OVER: bool = false;
    /// Whoever gives up in the queue stays in it.
    const STAYS_IN_THE_QUEUE: bool = false;
    /// The entry stays when the last one leaves.
    const FORGETS_TO_CLEAN_UP: bool = false;
    /// Whether a key is free is found out in one step, and it is taken in the next.
    const LOOKS_AND_LOCKS_IN_TWO_STEPS: bool = false;
    /// One lock for all keys.
    const SHARES_ONE_LOCK: bool = false;
}

macro_rules! flaws {
    ($($name:ident $(: $flaw:ident)?;)*) => {$(
        #[derive(Debug)]
        pub(crate) enum $name {}
        impl Flaw for $name { $(const $flaw: bool = true;)? }
    )*};
}

flaws! {
    Flawless;
    ForgetsToWake: FORGETS_TO_WAKE;
    KeepsWhatWasHandedOver: KEEPS_WHAT_WAS_HANDED_OVER;
    StaysInTheQueue: STAYS_IN_THE_QUEUE;
    ForgetsToCleanUp: FORGETS_TO_CLEAN_UP;
    LooksAndLocksInTwoSteps: LOOKS_AND_LOCKS_IN_TWO_STEPS;
    SharesOneLock: SHARES_ONE_LOCK;
}

pub(crate) struct Model<F>(Arc<Mutex<State>>, PhantomData<fn() -> F>);

#[derive(Default)]
struct State {
    drawn: u64,
    queues: HashMap<u64, Queue>,
}

#[derive(Default)]
struct Queue {
    holder: Option<u64>,
    waiting: BTreeMap<u64, Waker>,
}

impl<F> Default for Model<F> {
    fn default() -> Self {
        Self(Arc::default(), PhantomData)
    }
}

impl<F> Clone for Model<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

impl<F: Flaw> Table for Model<F> {
    type Lock = Claim<F>;
    type Locking = Locking<F>;

    fn lock(&self, key: u64) -> Locking<F> {
        Locking(Some(Claim {
            table: self.clone(),
            key: if F::SHARES_ONE_LOCK { 0 } else { key },
            ticket: None,
            had: false,
        }))
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().queues.len()
    }
}

pub(crate) struct Locking<F: Flaw>(Option<Claim<F>>);

impl<F: Flaw> Future for Locking<F> {
    type Output = Claim<F>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Claim<F>> {
        let mut claim = self.0.take().unwrap();
        if claim.ask(cx.waker()) {
            claim.had = true;
            return Poll::Ready(claim);
        }
        self.0 = Some(claim);
        Poll::Pending
    }
}

pub(crate) struct Claim<F: Flaw> {
    table: Model<F>,
    key: u64,
    ticket: Option<u64>,
    had: bool,
}

impl<F: Flaw> Claim<F> {
    fn ask(&mut self, waker: &Waker) -> bool {
        let mut state = self.table.0.lock().unwrap();
        let ticket = *self.ticket.get_or_insert_with(|| {
            state.drawn += 1;
            state.drawn
        });
        let queue = state.queues.entry(self.key).or_default();
        let free = queue.holder.is_none() || queue.holder == Some(ticket);
        if free && F::LOOKS_AND_LOCKS_IN_TWO_STEPS {
            drop(state);
            state = self.table.0.lock().unwrap();
        }
        let queue = state.queues.entry(self.key).or_default();
        if free {
            queue.holder = Some(ticket);
        } else {
            queue.waiting.insert(ticket, waker.clone());
        }
        free
    }
}

impl<F: Flaw> Drop for Claim<F> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else {
            return;
        };
        let mut state = self.table.0.lock().unwrap();
        let Some(queue) = state.queues.get_mut(&self.key) else {
            return;
        };
        if queue.holder != Some(ticket) {
            if !F::STAYS_IN_THE_QUEUE {
                queue.waiting.remove(&ticket);
            }
            return;
        }
        if F::KEEPS_WHAT_WAS_HANDED_OVER && !self.had {
            return;
        }
        let next = queue.waiting.pop_first();
        queue.holder = next.as_ref().map(|(ticket, _)| *ticket);
        if next.is_none() && !F::FORGETS_TO_CLEAN_UP {
            state.queues.remove(&self.key);
        }
        drop(state);
        if let Some((_, waker)) = next
            && !F::FORGETS_TO_WAKE
        {
            waker.wake();
        }
    }
}

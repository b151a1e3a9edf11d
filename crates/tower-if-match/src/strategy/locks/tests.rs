use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;
use std::thread;

use super::*;

fn key(id: u64) -> KeyEncoder {
    KeyEncoder::of(&id)
}

fn poll(locking: &mut Locking) -> Poll<Lock> {
    poll_with(locking, Waker::noop())
}

fn poll_with(locking: &mut Locking, waker: &Waker) -> Poll<Lock> {
    Pin::new(locking).poll(&mut Context::from_waker(waker))
}

/// The lock of a key that nobody holds.
fn locked(locks: &Locks, id: u64) -> Lock {
    match poll(&mut locks.lock(key(id))) {
        Poll::Ready(lock) => lock,
        Poll::Pending => panic!("{id} is held by somebody"),
    }
}

/// Somebody who waits for a lock that is held.
fn waiting(locks: &Locks, id: u64) -> Locking {
    let mut locking = locks.lock(key(id));
    assert!(poll(&mut locking).is_pending(), "nobody holds {id}");
    locking
}

/// For how many keys there is room without another allocation.
fn capacity(locks: &Locks) -> usize {
    locks.table().keys.capacity()
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wakes {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn it_can_be_sent_and_kept() {
    fn sendable<T: Send + 'static>() {}
    sendable::<Locks>();
    sendable::<Locking>();
    sendable::<Lock>();
}

#[test]
fn one_holds_and_the_next_is_woken_once() {
    let locks = Locks::default();
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));

    let lock = locked(&locks, 7);
    let mut next = locks.lock(key(7));
    assert!(poll_with(&mut next, &waker).is_pending());
    assert!(poll_with(&mut next, &waker).is_pending());
    assert_eq!(wakes.count(), 0);
    drop(lock);
    assert_eq!(wakes.count(), 1);
    assert!(poll_with(&mut next, &waker).is_ready());
    assert_eq!(locks.len(), 0);
}

#[test]
fn a_lock_that_was_handed_over_cannot_be_overtaken() {
    let locks = Locks::default();
    let lock = locked(&locks, 7);
    let mut next = waiting(&locks, 7);
    drop(lock);
    let mut late = waiting(&locks, 7);
    let Poll::Ready(lock) = poll(&mut next) else {
        panic!("the first one in the queue has it");
    };
    assert!(poll(&mut late).is_pending());
    drop(lock);
    assert!(poll(&mut late).is_ready());
}

#[test]
fn first_come_first_served() {
    let locks = Locks::default();
    let mut lock = locked(&locks, 7);
    let mut queue: Vec<_> = iter::repeat_with(|| waiting(&locks, 7)).take(50).collect();
    // Whoever gives up in the middle does not disturb the order of the others.
    for at in [40, 20, 3] {
        drop(queue.remove(at));
    }
    while !queue.is_empty() {
        drop(lock);
        let ready: Vec<_> = queue.iter_mut().map(poll).collect();
        assert!(ready[1..].iter().all(Poll::is_pending));
        let Some(Poll::Ready(next)) = ready.into_iter().next() else {
            panic!("the first one in the queue has it");
        };
        lock = next;
        drop(queue.remove(0));
    }
}

#[test]
fn a_waiter_has_its_place_from_its_first_poll() {
    let locks = Locks::default();
    let lock = locked(&locks, 7);
    let mut made_first = locks.lock(key(7));
    let mut polled_first = waiting(&locks, 7);
    assert!(poll(&mut made_first).is_pending());
    drop(lock);
    assert!(poll(&mut made_first).is_pending());
    assert!(poll(&mut polled_first).is_ready());
}

#[test]
fn keys_do_not_touch_one_another() {
    let locks = Locks::default();
    let held: Vec<_> = (0..10_000).map(|id| locked(&locks, id)).collect();
    assert_eq!(locks.len(), 10_000);
    drop(held);
    assert_eq!(locks.len(), 0);
}

#[test]
fn whoever_is_handed_the_lock_and_is_dropped_passes_it_on() {
    let locks = Locks::default();
    let wakes = Arc::new(Wakes::default());
    let lock = locked(&locks, 7);
    let handed = waiting(&locks, 7);
    let mut last = locks.lock(key(7));
    assert!(poll_with(&mut last, &Waker::from(Arc::clone(&wakes))).is_pending());
    drop(lock);
    assert_eq!(wakes.count(), 0);
    drop(handed);
    assert_eq!(wakes.count(), 1);
    assert!(poll(&mut last).is_ready());
}

#[test]
fn the_last_waker_counts() {
    let locks = Locks::default();
    let (old, new) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
    let lock = locked(&locks, 7);
    let mut locking = locks.lock(key(7));
    assert!(poll_with(&mut locking, &Waker::from(Arc::clone(&old))).is_pending());
    assert!(poll_with(&mut locking, &Waker::from(Arc::clone(&new))).is_pending());
    drop(lock);
    assert_eq!((old.count(), new.count()), (0, 1));
    assert_eq!(Arc::strong_count(&old), 1, "the old waker is kept");
}

#[test]
fn a_panic_releases() {
    let locks = Locks::default();
    let mut next = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _lock = locked(&locks, 7);
        next = Some(waiting(&locks, 7));
        panic!("of a handler");
    }));
    assert!(panicked.is_err());
    assert!(poll(next.as_mut().unwrap()).is_ready());
    assert_eq!(locks.len(), 0);
}

/// A task that its waker keeps alive, and that has a lock.
struct Task(#[expect(dead_code, reason = "it is dropped with the task")] Lock);

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_waker_that_drops_a_lock_may_be_replaced_given_up_and_woken() {
    let locks = Locks::default();
    let lock = locked(&locks, 7);
    let task = |id| Waker::from(Arc::new(Task(locked(&locks, id))));
    let mut replaced = locks.lock(key(7));
    assert!(poll_with(&mut replaced, &task(1)).is_pending());
    assert!(poll_with(&mut replaced, Waker::noop()).is_pending());
    let mut given_up = locks.lock(key(7));
    assert!(poll_with(&mut given_up, &task(2)).is_pending());
    drop(given_up);
    drop(replaced);
    let mut woken = locks.lock(key(7));
    assert!(poll_with(&mut woken, &task(3)).is_pending());
    drop(lock);
    drop(woken);
    assert_eq!(locks.len(), 0);
}

/// What a table keeps of 1,000 keys after 250 rounds, in each of which every key is held while four
/// others ask for it and give up: before it is polled, in the middle of the queue, when the lock was
/// handed over to it by the holder, and by somebody who gave up. `(len, capacity)`.
fn kept_after_giving_up(give_up: impl Fn(Locking)) -> (usize, usize) {
    let locks = Locks::default();
    for _ in 0..250 {
        let held: Vec<_> = (0..1_000)
            .map(|id| poll(&mut locks.lock(key(id))))
            .collect();
        for (id, held) in (0..).zip(held) {
            give_up(locks.lock(key(id)));
            let [first, middle, last] = std::array::from_fn(|_| waiting(&locks, id));
            give_up(middle);
            drop(held);
            give_up(first);
            give_up(last);
        }
    }
    (locks.len(), capacity(&locks))
}

#[test]
fn a_million_who_gave_up_leave_nothing() {
    let (len, capacity) = kept_after_giving_up(drop);
    assert_eq!(len, 0);
    assert!(capacity <= Table::WORTH_SHRINKING, "{capacity}");
}

/// The control: what the same test sees of a future that leaves its place behind when it is dropped.
#[test]
fn a_table_that_is_not_told_who_gave_up_keeps_all() {
    let (len, _) = kept_after_giving_up(std::mem::forget);
    assert_eq!(len, 1_000);
}

#[test]
fn a_burst_leaves_no_room_behind() {
    let locks = Locks::default();
    let held: Vec<_> = (0..100_000).map(|id| locked(&locks, id)).collect();
    assert!(capacity(&locks) >= 100_000);
    drop(held);
    assert!(capacity(&locks) <= Table::WORTH_SHRINKING);
    // Somebody is always there: the room is given back all the same.
    let last = locked(&locks, 0);
    drop(
        (1..100_000)
            .map(|id| locked(&locks, id))
            .collect::<Vec<_>>(),
    );
    assert!(capacity(&locks) <= Table::WORTH_SHRINKING);
    drop(last);
}

struct Parked(thread::Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait(mut locking: Locking) -> Lock {
    let waker = Waker::from(Arc::new(Parked(thread::current())));
    loop {
        match poll_with(&mut locking, &waker) {
            Poll::Ready(lock) => return lock,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn threads_exclude_one_another() {
    let locks = Locks::default();
    let inside: [AtomicUsize; 3] = Default::default();
    let passed = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 0..8_usize {
            let (locks, inside, passed) = (&locks, &inside, &passed);
            scope.spawn(move || {
                for round in 0..2_000 {
                    let id = (seed + round) % inside.len();
                    if (seed + round) % 7 == 0 {
                        drop(poll(&mut locks.lock(key(id as u64))));
                    }
                    let lock = wait(locks.lock(key(id as u64)));
                    assert_eq!(inside[id].fetch_add(1, Ordering::Relaxed), 0);
                    thread::yield_now();
                    assert_eq!(inside[id].fetch_sub(1, Ordering::Relaxed), 1);
                    drop(lock);
                    passed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(passed.into_inner(), 16_000);
    assert_eq!(locks.len(), 0);
}

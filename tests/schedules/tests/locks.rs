//! The locks by key: one holder at a time, nobody forgotten, and nothing left behind, whoever gives up
//! at whatever point.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

// They are private to the layer, so their source is a module of this test, too.
#[path = "../../../crates/tower-if-match/src/strategy/locks.rs"]
mod locks;
/// Where `locks` takes its primitives from.
mod sync {
    pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard, PoisonError};
}
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use schedules::Search::{Every, Many};
use schedules::{Search, fails, holds};
use shuttle::future::{block_on, spawn, yield_now};

use crate::locks::Locks;
use crate::table::{
    Flawless, ForgetsToCleanUp, ForgetsToWake, KeepsWhatWasHandedOver, LooksAndLocksInTwoSteps,
    Model, SharesOneLock, StaysInTheQueue, Table,
};

const KEY: u64 = 7;

/// Somebody who has the lock, counted.
struct Inside(Arc<AtomicUsize>);

impl Inside {
    fn enter(inside: Arc<AtomicUsize>) -> Self {
        assert_eq!(
            inside.fetch_add(1, Ordering::Relaxed),
            0,
            "two hold one lock"
        );
        Self(inside)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes the lock of a key and holds it for a while.
async fn hold<T: Table>(table: T, inside: Arc<AtomicUsize>) {
    let lock = table.lock(KEY).await;
    let inside = Inside::enter(inside);
    yield_now().await;
    drop(inside);
    drop(lock);
}

/// One at a time, all get their turn, and nothing is left.
fn exclusion<T: Table>(tasks: usize) -> impl Fn() {
    move || {
        let table = T::default();
        let inside = Arc::default();
        let tasks: Vec<_> = (0..tasks)
            .map(|_| spawn(hold(table.clone(), Arc::clone(&inside))))
            .collect();
        block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        assert_eq!(table.len(), 0, "what is left in the table");
    }
}

/// As [`exclusion`], while the first task is aborted at whatever point: before it asks, in the queue,
/// when the lock was handed over to it, while it holds it, afterwards.
fn cancellation<T: Table>(tasks: usize) -> impl Fn() {
    move || {
        let table = T::default();
        let inside = Arc::default();
        let aborted = spawn(hold(table.clone(), Arc::clone(&inside)));
        let tasks: Vec<_> = (1..tasks)
            .map(|_| spawn(hold(table.clone(), Arc::clone(&inside))))
            .collect();
        aborted.abort();
        block_on(async {
            aborted.await.ok();
            for task in tasks {
                task.await.unwrap();
            }
        });
        assert_eq!(table.len(), 0, "what is left in the table");
    }
}

/// Each holds one key and wants the next one, all around: with locks that keys share, one of them would
/// wait for itself.
fn nested<T: Table>(tasks: u64) -> impl Fn() {
    move || {
        let table = T::default();
        let tasks: Vec<_> = (0..tasks)
            .map(|task| {
                let table = table.clone();
                spawn(async move {
                    let outer = table.lock(2 * task).await;
                    let inner = table.lock(2 * task + 1).await;
                    drop((outer, inner));
                })
            })
            .collect();
        block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        assert_eq!(table.len(), 0, "what is left in the table");
    }
}

fn searches() -> [(usize, Search); 3] {
    [(2, Every), (4, Many), (6, Many)]
}

fn with_one_aborted() -> [(usize, Search); 3] {
    [(2, Every), (3, Many), (6, Many)]
}

fn all_hold<T: Table>(name: &str) {
    for (tasks, search) in searches() {
        holds(
            &format!("{name}, {tasks} tasks"),
            search,
            exclusion::<T>(tasks),
        );
    }
    for (tasks, search) in with_one_aborted() {
        let what = format!("{name}, {tasks} tasks, one aborted");
        holds(&what, search, cancellation::<T>(tasks));
    }
    for (tasks, search) in [(2, Every), (4, Many)] {
        let what = format!("{name}, {tasks} tasks with two keys each");
        holds(&what, search, nested::<T>(tasks));
    }
}

#[test]
fn the_locks_hold() {
    all_hold::<Locks>("locks");
}

#[test]
fn a_model_without_flaws_holds() {
    all_hold::<Model<Flawless>>("model of the locks");
}

const WAITS_FOR_EVER: &[&str] = &["deadlock"];
const SHARED: &[&str] = &["two hold one lock"];
const LEFT: &[&str] = &["what is left in the table"];
/// If nobody waits behind whom nobody wakes, the table shows it.
const LOST: &[&str] = &["deadlock", "what is left in the table"];

#[test]
fn a_lost_wake_up_is_found() {
    for (tasks, search) in searches() {
        let what = format!("locks that forget to wake, {tasks} tasks");
        fails(
            &what,
            search,
            WAITS_FOR_EVER,
            exclusion::<Model<ForgetsToWake>>(tasks),
        );
    }
}

#[test]
fn locks_that_two_can_have_are_found() {
    for (tasks, search) in searches() {
        let what = format!("locks that look and lock in two steps, {tasks} tasks");
        let test = exclusion::<Model<LooksAndLocksInTwoSteps>>(tasks);
        fails(&what, search, SHARED, test);
    }
}

#[test]
fn a_cancellation_that_keeps_the_lock_is_found() {
    for (tasks, search) in with_one_aborted() {
        let what = format!("locks that lose what was handed over, {tasks} tasks, one aborted");
        let test = cancellation::<Model<KeepsWhatWasHandedOver>>(tasks);
        fails(&what, search, LOST, test);
        let what = format!("locks whose queue keeps who gave up, {tasks} tasks, one aborted");
        let test = cancellation::<Model<StaysInTheQueue>>(tasks);
        fails(&what, search, LOST, test);
    }
}

#[test]
fn what_is_left_behind_is_found() {
    for (tasks, search) in searches() {
        let what = format!("locks that forget to clean up, {tasks} tasks");
        fails(
            &what,
            search,
            LEFT,
            exclusion::<Model<ForgetsToCleanUp>>(tasks),
        );
    }
}

#[test]
fn locks_that_keys_share_are_found() {
    let test = nested::<Model<SharesOneLock>>(2);
    fails(
        "one lock for all keys, 2 tasks with two keys each",
        Every,
        WAITS_FOR_EVER,
        test,
    );
}

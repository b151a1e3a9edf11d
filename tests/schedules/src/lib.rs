//! Every schedule of two writers, and many of four and six. Through the whole layer, two writers have
//! millions of schedules: there it is every one with at most three preemptions.
//!
//! A test over threads finds a race if the machine happens to run into it. Here shuttle is the
//! scheduler: it decides at each lock, unlock, atomic operation and `await` who runs next, so a search
//! can go through the schedules one by one. What runs is the source of `version-store` and
//! `tower-if-match` itself, compiled a second time with shuttle's primitives (`version-store/` and
//! `tower-if-match/` beside this file).
//!
//! Each promise has its control: the same test on code without the protection, which must fail within
//! the same budget, and for the reason that is named.
//!
//! | variable | default | what |
//! | --- | --- | --- |
//! | `SCHEDULES` | 10000 | how many schedules a search of [`Search::Many`] tries |
//! | `SHUTTLE_RANDOM_SEED` | 7 | which ones |
//!
//! What this does not see: shuttle takes every atomic operation as sequentially consistent. The one
//! relaxed counter of `MemoryStore` is only ever touched under the lock of the key whose order matters.

mod preemptions;

use std::cell::RefCell;
use std::fmt;
use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::thread;

use shuttle::scheduler::{DfsScheduler, PctScheduler};
use shuttle::{Config, FailurePersistence, Runner};

use crate::preemptions::Preemptions;

/// Which schedules are tried.
#[derive(Clone, Copy, Debug)]
pub enum Search {
    /// All of them, one after the other. It grows beyond all bounds with a third writer.
    Every,
    /// All with at most so many preemptions, where all of them are too many. The faults of the controls
    /// take one or two.
    Preempting(usize),
    /// As many as `SCHEDULES` says, by probabilistic concurrency testing: random priorities, which
    /// change at a few random points. It finds what needs up to [`DEPTH`] decisions that go wrong.
    Many,
}

/// How many scheduling decisions must go wrong together for a fault that [`Search::Many`] looks for. A
/// lost update needs two, a lost wake-up after a cancellation three.
pub const DEPTH: usize = 3;

/// Tries `test` under the schedules of the search. How many there were is written to standard error.
///
/// # Panics
///
/// With the first schedule that it fails under, which is printed in a form for `shuttle::replay`.
pub fn holds(what: &str, search: Search, test: impl Fn() + Send + Sync + 'static) {
    let (tried, failure) = explore(search, Voice::Loud, test);
    if let Some(said) = failure {
        panic!("{what}: fails under schedule {tried}: {said}");
    }
    report(format_args!(
        "{what}: holds under {}",
        search.counted(tried)
    ));
}

/// The control: `test` must fail under one of the schedules of the search, and say one of the `reasons`.
/// After how many schedules it was found is written to standard error.
///
/// # Panics
///
/// If it does not fail, or for another reason.
pub fn fails(
    what: &str,
    search: Search,
    reasons: &[&str],
    test: impl Fn() + Send + Sync + 'static,
) {
    let (tried, failure) = explore(search, Voice::Quiet, test);
    let Some(said) = failure else {
        panic!("{what}: not found under {}", search.counted(tried));
    };
    let expected = reasons.iter().any(|reason| said.contains(reason));
    assert!(
        expected,
        "{what}: failed with {said:?}, which is none of {reasons:?}"
    );
    let s = if tried == 1 { "" } else { "s" };
    report(format_args!("{what}: found after {tried} schedule{s}"));
}

/// How many schedules were tried, and what the last of them said if it failed.
fn explore(
    search: Search,
    voice: Voice,
    test: impl Fn() + Send + Sync + 'static,
) -> (usize, Option<String>) {
    listen();
    let tried = Arc::new(AtomicUsize::new(0));
    let counted = {
        let tried = Arc::clone(&tried);
        move || {
            tried.fetch_add(1, Ordering::Relaxed);
            test();
        }
    };
    let mut config = Config::new();
    // Said above, once, instead of on each run.
    config.silence_warnings = true;
    config.failure_persistence = match voice {
        Voice::Loud => FailurePersistence::Print,
        Voice::Quiet => FailurePersistence::None,
    };
    // The other tasks of a schedule that has failed have nothing more to tell.
    config
        .ungraceful_shutdown_config
        .immediately_return_on_panic = true;
    // The layer's futures are deep in a build without optimisation.
    config.stack_size = 256 * 1024;
    // A thread of its own: shuttle abandons the task that failed in the middle of its panic, and from
    // then on its thread counts as panicking, so that the next test on it would fail at once.
    let explorer = thread::spawn(move || {
        HEARD.set(Some((voice, None)));
        let explored = panic::catch_unwind(AssertUnwindSafe(|| match search {
            Search::Every => Runner::new(DfsScheduler::new(None, false), config).run(counted),
            Search::Preempting(most) => {
                Runner::new(Preemptions::at_most(most), config).run(counted)
            }
            Search::Many => {
                let scheduler = PctScheduler::new_from_seed(7, DEPTH, budget());
                Runner::new(scheduler, config).run(counted)
            }
        }));
        let said = HEARD.take().and_then(|(_, said)| said);
        explored.err().map(|_| said.unwrap_or_default())
    });
    let failure = explorer.join().expect("panics are caught");
    (tried.load(Ordering::Relaxed), failure)
}

/// Whether the messages of panics are printed. Those of a control are expected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Voice {
    Loud,
    Quiet,
}

thread_local! {
    /// On an explorer's thread: what the first panic said. What shuttle makes of it need not have the
    /// words.
    static HEARD: RefCell<Option<(Voice, Option<String>)>> = const { RefCell::new(None) };
}

fn listen() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        // The first run of shuttle hangs a hook of its own before the one that is there. Ours comes
        // before both.
        shuttle::check_random(|| (), 1);
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let voice = HEARD.with_borrow_mut(|heard| {
                let (voice, said) = heard.as_mut()?;
                said.get_or_insert_with(|| info.payload_as_str().unwrap_or("?").to_owned());
                Some(*voice)
            });
            if voice != Some(Voice::Quiet) {
                print(info);
            }
        }));
    });
}

fn budget() -> usize {
    match std::env::var("SCHEDULES") {
        Ok(budget) => budget.parse().expect("SCHEDULES is a number"),
        Err(_) => 10_000,
    }
}

impl Search {
    fn counted(self, schedules: usize) -> String {
        match self {
            Self::Every => format!("all of its {schedules} schedules"),
            Self::Preempting(most) => {
                let s = if most == 1 { "" } else { "s" };
                format!("all of its {schedules} schedules with at most {most} preemption{s}")
            }
            Self::Many => format!("{schedules} schedules"),
        }
    }
}

/// Not by `eprintln!`: `cargo test` keeps that to itself unless a test fails.
fn report(line: fmt::Arguments<'_>) {
    // Nobody to tell it to is no reason to fail.
    writeln!(std::io::stderr().lock(), "schedules: {line}").ok();
}

#[cfg(test)]
mod tests {
    use shuttle::sync::Mutex;
    use shuttle::thread;

    use super::{Arc, Search, Voice, explore, fails, holds};

    /// Two threads that each add one, and look before they do.
    fn two_steps() {
        let sum = Arc::new(Mutex::new(0));
        let add = || {
            let sum = Arc::clone(&sum);
            thread::spawn(move || {
                let seen = *sum.lock().unwrap();
                *sum.lock().unwrap() = seen + 1;
            })
        };
        let threads = [add(), add()];
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*sum.lock().unwrap(), 2, "the sum");
    }

    fn tried(search: Search, test: impl Fn() + Send + Sync + 'static) -> (usize, bool) {
        let (tried, failure) = explore(search, Voice::Quiet, test);
        (tried, failure.is_some())
    }

    #[test]
    fn without_a_bound_preemptions_are_all_schedules() {
        let idle = || {
            let one = thread::spawn(thread::yield_now);
            let other = thread::spawn(|| drop(Mutex::new(()).lock()));
            one.join().unwrap();
            other.join().unwrap();
        };
        let (every, _) = tried(Search::Every, idle);
        assert!(every > 10, "{every}");
        assert_eq!(tried(Search::Preempting(usize::MAX), idle), (every, false));
        let (fewer, _) = tried(Search::Preempting(1), idle);
        assert!(fewer < every, "{fewer}");
    }

    #[test]
    fn a_lost_update_takes_one_preemption() {
        let (schedules, found) = tried(Search::Preempting(0), two_steps);
        assert!(schedules > 1 && !found, "{schedules}");
        for search in [Search::Preempting(1), Search::Every, Search::Many] {
            assert!(tried(search, two_steps).1, "{search:?}");
        }
    }

    #[test]
    #[should_panic(expected = "not found under")]
    fn a_control_that_does_not_fail_is_an_error() {
        fails("nothing", Search::Every, &["deadlock"], || ());
    }

    #[test]
    #[should_panic(expected = "none of [\"deadlock\"]")]
    fn a_control_that_fails_for_another_reason_is_an_error() {
        fails("the sum", Search::Every, &["deadlock"], two_steps);
    }

    #[test]
    #[should_panic(expected = "the sum: fails under schedule")]
    fn what_does_not_hold_is_an_error() {
        holds("the sum", Search::Every, two_steps);
    }
}

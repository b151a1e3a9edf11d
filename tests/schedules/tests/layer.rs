//! The whole layer: of the PUTs that name one version, one is answered 200, the others 412, and one
//! version is made, whatever the schedule and whoever leaves.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod posts;
mod stack;

use http::StatusCode;
use schedules::Search::{Many, Preempting};
use schedules::{Search, fails, holds};
use shuttle::future::{block_on, spawn};
use version_store::MemoryStore;

use crate::posts::TwoSteps;
use crate::stack::{Mounted, by_compare_and_swap, under_one_lock, under_own_locks};

/// PUTs with one tag, at the same time.
fn one_is_acknowledged(mount: fn() -> Mounted, writers: u64) -> impl Fn() {
    move || {
        let mounted = mount();
        let writers: Vec<_> = (1..=writers)
            .map(|text| (text, spawn(mounted.put(text))))
            .collect();
        let mut acknowledged = Vec::new();
        for (text, writer) in writers {
            let answer = block_on(writer).unwrap();
            match answer.status {
                StatusCode::OK => acknowledged.push((text, answer.tag)),
                StatusCode::PRECONDITION_FAILED => {}
                other => panic!("answered {other}"),
            }
        }
        assert_eq!(acknowledged.len(), 1, "how many were acknowledged");
        let (text, tag) = acknowledged.remove(0);
        assert_eq!(mounted.stored(), (2, text), "one version was made");
        assert_eq!(tag, mounted.tag(), "its tag was answered");
        mounted.leaves_nothing();
    }
}

/// As [`one_is_acknowledged`], while the first client leaves at whatever point: its write takes effect
/// as a whole, and then it is the one, or not at all.
fn one_takes_effect(mount: fn() -> Mounted, writers: u64) -> impl Fn() {
    move || {
        let mounted = mount();
        let leaves = spawn(mounted.put(1));
        let stay: Vec<_> = (2..=writers)
            .map(|text| (text, spawn(mounted.put(text))))
            .collect();
        leaves.abort();
        let mut acknowledged = Vec::new();
        if let Ok(answer) = block_on(leaves)
            && answer.status == StatusCode::OK
        {
            acknowledged.push(1);
        }
        for (text, writer) in stay {
            if block_on(writer).unwrap().status == StatusCode::OK {
                acknowledged.push(text);
            }
        }
        mounted.leaves_nothing();
        let (revision, stored) = mounted.stored();
        assert_eq!(revision, 2, "one version was made");
        match &acknowledged[..] {
            [] => assert_eq!(stored, 1, "the write of whoever left is the one"),
            [text] => assert_eq!(stored, *text, "the text that is stored"),
            more => panic!("how many were acknowledged: {more:?}"),
        }
    }
}

fn searches() -> [(u64, Search); 4] {
    [(2, Preempting(3)), (3, Preempting(1)), (4, Many), (6, Many)]
}

/// Both tests, with each number of writers.
fn all_hold(name: &str, mount: fn() -> Mounted) {
    for (writers, search) in searches() {
        let what = format!("{name}, {writers} PUTs");
        holds(&what, search, one_is_acknowledged(mount, writers));
        let what = format!("{name}, {writers} PUTs, one client leaves");
        holds(&what, search, one_takes_effect(mount, writers));
    }
}

#[test]
fn compare_and_swap_acknowledges_one() {
    all_hold(
        "layer, compare and swap",
        by_compare_and_swap::<MemoryStore<u64, u64>>,
    );
}

#[test]
fn a_lock_makes_a_blind_handler_safe() {
    all_hold("layer, blind handler under a lock", under_one_lock);
}

const ACKNOWLEDGED: &[&str] = &["how many were acknowledged"];
/// With whoever left, two versions may be made and one acknowledged.
const TWO_EFFECTS: &[&str] = &["how many were acknowledged", "one version was made"];

#[test]
fn a_store_that_compares_and_writes_in_two_steps_is_found() {
    for (writers, search) in searches() {
        let what = format!("layer over a store of two steps, {writers} PUTs");
        let test = one_is_acknowledged(by_compare_and_swap::<TwoSteps>, writers);
        fails(&what, search, ACKNOWLEDGED, test);
        let what = format!("layer over a store of two steps, {writers} PUTs, one client leaves");
        let test = one_takes_effect(by_compare_and_swap::<TwoSteps>, writers);
        fails(&what, search, TWO_EFFECTS, test);
    }
}

#[test]
fn a_blind_handler_without_the_lock_is_found() {
    for (writers, search) in searches() {
        let what = format!("layer, blind handler without the lock, {writers} PUTs");
        let test = one_is_acknowledged(under_own_locks, writers);
        fails(&what, search, ACKNOWLEDGED, test);
        let what = format!("{what}, one client leaves");
        fails(
            &what,
            search,
            TWO_EFFECTS,
            one_takes_effect(under_own_locks, writers),
        );
    }
}

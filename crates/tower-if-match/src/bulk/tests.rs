//! The one order, modelled on the locks alone, and the choice of a status.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use http::StatusCode;
use version_store::KeyEncoder;

use super::decide::chief;
use super::items::{Order, Unfit};
use crate::refusal::Reason;
use crate::refusal::Refusal;
use crate::strategy::{Lock, Locks};

async fn lock_all(locks: Locks, keys: Vec<u64>) -> Vec<Lock> {
    let mut held = Vec::new();
    for key in keys {
        held.push(locks.lock(KeyEncoder::of(&key)).await);
        // Somebody else's turn between any two locks.
        tokio::task::yield_now().await;
    }
    held
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Whether two that want these keys, each in its order, both get them.
fn both_get_them(one: Vec<u64>, other: Vec<u64>) -> bool {
    let locks = Locks::default();
    let mut one = pin!(lock_all(locks.clone(), one));
    let mut other = pin!(lock_all(locks, other));
    let (mut first, mut second) = (None, None);
    for _ in 0..100 {
        if first.is_none()
            && let Poll::Ready(held) = poll(one.as_mut())
        {
            drop(held);
            first = Some(());
        }
        if second.is_none()
            && let Poll::Ready(held) = poll(other.as_mut())
        {
            drop(held);
            second = Some(());
        }
    }
    first.and(second).is_some()
}

#[test]
fn in_one_order_nobody_waits_for_ever() {
    let content = [vec![9_u64, 300, 1], vec![1, 9, 300]];
    let [one, other] = content.map(|keys| Order::of(keys.iter()).unwrap().sorted(&keys));
    assert_eq!(one, other);
    assert!(both_get_them(one, other));
}

#[test]
fn in_the_order_of_the_content_two_wait_for_each_other() {
    assert!(!both_get_them(vec![1, 9], vec![9, 1]));
}

#[test]
fn there_and_back() {
    let keys = ["pear", "a", "fig", "apple"].map(str::to_owned);
    let order = Order::of(keys.iter()).unwrap();
    let sorted = order.sorted(&keys);
    // By the canonical encoding, in which the length comes first.
    assert_eq!(sorted, ["a", "fig", "pear", "apple"]);
    assert_eq!(order.of_content(sorted), keys);
}

#[test]
fn a_key_twice_is_found_wherever_it_stands() {
    let keys = [4_u64, 7, 2, 9, 7];
    assert_eq!(Order::of(keys.iter()).unwrap_err(), Unfit::Twice(1, 4));
}

#[test]
fn the_chief_has_the_status_of_the_request() {
    let refused = |reason| Some(Refusal::new(reason));
    let [missing, malformed, stale, absent] = [
        Reason::MissingCondition,
        Reason::MalformedCondition,
        Reason::StaleVersion,
        Reason::Absent,
    ]
    .map(refused);
    let gone = Some(Refusal::gone());
    let status = |refusals: &[Option<Refusal>]| {
        let chief = chief(refusals)?;
        Some((chief.status(), chief.reason()))
    };
    let precondition_failed = StatusCode::PRECONDITION_FAILED;
    for (refusals, expected) in [
        (vec![None, None], None),
        (
            vec![None, gone.clone()],
            Some((StatusCode::NOT_FOUND, Reason::Absent)),
        ),
        (
            vec![gone.clone(), stale.clone()],
            Some((precondition_failed, Reason::StaleVersion)),
        ),
        (
            vec![absent, stale.clone()],
            Some((precondition_failed, Reason::Absent)),
        ),
        (
            vec![stale.clone(), malformed.clone()],
            Some((StatusCode::BAD_REQUEST, Reason::MalformedCondition)),
        ),
        (
            vec![malformed, gone, missing, stale],
            Some((StatusCode::PRECONDITION_REQUIRED, Reason::MissingCondition)),
        ),
    ] {
        assert_eq!(status(&refusals), expected);
    }
}

//! A million requests over a thousand keys, each cancelled while it waits for its lock, leave no lock
//! and no memory behind. One test a process: it reads how much memory the process has.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::IF_MATCH;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt, service_fn};
use tower_if_match::{Found, IfMatchLayer, MemoryStore, SingleProcess};

const KEYS: u64 = 1_000;
const ROUNDS: u64 = 1_000;

/// What the process has in memory, in KiB; `None` where the system does not tell.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// How many KiB more there are after `act` than after a tenth of it.
async fn growth(mut act: impl AsyncFnMut(u64)) -> u64 {
    for round in 0..ROUNDS / 10 {
        act(round).await;
    }
    let Some(before) = resident() else {
        return 0;
    };
    for round in 0..ROUNDS {
        act(round).await;
    }
    resident().unwrap().saturating_sub(before)
}

#[tokio::test]
async fn a_million_cancelled_requests_leave_nothing() {
    let store: MemoryStore<u64, ()> = MemoryStore::new();
    for key in 0..KEYS {
        store.create(key, ());
    }
    let locks = SingleProcess::new();
    let of_path = |head: &Parts| Found::Key(head.uri.path()[1..].parse().unwrap());
    let guard = IfMatchLayer::new("rows", store, of_path).with_strategy(locks.clone());
    // Whoever gets in stays until the end of the round, with the lock.
    let end_of_round = Arc::new(Semaphore::new(0));
    let stay = Arc::clone(&end_of_round);
    let service = guard.layer(service_fn(move |_: Request<Full<Bytes>>| {
        let stay = Arc::clone(&stay);
        async move {
            stay.acquire().await.unwrap().forget();
            Ok::<_, Infallible>(Response::<Full<Bytes>>::default())
        }
    }));
    let put = |key: u64| {
        let put = Request::put(format!("/{key}")).header(IF_MATCH, "*");
        service
            .clone()
            .oneshot(put.body(Full::<Bytes>::default()).unwrap())
    };

    let kib = growth(async |round| {
        // One holder a round, and for its key as many that wait and give up as there are keys.
        let key = round % KEYS;
        let holder = tokio::spawn(put(key));
        while locks.locked() == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..KEYS {
            assert!(put(key).now_or_never().is_none());
        }
        assert_eq!(locks.locked(), 1);
        end_of_round.add_permits(1);
        assert!(holder.await.unwrap().unwrap().status().is_success());
    })
    .await;

    locks.drained().await;
    assert_eq!(locks.locked(), 0);
    let _ = writeln!(
        std::io::stderr(),
        "{} cancelled requests over {KEYS} keys: lock entries {}, growth {kib} KiB",
        KEYS * ROUNDS,
        locks.locked(),
    );
    assert!(kib < 2048, "{kib} KiB more than before");
    that_the_measure_sees_a_leak().await;
}

/// The negative control, in the same process and by the same measure: a table that remembers whoever
/// waited for a lock.
async fn that_the_measure_sees_a_leak() {
    type Waiter = Arc<tokio::sync::Mutex<()>>;
    let table: Mutex<HashMap<u64, Vec<Waiter>>> = Mutex::default();
    let kib = growth(async |round| {
        for _ in 0..KEYS {
            let waiter = Waiter::default();
            let mut table = table.lock().unwrap();
            table.entry(round % KEYS).or_default().push(waiter);
        }
    })
    .await;
    assert_eq!(table.lock().unwrap().len() as u64, KEYS);
    assert!(
        kib > 2048 || resident().is_none(),
        "a leak of {kib} KiB is not seen"
    );
}

//! Many concurrent writers of one row.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures_util::future::join_all;

use super::attempt::{Act, Answer, Attempt, attempt, current, read};
use super::shown::{Shown, ShownVersion};
use super::suite::{Checked, Fault, KeyOf, RevisionOf, Suite, VersionOf, ensure, same_version};
use super::{RowOf, UnderTest, Worker};
use crate::demand::Demand;
use crate::handover::{Ending, Made};
use crate::versioned::Versioned;

const WORKERS: usize = 8;
const ROUNDS: usize = 12;
/// How often each worker increments the counter.
const INCREMENTS: u64 = 20;
/// How often the store may fail each worker in the meantime.
const FAILURES: u64 = 1_000;

/// Runs workers concurrently, on both handles, and returns the result of each.
async fn race<T, F>(suite: &Suite<T>, worker: impl Fn(usize, T) -> F) -> Checked<Vec<F::Output>>
where
    T: UnderTest,
    F: Future<Output: Send> + Send + 'static,
{
    let results = Arc::new(Mutex::new(Vec::new()));
    let all = (0..WORKERS).map(|number| {
        let work = worker(number, suite.handle(number).clone());
        let results = Arc::clone(&results);
        let worker: Worker = Box::pin(async move {
            let result = work.await;
            results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(result);
        });
        suite.here.spawn(worker)
    });
    join_all(all).await;
    let results = std::mem::take(&mut *results.lock().unwrap_or_else(PoisonError::into_inner));
    ensure(results.len() == WORKERS, || {
        "`spawn` must return a future that waits for the worker's end".into()
    })?;
    Ok(results)
}

/// Each worker acts under the same demand.
async fn race_under<T: UnderTest>(
    suite: &Suite<T>,
    key: &KeyOf<T>,
    demand: &Demand<RevisionOf<T>>,
    act: impl Fn(usize) -> Act,
) -> Checked<Vec<(Act, Attempt<T>)>> {
    let results = race(suite, |number, handle| {
        let (key, demand, act) = (key.clone(), demand.clone(), act(number));
        async move { (act, attempt(&handle, &key, act, demand).await) }
    });
    let results = results.await?.into_iter();
    results
        .map(|(act, attempt)| Ok((act, attempt?)))
        .collect::<Checked<_>>()
}

pub(super) async fn one_successor<T: UnderTest>(suite: &Suite<T>) -> Checked {
    for round in 0..ROUNDS {
        let key = suite.key();
        let started = match round % 3 {
            // Creators.
            0 => None,
            _ => Some(suite.create(&key).await?),
        };
        let demand = match &started {
            Some(row) => Demand::Version(row.version().clone()),
            None => Demand::NotExists,
        };
        // In every third round some remove.
        let raced = race_under(suite, &key, &demand, |number| {
            if round % 3 == 2 && number % 4 < 2 {
                Act::Remove
            } else {
                Act::Write(suite.marker())
            }
        });
        let raced = raced.await?;
        let left = read(&suite.here, &key).await?;
        succeeded_once(started.as_ref(), &raced, left.as_ref())?;
    }
    Ok(())
}

fn succeeded_once<T: UnderTest>(
    started: Option<&RowOf<T>>,
    raced: &[(Act, Attempt<T>)],
    left: Option<&RowOf<T>>,
) -> Checked {
    let started = Shown(started);
    let answered = |answer: fn(&Answer) -> bool| {
        let chosen = raced.iter().filter(move |(_, raced)| answer(&raced.answer));
        chosen.map(|(act, _)| *act).collect::<Vec<_>>()
    };
    let done = answered(|answer| *answer == Answer::Done);
    // Nobody knows how these ended.
    let failed = answered(|answer| matches!(answer, Answer::Failed(_)));
    let enough = done.len() == 1 || (done.is_empty() && !failed.is_empty());
    ensure(enough, || {
        format!(
            "of {WORKERS} at once that all demanded {started}, {} succeeded: {done:?}; the row is now {}",
            done.len(),
            Shown(left)
        )
    })?;
    if let [winner] = done[..] {
        let now = left.map_or(Act::Remove, |row| Act::Write(*row.body()));
        ensure(winner == now, || {
            format!(
                "of {WORKERS} at once that all demanded {started}, only {winner} was acknowledged, but the \
                 row is now {}",
                Shown(left)
            )
        })?;
    }
    Ok(())
}

/// Writers that may all succeed: each must settle with the version that it made itself, not with one
/// that it found afterwards.
pub(super) async fn each_settles_its_own<T: UnderTest>(suite: &Suite<T>) -> Checked {
    let key = suite.key();
    suite.create(&key).await?;
    let raced = race_under(suite, &key, &Demand::Exists, |_| Act::Write(suite.marker())).await?;
    let left = read(&suite.here, &key).await?;
    let mut told: Vec<(Act, &VersionOf<T>)> = Vec::new();
    for (act, attempt) in &raced {
        let Ending::Written(Made {
            version: Some(version),
            ..
        }) = &attempt.ending
        else {
            continue;
        };
        let twice = told.iter().find(|(_, earlier)| version.same_state(earlier));
        if let Some((other, _)) = twice {
            return Err(Fault::new(format!(
                "{act} and {other} ran concurrently, and both were settled with {}",
                ShownVersion(Some(version))
            )));
        }
        let last = left
            .as_ref()
            .filter(|row| row.version().same_state(version));
        let is_its_own = last.is_none_or(|row| *act == Act::Write(*row.body()));
        ensure(is_its_own, || {
            format!("{act} was settled with the version of {}", Shown(last))
        })?;
        told.push((*act, version));
    }
    Ok(())
}

pub(super) async fn counting<T: UnderTest>(suite: &Suite<T>) -> Checked {
    let key = suite.key();
    // The marker is the counter.
    let answer = attempt(&suite.here, &key, Act::Write(0), Demand::NotExists).await?;
    ensure(answer.answer == Answer::Done, || {
        format!("creating a counter {}", answer.answer)
    })?;
    let counted = race(suite, |_, handle| count(handle, key.clone()));
    let mut total = Tally::default();
    for tally in counted.await? {
        let tally = tally?;
        total.acknowledged += tally.acknowledged;
        total.unknown += tally.unknown;
    }
    let row = read(&suite.here, &key).await?;
    let counter = row.as_ref().map_or(0, |row| *row.body());
    let due = total.acknowledged..=total.acknowledged + total.unknown;
    ensure(due.contains(&counter), || {
        format!(
            "{WORKERS} workers were acknowledged {} increments ({} more have an unknown outcome), but the \
             counter is at {counter}",
            total.acknowledged, total.unknown
        )
    })?;
    let version = current(&suite.there, &key).await?;
    ensure(
        same_version(version.as_ref(), row.as_ref().map(Versioned::version)),
        || "after a race `current` and the row disagree".into(),
    )
}

#[derive(Default)]
struct Tally {
    acknowledged: u64,
    unknown: u64,
}

/// Reads and writes until enough increments were acknowledged.
async fn count<T: UnderTest>(handle: T, key: KeyOf<T>) -> Checked<Tally> {
    let mut tally = Tally::default();
    let mut lost = 0;
    while tally.acknowledged < INCREMENTS {
        let Some(row) = read(&handle, &key).await? else {
            return Err(Fault::new("the counter has vanished".into()));
        };
        let act = Act::Write(row.body() + 1);
        let demand = Demand::Version(row.version().clone());
        match attempt(&handle, &key, act, demand).await?.answer {
            Answer::Done => tally.acknowledged += 1,
            Answer::Lost => lost += 1,
            Answer::Absent => return Err(Fault::new(format!("{act} found no row"))),
            Answer::Failed(_) => {
                tally.unknown += 1;
                // Whoever keeps the store busy has to make progress.
                let_others_run().await;
            }
        }
        ensure(tally.unknown <= FAILURES, || {
            format!("the store failed one worker more than {FAILURES} times")
        })?;
        // Each loss is another worker's write between this worker's read and write.
        ensure(lost <= WORKERS as u64 * (INCREMENTS + FAILURES), || {
            format!("a worker lost {lost} times, more often than the others wrote")
        })?;
    }
    Ok(tally)
}

/// Waits until the other workers on this task have been polled.
async fn let_others_run() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

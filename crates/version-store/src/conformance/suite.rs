use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::attempt::{Act, Answer, attempt, read};
use super::shown::{Shown, ShownDemand};
use super::{RowOf, UnderTest};
use crate::demand::Demand;
use crate::store::VersionStore;
use crate::version::Version;
use crate::versioned::Versioned;

pub(super) type KeyOf<T> = <<T as UnderTest>::Store as VersionStore>::Key;
pub(super) type RevisionOf<T> = <<T as UnderTest>::Store as VersionStore>::Revision;
pub(super) type VersionOf<T> = Version<RevisionOf<T>>;

/// What a check found.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) text: String,
    pub(super) hung: bool,
}

pub(super) type Checked<V = ()> = Result<V, Fault>;

impl Fault {
    pub(super) fn new(text: String) -> Self {
        Self { text, hung: false }
    }

    pub(super) fn hung(what: &dyn fmt::Display) -> Self {
        let text = format!("{what} did not end in time");
        Self { text, hung: true }
    }

    pub(super) fn after(mut self, what: impl fmt::Display) -> Self {
        self.text = format!("after {what}: {}", self.text);
        self
    }
}

pub(super) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(Fault::new(otherwise()))
    }
}

/// The store under test, with two handles to it and the numbers used so far.
pub(super) struct Suite<T> {
    pub(super) here: T,
    pub(super) there: T,
    keys: AtomicU64,
    markers: AtomicU64,
}

impl<T: UnderTest> Suite<T> {
    pub(super) async fn new(here: T) -> Self {
        let there = Box::pin(here.other_handle()).await;
        Self {
            here,
            there,
            keys: AtomicU64::new(1),
            markers: AtomicU64::new(1),
        }
    }

    /// One of the handles, in turn.
    pub(super) fn handle(&self, turn: usize) -> &T {
        if turn.is_multiple_of(2) {
            &self.here
        } else {
            &self.there
        }
    }

    /// A key that has not been used.
    pub(super) fn key(&self) -> KeyOf<T> {
        self.here.key(self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// A marker that has not been used.
    pub(super) fn marker(&self) -> u64 {
        self.markers.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes a new marker, with which nothing conflicts, and reads it back.
    pub(super) async fn write(
        &self,
        handle: &T,
        key: &KeyOf<T>,
        demand: Demand<RevisionOf<T>>,
    ) -> Checked<RowOf<T>> {
        let marker = self.marker();
        let what = format!("a write under {}", ShownDemand(&demand));
        let answer = attempt(handle, key, Act::Write(marker), demand)
            .await?
            .answer;
        ensure(answer == Answer::Done, || {
            format!("{what}, with which nothing conflicts, {answer}")
        })?;
        let row = read(handle, key).await?;
        row.filter(|row| *row.body() == marker).ok_or_else(|| {
            Fault::new(format!(
                "{what} succeeded, but its marker {marker} cannot be read back"
            ))
        })
    }

    pub(super) async fn create(&self, key: &KeyOf<T>) -> Checked<RowOf<T>> {
        self.write(&self.here, key, Demand::NotExists).await
    }

    /// Removes a row, with which nothing conflicts.
    pub(super) async fn remove(&self, handle: &T, key: &KeyOf<T>, row: &RowOf<T>) -> Checked {
        let demand = Demand::Version(row.version().clone());
        let answer = attempt(handle, key, Act::Remove, demand).await?.answer;
        ensure(answer == Answer::Done, || {
            format!(
                "a removal of {}, with which nothing conflicts, {answer}",
                Shown(Some(row))
            )
        })
    }
}

/// Whether two reads of a row saw the same row, or both none.
pub(super) fn same_row<R: PartialEq>(
    one: Option<&Versioned<u64, R>>,
    other: Option<&Versioned<u64, R>>,
) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            one.body() == other.body() && one.version().same_state(other.version())
        }
        (None, None) => true,
        _ => false,
    }
}

/// Whether two versions are the same, or both are none.
pub(super) fn same_version<R: PartialEq>(
    one: Option<&Version<R>>,
    other: Option<&Version<R>>,
) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.same_state(other),
        (None, None) => true,
        _ => false,
    }
}

//! A store in memory that can be broken in one way at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use http_precondition::EntityTag;
use thiserror::Error;
use tokio::task::yield_now;

use super::*;
use crate::{Demand, Revision, RevisionText, Version};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// No flaw: what was dropped goes on by itself.
    WritesInTasks,
    /// No flaw: it fails rather than wait, and has written nothing.
    FailsWhenBusy,
    NoCompare,
    ComparesInFront,
    RemovesWhatItComparedBefore,
    WritesUnderNothing,
    LosesAfterWriting,
    RevisionsReturn,
    RevisionsWithoutText,
    OwnTagsReturn,
    SettlesWithoutTheOwnTag,
    DatesStand,
    SettlesBeforeFailing,
    SettlesWhatItFinds,
    SecondHandleLags,
    AnswersLater,
    TouchesNeighbours,
    SpellingsAreRows,
    SpellingsAreEncodings,
    LeaksItsLock,
    WritesInHalves,
    SettlesBeforeWriting,
    SettlesBeforeRemoving,
    LookUpLeaksItsLock,
}

#[derive(Clone)]
pub(super) struct Flawed<const AT_ONCE: bool> {
    flaw: Flaw,
    table: Arc<Mutex<Table>>,
    /// The one writer.
    busy: Arc<AtomicBool>,
    /// What this handle has seen, where it is one that lags.
    seen: Option<Arc<Mutex<Seen>>>,
}

type Seen = HashMap<String, Option<Version<Number>>>;

#[derive(Default)]
struct Table {
    rows: HashMap<String, Row>,
    /// Of the whole store, so none returns.
    incarnations: u64,
    last_date: Option<SystemTime>,
}

#[derive(Clone)]
struct Row {
    version: Version<Number>,
    marker: u64,
}

/// A name that ignores case.
#[derive(Clone, Debug)]
pub(super) struct Name {
    text: String,
    encodes_case: bool,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Key for Name {
    fn encode(&self, to: &mut KeyEncoder) {
        if self.encodes_case {
            to.text(&self.text);
        } else {
            to.text(&self.text.to_ascii_lowercase());
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    number: u64,
    has_text: bool,
}

impl Revision for Number {
    fn write_text(&self, to: &mut RevisionText) {
        if self.has_text {
            self.number.write_text(to);
        } else {
            to.push_str("-");
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let has_text = true;
        u64::from_text(text).map(|number| Self { number, has_text })
    }
}

#[derive(Debug, Error)]
#[error("the disk is full")]
pub(super) struct Full;

fn own_tag(incarnation: u64, number: u64) -> EntityTag {
    EntityTag::strong(format!("{incarnation}.{number}")).unwrap()
}

/// The turn of the one writer.
struct Turn(Arc<AtomicBool>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<const AT_ONCE: bool> Flawed<AT_ONCE> {
    pub(super) fn with(flaw: Flaw) -> Self {
        Self {
            flaw,
            table: Arc::default(),
            busy: Arc::default(),
            seen: None,
        }
    }

    async fn turn(&self) -> Turn {
        while self.busy.swap(true, Ordering::Acquire) {
            yield_now().await;
        }
        Turn(Arc::clone(&self.busy))
    }

    fn place(&self, key: &Name) -> String {
        match self.flaw {
            Flaw::SpellingsAreRows => key.text.clone(),
            _ => key.text.to_ascii_lowercase(),
        }
    }

    fn row(&self, place: &str) -> Option<Row> {
        self.table.lock().unwrap().rows.get(place).cloned()
    }

    fn next_version(&self, current: Option<&Row>) -> Version<Number> {
        let mut table = self.table.lock().unwrap();
        let (number, incarnation) = match current {
            Some(row) => (row.version.revision().number + 1, row.version.incarnation()),
            None if self.flaw == Flaw::RevisionsReturn => (1, 0),
            None => {
                table.incarnations += 1;
                (1, table.incarnations)
            }
        };
        let has_text = self.flaw != Flaw::RevisionsWithoutText;
        let version = Version::new(Number { number, has_text }).with_incarnation(incarnation);
        let now = SystemTime::now();
        let date = match table.last_date {
            Some(last) if self.flaw != Flaw::DatesStand => now.max(last + Duration::from_secs(1)),
            _ => now,
        };
        table.last_date = Some(date);
        let version = version.with_modified_at(date);
        match self.flaw {
            Flaw::OwnTagsReturn => version.with_own_tag(own_tag(0, number)),
            Flaw::SettlesWithoutTheOwnTag => version.with_own_tag(own_tag(incarnation, number)),
            _ => version,
        }
    }

    fn put(&self, place: &str, row: Row) {
        let mut table = self.table.lock().unwrap();
        if self.flaw == Flaw::TouchesNeighbours {
            for (_, neighbour) in table.rows.iter_mut().filter(|(at, _)| *at != place) {
                neighbour.version = row.version.clone();
            }
        }
        table.rows.insert(place.to_owned(), row);
    }

    /// A demand as this store understands it.
    fn admits(&self, expected: &Expected<Self>, current: Option<&Row>) -> bool {
        match self.flaw {
            Flaw::NoCompare => true,
            Flaw::WritesUnderNothing if matches!(expected.demand(), Demand::Never) => true,
            _ => expected.admits(current.map(|row| &row.version)),
        }
    }

    async fn write_here(
        &self,
        marker: u64,
        expected: Expected<Self>,
    ) -> Result<(), WriteError<Full>> {
        let place = self.place(expected.key());
        if self.flaw == Flaw::ComparesInFront {
            if !self.admits(&expected, self.row(&place).as_ref()) {
                return Err(expected.lost().into());
            }
            yield_now().await;
        }
        if self.flaw == Flaw::FailsWhenBusy && self.busy.load(Ordering::Acquire) {
            return Err(WriteError::Backend(Full));
        }
        let mut turn = Some(self.turn().await);
        if self.flaw == Flaw::LeaksItsLock {
            std::mem::forget(turn.take());
        }
        let current = self.row(&place);
        if self.flaw != Flaw::ComparesInFront && !self.admits(&expected, current.as_ref()) {
            if self.flaw == Flaw::LeaksItsLock {
                self.busy.store(false, Ordering::Release);
            }
            if self.flaw == Flaw::LosesAfterWriting {
                let version = self.next_version(current.as_ref());
                self.put(&place, Row { version, marker });
            }
            return Err(expected.lost().into());
        }
        let version = self.next_version(current.as_ref());
        // A connection would be waited for here.
        yield_now().await;
        if self.flaw == Flaw::SettlesBeforeFailing && matches!(expected.demand(), Demand::Exists) {
            expected.written(version);
            return Err(WriteError::Backend(Full));
        }
        let row = Row {
            version: version.clone(),
            marker,
        };
        match (self.flaw, &current) {
            (Flaw::SettlesBeforeWriting, _) => {
                expected.written(version.clone());
                yield_now().await;
                self.put(&place, row);
                return Ok(());
            }
            (Flaw::WritesInHalves, Some(current)) => {
                let half = Row {
                    marker: current.marker,
                    ..row.clone()
                };
                self.put(&place, half);
                yield_now().await;
            }
            _ => {}
        }
        self.put(&place, row);
        if self.flaw == Flaw::LeaksItsLock {
            turn = Some(Turn(Arc::clone(&self.busy)));
        }
        drop(turn);
        match self.flaw {
            Flaw::SettlesWhatItFinds => {
                for _ in 0..4 {
                    yield_now().await;
                }
                let found = self.row(&place).map_or(version, |row| row.version);
                expected.written(found);
            }
            Flaw::SettlesWithoutTheOwnTag => {
                let incarnation = version.incarnation();
                expected.written(
                    Version::new(version.revision().clone()).with_incarnation(incarnation),
                );
            }
            _ => expected.written(version),
        }
        Ok(())
    }
}

impl<const AT_ONCE: bool> VersionStore for Flawed<AT_ONCE> {
    type Key = Name;
    type Revision = Number;
    type Error = Full;
    const ANSWERS_AT_ONCE: bool = AT_ONCE;

    fn dates_advance(&self) -> bool {
        true
    }

    async fn current(&self, key: &Name) -> Result<Option<Version<Number>>, Full> {
        let place = self.place(key);
        match self.flaw {
            Flaw::AnswersLater => yield_now().await,
            Flaw::LookUpLeaksItsLock => {
                std::mem::forget(self.turn().await);
                yield_now().await;
                drop(Turn(Arc::clone(&self.busy)));
            }
            _ => {}
        }
        let current = self.row(&place).map(|row| row.version);
        Ok(match &self.seen {
            Some(seen) => seen.lock().unwrap().entry(place).or_insert(current).clone(),
            None => current,
        })
    }
}

impl<const AT_ONCE: bool> UnderTest for Flawed<AT_ONCE> {
    type Store = Self;
    type Error = Full;

    fn versions(&self) -> Self {
        self.clone()
    }

    fn key(&self, number: u64) -> Name {
        Name {
            text: format!("row{number}"),
            encodes_case: self.flaw == Flaw::SpellingsAreEncodings,
        }
    }

    fn same_key(&self, key: &Name) -> Option<Name> {
        Some(Name {
            text: key.text.to_ascii_uppercase(),
            ..key.clone()
        })
    }

    async fn other_handle(&self) -> Self {
        Self {
            seen: (self.flaw == Flaw::SecondHandleLags).then(Arc::default),
            ..self.clone()
        }
    }

    fn timeout(&self) -> Duration {
        match self.flaw {
            Flaw::LeaksItsLock | Flaw::LookUpLeaksItsLock => Duration::from_secs(1),
            _ => Duration::from_secs(30),
        }
    }

    async fn write(&self, marker: u64, expected: Expected<Self>) -> Result<(), WriteError<Full>> {
        if self.flaw != Flaw::WritesInTasks {
            return self.write_here(marker, expected).await;
        }
        let store = self.clone();
        let task = tokio::spawn(async move { store.write_here(marker, expected).await });
        task.await.unwrap()
    }

    async fn remove(&self, expected: Expected<Self>) -> Result<(), WriteError<Full>> {
        let place = self.place(expected.key());
        if self.flaw == Flaw::RemovesWhatItComparedBefore {
            if !self.admits(&expected, self.row(&place).as_ref()) {
                return Err(expected.lost().into());
            }
            yield_now().await;
            self.table.lock().unwrap().rows.remove(&place);
            expected.removed();
            return Ok(());
        }
        let _turn = self.turn().await;
        yield_now().await;
        let current = self.row(&place);
        if current.is_none() && expected.admits(None) {
            expected.unchanged();
            return Err(WriteError::Absent);
        }
        if !self.admits(&expected, current.as_ref()) {
            return Err(expected.lost().into());
        }
        if self.flaw == Flaw::SettlesBeforeRemoving {
            expected.removed();
            yield_now().await;
            self.table.lock().unwrap().rows.remove(&place);
            return Ok(());
        }
        self.table.lock().unwrap().rows.remove(&place);
        expected.removed();
        Ok(())
    }

    async fn read(&self, key: &Name) -> Result<Option<Versioned<u64, Number>>, Full> {
        let row = self.row(&self.place(key));
        Ok(row.map(|row| Versioned::new(row.version, row.marker)))
    }
}

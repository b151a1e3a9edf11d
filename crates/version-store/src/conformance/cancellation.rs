//! A client hangs up or a timeout passes: the future of a write is dropped while it waits.

use std::fmt;

use super::attempt::{Act, Answer, attempt, carry_out, current, lent, read};
use super::shown::{Shown, ShownDemand, ShownEnding, ShownVersion};
use super::suite::{Checked, Fault, KeyOf, RevisionOf, Suite, ensure, same_row, same_version};
use super::timeout::{polled_at_most, within};
use super::{RowOf, UnderTest};
use crate::demand::Demand;
use crate::handover::{Ending, Made};
use crate::store::VersionStore;
use crate::versioned::Versioned;

/// Futures are dropped after at most this many polls.
const POLLS: usize = 64;
/// How often a future has to end before it is dropped. Once is not enough: on several threads the
/// number of polls varies.
const ENDS: usize = 3;

pub(super) async fn check<T: UnderTest>(suite: &Suite<T>) -> Checked {
    for exists in [true, false] {
        writes(suite, exists, || Act::Write(suite.marker())).await?;
    }
    writes(suite, true, || Act::Remove).await?;
    reads(suite).await
}

/// Drops the future at its first await point, then at its second, and so on, until it ends before that.
async fn writes<T: UnderTest>(suite: &Suite<T>, exists: bool, act: impl Fn() -> Act) -> Checked {
    let mut ends = 0;
    for polls in 1..=POLLS {
        let key = suite.key();
        let before = if exists {
            Some(suite.create(&key).await?)
        } else {
            None
        };
        let cancelled = Cancelled::<T> {
            act: act(),
            demand: demand_of::<T>(before.as_ref()),
            before,
            polls,
        };
        let ended = cancelled.run(suite, &key).await;
        ends += usize::from(ended.map_err(|fault| fault.after(&cancelled))?);
        if ends == ENDS {
            break;
        }
    }
    Ok(())
}

fn demand_of<T: UnderTest>(row: Option<&RowOf<T>>) -> Demand<RevisionOf<T>> {
    row.map_or(Demand::NotExists, |row| {
        Demand::Version(row.version().clone())
    })
}

struct Cancelled<T: UnderTest> {
    act: Act,
    demand: Demand<RevisionOf<T>>,
    before: Option<RowOf<T>>,
    polls: usize,
}

impl<T: UnderTest> Cancelled<T> {
    /// Whether it ended before it was dropped.
    async fn run(&self, suite: &Suite<T>, key: &KeyOf<T>) -> Checked<bool> {
        let (slot, expected) = lent(key, self.demand.clone());
        let write = polled_at_most(self.polls, carry_out(&suite.here, self.act, expected));
        let answer = within(suite.here.timeout(), write).await;
        let answer = answer.ok_or_else(|| Fault::hung(&self.act))?;
        let ending = slot.close();
        let row = read(&suite.here, key).await?;
        self.is_whole(row.as_ref())?;
        self.is_settled_rightly(&ending, row.as_ref())?;
        self.goes_on(suite, key).await?;
        Ok(answer.is_some())
    }

    fn is_whole(&self, row: Option<&RowOf<T>>) -> Checked {
        ensure(self.is_old(row) || self.is_new(row), || {
            format!(
                "the row is neither the old one nor the new one: {}",
                Shown(row)
            )
        })
    }

    fn is_old(&self, row: Option<&RowOf<T>>) -> bool {
        same_row(row, self.before.as_ref())
    }

    fn is_new(&self, row: Option<&RowOf<T>>) -> bool {
        let version = row.map(Versioned::version);
        let before = self.before.as_ref().map(Versioned::version);
        match (self.act, row) {
            (Act::Remove, row) => row.is_none(),
            (Act::Write(marker), Some(row)) => {
                *row.body() == marker && !same_version(version, before)
            }
            (Act::Write(_), None) => false,
        }
    }

    fn is_settled_rightly(
        &self,
        ending: &Ending<Made<RevisionOf<T>>>,
        row: Option<&RowOf<T>>,
    ) -> Checked {
        let fits = match ending {
            Ending::Untaken | Ending::Unsettled => true,
            Ending::Written(Made {
                version: Some(version),
                ..
            }) => self.is_new(row) && same_version(Some(version), row.map(Versioned::version)),
            Ending::Written(Made { version: None, .. }) => {
                self.act == Act::Remove && self.is_new(row)
            }
            Ending::Unchanged | Ending::Lost => false,
        };
        ensure(fits, || {
            let (ending, row) = (ShownEnding(ending), Shown(row));
            format!("it was {ending}, but there is {row}, and nobody else wrote")
        })
    }

    /// The next write succeeds, at once or after the dropped one has ended in the background.
    async fn goes_on(&self, suite: &Suite<T>, key: &KeyOf<T>) -> Checked {
        for last in [false, true] {
            let row = read(&suite.here, key).await?;
            self.is_whole(row.as_ref())?;
            let next = Act::Write(suite.marker());
            let demand = demand_of::<T>(row.as_ref());
            let answer = attempt(&suite.there, key, next, demand).await?.answer;
            if answer == Answer::Lost && !last {
                continue;
            }
            ensure(answer == Answer::Done, || {
                format!("the next write, of {}, {answer}", Shown(row.as_ref()))
            })?;
            break;
        }
        let (row, version) = (
            read(&suite.here, key).await?,
            current(&suite.there, key).await?,
        );
        let agree = same_version(version.as_ref(), row.as_ref().map(Versioned::version));
        ensure(agree, || {
            let (row, version) = (Shown(row.as_ref()), ShownVersion(version.as_ref()));
            format!("the row is {row}, but `current` returns {version}")
        })
    }
}

impl<T: UnderTest> fmt::Display for Cancelled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            act,
            demand,
            before,
            polls,
        } = self;
        let (demand, before) = (ShownDemand(demand), Shown(before.as_ref()));
        write!(
            f,
            "{act} under {demand} on {before}, dropped after {polls} polls"
        )
    }
}

/// A dropped lookup holds nothing either: the layer drops one that is not ready at once.
async fn reads<T: UnderTest>(suite: &Suite<T>) -> Checked {
    let key = suite.key();
    let mut row = suite.create(&key).await?;
    for polls in 1..=POLLS {
        let store = suite.here.versions();
        let look = polled_at_most(polls, store.current(&key));
        let ended = within(suite.here.timeout(), look).await;
        let ended = ended.ok_or_else(|| Fault::hung(&"`current`"))?.is_some();
        let demand = demand_of::<T>(Some(&row));
        let next = suite.write(&suite.here, &key, demand).await;
        row = next.map_err(|fault| {
            fault.after(format_args!("`current` was dropped after {polls} polls"))
        })?;
        if ended {
            break;
        }
    }
    Ok(())
}

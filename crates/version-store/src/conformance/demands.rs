//! Each demand on each state of a row: is only what it admits carried out, and is it settled that way?

use std::fmt;

use super::attempt::{Act, Answer, Attempt, attempt, current, read};
use super::shown::{Shown, ShownDemand, ShownEnding, ShownVersion};
use super::suite::{Checked, Fault, RevisionOf, Suite, VersionOf, ensure, same_row};
use super::{RowOf, UnderTest};
use crate::demand::Demand;
use crate::handover::{Ending, Made};
use crate::version::Version;
use crate::versioned::Versioned;

#[derive(Clone, Copy)]
enum Kind {
    Current,
    Another,
    Exists,
    NotExists,
    Any,
    Never,
}

const KINDS: [Kind; 6] = [
    Kind::Current,
    Kind::Another,
    Kind::Exists,
    Kind::NotExists,
    Kind::Any,
    Kind::Never,
];

/// One attempt on a row that nobody else writes.
struct Case<T: UnderTest> {
    act: Act,
    demand: Demand<RevisionOf<T>>,
    before: Option<RowOf<T>>,
    attempt: Attempt<T>,
    after: Option<RowOf<T>>,
    current: Option<VersionOf<T>>,
}

pub(super) async fn check<T: UnderTest>(suite: &Suite<T>) -> Checked {
    for_each_case(suite, Case::is_what_was_demanded).await
}

pub(super) async fn settlement<T: UnderTest>(suite: &Suite<T>) -> Checked {
    for_each_case(suite, Case::is_settled_as_it_ended).await?;
    super::race::each_settles_its_own(suite).await
}

async fn for_each_case<T: UnderTest>(
    suite: &Suite<T>,
    judge: impl Fn(&Case<T>) -> Checked,
) -> Checked {
    for exists in [false, true] {
        for kind in KINDS {
            let act = Act::Write(suite.marker());
            judge(&Case::run(suite, act, exists, kind).await?)?;
            judge(&Case::run(suite, Act::Remove, exists, kind).await?)?;
        }
    }
    Ok(())
}

impl<T: UnderTest> Case<T> {
    async fn run(suite: &Suite<T>, act: Act, exists: bool, kind: Kind) -> Checked<Self> {
        let key = suite.key();
        // A version that a client can have: of this row or, if there is none, of another one.
        let elsewhere = if exists { key.clone() } else { suite.key() };
        let earlier = suite.create(&elsewhere).await?.version().clone();
        let demand = Demand::Version(earlier.clone());
        let later = suite.write(&suite.here, &elsewhere, demand).await?;
        let demand = match kind {
            Kind::Current => Demand::Version(later.version().clone()),
            Kind::Another => Demand::Version(earlier),
            Kind::Exists => Demand::Exists,
            Kind::NotExists => Demand::NotExists,
            Kind::Any => Demand::Any,
            Kind::Never => Demand::Never,
        };
        let before = exists.then_some(later);
        let attempt = attempt(&suite.here, &key, act, demand.clone()).await?;
        let after = read(&suite.here, &key).await?;
        let current = current(&suite.here, &key).await?;
        Ok(Self {
            act,
            demand,
            before,
            attempt,
            after,
            current,
        })
    }

    fn is_what_was_demanded(&self) -> Checked {
        let before = self.before.as_ref();
        let admitted = self.demand.admits(before.map(Versioned::version))
            && (before.is_some() || self.act != Act::Remove);
        let answer = &self.attempt.answer;
        let fits = match answer {
            Answer::Done => admitted,
            Answer::Lost => !admitted,
            Answer::Absent => !admitted && before.is_none(),
            Answer::Failed(_) => false,
        };
        let due = if admitted { "succeeded" } else { "lost" };
        ensure(fits, || format!("{self} {answer}; it should have {due}"))?;
        let took_effect = if admitted {
            self.has_taken_effect()
        } else {
            same_row(self.after.as_ref(), before)
        };
        ensure(took_effect, || {
            let after = Shown(self.after.as_ref());
            format!("{self} {answer}, but left {after}")
        })
    }

    fn has_taken_effect(&self) -> bool {
        match (self.act, &self.before, &self.after) {
            (Act::Remove, _, after) => after.is_none(),
            (Act::Write(marker), before, Some(after)) => {
                let advanced = before
                    .as_ref()
                    .is_none_or(|before| !before.version().same_state(after.version()));
                *after.body() == marker && advanced
            }
            (Act::Write(_), _, None) => false,
        }
    }

    fn is_settled_as_it_ended(&self) -> Checked {
        let Attempt { answer, ending } = &self.attempt;
        let fits = match (answer, ending) {
            (Answer::Done, Ending::Written(Made { version, .. })) => match version {
                Some(version) => return self.names_what_is_stored(version),
                None => self.act == Act::Remove && self.after.is_none(),
            },
            (Answer::Lost, Ending::Lost)
            | (Answer::Absent, Ending::Unchanged | Ending::Unsettled) => true,
            _ => false,
        };
        ensure(fits, || {
            let after = Shown(self.after.as_ref());
            format!(
                "{self} {answer} and left {after}, but was {}",
                ShownEnding(ending)
            )
        })
    }

    fn names_what_is_stored(&self, settled: &Version<RevisionOf<T>>) -> Checked {
        let Some(current) = self.current.as_ref().filter(|_| self.act != Act::Remove) else {
            return Err(Fault::new(format!(
                "{self} was settled as written, but there is no row"
            )));
        };
        let dated_alike = match (settled.modified_at(), current.modified_at()) {
            (Some(settled), Some(current)) => settled == current,
            // Not every store knows the date of its write.
            _ => true,
        };
        let alike = settled.same_state(current) && settled.tagging() == current.tagging();
        ensure(alike && dated_alike, || {
            format!(
                "{self} was settled as written with {}, {:?}, {:?}, but `current` returns {}, {:?}, {:?}",
                ShownVersion(Some(settled)),
                settled.tagging(),
                settled.modified_at(),
                ShownVersion(Some(current)),
                current.tagging(),
                current.modified_at(),
            )
        })
    }
}

impl<T: UnderTest> fmt::Display for Case<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (act, demand) = (self.act, ShownDemand(&self.demand));
        let before = Shown(self.before.as_ref());
        write!(f, "{act} under {demand} on {before}")
    }
}

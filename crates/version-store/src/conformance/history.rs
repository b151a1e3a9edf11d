//! The versions of one key, one after another, across its incarnations.

use std::time::{Duration, SystemTime};

use super::UnderTest;
use super::attempt::{Act, Answer, attempt, current, read};
use super::shown::{Shown, ShownVersion};
use super::suite::{Checked, Fault, KeyOf, Suite, VersionOf, ensure, same_row};
use crate::demand::Demand;
use crate::revision::{Revision, RevisionText};
use crate::store::VersionStore;
use crate::version::Tagging;

const INCARNATIONS: usize = 4;
const WRITES: usize = 4;

/// Sees each version of a key when it is made.
trait Witness<T: UnderTest> {
    async fn saw(&mut self, suite: &Suite<T>, key: &KeyOf<T>, version: VersionOf<T>) -> Checked;
}

async fn witnessed<T: UnderTest>(suite: &Suite<T>, mut witness: impl Witness<T>) -> Checked {
    let key = suite.key();
    for _ in 0..INCARNATIONS {
        let mut demand = Demand::NotExists;
        for _ in 0..WRITES {
            suite.write(&suite.here, &key, demand).await?;
            let Some(version) = current(&suite.here, &key).await? else {
                return Err(Fault::new(
                    "after a write `current` returned nothing".into(),
                ));
            };
            demand = Demand::Version(version.clone());
            witness.saw(suite, &key, version).await?;
        }
        if let Some(row) = read(&suite.here, &key).await? {
            suite.remove(&suite.here, &key, &row).await?;
        }
        let left = current(&suite.here, &key).await?;
        ensure(left.is_none(), || {
            format!(
                "after a removal `current` returned {}",
                ShownVersion(left.as_ref())
            )
        })?;
    }
    Ok(())
}

pub(super) async fn versions<T: UnderTest>(suite: &Suite<T>) -> Checked {
    witnessed(suite, Unique::<T>(Vec::new())).await
}

struct Unique<T: UnderTest>(Vec<VersionOf<T>>);

impl<T: UnderTest> Witness<T> for Unique<T> {
    async fn saw(&mut self, suite: &Suite<T>, key: &KeyOf<T>, version: VersionOf<T>) -> Checked {
        let text = tag_text::<T>(&version)?;
        for earlier in &self.0 {
            ensure(!earlier.same_state(&version), || {
                format!("{} has come back for one key", ShownVersion(Some(&version)))
            })?;
            let same_tag = match (earlier.tagging(), version.tagging()) {
                (Tagging::Own(earlier), Tagging::Own(own)) => earlier == own,
                (Tagging::Minted, Tagging::Minted) => {
                    earlier.incarnation() == version.incarnation()
                        && tag_text::<T>(earlier)? == text
                }
                _ => false,
            };
            ensure(!same_tag, || {
                format!(
                    "{} and {} of one key have the same tag",
                    ShownVersion(Some(earlier)),
                    ShownVersion(Some(&version))
                )
            })?;
        }
        // Whoever still has the first or the last of them writes nothing.
        for earlier in self.0.first().into_iter().chain(self.0.last()) {
            refused(suite, key, earlier).await?;
        }
        self.0.push(version);
        Ok(())
    }
}

/// The text in a minted tag.
fn tag_text<T: UnderTest>(version: &VersionOf<T>) -> Checked<String> {
    if *version.tagging() != Tagging::Minted {
        return Ok(String::new());
    }
    let revision = version.revision();
    let mut text = RevisionText::default();
    revision.write_text(&mut text);
    let text = text.as_str().ok_or_else(|| {
        Fault::new(format!(
            "revision {revision:?} has no text that a tag can hold"
        ))
    })?;
    ensure(Revision::from_text(text).as_ref() == Some(revision), || {
        format!("revision {revision:?} is not parsed back from its text {text:?}")
    })?;
    Ok(text.to_owned())
}

async fn refused<T: UnderTest>(
    suite: &Suite<T>,
    key: &KeyOf<T>,
    earlier: &VersionOf<T>,
) -> Checked {
    let before = read(&suite.here, key).await?;
    let stale = Demand::Version(earlier.clone());
    let act = Act::Write(suite.marker());
    let answer = attempt(&suite.here, key, act, stale).await?.answer;
    let after = read(&suite.here, key).await?;
    ensure(
        answer != Answer::Done && same_row(before.as_ref(), after.as_ref()),
        || {
            format!(
                "{act} on the earlier version {} {answer} and made {} of {}",
                ShownVersion(Some(earlier)),
                Shown(after.as_ref()),
                Shown(before.as_ref())
            )
        },
    )
}

pub(super) async fn dates<T: UnderTest>(suite: &Suite<T>) -> Checked {
    if !suite.here.versions().dates_advance() {
        return Ok(());
    }
    witnessed(suite, Advancing(None)).await
}

struct Advancing(Option<SystemTime>);

impl<T: UnderTest> Witness<T> for Advancing {
    async fn saw(&mut self, _: &Suite<T>, _: &KeyOf<T>, version: VersionOf<T>) -> Checked {
        let shown = ShownVersion(Some(&version));
        let Some(at) = version.modified_at() else {
            return Err(Fault::new(format!(
                "`dates_advance` is true, but {shown} has no date"
            )));
        };
        if let Some(earlier) = self.0 {
            let by = at.duration_since(earlier).unwrap_or_default();
            ensure(by >= Duration::from_secs(1), || {
                format!(
                    "`dates_advance` is true, but {shown} is dated only {by:?} after the version before"
                )
            })?;
        }
        self.0 = Some(at);
        Ok(())
    }
}

//! Equal keys are one row, unequal keys are two.

use super::attempt::{Act, Answer, attempt, current, read};
use super::shown::{Shown, ShownVersion};
use super::suite::{Checked, KeyOf, Suite, ensure, same_row, same_version};
use super::{RowOf, UnderTest};
use crate::demand::Demand;
use crate::key::{Key, KeyEncoder};
use crate::versioned::Versioned;

pub(super) async fn check<T: UnderTest>(suite: &Suite<T>) -> Checked {
    let (key, other) = (suite.key(), suite.key());
    ensure(key != other && encoded(&key) != encoded(&other), || {
        format!(
            "the keys {key:?} and {other:?} of two numbers are equal, or equal in their encoding"
        )
    })?;
    let Some(spelling) = suite.here.same_key(&key) else {
        return Ok(());
    };
    ensure(
        key == spelling && encoded(&key) == encoded(&spelling),
        || {
            format!(
                "{key:?} and {spelling:?} name the same row, but are not equal or not encoded equally"
            )
        },
    )?;

    let row = suite.create(&key).await?;
    let found = read(&suite.here, &spelling).await?;
    ensure(same_row(found.as_ref(), Some(&row)), || {
        format!(
            "{} was created as {key:?}, but as {spelling:?} there is {}",
            Shown(Some(&row)),
            Shown(found.as_ref())
        )
    })?;
    let version = current(&suite.here, &spelling).await?;
    ensure(same_version(version.as_ref(), Some(row.version())), || {
        format!(
            "{} was created as {key:?}, but as {spelling:?} `current` returns {}",
            Shown(Some(&row)),
            ShownVersion(version.as_ref())
        )
    })?;
    let twice = Act::Write(suite.marker());
    let answer = attempt(&suite.here, &spelling, twice, Demand::NotExists)
        .await?
        .answer;
    ensure(answer != Answer::Done, || {
        format!("{key:?} was created a second time as {spelling:?}")
    })?;
    let demand = Demand::Version(row.version().clone());
    let row = suite.write(&suite.here, &spelling, demand).await?;
    let found = read(&suite.here, &key).await?;
    ensure(same_row(found.as_ref(), Some(&row)), || {
        format!(
            "{} was written as {spelling:?}, but as {key:?} there is {}",
            Shown(Some(&row)),
            Shown(found.as_ref())
        )
    })
}

fn encoded(key: &impl Key) -> KeyEncoder {
    let mut to = KeyEncoder::new();
    key.encode(&mut to);
    to
}

/// How many rows there are.
const NEIGHBOURS: usize = 4;

pub(super) async fn independence<T: UnderTest>(suite: &Suite<T>) -> Checked {
    let mut rows = Vec::new();
    for _ in 0..NEIGHBOURS {
        let key = suite.key();
        let row = suite.create(&key).await?;
        rows.push((key, Some(row)));
    }
    for place in 0..NEIGHBOURS {
        let key = rows[place].0.clone();
        if let Some(row) = rows[place].1.take() {
            let demand = Demand::Version(row.version().clone());
            rows[place].1 = Some(suite.write(&suite.here, &key, demand).await?);
        }
        untouched(suite, &rows, &key, "written").await?;
    }
    for place in 0..NEIGHBOURS {
        let key = rows[place].0.clone();
        if let Some(row) = rows[place].1.take() {
            suite.remove(&suite.here, &key, &row).await?;
        }
        untouched(suite, &rows, &key, "removed").await?;
    }
    Ok(())
}

async fn untouched<T: UnderTest>(
    suite: &Suite<T>,
    rows: &[(KeyOf<T>, Option<RowOf<T>>)],
    touched: &KeyOf<T>,
    how: &str,
) -> Checked {
    for (key, row) in rows {
        let found = read(&suite.here, key).await?;
        ensure(same_row(found.as_ref(), row.as_ref()), || {
            format!(
                "{touched:?} was {how}, and {key:?}, which was {}, is {}",
                Shown(row.as_ref()),
                Shown(found.as_ref())
            )
        })?;
        let version = current(&suite.here, key).await?;
        let own = row.as_ref().map(Versioned::version);
        ensure(same_version(version.as_ref(), own), || {
            format!(
                "{touched:?} was {how}, and `current` of {key:?}, which was {}, returns {}",
                Shown(row.as_ref()),
                ShownVersion(version.as_ref())
            )
        })?;
    }
    Ok(())
}

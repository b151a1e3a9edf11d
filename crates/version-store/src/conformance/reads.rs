//! What the store reports about its rows.

use std::pin::pin;
use std::task::{Context, Waker};

use super::attempt::{current, read};
use super::shown::{Shown, ShownVersion};
use super::suite::{Checked, KeyOf, Suite, ensure, same_row, same_version};
use super::{RowOf, UnderTest};
use crate::demand::Demand;
use crate::store::VersionStore;
use crate::versioned::Versioned;

/// How many writes the handles take turns with.
const TURNS: usize = 8;

pub(super) async fn freshness<T: UnderTest>(suite: &Suite<T>) -> Checked {
    let key = suite.key();
    // A handle that caches now remembers that there is no row.
    is_seen(suite, &key, None).await?;
    let mut row = suite.create(&key).await?;
    for turn in 0..TURNS {
        is_seen(suite, &key, Some(&row)).await?;
        let demand = Demand::Version(row.version().clone());
        row = suite.write(suite.handle(turn), &key, demand).await?;
    }
    is_seen(suite, &key, Some(&row)).await?;
    suite.remove(&suite.there, &key, &row).await?;
    is_seen(suite, &key, None).await
}

async fn is_seen<T: UnderTest>(
    suite: &Suite<T>,
    key: &KeyOf<T>,
    row: Option<&RowOf<T>>,
) -> Checked {
    for (handle, name) in [(&suite.here, "one"), (&suite.there, "the other")] {
        let version = current(handle, key).await?;
        let known = same_version(version.as_ref(), row.map(Versioned::version));
        ensure(known, || {
            let (version, row) = (ShownVersion(version.as_ref()), Shown(row));
            format!("{row} was acknowledged, but `current` of {name} handle returns {version}")
        })?;
        let found = read(handle, key).await?;
        ensure(same_row(found.as_ref(), row), || {
            let (found, row) = (Shown(found.as_ref()), Shown(row));
            format!("{row} was acknowledged, but {name} handle reads {found}")
        })?;
    }
    Ok(())
}

pub(super) async fn at_once<T: UnderTest>(suite: &Suite<T>) -> Checked {
    if !T::Store::ANSWERS_AT_ONCE {
        return Ok(());
    }
    let key = suite.key();
    is_ready(suite, &key, "absent")?;
    let row = suite.create(&key).await?;
    is_ready(suite, &key, "just created")?;
    let demand = Demand::Version(row.version().clone());
    suite.write(&suite.here, &key, demand).await?;
    is_ready(suite, &key, "just written")
}

fn is_ready<T: UnderTest>(suite: &Suite<T>, key: &KeyOf<T>, state: &str) -> Checked {
    let store = suite.here.versions();
    let mut context = Context::from_waker(Waker::noop());
    let ready = pin!(store.current(key)).poll(&mut context).is_ready();
    ensure(ready, || {
        format!(
            "`ANSWERS_AT_ONCE` is true, but `current` of a row that is {state} was not ready when first \
             polled, though nobody else used the store"
        )
    })
}

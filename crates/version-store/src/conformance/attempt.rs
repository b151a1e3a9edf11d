//! One operation on the store under test, and all that can be said about how it ended.

use std::fmt;

use super::suite::{Checked, Fault, KeyOf, RevisionOf, VersionOf};
use super::timeout::within;
use super::{RowOf, UnderTest};
use crate::demand::Demand;
use crate::error::WriteError;
use crate::expected::Expected;
use crate::handover::{Ending, Made, Slot};
use crate::store::VersionStore;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// With this marker.
    Write(u64),
    Remove,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(marker) => write!(f, "a write of marker {marker}"),
            Self::Remove => f.write_str("a removal"),
        }
    }
}

/// What a write returned, and how it was settled.
pub(super) struct Attempt<T: UnderTest> {
    pub(super) answer: Answer,
    pub(super) ending: Ending<Made<RevisionOf<T>>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    Lost,
    Absent,
    Failed(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("succeeded"),
            Self::Lost => f.write_str("was reported as lost"),
            Self::Absent => f.write_str("was reported as absent"),
            Self::Failed(error) => write!(f, "failed ({error})"),
        }
    }
}

impl<E: fmt::Display> From<Result<(), WriteError<E>>> for Answer {
    fn from(result: Result<(), WriteError<E>>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(WriteError::Lost(_)) => Self::Lost,
            Err(WriteError::Absent) => Self::Absent,
            Err(WriteError::Backend(error)) => Self::Failed(error.to_string()),
        }
    }
}

/// An `Expected` as a layer lends it.
pub(super) fn lent<S: VersionStore>(
    key: &S::Key,
    demand: Demand<S::Revision>,
) -> (Slot<Expected<S>>, Expected<S>) {
    let slot = Slot::new(key.clone(), demand);
    let expected = slot.take().expect("nobody has taken it before");
    (slot, expected)
}

/// Without a limit to how long it may take.
pub(super) async fn carry_out<T: UnderTest>(
    handle: &T,
    act: Act,
    expected: Expected<T::Store>,
) -> Answer {
    match act {
        Act::Write(marker) => handle.write(marker, expected).await.into(),
        Act::Remove => handle.remove(expected).await.into(),
    }
}

pub(super) async fn attempt<T: UnderTest>(
    handle: &T,
    key: &KeyOf<T>,
    act: Act,
    demand: Demand<RevisionOf<T>>,
) -> Checked<Attempt<T>> {
    let (slot, expected) = lent(key, demand);
    let answer = within(handle.timeout(), carry_out(handle, act, expected)).await;
    let answer = answer.ok_or_else(|| Fault::hung(&act))?;
    let ending = slot.close();
    Ok(Attempt { answer, ending })
}

pub(super) async fn read<T: UnderTest>(handle: &T, key: &KeyOf<T>) -> Checked<Option<RowOf<T>>> {
    match within(handle.timeout(), handle.read(key)).await {
        Some(Ok(row)) => Ok(row),
        Some(Err(error)) => Err(Fault::new(format!("a read failed ({error})"))),
        None => Err(Fault::hung(&"a read")),
    }
}

pub(super) async fn current<T: UnderTest>(
    handle: &T,
    key: &KeyOf<T>,
) -> Checked<Option<VersionOf<T>>> {
    match within(handle.timeout(), handle.versions().current(key)).await {
        Some(Ok(version)) => Ok(version),
        Some(Err(error)) => Err(Fault::new(format!("`current` failed ({error})"))),
        None => Err(Fault::hung(&"`current`")),
    }
}

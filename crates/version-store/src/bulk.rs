//! Several resources in one write, all or nothing: what a layer lends to the handler for the items of
//! one request, and how the handler settles them.
//!
//! It works as for one resource ([`Expected`](crate::Expected), [`handover`](crate::handover)): the
//! [`Slot`] lends its [`ExpectedItems`] once and keeps the outcome.

use std::fmt;

use http::Extensions;

use crate::demand::Demand;
use crate::error::Lost;
use crate::not_lent::{NotLent, Why};
use crate::slot::{Ending, Lend, Slot};
use crate::store::VersionStore;
use crate::transactional::Versions;
use crate::version::Version;

#[cfg(test)]
mod tests;

/// What a request demands of the stored versions of several items, and the duty to settle how the write
/// ended.
///
/// A proof and a duty like [`Expected`](crate::Expected), for all items together: **one atomic step**
/// compares every version and writes every item, or nothing. It is settled once for all of them:
/// [`written`](Self::written), [`unchanged`](Self::unchanged) or [`lost`](Self::lost).
///
/// With your own SQL the step is one transaction. Process the rows in the order of their keys, not of
/// the items, so that two requests never wait for each other. If a statement finds no row, roll back
/// and settle as lost.
///
/// It cannot be copied:
///
/// ```compile_fail,E0599
/// # use version_store::{MemoryStore, bulk::ExpectedItems};
/// fn twice(expected: ExpectedItems<MemoryStore<u64, String>>) {
///     expected.clone();
/// }
/// ```
///
/// # Example
///
/// ```
/// use std::{collections::HashMap, sync::Mutex};
/// use version_store::{Demand, Lost, MemoryStore, Version, bulk::ExpectedItems};
///
/// # type Posts = MemoryStore<u64, String>;
/// struct Table(Mutex<HashMap<u64, (u64, String)>>);
///
/// impl Table {
///     /// One atomic step: every comparison and every write under one lock.
///     fn put(&self, titles: Vec<String>, expected: ExpectedItems<Posts>) -> Result<(), Lost> {
///         let mut rows = self.0.lock().unwrap();
///         let current: Vec<_> = expected
///             .keys()
///             .map(|id| rows.get(id).map(|(version, _)| Version::new(*version)))
///             .collect();
///         if !expected.admits(&current) {
///             return Err(expected.lost());
///         }
///         let mut made = Vec::new();
///         for ((id, current), title) in expected.keys().zip(current).zip(titles) {
///             let next = current.map_or(1, |version| version.revision() + 1);
///             rows.insert(*id, (next, title));
///             made.push(Some(Version::new(next)));
///         }
///         expected.written(made);
///         Ok(())
///     }
/// }
/// ```
#[must_use = "if `ExpectedItems` is not settled, the layer responds with an error"]
pub struct ExpectedItems<S: VersionStore> {
    slot: Slot<Self>,
    narrowed: Option<Vec<Demand<S::Revision>>>,
}

impl<S: VersionStore> ExpectedItems<S> {
    /// Takes them from a request's extensions, for services that are not axum handlers.
    ///
    /// # Errors
    ///
    /// [`NotLent`] if no layer for bulk writes to this store is in front of the handler, if its
    /// strategy is transactions, or if they were taken before.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, NotLent> {
        match extensions.get::<Slot<Self>>() {
            Some(slot) => slot.take(),
            None => Err(NotLent::because::<S>(Why::NoItems)),
        }
    }

    /// How many items there are: at least one.
    #[allow(clippy::len_without_is_empty, reason = "a layer lends no empty list")]
    pub fn len(&self) -> usize {
        self.demands().len()
    }

    /// The resources, in the order of the request. No two are the same.
    pub fn keys(&self) -> impl Iterator<Item = &S::Key> {
        self.slot.keys().iter()
    }

    /// The resources and what is demanded of each, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = (&S::Key, &Demand<S::Revision>)> {
        self.keys().zip(self.demands())
    }

    /// Whether all resources may be written if these are their current versions, in the order of the
    /// request. Only reliable while nobody else can write until the write is done.
    pub fn admits(&self, current: &[Option<Version<S::Revision>>]) -> bool {
        let demands = self.demands();
        current.len() == demands.len()
            && demands
                .iter()
                .zip(current)
                .all(|(demand, current)| demand.admits(current.as_ref()))
    }

    /// Demands exactly the versions that the handler has read (`None`: that the resource does not
    /// exist), for a write that depends on them. See
    /// [`Expected::require_version`](crate::Expected::require_version).
    ///
    /// # Errors
    ///
    /// [`Lost`] if the request's conditions do not admit these versions; the write is then settled as
    /// lost.
    pub fn require_versions(mut self, read: &[Option<Version<S::Revision>>]) -> Result<Self, Lost> {
        if !self.admits(read) {
            return Err(self.lost());
        }
        let exactly =
            |version: &Option<_>| version.clone().map_or(Demand::NotExists, Demand::Version);
        self.narrowed = Some(read.iter().map(exactly).collect());
        Ok(self)
    }

    /// Settles: every item was written on its expected version, and these versions were made, in the
    /// order of the request; `None` where the resource was removed.
    ///
    /// If there are not as many versions as items, nothing is settled and the layer responds with an
    /// error.
    pub fn written(self, versions: Vec<Option<Version<S::Revision>>>) {
        if versions.len() == self.len() {
            self.slot.settle(Ending::Written(versions));
        } else {
            tracing::error!(
                items = self.len(),
                versions = versions.len(),
                "a bulk write was settled with the wrong number of versions"
            );
        }
    }

    /// Settles: nothing was written, and no new version was made.
    pub fn unchanged(self) {
        self.slot.settle(Ending::Unchanged);
    }

    /// Settles: a stored version was not the expected one, and nothing was written. The layer evaluates
    /// all items again and replaces the handler's response, whatever its status.
    pub fn lost(self) -> Lost {
        self.slot.settle(Ending::Lost);
        Lost::new()
    }

    fn demands(&self) -> &[Demand<S::Revision>] {
        self.narrowed
            .as_deref()
            .unwrap_or_else(|| self.slot.demands())
    }
}

impl<S: VersionStore> Lend for ExpectedItems<S> {
    type About = (Vec<S::Key>, Vec<Demand<S::Revision>>);
    /// In the order of the request; `None` where the resource was removed.
    type Made = Versions<S>;

    fn of(slot: Slot<Self>) -> Self {
        Self {
            slot,
            narrowed: None,
        }
    }

    fn lent_twice() -> NotLent {
        NotLent::because::<S>(Why::ItemsTwice)
    }
}

/// Slots for several resources.
impl<S: VersionStore> Slot<ExpectedItems<S>> {
    /// A slot for one request with these items, each of another resource.
    pub fn of_items(items: impl IntoIterator<Item = (S::Key, Demand<S::Revision>)>) -> Self {
        Self::about(items.into_iter().unzip(), ())
    }

    /// Puts the slot into a request's extensions, where [`ExpectedItems::from_extensions`] finds it.
    pub fn lend(&self, to: &mut Extensions) {
        to.insert(self.clone());
    }

    /// The resources, in the order of the request.
    pub fn keys(&self) -> &[S::Key] {
        &self.what().0
    }

    /// What is demanded of their stored versions, in the same order.
    pub fn demands(&self) -> &[Demand<S::Revision>] {
        &self.what().1
    }
}

impl<S: VersionStore> fmt::Debug for ExpectedItems<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

use std::any::Any;
use std::fmt;

use http::Extensions;

use crate::demand::Demand;
use crate::error::Lost;
use crate::lent::Lent;
use crate::not_lent::{NotLent, Why};
use crate::slot::{Ending, Lend, Slot};
use crate::store::VersionStore;
use crate::version::Version;

/// What a request's condition demands of the stored version, and the duty to settle how the write
/// ended.
///
/// It is a proof and a duty. A proof, because only a layer that evaluated the condition hands it out,
/// once per request. A duty, because the layer replaces the handler's success with an error unless it
/// was settled: [`written`](Self::written), [`removed`](Self::removed), [`unchanged`](Self::unchanged)
/// or [`lost`](Self::lost). It is not `Clone`: one request, one write.
///
/// The write itself decides. Its condition belongs in the statement that writes, or in the critical
/// section around read and write, never in front of it:
///
/// ```text
/// UPDATE posts SET title = $1, version = version + 1 WHERE id = $2 AND version = $3 RETURNING version
/// ```
///
/// [`settle`](Self::settle) takes what the statement returns: the version of a row settles as written,
/// no row as lost. The statement for each demand:
///
/// | demand | PUT | PATCH, which depends on what it read | DELETE |
/// | --- | --- | --- | --- |
/// | `Version(v)` | `UPDATE … WHERE id = ? AND version = v` | the same | `DELETE … WHERE id = ? AND version = v` |
/// | `Exists` | `UPDATE … WHERE id = ?` | [`require_version`](Self::require_version) the version that was read | `DELETE … WHERE id = ?` |
/// | `NotExists` | `INSERT … ON CONFLICT (id) DO NOTHING` | lost | lost |
/// | `Any` | `INSERT … ON CONFLICT (id) DO UPDATE` | as `Exists` | as `Exists` |
/// | `Never` | lost | 404, or lost | 404, or lost |
///
/// A handler that writes blindly and then settles as written cannot be detected.
///
/// It cannot be cloned, nor used with a store of another type:
///
/// ```compile_fail,E0599
/// # use version_store::{Expected, MemoryStore};
/// fn twice(expected: Expected<MemoryStore<u64, String>>) {
///     expected.clone();
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use version_store::{Expected, MemoryStore};
/// fn wrong(posts: MemoryStore<u64, String>, draft: Expected<MemoryStore<u64, u8>>) {
///     posts.put("text".to_owned(), draft).ok();
/// }
/// ```
///
/// # Example
///
/// ```
/// use version_store::{Demand, Expected, Lost, MemoryStore, Version};
///
/// # struct Table(std::sync::Mutex<Option<(u64, String)>>);
/// # type Posts = MemoryStore<u64, String>;
/// impl Table {
///     /// One atomic step: compare and write under one lock.
///     fn put(&self, title: String, expected: Expected<Posts>) -> Result<(), Lost> {
///         let mut row = self.0.lock().unwrap();
///         let current = row.as_ref().map(|(version, _)| Version::new(*version));
///         if !expected.admits(current.as_ref()) {
///             return Err(expected.lost());
///         }
///         let next = current.map_or(1, |version| version.revision() + 1);
///         *row = Some((next, title));
///         expected.written(Version::new(next));
///         Ok(())
///     }
/// }
/// ```
#[must_use = "if an `Expected` is not settled, the layer responds with an error"]
pub struct Expected<S: VersionStore> {
    slot: Slot<Self>,
    /// Boxed, because few handlers need it and all of them move it.
    narrowed: Option<Box<Demand<S::Revision>>>,
}

impl<S: VersionStore> Expected<S> {
    /// Takes it from a request's extensions, for services that are not axum handlers.
    ///
    /// # Errors
    ///
    /// [`NotLent`] if no layer for this store is in front of the handler, if its strategy is not
    /// compare and swap, if it was taken before, or if the id of the resource is invalid.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, NotLent> {
        match Lent::find(extensions) {
            Some(Lent::Slot(slot)) => slot.take(),
            Some(Lent::InvalidKey) => Err(NotLent::because::<S>(Why::InvalidKey)),
            Some(Lent::OtherStrategy) => Err(NotLent::because::<S>(Why::OtherStrategy)),
            None => Err(NotLent::because::<S>(Why::NoLayer)),
        }
    }

    /// The resource that the condition was evaluated on: the only one that may be written.
    pub fn key(&self) -> &S::Key {
        self.slot.key()
    }

    /// What is demanded of the stored version.
    pub fn demand(&self) -> &Demand<S::Revision> {
        self.narrowed
            .as_deref()
            .unwrap_or_else(|| self.slot.demand())
    }

    /// The one version that may be written, if the demand is [`Demand::Version`].
    pub fn version(&self) -> Option<&Version<S::Revision>> {
        match self.demand() {
            Demand::Version(version) => Some(version),
            _ => None,
        }
    }

    /// Whether the resource may be written if this is its current version. Only reliable while nobody
    /// else can write until the write is done: under a lock, or in a transaction that holds the row.
    pub fn admits(&self, current: Option<&Version<S::Revision>>) -> bool {
        self.demand().admits(current)
    }

    /// Demands exactly the version that the handler has read, for a write that depends on it: under
    /// `If-Match: *` a PATCH would otherwise be applied to one version and stored over another.
    ///
    /// # Errors
    ///
    /// [`Lost`] if the request's condition does not admit that version; the write is then settled as
    /// lost.
    pub fn require_version(mut self, read: &Version<S::Revision>) -> Result<Self, Lost> {
        if !self.admits(Some(read)) {
            return Err(self.lost());
        }
        self.narrowed = Some(Box::new(Demand::Version(read.clone())));
        Ok(self)
    }

    /// Settles with what a conditional statement returned: a version as [`written`](Self::written),
    /// none as [`lost`](Self::lost). Returns the version, for the response.
    ///
    /// ```
    /// # use version_store::{Expected, Lost, MemoryStore, NegativeColumn, Version};
    /// # type Posts = MemoryStore<i64, String>;
    /// # enum Failed { Database, Row(NegativeColumn), Lost(Lost) }
    /// # impl From<NegativeColumn> for Failed { fn from(e: NegativeColumn) -> Self { Self::Row(e) } }
    /// # impl From<Lost> for Failed { fn from(lost: Lost) -> Self { Self::Lost(lost) } }
    /// # async fn update(_: &str, _: i64, _: Option<i64>) -> Result<Option<i64>, Failed> { Ok(None) }
    /// async fn replace(expected: Expected<Posts>, title: String) -> Result<(), Failed> {
    ///     // UPDATE posts SET title = $1, version = version + 1
    ///     // WHERE id = $2 AND version = $3 RETURNING version
    ///     let was = expected.version().and_then(Version::column);
    ///     let row: Option<i64> = update(&title, *expected.key(), was).await?;
    ///     expected.settle(row.map(Version::try_from).transpose()?)?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// If the demand is not a version, `was` is NULL here, which equals nothing, and the write is lost.
    /// Do not use it for a `DELETE`, which makes no version whatever it returns: that is
    /// [`removed`](Self::removed).
    ///
    /// # Errors
    ///
    /// [`Lost`] if there is no version.
    pub fn settle(self, made: Option<Version<S::Revision>>) -> Result<Version<S::Revision>, Lost> {
        match made {
            Some(version) => {
                self.written(version.clone());
                Ok(version)
            }
            None => Err(self.lost()),
        }
    }

    /// Settles: the write took place on the expected version and made this one. It becomes the `ETag`
    /// of the response, so it must be complete, as [`VersionStore::current`] would return it: with its
    /// incarnation if the store has incarnations, with its tag if the store has its own.
    pub fn written(self, version: Version<S::Revision>) {
        self.slot.settle(Ending::Written(Made::version(version)));
    }

    /// Settles as [`written`](Self::written), and states that a PUT's body was stored unchanged, so
    /// that the response may carry a validator even by the letter of RFC 9110 §9.3.4.
    pub fn written_verbatim(self, version: Version<S::Revision>) {
        self.slot.settle(Ending::Written(Made {
            verbatim: true,
            ..Made::version(version)
        }));
    }

    /// Settles: the expected version was removed. The response has no `ETag`.
    pub fn removed(self) {
        self.slot.settle(Ending::Written(Made::removal()));
    }

    /// Settles: nothing was written, and no new version was made.
    pub fn unchanged(self) {
        self.slot.settle(Ending::Unchanged);
    }

    /// Settles: the stored version was not the expected one, and nothing was written. The layer
    /// evaluates the request again and replaces the handler's response, whatever its status.
    pub fn lost(self) -> Lost {
        self.slot.settle(Ending::Lost);
        Lost::new()
    }
}

/// What a write made of one resource.
#[derive(Clone, Debug)]
pub struct Made<R> {
    /// The new version; `None` if the resource was removed.
    pub version: Option<Version<R>>,
    /// Whether a PUT's body was stored as it was sent (RFC 9110 §9.3.4).
    pub verbatim: bool,
}

impl<R> Made<R> {
    /// A new version.
    pub fn version(version: Version<R>) -> Self {
        Self {
            version: Some(version),
            verbatim: false,
        }
    }

    /// The end of the resource.
    pub fn removal() -> Self {
        Self {
            version: None,
            verbatim: false,
        }
    }
}

impl<S: VersionStore> Lend for Expected<S> {
    type About = (S::Key, Demand<S::Revision>);
    type Made = Made<S::Revision>;

    fn of(slot: Slot<Self>) -> Self {
        Self {
            slot,
            narrowed: None,
        }
    }

    fn lent_twice() -> NotLent {
        NotLent::because::<S>(Why::Twice)
    }
}

/// Slots for one resource.
impl<S: VersionStore> Slot<Expected<S>> {
    /// A slot for one request on the resource `key`.
    pub fn new(key: S::Key, demand: Demand<S::Revision>) -> Self {
        Self::keeping(key, demand, ())
    }

    /// The same, in which the layer keeps something.
    #[inline]
    pub fn keeping(key: S::Key, demand: Demand<S::Revision>, kept: impl Any + Send + Sync) -> Self {
        Self::about((key, demand), kept)
    }

    /// Puts the slot into a request's extensions, where [`Expected::from_extensions`] finds it.
    #[inline]
    pub fn lend(&self, to: &mut Extensions) {
        Lent::Slot(self.clone()).put(to);
    }

    /// The resource.
    pub fn key(&self) -> &S::Key {
        &self.what().0
    }

    /// What is demanded of its stored version.
    pub fn demand(&self) -> &Demand<S::Revision> {
        &self.what().1
    }
}

impl<S: VersionStore> fmt::Debug for Expected<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected")
            .field("key", self.key())
            .field("demand", self.demand())
            .finish()
    }
}

#[cfg(test)]
mod tests;

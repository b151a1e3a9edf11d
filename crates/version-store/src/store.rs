use std::error::Error;

use crate::key::Key;
use crate::revision::Revision;
use crate::version::Version;

/// A store that reports the current version of a resource.
///
/// A value is a cheap handle (a pool, an `Arc`): the layer clones it.
///
/// # What an implementer promises
///
/// The feature `conformance` has a suite that tests all of this: call `conformance::assert_conforms` in
/// one of your tests.
///
/// 1. **Every write advances the version**, whoever makes it. In a database a trigger does that.
/// 2. **A revision never repeats for a key within an incarnation, and an incarnation never repeats for
///    a key.** A resource that is deleted and created again under the same key starts another
///    incarnation or continues counting; it never returns to a pair that a client may still hold.
///    Restoring a database from a backup does return to such pairs: change the layer's tag keys then.
/// 3. **[`current`](Self::current) is not older than the last write that was acknowledged.** It reads
///    the primary, not a replica that lags: with an old version a stale condition would pass the
///    layer's check (the write itself would still refuse it).
/// 4. **Equal keys mean the same row**, and one row has one key. If a column ignores case, the key type
///    folds it.
/// 5. An error means "I do not know", never "it does not exist". The layer responds with 503.
///
/// # Example
///
/// ```
/// use std::{collections::HashMap, convert::Infallible, sync::{Arc, Mutex}};
/// use version_store::{Version, VersionStore};
///
/// #[derive(Clone, Default)]
/// struct Settings(Arc<Mutex<HashMap<String, (u64, String)>>>);
///
/// impl VersionStore for Settings {
///     type Key = String;
///     type Revision = u64;
///     type Error = Infallible;
///     const ANSWERS_AT_ONCE: bool = true;
///
///     async fn current(&self, key: &String) -> Result<Option<Version>, Infallible> {
///         Ok(self.0.lock().unwrap().get(key).map(|(revision, _)| Version::new(*revision)))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not report the current version of a resource",
    note = "implement `VersionStore` for it, or give the layer a store such as `MemoryStore`"
)]
pub trait VersionStore: Clone + Send + Sync + 'static {
    /// What names a resource in this store: the id of a row, or a tuple of them.
    type Key: Key;

    /// What names a version of a resource within its incarnation, such as `u64`. If its text is not 1
    /// to 64 of `A–Z a–z 0–9 _`, the resource has no tag and cannot be written under one.
    type Revision: Revision;

    /// Why the store cannot tell the version. The text goes to the log, never to a client.
    type Error: Error + Send + Sync + 'static;

    /// Whether [`current`](Self::current) is usually ready when it is first polled, as for a map in
    /// memory. The layer then polls it once without allocating, and calls it again if it was not ready.
    ///
    /// Default: `false`, because polling once and dropping would start a query and cancel it.
    const ANSWERS_AT_ONCE: bool = false;

    /// Whether modification dates advance by at least one second with every write of a resource, also
    /// across its incarnations.
    ///
    /// Only then can `If-Unmodified-Since` alone guard a write: by the wall clock, two writes within a
    /// second have the same date, and the second would destroy the first (RFC 9110 §8.8.2.2).
    ///
    /// Default: `false`.
    fn dates_advance(&self) -> bool {
        false
    }

    /// Whether an error means that the store was busy for too long, so that a retry is likely to
    /// succeed. Clients are told (503 `busy` instead of `store_unavailable`).
    ///
    /// Default: `false`.
    fn is_busy(_error: &Self::Error) -> bool {
        false
    }

    /// The current version of the resource, or `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// The store failed, and does not know.
    fn current(
        &self,
        key: &Self::Key,
    ) -> impl Future<Output = Result<Option<Version<Self::Revision>>, Self::Error>> + Send;
}

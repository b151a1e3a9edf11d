use http::Extensions;
use version_store::handover::{Ending, Slot};
use version_store::{Version, VersionStore};

/// One way of closing the race between the evaluation of a condition and the write.
///
/// The service is the same for all of them: **open** reads the current version, under a lock or in a
/// transaction where the way has one; the service evaluates the condition on what it read; **hand
/// over** gives the handler what it needs; **settle** finds out how the write ended, and commits,
/// rolls back or releases.
///
/// What is held is dropped if the request ends early, at whatever point that is, so dropping it must
/// undo it.
///
/// Sealed: which ways are safe is this crate's to promise.
pub trait Way<S: VersionStore>: Clone + Send + Sync + 'static {
    /// What is held while the handler runs: nothing, a lock, a transaction.
    type Held: Send + 'static;

    /// Whether [`open`](Self::open) may be polled once and dropped, because it holds nothing yet and
    /// is usually ready.
    const OPENS_AT_ONCE: bool;

    /// What is held by a write that needs no version to begin, where the way allows that.
    fn unopened(&self) -> Option<Self::Held> {
        None
    }

    /// Reads the current version, and takes hold of the resource where the way does.
    fn open(
        &self,
        store: &S,
        key: &S::Key,
    ) -> impl Future<Output = Result<Opened<S::Revision, Self::Held>, S::Error>> + Send;

    /// Gives the handler what it needs to write.
    fn hand_over(&self, held: &mut Self::Held, slot: &Slot<S>, to: &mut Extensions);

    /// Finds out how the write ended, and makes it so. `None` where that takes waiting:
    /// [`settle`](Self::settle) is next.
    fn settle_at_once(&self, held: &mut Self::Held, slot: &Slot<S>) -> Option<Ending<S::Revision>>;

    /// As [`settle_at_once`](Self::settle_at_once), for what has to be waited for. `success` is
    /// whether the handler's answer is below 400.
    fn settle(
        &self,
        held: Self::Held,
        slot: &Slot<S>,
        success: bool,
    ) -> impl Future<Output = Ending<S::Revision>> + Send;
}

/// What [`Way::open`] found, and what it holds from now on.
#[derive(Debug)]
pub struct Opened<R, H> {
    pub(crate) current: Option<Version<R>>,
    pub(crate) held: H,
}

/// The default way: the handler's own conditional write decides.
///
/// Nothing is held while the handler runs. Between the evaluation and the write anybody may write;
/// then the handler's compare and swap finds another version, settles [`Expected`] as lost, and the
/// request is evaluated afresh. Works for any number of processes.
///
/// [`Expected`]: crate::Expected
#[derive(Clone, Copy, Debug, Default)]
pub struct CompareAndSwap;

impl<S: VersionStore> Way<S> for CompareAndSwap {
    type Held = ();

    const OPENS_AT_ONCE: bool = S::ANSWERS_AT_ONCE;

    fn unopened(&self) -> Option<()> {
        Some(())
    }

    async fn open(&self, store: &S, key: &S::Key) -> Result<Opened<S::Revision, ()>, S::Error> {
        Ok(Opened {
            current: store.current(key).await?,
            held: (),
        })
    }

    fn hand_over(&self, (): &mut (), slot: &Slot<S>, to: &mut Extensions) {
        slot.lend(to);
    }

    fn settle_at_once(&self, (): &mut (), slot: &Slot<S>) -> Option<Ending<S::Revision>> {
        Some(slot.close())
    }

    async fn settle(&self, (): (), slot: &Slot<S>, _success: bool) -> Ending<S::Revision> {
        slot.close()
    }
}

#[cfg(test)]
mod tests;

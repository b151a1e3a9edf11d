use http::{Extensions, Request};
use tower_service::Service;
use version_store::handover::{Ending, Made, Slot};
use version_store::{Expected, Key, KeyEncoder, Version, VersionStore};

use crate::refusal::Reason;
use crate::request::Unbuffered;
use crate::tag::Scope;

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
pub trait Strategy<S: VersionStore>: Clone + Send + Sync + 'static {
    /// What is held while the handler runs: nothing, a lock, a transaction.
    type Held: Send + 'static;

    /// Whether others wait for what is held. The hopeless is then refused on a plain read, and the
    /// content is read to its end, before anything is taken hold of.
    const HOLDS: bool;

    /// Whether the handler is handed what its write depends on. One that is not would write where nothing
    /// was evaluated, because its method does not create and the resource is absent; it does not run.
    const HANDS_OVER: bool = true;

    /// Whether [`open`](Self::open) may be polled once and dropped, because it holds nothing yet and
    /// is usually ready.
    const OPENS_AT_ONCE: bool;

    /// Whether what a handler took and did not give back is undone, so that its success cannot be let go
    /// out.
    const UNDOES_UNSETTLED: bool = false;

    /// The same way for a layer of this scope. One whose waits are only its own tells a post from a
    /// comment of the same id by it.
    #[must_use]
    fn for_scope(self, _scope: &Scope) -> Self {
        self
    }

    /// What is held by a write that needs no version to begin, where the way allows that.
    fn unopened(&self) -> Option<Self::Held> {
        None
    }

    /// Reads the current version, and takes hold of the resource where the way does.
    fn open(
        &self,
        store: &S,
        key: &S::Key,
    ) -> impl Future<Output = OpenResult<S, Self::Held>> + Send;

    /// Gives the handler what it needs to write.
    fn hand_over(&self, held: &mut Self::Held, slot: &Slot<Expected<S>>, to: &mut Extensions);

    /// Finds out how the write ended, and makes it so. `None` where that takes waiting:
    /// [`settle`](Self::settle) is next.
    fn settle_at_once(
        &self,
        held: &mut Self::Held,
        slot: &Slot<Expected<S>>,
    ) -> Option<Settled<S::Revision>>;

    /// As [`settle_at_once`](Self::settle_at_once), for what has to be waited for. `success` is
    /// whether the handler's answer is below 400.
    fn settle(
        &self,
        held: Self::Held,
        store: &S,
        slot: &Slot<Expected<S>>,
        success: bool,
    ) -> impl Future<Output = Settled<S::Revision>> + Send;
}

/// What a way asks of the bodies of requests.
pub trait Buffers<ReqBody> {
    /// Reads the content to its end, where the way holds something that a slow sender would hold up.
    fn buffer(&self, body: ReqBody) -> impl Future<Output = Result<ReqBody, Unbuffered>> + Send;
}

/// What a way asks of the inner service.
pub trait Runs<S, Svc, ReqBody>: Strategy<S> + Buffers<ReqBody>
where
    S: VersionStore,
    Svc: Service<Request<ReqBody>>,
{
    /// The inner service at work.
    type Running: Future<Output = Result<Svc::Response, Svc::Error>>;

    /// Lets the inner service work on a request that was handed over.
    fn run(&self, inner: Svc::Future, held: &Self::Held) -> Self::Running;
}

/// What names the lock of a resource.
pub(crate) fn in_scope(scope: &Scope, key: &impl Key) -> KeyEncoder {
    let mut name = scope.encoded().clone();
    key.encode(&mut name);
    name
}

/// What [`Strategy::open`] found, and what it holds from now on.
#[derive(Debug)]
pub struct Opened<R, H> {
    pub(crate) current: Option<Version<R>>,
    pub(crate) held: H,
}

/// What [`Strategy::open`] came to.
pub(crate) type OpenResult<S, H> =
    Result<Opened<<S as VersionStore>::Revision, H>, OpenError<<S as VersionStore>::Error>>;

/// Why the resource was not to be had.
#[derive(Debug)]
pub enum OpenError<E> {
    /// The store failed.
    Store(E),
    /// Others had it for too long.
    Busy,
}

impl<E> From<E> for OpenError<E> {
    fn from(error: E) -> Self {
        Self::Store(error)
    }
}

/// How a write ended, as far as the way can tell.
#[derive(Debug)]
pub enum Settled<R> {
    /// As this says.
    Ended(Ending<Made<R>>),
    /// The way could not make it end well, whatever the handler answered.
    Refused(Reason),
}

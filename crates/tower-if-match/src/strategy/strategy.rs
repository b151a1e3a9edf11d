use http::{Extensions, Request};
use tower_service::Service;
use version_store::handover::{Ending, Made, Slot};
use version_store::{Expected, Key, KeyEncoder, Version, VersionStore};

use crate::refusal::Reason;
use crate::request::Unbuffered;
use crate::tag::Scope;

/// A strategy that closes the race between the evaluation of a condition and the write.
///
/// The service works the same with all of them: **open** reads the current version, under a lock or in a
/// transaction if the strategy has one; the service evaluates the condition on that version; **hand over**
/// gives the handler what it needs; **settle** finds out how the write ended, and commits, rolls back or
/// releases.
///
/// If the request ends early, at whatever point, what is held is dropped, so dropping it must undo it.
///
/// The trait is sealed: only this crate can promise that a strategy is safe.
pub trait Strategy<S: VersionStore>: Clone + Send + Sync + 'static {
    /// What is held while the handler runs: nothing, a lock, a transaction.
    type Held: Send + 'static;

    /// Whether others wait for what is held. If so, requests that are bound to fail are refused after a plain
    /// read, and the body is buffered, before anything is acquired.
    const HOLDS: bool;

    /// Whether the handler receives what its write depends on. If not, it does not run when nothing was evaluated
    /// (the resource is absent and the method does not create), because it would write nevertheless.
    const HANDS_OVER: bool = true;

    /// Whether [`open`](Self::open) may be polled once and dropped, because it holds nothing yet and
    /// is usually ready.
    const OPENS_AT_ONCE: bool;

    /// Whether a write is undone if the handler does not give back what it took, so that its success must not
    /// reach the client.
    const UNDOES_UNSETTLED: bool = false;

    /// The same strategy for a layer of this scope. A strategy whose waits concern only one scope uses it to
    /// distinguish a post from a comment with the same id.
    #[must_use]
    fn for_scope(self, _scope: &Scope) -> Self {
        self
    }

    /// What a write holds that needs no version to begin, if the strategy allows that.
    fn unopened(&self) -> Option<Self::Held> {
        None
    }

    /// Reads the current version, and acquires the resource if the strategy does so.
    fn open(
        &self,
        store: &S,
        key: &S::Key,
    ) -> impl Future<Output = OpenResult<S, Self::Held>> + Send;

    /// Gives the handler what it needs to write.
    fn hand_over(&self, held: &mut Self::Held, slot: &Slot<Expected<S>>, to: &mut Extensions);

    /// Finds out how the write ended, and completes it. `None` if that takes waiting:
    /// [`settle`](Self::settle) is next.
    fn settle_at_once(
        &self,
        held: &mut Self::Held,
        slot: &Slot<Expected<S>>,
    ) -> Option<Settled<S::Revision>>;

    /// Like [`settle_at_once`](Self::settle_at_once), but may wait. `success` is whether the status of the
    /// handler's response is below 400.
    fn settle(
        &self,
        held: Self::Held,
        store: &S,
        slot: &Slot<Expected<S>>,
        success: bool,
    ) -> impl Future<Output = Settled<S::Revision>> + Send;
}

/// What a strategy requires of request bodies.
pub trait Buffers<ReqBody> {
    /// Buffers the body, if the strategy holds something that a slow sender would block.
    fn buffer(&self, body: ReqBody) -> impl Future<Output = Result<ReqBody, Unbuffered>> + Send;
}

/// What a strategy requires of the inner service.
pub trait Runs<S, Svc, ReqBody>: Strategy<S> + Buffers<ReqBody>
where
    S: VersionStore,
    Svc: Service<Request<ReqBody>>,
{
    /// The future of the running inner service.
    type Running: Future<Output = Result<Svc::Response, Svc::Error>>;

    /// Runs the inner service on a request that was handed over.
    fn run(&self, inner: Svc::Future, held: &Self::Held) -> Self::Running;
}

/// The name of the lock of a resource.
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

/// The result of [`Strategy::open`].
pub(crate) type OpenResult<S, H> =
    Result<Opened<<S as VersionStore>::Revision, H>, OpenError<<S as VersionStore>::Error>>;

/// Why the resource could not be acquired.
#[derive(Debug)]
pub enum OpenError<E> {
    /// The store failed.
    Store(E),
    /// Others held it for too long.
    Busy,
}

impl<E> From<E> for OpenError<E> {
    fn from(error: E) -> Self {
        Self::Store(error)
    }
}

/// How a write ended, as far as the strategy can tell.
#[derive(Debug)]
pub enum Settled<R> {
    /// In this way.
    Ended(Ending<Made<R>>),
    /// The strategy could not complete it, whatever the handler returned.
    Refused(Reason),
}

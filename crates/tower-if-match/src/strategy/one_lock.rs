use http::{Extensions, Request};
use tower_service::Service;
use version_store::handover::{Ending, Made, Slot};
use version_store::{Expected, KeyEncoder, VersionStore};

use super::single_process::UnderLock;
use super::{Buffers, OpenResult, Runs, Settled, SingleProcess, Strategy};
use crate::request::Unbuffered;
use crate::tag::Scope;

/// [`SingleProcess`] under a lock that is not named after the resource, for layers that cannot tell which keys
/// belong to the same row.
#[derive(Clone, Debug)]
pub(crate) struct OneLock {
    pub(crate) process: SingleProcess,
    pub(crate) name: KeyEncoder,
    pub(crate) scope: Scope,
}

impl<S: VersionStore> Strategy<S> for OneLock {
    type Held = UnderLock<S::Revision>;

    const HOLDS: bool = true;
    const HANDS_OVER: bool = false;
    const OPENS_AT_ONCE: bool = false;

    async fn open(&self, store: &S, key: &S::Key) -> OpenResult<S, Self::Held> {
        let name = self.name.clone();
        self.process.open_under(&self.scope, name, store, key).await
    }

    /// Nothing, and no mark either: these handlers know nothing about stores.
    fn hand_over(&self, _: &mut Self::Held, _: &Slot<Expected<S>>, _: &mut Extensions) {}

    fn settle_at_once(
        &self,
        _: &mut Self::Held,
        _: &Slot<Expected<S>>,
    ) -> Option<Settled<S::Revision>> {
        None
    }

    /// A success made the version that is found afterwards, still under the lock. If it is the same as before, the
    /// body was the same, too, and the client can be given its tag.
    async fn settle(
        &self,
        held: Self::Held,
        store: &S,
        slot: &Slot<Expected<S>>,
        success: bool,
    ) -> Settled<S::Revision> {
        if !success {
            return Settled::Ended(Ending::Unchanged);
        }
        let after = store.current(slot.key()).await;
        drop(held);
        Settled::Ended(match after {
            Ok(Some(version)) => Ending::Written(Made::version(version)),
            Ok(None) => Ending::Written(Made::removal()),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a write succeeded, but its new version cannot be read; the response has no tag"
                );
                Ending::Unchanged
            }
        })
    }
}

impl<ReqBody> Buffers<ReqBody> for OneLock
where
    SingleProcess: Buffers<ReqBody>,
    ReqBody: Send,
{
    async fn buffer(&self, body: ReqBody) -> Result<ReqBody, Unbuffered> {
        self.process.buffer(body).await
    }
}

impl<S, Svc, ReqBody> Runs<S, Svc, ReqBody> for OneLock
where
    S: VersionStore,
    Svc: Service<Request<ReqBody>>,
    SingleProcess: Runs<S, Svc, ReqBody, Held = UnderLock<S::Revision>>,
    ReqBody: Send,
{
    type Running = <SingleProcess as Runs<S, Svc, ReqBody>>::Running;

    fn run(&self, inner: Svc::Future, held: &Self::Held) -> Self::Running {
        Runs::<S, Svc, ReqBody>::run(&self.process, inner, held)
    }
}

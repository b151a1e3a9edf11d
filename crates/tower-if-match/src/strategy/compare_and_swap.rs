use http::{Extensions, Request};
use tower_service::Service;
use version_store::handover::Slot;
use version_store::{Expected, VersionStore};

use super::{Buffers, OpenResult, Opened, Runs, Settled, Strategy};
use crate::request::Unbuffered;

/// The default strategy: the handler's own conditional write decides.
///
/// Nothing is held while the handler runs. Between the evaluation and the write anyone may write; then the
/// handler's compare and swap finds another version and settles [`Expected`] as lost, and the layer evaluates
/// the request again. This works with any number of processes.
///
/// [`Expected`]: crate::Expected
#[derive(Clone, Copy, Debug, Default)]
pub struct CompareAndSwap;

impl<S: VersionStore> Strategy<S> for CompareAndSwap {
    type Held = ();

    const HOLDS: bool = false;
    const OPENS_AT_ONCE: bool = S::ANSWERS_AT_ONCE;

    fn unopened(&self) -> Option<()> {
        Some(())
    }

    async fn open(&self, store: &S, key: &S::Key) -> OpenResult<S, ()> {
        Ok(Opened {
            current: store.current(key).await?,
            held: (),
        })
    }

    #[inline]
    fn hand_over(&self, (): &mut (), slot: &Slot<Expected<S>>, to: &mut Extensions) {
        slot.lend(to);
    }

    #[inline]
    fn settle_at_once(
        &self,
        (): &mut (),
        slot: &Slot<Expected<S>>,
    ) -> Option<Settled<S::Revision>> {
        Some(Settled::Ended(slot.close()))
    }

    async fn settle(
        &self,
        (): (),
        _store: &S,
        slot: &Slot<Expected<S>>,
        _success: bool,
    ) -> Settled<S::Revision> {
        Settled::Ended(slot.close())
    }
}

/// Does not buffer: no other request waits for a slow sender, and the handler reads the body itself.
impl<ReqBody: Send> Buffers<ReqBody> for CompareAndSwap {
    async fn buffer(&self, body: ReqBody) -> Result<ReqBody, Unbuffered> {
        Ok(body)
    }
}

impl<S, Svc, ReqBody> Runs<S, Svc, ReqBody> for CompareAndSwap
where
    S: VersionStore,
    Svc: Service<Request<ReqBody>>,
    ReqBody: Send,
{
    type Running = Svc::Future;

    #[inline]
    fn run(&self, inner: Svc::Future, (): &()) -> Svc::Future {
        inner
    }
}

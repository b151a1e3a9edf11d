use http::Extensions;
use version_store::handover::Slot;
use version_store::{Expected, VersionStore};

use super::guard::Guard;
use super::judge::Clearance;
use crate::refusal::Waived;
use crate::request::{Head, Kept};
use crate::strategy::Strategy;

/// A write whose handler is running.
pub(crate) struct Running<S: VersionStore, H> {
    /// It keeps the request's head, too.
    pub(super) slot: Slot<Expected<S>>,
    pub(crate) held: H,
    /// What report-only mode waived.
    pub(super) waived: Option<Box<Waived>>,
}

impl<S: VersionStore, W: Strategy<S>> Guard<S, W> {
    /// Hands a write over to its handler: puts what the handler needs into the request's extensions.
    #[inline]
    pub(crate) fn hand_over(
        &self,
        kept: Kept,
        key: S::Key,
        clearance: Clearance<S::Revision>,
        mut held: W::Held,
        to: &mut Extensions,
    ) -> Running<S, W::Held> {
        let waived = clearance.waived.map(|reason| {
            let responder = &self.config.responder;
            Box::new(responder.waive(kept.head(), reason, None))
        });
        let slot = Slot::keeping(key, clearance.demand, kept);
        self.strategy.hand_over(&mut held, &slot, to);
        Running { slot, held, waived }
    }
}

/// What was kept of the head of a request that was handed over.
pub(super) fn head_of<S: VersionStore>(slot: &Slot<Expected<S>>) -> Head<'_> {
    let kept = slot.kept::<Kept>();
    kept.expect("a slot is handed over with what was kept")
        .head()
}

use http::Request;
use http::request::Parts;
use http_precondition::Conditions;
use version_store::handover::Slot;
use version_store::{Expected, VersionStore};

use super::guard::Guard;
use super::judge::Clearance;
use crate::refusal::Waived;
use crate::request::{Head, Kept};
use crate::strategy::Strategy;

/// A write whose handler is running.
pub(crate) struct Running<S: VersionStore, H> {
    pub(super) facts: Kept,
    pub(super) slot: Slot<Expected<S>>,
    pub(crate) held: H,
    /// What report-only mode waived.
    pub(super) waived: Option<Box<Waived>>,
}

impl<S: VersionStore, W: Strategy<S>> Guard<S, W> {
    /// Hands a write over to its handler.
    pub(crate) fn hand_over<B>(
        &self,
        conditions: Conditions,
        key: S::Key,
        clearance: Clearance<S::Revision>,
        mut held: W::Held,
        mut parts: Parts,
        body: B,
    ) -> (Request<B>, Running<S, W::Held>) {
        let waived = clearance.waived.map(|reason| {
            let head = Head::Whole(&parts, &conditions);
            Box::new(self.config.responder.waive(head, reason, None))
        });
        let facts = Kept::of(&parts, conditions, self.needs_head());
        let slot = Slot::new(key, clearance.demand);
        self.strategy
            .hand_over(&mut held, &slot, &mut parts.extensions);
        let running = Running {
            facts,
            slot,
            held,
            waived,
        };
        (Request::from_parts(parts, body), running)
    }
}

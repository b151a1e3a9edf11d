use http::StatusCode;
use version_store::{Demand, VersionStore, Versions};

use super::guard::BulkGuard;
use super::items::Items;
use crate::decide::Decision;
use crate::refusal::{Denied, Refusal};

/// The decision about a bulk write.
pub(super) enum ItemsDecision<R> {
    /// The handler runs, and may write what is demanded of each.
    Go(Vec<Demand<R>>),
    /// The handler does not run: these items are refused.
    Refuse(Vec<Option<Refusal>>),
    /// The authorization hook denied one of them with this response.
    Deny(Denied),
}

impl<S: VersionStore, W> BulkGuard<S, W> {
    /// Decides on every item as if it were a single write to its resource.
    pub(super) fn decide(
        &self,
        items: &Items<S::Key>,
        current: Versions<S>,
    ) -> ItemsDecision<S::Revision> {
        let rules = self.guard.rules();
        let mut demands = Vec::with_capacity(current.len());
        let mut refusals = Vec::with_capacity(current.len());
        for ((key, head), current) in items.each().zip(current) {
            if let Err(denied) = self.guard.authorize(head.taken(), key, current.as_ref()) {
                return ItemsDecision::Deny(denied);
            }
            let decision = rules.decide(head.method(), head.conditions(), key, current);
            match decision {
                Decision::Go { demand, .. } => {
                    demands.push(demand);
                    refusals.push(None);
                }
                Decision::Refuse(refusal, _) => refusals.push(Some(refusal)),
                // There is no handler that could respond with 404 for one item.
                Decision::Absent => refusals.push(Some(Refusal::gone())),
            }
        }
        if demands.len() == items.keys.len() {
            ItemsDecision::Go(demands)
        } else {
            ItemsDecision::Refuse(refusals)
        }
    }
}

/// The refusal that represents the whole request: the first one with its status.
pub(super) fn chief(refusals: &[Option<Refusal>]) -> Option<&Refusal> {
    let refused = || refusals.iter().flatten();
    let first_of = |status| refused().find(|refusal| refusal.status() == status);
    let first = refused().next()?;
    if refused().all(|refusal| refusal.status() == first.status()) {
        return Some(first);
    }
    first_of(StatusCode::PRECONDITION_REQUIRED)
        .or_else(|| first_of(StatusCode::BAD_REQUEST))
        .or_else(|| first_of(StatusCode::PRECONDITION_FAILED))
        .or(Some(first))
}

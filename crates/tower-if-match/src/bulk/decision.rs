use http::StatusCode;
use version_store::{Demand, VersionStore, Versions};

use super::request::Items;
use crate::config::{Config, Denied};
use crate::decide::Decision;
use crate::refusal::Refusal;

/// What becomes of a bulk write.
pub(super) enum Decided<R> {
    /// The handler runs, and may write what is demanded of each.
    Go(Vec<Demand<R>>),
    /// It does not: these items are refused.
    Refuse(Vec<Option<Refusal>>),
    /// The authorization hook's answer about one of them.
    Deny(Denied),
}

impl<S: VersionStore, W> Config<S, (), W> {
    /// Decides on every item as on a single write to its resource.
    pub(super) fn decide_items(
        &self,
        items: &Items<S::Key>,
        current: Versions<S>,
    ) -> Decided<S::Revision> {
        let mut demands = Vec::with_capacity(current.len());
        let mut refusals = Vec::with_capacity(current.len());
        for ((key, head), current) in items.each().zip(current) {
            match self.decide(head, key, current) {
                // A single write would go on to its handler's 404. Here there is no handler that could
                // say so of one item.
                Decision::Go {
                    demand: Demand::Never,
                    ..
                } => refusals.push(Some(Refusal::gone())),
                Decision::Go { demand, .. } => {
                    demands.push(demand);
                    refusals.push(None);
                }
                Decision::Refuse(refusal, _) => refusals.push(Some(refusal)),
                Decision::Deny(denied) => return Decided::Deny(denied),
            }
        }
        if demands.len() == items.keys.len() {
            Decided::Go(demands)
        } else {
            Decided::Refuse(refusals)
        }
    }
}

/// The refusal that stands for the whole request: the first of those that have its status.
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

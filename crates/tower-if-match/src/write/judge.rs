//! Judges a write: the authorization hook, the decision, and the response to a refusal.

use http::{Response, StatusCode};
use version_store::{Demand, Version, VersionStore};

use super::guard::Guard;
use crate::body::RefusalBody;
use crate::decide::{Decision, Rules};
use crate::refusal::{Denied, Reason, Refusal};
use crate::request::{Fields, Head, Taken};
use crate::strategy::Strategy;
use crate::tag::Minted;

/// The judgement on a write, once the current version is known.
pub(crate) enum Judgement<R, B> {
    /// The handler runs.
    Go(Clearance<R>),
    /// The handler does not run, and this is the response.
    Answer(Response<B>),
    /// The handler does not run, and the store is first queried for conflict metadata ([`Guard::tell`]).
    Tell(Refusal, Option<Version<R>>),
}

/// What a write that proceeds may do.
pub(crate) struct Clearance<R> {
    pub(crate) demand: Demand<R>,
    /// Why it would be refused without report-only mode.
    pub(crate) waived: Option<Reason>,
}

impl<S: VersionStore, W: Strategy<S>> Guard<S, W> {
    /// Judges a write whose only condition is a line of If-Match that is the current tag byte by byte: it passes, and
    /// nothing is parsed. Otherwise it takes [`judge_authorized`](Self::judge_authorized), with the tag that was
    /// minted here. The authorization hook has allowed the write.
    #[inline]
    pub(crate) fn judge_at_once(
        &self,
        fields: &Fields<'_>,
        key: &S::Key,
        current: &mut Option<Version<S::Revision>>,
    ) -> Result<Clearance<S::Revision>, Option<Minted>> {
        let (Some(line), Some(version)) = (fields.sole_if_match(), current.as_ref()) else {
            return Err(None);
        };
        self.rules().is_current(line, key, version)?;
        let demand = current.take().map_or(Demand::NotExists, Demand::Version);
        Ok(Clearance {
            demand,
            waived: None,
        })
    }

    /// Judges a write before its handler runs.
    pub(crate) fn judge<B: RefusalBody>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        current: Option<Version<S::Revision>>,
    ) -> Judgement<S::Revision, B> {
        if let Err(denied) = self.authorize(head.taken(), key, current.as_ref()) {
            return Judgement::Answer(self.config.responder.deny(denied));
        }
        self.judge_authorized(head, key, current, None)
    }

    /// Judges a write that the authorization hook has allowed.
    pub(crate) fn judge_authorized<B: RefusalBody>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        current: Option<Version<S::Revision>>,
        minted: Option<Minted>,
    ) -> Judgement<S::Revision, B> {
        let (method, conditions) = (head.method(), head.conditions());
        let rules = self.rules();
        let decision = rules.decide_knowing(method, conditions, key, current, minted);
        self.judged(
            head,
            if W::HANDS_OVER {
                decision
            } else {
                decision.without_handler()
            },
        )
    }

    /// Judges a write that lost its race, as a later request would be judged.
    pub(crate) fn judge_lost<B: RefusalBody>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        current: Option<Version<S::Revision>>,
    ) -> Judgement<S::Revision, B> {
        if let Err(denied) = self.authorize(head.taken(), key, current.as_ref()) {
            return Judgement::Answer(self.config.responder.deny(denied));
        }
        let (method, conditions) = (head.method(), head.conditions());
        let decision = self.rules().decide_lost(method, conditions, key, current);
        self.judged(head, decision)
    }

    fn judged<B: RefusalBody>(
        &self,
        head: Head<'_>,
        decision: Decision<S::Revision>,
    ) -> Judgement<S::Revision, B> {
        match decision {
            Decision::Go { demand, waived } => Judgement::Go(Clearance { demand, waived }),
            // The handler responds with 404.
            Decision::Absent => Judgement::Go(Clearance {
                demand: Demand::Never,
                waived: None,
            }),
            Decision::Refuse(refusal, held) if self.conflicts.of(&refusal).is_some() => {
                Judgement::Tell(refusal, held)
            }
            Decision::Refuse(refusal, _) => {
                Judgement::Answer(self.config.responder.refuse(head, refusal))
            }
        }
    }
}

impl<S: VersionStore, W> Guard<S, W> {
    pub(crate) fn rules(&self) -> Rules<'_, S::Key, S::Revision> {
        Rules {
            policy: &self.config.policy,
            tags: &self.config.tags,
            dates_advance: self.store.dates_advance(),
        }
    }

    /// Calls the authorization hook.
    #[inline]
    pub(crate) fn authorize(
        &self,
        taken: Option<&Taken>,
        key: &S::Key,
        version: Option<&Version<S::Revision>>,
    ) -> Result<(), Denied> {
        let Some(hook) = &self.config.authorize else {
            return Ok(());
        };
        match taken.and_then(|taken| taken.authorization.as_ref()) {
            Some(note) => (hook.then)(&**note, key, version),
            // Every hook takes something; if one did not, it could not allow anything.
            None => Err(StatusCode::INTERNAL_SERVER_ERROR.into()),
        }
    }
}

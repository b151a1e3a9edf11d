//! The decision about a write: pure code, without a store, a hook or a request.

use http::{HeaderValue, Method};
use http_precondition::{
    Conditions, Defect, Field, Guard, MAX_FIELD_OCTETS, TagCondition, Verdict, evaluate,
};
use version_store::{Demand, Key, Revision, Version};

use super::policy::{Need, Policy};
use crate::refusal::{Reason, Refusal};
use crate::tag::{CurrentState, Minted, Recognised, TagMint};

/// What a decision depends on, in addition to the request and the current version.
pub(crate) struct Rules<'a, K, R> {
    pub(crate) policy: &'a Policy,
    pub(crate) tags: &'a TagMint<K, R>,
    /// Whether a date alone guards a write.
    pub(crate) dates_advance: bool,
}

/// The decision about a write.
#[derive(Debug)]
pub(crate) enum Decision<R> {
    /// The handler runs, and may write what is demanded. `waived` is the reason why it would not run without
    /// report-only mode.
    Go {
        demand: Demand<R>,
        waived: Option<Reason>,
    },
    /// The resource is absent and the method would not create it: no condition is evaluated (RFC 9110 §13.2.1),
    /// and the handler responds with 404. It must not write: it must neither create the resource in spite of a
    /// condition, nor change what has appeared since.
    Absent,
    /// The handler does not run. The version is the one of this resource that the client holds, if its tag
    /// reveals it.
    Refuse(Refusal, Option<Version<R>>),
}

impl<R> Decision<R> {
    fn go(demand: Demand<R>) -> Self {
        Self::Go {
            demand,
            waived: None,
        }
    }

    /// A write without a condition passes, either because none is required or because report-only mode waives it.
    fn unconditional(required: bool) -> Self {
        Self::Go {
            demand: Demand::Any,
            waived: required.then_some(Reason::MissingCondition),
        }
    }

    /// The same decision if there is no handler that could respond with 404 itself.
    pub(crate) fn without_handler(self) -> Self {
        match self {
            Self::Absent => Self::Refuse(Refusal::gone(), None),
            decided => decided,
        }
    }
}

impl<K: Key, R: Revision> Rules<'_, K, R> {
    /// Decides on a write: the policy, the evaluation (RFC 9110 §13.2.2), the required condition (RFC 6585 §3).
    pub(crate) fn decide(
        &self,
        method: &Method,
        conditions: &Conditions,
        key: &K,
        current: Option<Version<R>>,
    ) -> Decision<R> {
        self.decide_knowing(method, conditions, key, current, None)
    }

    /// The same, where the current tag was minted before.
    pub(crate) fn decide_knowing(
        &self,
        method: &Method,
        conditions: &Conditions,
        key: &K,
        current: Option<Version<R>>,
        minted: Option<Minted>,
    ) -> Decision<R> {
        let required = self.policy.need(method) == Need::Required;
        let report_only = self.policy.reports_only();
        if conditions.is_empty() && (report_only || !required) {
            return Decision::unconditional(required);
        }
        let state = current.as_ref().map(|version| {
            CurrentState::new(self.tags, key, version)
                .accepting_weakened(self.policy.accepts_weakened())
                .knowing(minted)
        });
        let creates = self.policy.creates(method);
        let (refusal, held) = match evaluate(method, conditions, state.as_ref(), creates) {
            Verdict::Refused(field, defect) => {
                let refusal = Refusal::new(reason_of(defect)).of_field(field);
                return Decision::Refuse(refusal, None);
            }
            // For a write, a failed If-None-Match is 412 as well (RFC 9110 §13.1.2).
            Verdict::Failed(field) | Verdict::NotModified(field) => {
                let (reason, held) = why(conditions, state.as_ref(), field);
                (Refusal::new(reason).of_field(field), held)
            }
            Verdict::Ignored => return Decision::Absent,
            // Even if the policy requires no condition, one that was sent is enforced.
            Verdict::Proceed(guard) if !required || self.guards(guard) => {
                return Decision::go(demand(guard, current));
            }
            Verdict::Proceed(guard) if report_only => {
                return Decision::Go {
                    demand: demand(guard, current),
                    waived: Some(Reason::MissingCondition),
                };
            }
            Verdict::Required | Verdict::Proceed(_) => {
                (Refusal::new(Reason::MissingCondition), None)
            }
        };
        let tag = state.as_ref().and_then(CurrentState::tag);
        Decision::Refuse(refusal.with_current_tag(tag), held)
    }

    /// Decides on a write without knowing what it overwrites: `None` if the decision depends on the current
    /// version.
    pub(crate) fn decide_unasked(
        &self,
        method: &Method,
        unconditional: bool,
    ) -> Option<Decision<R>> {
        let unasked = unconditional && self.policy.asks_nothing(method);
        unasked.then(|| Decision::unconditional(self.policy.need(method) == Need::Required))
    }

    /// Whether a write passes whose only condition is this line of If-Match: only if the line is the current tag, byte
    /// by byte. Then nothing has to be parsed or evaluated. Otherwise [`decide`](Self::decide) decides.
    ///
    /// It is a second way to "yes", so a test holds it to the first one. The error is the tag that was minted to find
    /// out, if one was.
    pub(crate) fn is_current(
        &self,
        line: &HeaderValue,
        key: &K,
        current: &Version<R>,
    ) -> Result<(), Option<Minted>> {
        if line.len() > MAX_FIELD_OCTETS {
            return Err(None);
        }
        self.tags.is_strong_tag(line.as_bytes(), key, current)
    }

    /// Decides on a write that lost its race: it is refused with what a later request would get, and never proceeds.
    pub(crate) fn decide_lost(
        &self,
        method: &Method,
        conditions: &Conditions,
        key: &K,
        current: Option<Version<R>>,
    ) -> Decision<R> {
        let gone = current.is_none() && !self.policy.creates(method);
        let tag = current
            .as_ref()
            .and_then(|version| self.tags.tag(key, version));
        match self.decide(method, conditions, key, current) {
            Decision::Go { .. } | Decision::Absent if gone => Decision::Absent.without_handler(),
            Decision::Go { .. } | Decision::Absent => {
                Decision::Refuse(Refusal::new(Reason::LostRace).with_current_tag(tag), None)
            }
            refused @ Decision::Refuse(..) => refused,
        }
    }

    /// The refusal if the resource vanished after the decision.
    pub(crate) fn vanished(&self, method: &Method, refusal: Refusal) -> Refusal {
        match refusal.failed_condition() {
            _ if !self.policy.creates(method) => Refusal::gone(),
            Some(field @ (Field::IfMatch | Field::IfUnmodifiedSince)) => {
                Refusal::new(Reason::Absent).of_field(field)
            }
            // The resource existed when If-None-Match was evaluated, and a lost race stays lost.
            _ => refusal.with_current_tag(None),
        }
    }

    /// Whether a condition that holds guards the write.
    fn guards(&self, guard: Guard) -> bool {
        match guard {
            Guard::Version | Guard::Absent => true,
            // Unless the store promises otherwise, two writes within a second could share a date.
            Guard::Date => self.dates_advance,
            Guard::Existing => !self.policy.refuses_wildcard(),
            Guard::None => false,
        }
    }
}

/// What a condition that holds demands of the write.
fn demand<R>(guard: Guard, current: Option<Version<R>>) -> Demand<R> {
    match (guard, current) {
        (Guard::Version | Guard::Date, Some(version)) => Demand::Version(version),
        (Guard::Existing, _) => Demand::Exists,
        (Guard::None, _) => Demand::Any,
        // The evaluation rules out a named version that does not exist; even if it did not, nothing that exists
        // may be written.
        (Guard::Absent | Guard::Version | Guard::Date, _) => Demand::NotExists,
    }
}

/// Decides on a write to something that has no version, such as a collection: `None` if it proceeds.
pub(crate) fn decide_unkeyed(conditions: &Conditions) -> Option<Refusal> {
    let refuse = |reason, field| Some(Refusal::new(reason).of_field(field));
    match (&conditions.if_match, &conditions.if_none_match) {
        (TagCondition::Malformed, _) => refuse(Reason::MalformedCondition, Field::IfMatch),
        (TagCondition::Oversized, _) => refuse(Reason::OversizedCondition, Field::IfMatch),
        (_, TagCondition::Malformed) => refuse(Reason::MalformedCondition, Field::IfNoneMatch),
        (_, TagCondition::Oversized) => refuse(Reason::OversizedCondition, Field::IfNoneMatch),
        // No version is known, so none matches.
        (TagCondition::Any | TagCondition::Tags(_) | TagCondition::Empty, _) => {
            refuse(Reason::UnknownTag, Field::IfMatch)
        }
        // A target with a route and a handler exists.
        (TagCondition::Absent, TagCondition::Any) => refuse(Reason::Exists, Field::IfNoneMatch),
        (TagCondition::Absent, _) => None,
    }
}

pub(crate) fn reason_of(defect: Defect) -> Reason {
    match defect {
        Defect::Malformed => Reason::MalformedCondition,
        Defect::Oversized => Reason::OversizedCondition,
    }
}

/// Why the condition in this field failed, and which version of the resource the client holds.
pub(crate) fn why<K: Key, R: Revision>(
    conditions: &Conditions,
    state: Option<&CurrentState<'_, K, R>>,
    field: Field,
) -> (Reason, Option<Version<R>>) {
    let Some(state) = state else {
        return (Reason::Absent, None);
    };
    match (field, &conditions.if_match) {
        (Field::IfMatch, TagCondition::Tags(tags)) => {
            // Of several tags, take the most informative one.
            let explained = tags.iter().map(|tag| rank(state.recognise(tag)));
            let Some((_, reason, revision)) = explained.min_by_key(|(rank, ..)| *rank) else {
                return (Reason::UnknownTag, None);
            };
            let incarnation = state.version().incarnation();
            (
                reason,
                revision.map(|revision| Version::new(revision).with_incarnation(incarnation)),
            )
        }
        (Field::IfMatch, _) => (Reason::UnknownTag, None),
        (Field::IfUnmodifiedSince, _) => (Reason::ModifiedSince, None),
        (Field::IfNoneMatch | Field::IfModifiedSince, _) => (Reason::Exists, None),
    }
}

fn rank<R>(recognised: Recognised<R>) -> (u8, Reason, Option<R>) {
    match recognised {
        Recognised::Weakened => (0, Reason::WeakTag, None),
        Recognised::Stale(revision) => (1, Reason::StaleVersion, revision),
        Recognised::Mangled => (2, Reason::MangledTag, None),
        Recognised::EarlierIncarnation | Recognised::Foreign => (3, Reason::ForeignTag, None),
        Recognised::Unknown => (4, Reason::UnknownTag, None),
    }
}

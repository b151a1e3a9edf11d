//! The decision about a write, once the current version is known.

use http::StatusCode;
use http_precondition::{Conditions, Defect, Field, Guard, TagCondition, Verdict, evaluate};
use version_store::{Demand, Version, VersionStore};

use crate::config::{Config, Denied};
use crate::decide::{Mode, Need};
use crate::refusal::Reason;
use crate::refusal::Refusal;
use crate::request::Head;
use crate::tag::{CurrentState, Recognised};

/// What becomes of a write.
pub(crate) enum Decision<R> {
    /// The handler runs, and may write what is demanded.
    /// `waived` is the reason for which it would not run, were it not for the report-only mode.
    Go {
        demand: Demand<R>,
        waived: Option<Reason>,
    },
    /// It does not. With it the version of this resource that the client holds, where its tag tells.
    Refuse(Refusal, Option<Version<R>>),
    /// The authorization hook's answer.
    Deny(Denied),
}

impl<R> Decision<R> {
    fn go(demand: Demand<R>) -> Self {
        Self::Go {
            demand,
            waived: None,
        }
    }
}

impl<S: VersionStore, F, W> Config<S, F, W> {
    /// Decides on a write: the authorization hook, the evaluation (RFC 9110 §13.2.2), the gate
    /// (RFC 6585 §3), in this order.
    pub(crate) fn decide(
        &self,
        head: Head<'_>,
        key: &S::Key,
        current: Option<Version<S::Revision>>,
    ) -> Decision<S::Revision> {
        if let Err(denied) = self.authorize(head, key, current.as_ref()) {
            return Decision::Deny(denied);
        }
        let required = self.settings.policy.need(head.method()) == Need::Required;
        let reporting = self.settings.policy.mode == Mode::Reporting;
        if head.conditions().is_empty() && (reporting || !required) {
            return Decision::Go {
                demand: Demand::Any,
                waived: required.then_some(Reason::MissingCondition),
            };
        }
        let state = current
            .as_ref()
            .map(|version| CurrentState::new(&self.tags, key, version))
            .map(|state| state.accepting_weakened(self.settings.policy.weakened_accepted));
        let creates = self.settings.policy.creates(head.method());
        let (refusal, client_version) =
            match evaluate(head.method(), head.conditions(), state.as_ref(), creates) {
                Verdict::Refused(field, defect) => {
                    let refusal = Refusal::new(reason_of(defect)).of_field(field);
                    return Decision::Refuse(refusal, None);
                }
                // A write's failed If-None-Match is 412 as well (RFC 9110 §13.1.2).
                Verdict::Failed(field) | Verdict::NotModified(field) => {
                    let (reason, client_version) = why(head.conditions(), state.as_ref(), field);
                    (Refusal::new(reason).of_field(field), client_version)
                }
                // The target is absent and the method would not create it: no condition is evaluated
                // (§13.2.1), and the handler says 404. It must not write: not what it would create in
                // spite of a condition, and not what has appeared since.
                Verdict::Ignored => return Decision::go(Demand::Never),
                // Also where the policy would let it go without: what was sent is held to.
                Verdict::Proceed(guard) if !required || self.guards(guard) => {
                    return Decision::go(demand(guard, current));
                }
                Verdict::Proceed(guard) if reporting => {
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
        Decision::Refuse(refusal.with_current_tag(tag), client_version)
    }

    /// Asks the authorization hook.
    pub(crate) fn authorize(
        &self,
        head: Head<'_>,
        key: &S::Key,
        version: Option<&Version<S::Revision>>,
    ) -> Result<(), Denied> {
        match (&self.hooks.authorize, head.parts()) {
            (None, _) => Ok(()),
            (Some(authorize), Some(parts)) => authorize(parts, key, version),
            // The head is kept wherever there is a hook; without it nothing can be agreed to.
            (Some(_), None) => Err(StatusCode::INTERNAL_SERVER_ERROR.into()),
        }
    }

    /// Whether a condition that holds guards the write.
    fn guards(&self, guard: Guard) -> bool {
        match guard {
            Guard::Version | Guard::Absent => true,
            // Two writes within a second would share a date, were it not for the store's word.
            Guard::Date => self.store.dates_advance(),
            Guard::Existing => !self.settings.policy.wildcard_refused,
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
        // A version that is named and does not exist: the evaluation excludes it, and if it did not,
        // nothing that exists may be written.
        (Guard::Absent | Guard::Version | Guard::Date, _) => Demand::NotExists,
    }
}

/// What becomes of a write to something that has no version, such as a collection: `None` where it
/// goes on.
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
        // What is routed and has a handler exists.
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

/// Why the condition of this field failed, and which version of the resource the client holds.
pub(crate) fn why<S: VersionStore>(
    conditions: &Conditions,
    state: Option<&CurrentState<'_, S>>,
    field: Field,
) -> (Reason, Option<Version<S::Revision>>) {
    let Some(state) = state else {
        return (Reason::Absent, None);
    };
    match (field, &conditions.if_match) {
        (Field::IfMatch, TagCondition::Tags(tags)) => {
            // Of several tags the one that explains most.
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

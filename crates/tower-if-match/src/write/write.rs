//! A write's way, apart from the waiting: what happens once the version is known, and once the
//! handler has answered.

use http::header::ETAG;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_precondition::Conditions;
use version_store::handover::{Ending, Made, Slot};
use version_store::{Demand, Expected, Version, VersionStore};

use crate::body::RefusalBody;
use crate::config::{Config, Denied, ErrorAnswer};
use crate::decide::Decision;
use crate::decide::Mode;
use crate::observe::{Operation, timed};
use crate::refusal::Reason;
use crate::refusal::Refusal;
use crate::request::{Head, Kept};
use crate::respond::{cut, framed_by_the_server};
use crate::strategy::{OpenError, Settled, Strategy};

/// A write whose handler runs.
pub(crate) struct Running<S: VersionStore, H> {
    pub(crate) kept: Kept,
    pub(crate) slot: Slot<Expected<S>>,
    pub(crate) held: H,
}

/// What becomes of the answer, once the handler has given it.
pub(crate) enum Conclusion<B> {
    Answer(Response<B>),
    /// Someone was faster: evaluate afresh.
    Lost,
}

impl<S: VersionStore, F, W> Config<S, F, W> {
    /// Hands over to the handler.
    pub(crate) fn lend<B>(
        &self,
        conditions: Conditions,
        key: S::Key,
        (demand, waived): (Demand<S::Revision>, Option<Reason>),
        mut held: W::Held,
        mut parts: Parts,
        body: B,
    ) -> (Request<B>, Running<S, W::Held>)
    where
        W: Strategy<S>,
    {
        let waived = waived.map(|reason| self.waive(Head::Whole(&parts, &conditions), reason));
        let kept = Kept::of(&parts, conditions, self.keeps_head()).waiving(waived);
        let slot = Slot::new(key, demand);
        self.strategy
            .hand_over(&mut held, &slot, &mut parts.extensions);
        (
            Request::from_parts(parts, body),
            Running { kept, slot, held },
        )
    }

    /// Judges the handler's answer by how its write ended. `marked` is the version that its body is of,
    /// where the handler said so.
    pub(crate) fn conclude<B>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        settled: Settled<S::Revision>,
        marked: Option<Version<S::Revision>>,
        mut response: Response<B>,
    ) -> Conclusion<B>
    where
        B: RefusalBody,
        W: Strategy<S>,
    {
        let ending = match settled {
            Settled::Ended(ending) => ending,
            Settled::Refused(reason) => {
                return Conclusion::Answer(self.refuse(head, Refusal::new(reason), None));
            }
        };
        let success = response.status().as_u16() < 400;
        match ending {
            Ending::Lost => return Conclusion::Lost,
            Ending::Untaken | Ending::Unsettled if success => {
                let taken = matches!(ending, Ending::Unsettled);
                if !self.waives_settling(taken) {
                    return Conclusion::Answer(self.unguarded(head, &response, taken));
                }
                set_tag(response.headers_mut(), None);
                self.waive(head, Reason::UnguardedWrite).mark(&mut response);
                return Conclusion::Answer(response);
            }
            Ending::Written(Made {
                version: Some(version),
                verbatim,
            }) if response.status().is_success() => {
                let withheld = self.settings.strict_put_validators
                    && *head.method() == Method::PUT
                    && !verbatim;
                // The body may be of a version that came after this write's.
                let of_another = marked.is_some_and(|of| !of.same_state(&version));
                let honest = !withheld && !of_another;
                let tag = if honest {
                    self.tags.field_value(key, &version)
                } else {
                    None
                };
                set_tag(response.headers_mut(), tag);
            }
            // No version was made, or none that this answer could name.
            _ => set_tag(response.headers_mut(), None),
        }
        if let Some(waived) = head.waived() {
            waived.clone().mark(&mut response);
        }
        Conclusion::Answer(response)
    }

    /// Whether a success goes out whose write nobody vouches for. Not where the way has undone what the
    /// handler believes to have written.
    fn waives_settling(&self, taken: bool) -> bool
    where
        W: Strategy<S>,
    {
        self.settings.policy.mode == Mode::Reporting && !(taken && W::UNDOES_UNSETTLED)
    }

    /// What becomes of a success whose resource could not even be told.
    pub(crate) fn unguarded_or_waived<B: RefusalBody>(
        &self,
        head: Head<'_>,
        mut response: Response<B>,
    ) -> Response<B> {
        // A condition that was sent is one that nobody could evaluate: then it is not let go.
        if self.settings.policy.mode == Mode::Enforcing || !head.conditions().is_empty() {
            return self.unguarded(head, &response, false);
        }
        self.waive(head, Reason::UnguardedWrite).mark(&mut response);
        response
    }

    /// The answer in place of a success whose write nobody vouches for.
    pub(crate) fn unguarded<B: RefusalBody>(
        &self,
        head: Head<'_>,
        response: &Response<B>,
        taken: bool,
    ) -> Response<B> {
        tracing::error!(
            method = %head.method(),
            resource = cut(head.instance()),
            status = response.status().as_u16(),
            expected = if taken { "taken and not settled" } else { "not taken" },
            "a handler answered with a success and did not say how its write ended; \
             the write may have happened"
        );
        self.refuse(head, Refusal::new(Reason::UnguardedWrite), None)
    }

    /// The answer to a write that lost the race: what a later request would have got.
    pub(crate) async fn afresh<B: RefusalBody>(&self, head: Head<'_>, key: &S::Key) -> Response<B> {
        let mut response = self.evaluated_afresh(head, key).await;
        if let Some(waived) = head.waived() {
            waived.clone().mark(&mut response);
        }
        response
    }

    async fn evaluated_afresh<B: RefusalBody>(&self, head: Head<'_>, key: &S::Key) -> Response<B> {
        let current = timed(
            self.tags.scope(),
            Operation::Current,
            self.store.current(key),
        );
        let current = match current.await {
            Ok(current) => current,
            Err(error) => return self.unavailable(head, &error),
        };
        let gone = current.is_none() && !self.settings.policy.creates(head.method());
        let tag = current
            .as_ref()
            .and_then(|version| self.tags.tag(key, version));
        match self.decide(head, key, current) {
            Decision::Deny(denied) => denied_response(denied),
            Decision::Refuse(refusal, client_version) => {
                self.refuse_disclosing(head, key, refusal, client_version)
                    .await
            }
            Decision::Go { .. } if gone => self.refuse(head, Refusal::gone(), None),
            Decision::Go { .. } => {
                let refusal = Refusal::new(Reason::LostRace).with_current_tag(tag);
                self.refuse_disclosing(head, key, refusal, None).await
            }
        }
    }

    /// The answer when the resource was not to be had.
    pub(crate) fn not_opened<B: RefusalBody>(
        &self,
        head: Head<'_>,
        error: &OpenError<S::Error>,
    ) -> Response<B> {
        match error {
            OpenError::Store(error) => self.unavailable(head, error),
            OpenError::Busy => self.refuse(head, Refusal::new(Reason::Busy), None),
        }
    }

    /// The answer when the store does not know. "Unknown" is never "absent".
    pub(crate) fn unavailable<B: RefusalBody>(
        &self,
        head: Head<'_>,
        error: &S::Error,
    ) -> Response<B> {
        let reason = match self
            .hooks
            .answer_of_error
            .and_then(|answer_of| answer_of(error))
        {
            Some(ErrorAnswer::Borne(answer)) => return answer.map(B::from_text),
            Some(ErrorAnswer::Refused(reason)) => reason,
            None if S::is_busy(error) => Reason::Busy,
            None => Reason::StoreUnavailable,
        };
        tracing::error!(
            error = error as &dyn std::error::Error,
            "the store cannot tell the current version"
        );
        self.refuse(head, Refusal::new(reason), None)
    }
}

/// The authorization hook's answer in the stack's own body type.
pub(crate) fn denied_response<B: RefusalBody>(denied: Denied) -> Response<B> {
    let mut response = framed_by_the_server(*denied.0);
    if response.status().as_u16() < 300 {
        // Nothing was written, and nobody may be told that something was.
        tracing::error!(
            status = response.status().as_u16(),
            "the authorization hook denied with a success; it is answered 500"
        );
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    response.map(B::from_text)
}

fn set_tag(fields: &mut HeaderMap, tag: Option<HeaderValue>) {
    match tag {
        Some(tag) => fields.insert(ETAG, tag),
        None => fields.remove(ETAG),
    };
}

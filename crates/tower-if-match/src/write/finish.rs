//! A handler's response is judged by how its write ended.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response};
use version_store::handover::{Ending, Made, Mark, Slot};
use version_store::{Expected, Version, VersionStore};

use super::BoxFuture;
use super::guard::Guard;
use super::hand_over::{Running, head_of};
use super::judge::Judgement;
use crate::body::RefusalBody;
use crate::observe::{Operation, timed};
use crate::refusal::{Reason, Refusal, Waived};
use crate::request::Head;
use crate::strategy::{Settled, Strategy};
use crate::tag::set_tag;

/// What happens to the handler's response.
#[derive(PartialEq)]
enum Conclusion {
    /// It is the one that there is now.
    Answer,
    /// Someone was faster: evaluate again.
    Lost,
}

impl<S: VersionStore, W: Strategy<S>> Guard<S, W> {
    /// The handler has responded: how its write ended decides what happens to the response, which stays where it is
    /// unless the future that is returned has to be waited for.
    #[inline]
    pub(crate) fn finish<B: RefusalBody + Send + 'static>(
        self: &Arc<Self>,
        mut running: Running<S, W::Held>,
        response: &mut Response<B>,
    ) -> Result<(), BoxFuture<Response<B>>> {
        // First, because this restores the status of the handler's response.
        let marked = Mark::take(response).map(|(version, _)| version);
        let settled = self
            .strategy
            .settle_at_once(&mut running.held, &running.slot);
        let Some(settled) = settled else {
            return Err(self.settle(running, marked, response));
        };
        let Running {
            slot, mut waived, ..
        } = running;
        match self.conclude(&slot, &settled, marked, &mut waived, response) {
            Conclusion::Answer => Ok(()),
            Conclusion::Lost => {
                let guard = Arc::clone(self);
                Err(Box::pin(async move {
                    guard.afresh(head_of(&slot), slot.key(), waived).await
                }))
            }
        }
    }

    /// The same for a strategy that has to wait to find out how the write ended.
    fn settle<B: RefusalBody + Send + 'static>(
        self: &Arc<Self>,
        running: Running<S, W::Held>,
        marked: Option<Version<S::Revision>>,
        response: &mut Response<B>,
    ) -> BoxFuture<Response<B>> {
        let guard = Arc::clone(self);
        let empty = Response::new(B::from_text(Bytes::new()));
        let mut response = std::mem::replace(response, empty);
        Box::pin(async move {
            let Running {
                slot,
                held,
                mut waived,
            } = running;
            let success = response.status().as_u16() < 400;
            let settled = guard.strategy.settle(held, &guard.store, &slot, success);
            let settled = timed(guard.config.tags.scope(), Operation::Settle, settled).await;
            match guard.conclude(&slot, &settled, marked, &mut waived, &mut response) {
                Conclusion::Answer => response,
                Conclusion::Lost => guard.afresh(head_of(&slot), slot.key(), waived).await,
            }
        })
    }

    /// Judges the handler's response by how its write ended. `marked` is the version of its body, if the handler
    /// named it.
    #[inline]
    fn conclude<B: RefusalBody>(
        &self,
        slot: &Slot<Expected<S>>,
        settled: &Settled<S::Revision>,
        marked: Option<Version<S::Revision>>,
        waived: &mut Option<Box<Waived>>,
        response: &mut Response<B>,
    ) -> Conclusion {
        let responder = &self.config.responder;
        let head = head_of(slot);
        let ending = match settled {
            Settled::Ended(ending) => ending,
            Settled::Refused(reason) => {
                *response = responder.refuse(head, Refusal::new(*reason));
                return Conclusion::Answer;
            }
        };
        let success = response.status().as_u16() < 400;
        match ending {
            Ending::Lost => return Conclusion::Lost,
            Ending::Untaken | Ending::Unsettled if success => {
                let taken = matches!(ending, Ending::Unsettled);
                if !self.waives_settling(taken) {
                    *response = responder.unguarded(head, response.status(), taken);
                    return Conclusion::Answer;
                }
                set_tag(response.headers_mut(), None);
                let before = waived.take().map(|before| *before);
                let both = responder.waive(head, Reason::UnguardedWrite, before);
                *waived = Some(Box::new(both));
            }
            Ending::Written(Made {
                version: Some(version),
                verbatim,
            }) if response.status().is_success() => {
                let withheld = self.config.strict_put_validators
                    && *head.method() == Method::PUT
                    && !*verbatim;
                // The body may be of a later version than the one that this write made.
                let of_another = marked.is_some_and(|of| !of.same_state(version));
                let honest = !withheld && !of_another;
                let tag = if honest {
                    self.config.tags.field_value(slot.key(), version)
                } else {
                    None
                };
                set_tag(response.headers_mut(), tag);
            }
            // The write made no version, or none that this response could name.
            _ => set_tag(response.headers_mut(), None),
        }
        if let Some(waived) = waived.take() {
            waived.mark(response);
        }
        Conclusion::Answer
    }

    /// Whether report-only mode lets the success of an unsettled write pass. It does not if the strategy has undone
    /// what the handler believes it wrote.
    fn waives_settling(&self, taken: bool) -> bool {
        self.config.policy.reports_only() && !(taken && W::UNDOES_UNSETTLED)
    }

    /// The response to a write that lost the race: what a later request would have got.
    async fn afresh<B: RefusalBody>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        waived: Option<Box<Waived>>,
    ) -> Response<B> {
        let current = timed(
            self.config.tags.scope(),
            Operation::Current,
            self.store.current(key),
        );
        let mut response = match current.await {
            Err(error) => self.unavailable(head, &error),
            Ok(current) => match self.judge_lost(head, key, current) {
                Judgement::Answer(response) => response,
                Judgement::Tell(refusal, held) => self.tell(head, key, refusal, held).await,
                // It never proceeds; even if it did, it has still lost.
                Judgement::Go(_) => {
                    let lost = Refusal::new(Reason::LostRace);
                    self.config.responder.refuse(head, lost)
                }
            },
        };
        if let Some(waived) = waived {
            waived.mark(&mut response);
        }
        response
    }
}

impl<S: VersionStore, W> Guard<S, W> {
    /// Refuses a success whose key could not be parsed, or lets it pass in report-only mode.
    pub(crate) fn refuse_unguarded<B: RefusalBody>(
        &self,
        head: Head<'_>,
        response: &mut Response<B>,
    ) {
        let responder = &self.config.responder;
        // A condition that was sent could not be evaluated, so the response must not pass.
        if !self.config.policy.reports_only() || !head.conditions().is_empty() {
            *response = responder.unguarded(head, response.status(), false);
            return;
        }
        let waived = responder.waive(head, Reason::UnguardedWrite, None);
        waived.mark(response);
    }
}

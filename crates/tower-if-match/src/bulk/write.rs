//! A bulk write, from its body to its response.

use std::sync::Arc;

use http::header::ETAG;
use http::request::Parts;
use http::{Request, Response};
use tower_service::Service;
use version_store::bulk::ExpectedItems;
use version_store::handover::{Ending, Lent, Mark, Slot};
use version_store::{Demand, VersionStore, Versions};

use super::decide::ItemsDecision;
use super::guard::BulkGuard;
use super::items::Items;
use super::strategy::{BulkStrategy, OpenedAll, SettledAll, current_of_all};
use super::tags::ItemTags;
use crate::body::RefusalBody;
use crate::decide::decide_unkeyed;
use crate::observe::{Observed, Operation, timed};
use crate::refusal::{Reason, Refusal};
use crate::request::{Bufferable, Fields};
use crate::respond::unbuffered;
use crate::strategy::OpenError;

/// A bulk write whose handler is running.
struct BulkRunning<S: VersionStore, H> {
    /// The first field, because it must be dropped before what it may wait for.
    held: H,
    items: Items<S::Key>,
    slot: Slot<ExpectedItems<S>>,
}

/// Answers a bulk write.
pub(super) async fn respond<Svc, S, W, ReqBody, ResBody>(
    shared: Arc<BulkGuard<S, W>>,
    request: Request<ReqBody>,
    mut inner: Svc,
) -> Result<Response<ResBody>, Svc::Error>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S: VersionStore,
    W: BulkStrategy<S>,
    ReqBody: Bufferable,
    ResBody: RefusalBody,
{
    let observed = Observed::of(&request);
    let answer = match shared.prepare(request).await {
        Ok((request, running)) => {
            let response = inner.call(request).await?;
            shared.conclude(running, response).await
        }
        Err(answer) => answer,
    };
    observed.answered(shared.guard.config.tags.scope(), &answer);
    Ok(answer)
}

impl<S: VersionStore, W: BulkStrategy<S>> BulkGuard<S, W> {
    /// Does everything that comes before the handler.
    async fn prepare<ReqBody, ResBody>(
        &self,
        request: Request<ReqBody>,
    ) -> Result<(Request<ReqBody>, BulkRunning<S, W::Held>), Response<ResBody>>
    where
        ReqBody: Bufferable,
        ResBody: RefusalBody,
    {
        let guard = &self.guard;
        let config = &guard.config;
        let (mut parts, body) = request.into_parts();
        let keep = |parts: &Parts| {
            let fields = Fields::of(&parts.headers);
            guard.keep(parts, &fields, guard.take(parts))
        };
        let kept = keep(&parts);
        let head = kept.head();
        if Lent::<S>::is_guarded(&parts.extensions) {
            tracing::error!("two layers for stores of the same type guard this route");
            return Err(config.responder.refuse(head, Refusal::new(Reason::Unkeyed)));
        }
        if let Some(refusal) = decide_unkeyed(head.conditions()) {
            return Err(config.responder.refuse(head, refusal));
        }
        let content = self.limits.read(body).await;
        let content = content.map_err(|why| unbuffered(why, head))?;
        let items = (self.read_items)(&parts, &content);
        let items = items.map_err(|why| why.response(head.instance()))?;
        let instance = head.instance().to_owned();
        let items = Items::of(items, self.max_items, kept, &mut parts, keep)
            .map_err(|unfit| unfit.response(self.max_items, &instance))?;

        if W::HOLDS {
            let current = self.current_of(&items).await;
            let current = current.map_err(|error| guard.unavailable(items.head(), &error))?;
            self.demanded_of_all(&items, current)?;
        }
        let scope = config.tags.scope();
        let opened = guard
            .strategy
            .open(&guard.store, scope, &items.keys, &items.order);
        let opened = timed(scope, Operation::Open, opened).await;
        let OpenedAll { current, mut held } = match opened {
            Ok(opened) => opened,
            Err(error) => return Err(self.not_all_had(&items, &error).await),
        };
        let demands = match self.demanded_of_all(&items, current) {
            Ok(demands) => demands,
            Err(answer) => {
                guard.strategy.give_up(held, &guard.store).await;
                return Err(answer);
            }
        };
        let slot = Slot::of_items(items.keys.iter().cloned().zip(demands));
        // If a handler extracts `Expected`, or there is a layer further in, the rejection says what is wrong.
        Lent::<S>::OtherStrategy.put(&mut parts.extensions);
        guard
            .strategy
            .hand_over(&mut held, &slot, &mut parts.extensions);
        let request = Request::from_parts(parts, ReqBody::from_text(content));
        Ok((request, BulkRunning { held, items, slot }))
    }
}

impl<S: VersionStore, W: BulkStrategy<S>> BulkGuard<S, W> {
    /// The current versions of all items.
    async fn current_of(&self, items: &Items<S::Key>) -> Result<Versions<S>, S::Error> {
        let current = current_of_all(&self.guard.store, &items.keys);
        timed(self.guard.config.tags.scope(), Operation::Current, current).await
    }

    /// What the items demand of the stored versions, or the response if one is refused.
    fn demanded_of_all<B: RefusalBody>(
        &self,
        items: &Items<S::Key>,
        current: Versions<S>,
    ) -> Result<Vec<Demand<S::Revision>>, Response<B>> {
        match self.decide(items, current) {
            ItemsDecision::Go(demands) => Ok(demands),
            ItemsDecision::Refuse(refusals) => Err(self.refuse(items, &refusals)),
            ItemsDecision::Deny(denied) => Err(self.guard.config.responder.deny(denied)),
        }
    }

    /// The response if the resources could not be acquired. Whoever held them may have made a condition false in
    /// the meantime; then the response says so, and not "try again".
    async fn not_all_had<B: RefusalBody>(
        &self,
        items: &Items<S::Key>,
        error: &OpenError<S::Error>,
    ) -> Response<B> {
        let busy = match error {
            OpenError::Busy => true,
            OpenError::Store(error) => S::is_busy(error),
        };
        if W::HOLDS
            && busy
            && let Ok(current) = self.current_of(items).await
            && let Err(refused) = self.demanded_of_all(items, current)
        {
            return refused;
        }
        self.guard.not_opened(items.head(), error)
    }

    /// Judges the handler's response by how the write ended.
    async fn conclude<B: RefusalBody>(
        &self,
        running: BulkRunning<S, W::Held>,
        mut response: Response<B>,
    ) -> Response<B> {
        let BulkRunning { held, items, slot } = running;
        let responder = &self.guard.config.responder;
        let head = items.head();
        // The mark is of one resource, and this response has no tag. The status of the response itself decides
        // about the write.
        Mark::<S::Revision>::take(&mut response);
        let success = response.status().as_u16() < 400;
        let settled = self
            .guard
            .strategy
            .settle(held, &self.guard.store, &slot, success);
        let settled = timed(self.guard.config.tags.scope(), Operation::Settle, settled).await;
        let ending = match settled {
            SettledAll::Ended(ending) => ending,
            SettledAll::Refused(reason) => return responder.refuse(head, Refusal::new(reason)),
        };
        match ending {
            Ending::Lost => return self.afresh_items(&items).await,
            Ending::Untaken | Ending::Unsettled if success => {
                let taken = matches!(ending, Ending::Unsettled);
                return responder.unguarded(head, response.status(), taken);
            }
            Ending::Written(versions) if response.status().is_success() => {
                ItemTags::fill(
                    &mut response,
                    &self.guard.config.tags,
                    slot.keys(),
                    &versions,
                );
            }
            _ => {}
        }
        response.headers_mut().remove(ETAG);
        response
    }

    /// The response to a write that lost the race: what a later request would have got.
    async fn afresh_items<B: RefusalBody>(&self, items: &Items<S::Key>) -> Response<B> {
        let current = match self.current_of(items).await {
            Ok(current) => current,
            Err(error) => return self.guard.unavailable(items.head(), &error),
        };
        let tags = items.keys.iter().zip(&current).map(|(key, current)| {
            let version = current.as_ref()?;
            self.guard.config.tags.tag(key, version)
        });
        // If every condition holds again, it is unknown which item lost.
        let lost = tags.map(|tag| Some(Refusal::new(Reason::LostRace).with_current_tag(tag)));
        let lost: Vec<Option<Refusal>> = lost.collect();
        match self.decide(items, current) {
            ItemsDecision::Go(_) => self.refuse(items, &lost),
            ItemsDecision::Refuse(refusals) => self.refuse(items, &refusals),
            ItemsDecision::Deny(denied) => self.guard.config.responder.deny(denied),
        }
    }
}

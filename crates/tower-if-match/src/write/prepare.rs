//! Everything that comes before the handler of a write, if it involves waiting.

use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response};
use version_store::{Version, VersionStore};

use super::guard::Guard;
use super::hand_over::Running;
use super::judge::{Clearance, Judgement};
use crate::body::RefusalBody;
use crate::observe::{Operation, timed};
use crate::request::{Fields, Head, Taken};
use crate::respond::unbuffered;
use crate::strategy::{Buffers, OpenError, OpenResult, Opened, Strategy};

/// A request that waits for the store.
pub(crate) struct Waiting<B> {
    pub(crate) parts: Parts,
    pub(crate) body: B,
}

/// A write before its handler: handed over, or answered.
pub(crate) type Prepared<S, H, ReqBody, ResBody> =
    Result<(Request<ReqBody>, Running<S, H>), Response<ResBody>>;

impl<S: VersionStore, W: Strategy<S>> Guard<S, W> {
    /// Does everything that comes before the handler of a write.
    ///
    /// If the strategy holds what others wait for, requests that are bound to fail are first refused after a plain
    /// read, and the body is buffered. Only then the strategy acquires the resource, and the condition is evaluated
    /// again.
    pub(crate) async fn prepare<ReqBody, ResBody>(
        self: Arc<Self>,
        key: S::Key,
        taken: Option<Box<Taken>>,
        waiting: Waiting<ReqBody>,
    ) -> Prepared<S, W::Held, ReqBody, ResBody>
    where
        W: Buffers<ReqBody>,
        ResBody: RefusalBody,
    {
        let Waiting {
            mut parts,
            mut body,
        } = waiting;
        let fields = Fields::of(&parts.headers);
        let conditions = self.config.conditions(&parts, &fields);
        let head = Head::Whole {
            parts: &parts,
            fields: &fields,
            conditions: &conditions,
            taken: taken.as_deref(),
        };
        if W::HOLDS {
            let current = timed(
                self.config.tags.scope(),
                Operation::Current,
                self.store.current(&key),
            );
            let current = current
                .await
                .map_err(|error| self.unavailable(head, &error))?;
            self.cleared(head, &key, current).await?;
            let buffered = self.strategy.buffer(body).await;
            body = buffered.map_err(|why| unbuffered(why, head))?;
        }
        let Opened { current, held } = match self.open(&key).await {
            Ok(opened) => opened,
            Err(error) => return Err(self.not_had(head, &key, &error).await),
        };
        let clearance = self.cleared(head, &key, current).await?;
        let kept = self.keep(&parts, &fields, taken);
        let running = self.hand_over(kept, key, clearance, held, &mut parts.extensions);
        Ok((Request::from_parts(parts, body), running))
    }

    /// What the strategy found, and what it holds.
    pub(crate) async fn open(&self, key: &S::Key) -> OpenResult<S, W::Held> {
        let opened = self.strategy.open(&self.store, key);
        timed(self.config.tags.scope(), Operation::Open, opened).await
    }

    /// The response if the resource could not be acquired. Whoever held it may have made the condition false in the
    /// meantime; then the response says so, and not "try again".
    async fn not_had<B: RefusalBody>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        error: &OpenError<S::Error>,
    ) -> Response<B> {
        let busy = match error {
            OpenError::Busy => true,
            OpenError::Store(error) => S::is_busy(error),
        };
        if W::HOLDS
            && busy
            && let Ok(current) = self.store.current(key).await
            && let Err(refused) = self.cleared(head, key, current).await
        {
            return refused;
        }
        self.not_opened(head, error)
    }

    /// What the write may do, or the response if it is refused.
    async fn cleared<B: RefusalBody>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        current: Option<Version<S::Revision>>,
    ) -> Result<Clearance<S::Revision>, Response<B>> {
        match self.judge(head, key, current) {
            Judgement::Go(clearance) => Ok(clearance),
            Judgement::Answer(response) => Err(response),
            Judgement::Tell(refusal, held) => Err(self.tell(head, key, refusal, held).await),
        }
    }
}

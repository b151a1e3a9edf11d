//! All that comes before the handler, where it has to be waited for.

use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response};
use http_precondition::Conditions;
use version_store::{Demand, Version, VersionStore};

use crate::body::RefusalBody;
use crate::config::Config;
use crate::decide::Decision;
use crate::observe::{Operation, timed};
use crate::refusal::Reason;
use crate::refusal::Refusal;
use crate::request::Head;
use crate::strategy::{Buffers, OpenError, OpenResult, Opened, Strategy};
use crate::write::{Running, denied_response};

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A request that waits for the store's answer.
pub(crate) struct Waiting<B> {
    pub(crate) parts: Parts,
    pub(crate) body: B,
    pub(crate) conditions: Conditions,
}

/// The version before a read, and of which resource.
pub(crate) type VersionBefore<S> = BoxFuture<(
    <S as VersionStore>::Key,
    Result<Option<Version<<S as VersionStore>::Revision>>, <S as VersionStore>::Error>,
)>;

/// A write before its handler: handed over, or answered.
pub(crate) type Prepared<S, H, ReqBody, ResBody> =
    Result<(Request<ReqBody>, Running<S, H>), Response<ResBody>>;

impl<S: VersionStore, F, W> Config<S, F, W> {
    /// Everything that comes before the handler of a write.
    ///
    /// A way that holds what others wait for first refuses the hopeless on a plain read, and has the
    /// content read to its end; only then it takes hold, and the condition is evaluated again.
    pub(crate) async fn prepare<ReqBody, ResBody>(
        self: Arc<Self>,
        key: S::Key,
        waiting: Waiting<ReqBody>,
    ) -> Prepared<S, W::Held, ReqBody, ResBody>
    where
        W: Strategy<S> + Buffers<ReqBody>,
        ResBody: RefusalBody,
    {
        let Waiting {
            parts,
            mut body,
            conditions,
        } = waiting;
        let head = Head::Whole(&parts, &conditions);
        if W::HOLDS {
            let current = timed(
                self.tags.scope(),
                Operation::Current,
                self.store.current(&key),
            );
            let current = current
                .await
                .map_err(|error| self.unavailable(head, &error))?;
            self.demanded(head, &key, current).await?;
            let buffered = self.strategy.buffer(body).await;
            body = buffered.map_err(|why| why.answer(head))?;
        }
        let Opened { current, held } = match self.open(&key).await {
            Ok(opened) => opened,
            Err(error) => return Err(self.not_had(head, &key, &error).await),
        };
        let demand = self.demanded(head, &key, current).await?;
        Ok(self.lend(conditions, key, demand, held, parts, body))
    }

    /// What the way found, and what it holds.
    pub(crate) async fn open(&self, key: &S::Key) -> OpenResult<S, W::Held>
    where
        W: Strategy<S>,
    {
        let opened = self.strategy.open(&self.store, key);
        timed(self.tags.scope(), Operation::Open, opened).await
    }

    /// The answer when the resource was not to be had. Whoever had it may have made the condition
    /// false meanwhile; then that is the answer, and not "try again".
    async fn not_had<B: RefusalBody>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        error: &OpenError<S::Error>,
    ) -> Response<B>
    where
        W: Strategy<S>,
    {
        let busy = match error {
            OpenError::Busy => true,
            OpenError::Store(error) => S::is_busy(error),
        };
        if W::HOLDS
            && busy
            && let Ok(current) = self.store.current(key).await
            && let Err(refused) = self.demanded(head, key, current).await
        {
            return refused;
        }
        self.not_opened(head, error)
    }

    /// What the write demands of the stored version, or the answer to one that is refused.
    async fn demanded<B: RefusalBody>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        current: Option<Version<S::Revision>>,
    ) -> Result<(Demand<S::Revision>, Option<Reason>), Response<B>>
    where
        W: Strategy<S>,
    {
        match self.decide(head, key, current) {
            Decision::Go {
                demand: Demand::Never,
                ..
            } if !W::HANDS_OVER => Err(self.refuse(head, Refusal::gone(), None)),
            Decision::Go { demand, waived } => Ok((demand, waived)),
            Decision::Deny(denied) => Err(denied_response(denied)),
            Decision::Refuse(refusal, client_version) => Err(self
                .refuse_disclosing(head, key, refusal, client_version)
                .await),
        }
    }
}

/// Asks the store before a read.
pub(crate) fn version_before<S: VersionStore, F, W>(
    config: Arc<Config<S, F, W>>,
    key: S::Key,
) -> VersionBefore<S>
where
    F: Send + Sync + 'static,
    W: Send + Sync + 'static,
{
    Box::pin(async move {
        let current = config.store.current(&key);
        let current = timed(config.tags.scope(), Operation::Current, current).await;
        (key, current)
    })
}

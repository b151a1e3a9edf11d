use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;
use version_store::handover::Mark;
use version_store::{Version, VersionStore};

use crate::body::RefusalBody;
use crate::config::Config;
use crate::decide::Decision;
use crate::observe::{Observed, Operation, timed};
use crate::read::Reading;
use crate::request::{Head, Kept};
use crate::strategy::{OpenResult, Opened, Runs, Strategy};
use crate::write::{BoxFuture, Prepared, VersionBefore, Waiting};
use crate::write::{Conclusion, Running, denied_response};

pin_project! {
    /// The future of [`IfMatch`](crate::stack::IfMatch).
    pub struct ResponseFuture<Svc, S, F, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>>,
        S: VersionStore,
        W: Runs<S, Svc, ReqBody>,
    {
        config: Arc<Config<S, F, W>>,
        observed: Observed,
        #[pin]
        state: State<Svc, S, W, ReqBody, ResBody>,
    }
}

pin_project! {
    /// Where a request stands. Only what has to be waited for outside the inner service is boxed,
    /// because the futures of a store have no names.
    #[project = StateProjection]
    pub(crate) enum State<Svc, S, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>>,
        S: VersionStore,
        W: Runs<S, Svc, ReqBody>,
    {
        /// Nothing of ours: the inner service answers.
        Passing { #[pin] inner: Svc::Future },
        /// A write whose id could not be read: a success would be a write that nobody guarded.
        InvalidKey { #[pin] inner: Svc::Future, kept: Box<Kept> },
        /// A read: its answer will be tagged.
        Reading { #[pin] inner: Svc::Future, reading: Option<Reading<S>> },
        /// The store is asked, then a read goes on.
        Asking {
            store: VersionBefore<S>,
            waiting: Option<Box<Waiting<ReqBody>>>,
            inner: Svc,
        },
        /// A write is decided on, and what it needs is taken hold of.
        Preparing { prepared: BoxFuture<Prepared<S, W::Held, ReqBody, ResBody>>, inner: Svc },
        /// A write: its answer will be judged.
        Writing { #[pin] inner: W::Running, running: Option<Running<S, W::Held>> },
        /// The inner service is done or was never called; the answer takes asking the store.
        Answering { answer: BoxFuture<Response<ResBody>> },
        /// The answer.
        Answered { response: Option<Response<ResBody>> },
    }
}

impl<Svc, S, F, W, ReqBody, ResBody> ResponseFuture<Svc, S, F, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>>,
    S: VersionStore,
    W: Runs<S, Svc, ReqBody>,
{
    pub(crate) fn new(
        config: Arc<Config<S, F, W>>,
        observed: Observed,
        state: State<Svc, S, W, ReqBody, ResBody>,
    ) -> Self {
        Self {
            config,
            observed,
            state,
        }
    }
}

impl<Svc, S, F, W, ReqBody, ResBody> Future for ResponseFuture<Svc, S, F, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S: VersionStore,
    F: Send + Sync + 'static,
    W: Runs<S, Svc, ReqBody>,
    ResBody: RefusalBody + Send + 'static,
{
    type Output = Result<Response<ResBody>, Svc::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answered = ready!(this.state.advance(this.config, cx))?;
        this.observed.answered(this.config.tags.scope(), &answered);
        Poll::Ready(Ok(answered))
    }
}

const ONCE: &str = "a future is not polled again after it completed";

impl<Svc, S, W, ReqBody, ResBody> State<Svc, S, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S: VersionStore,
    W: Runs<S, Svc, ReqBody>,
    ResBody: RefusalBody + Send + 'static,
{
    /// Goes as far as it can, to the answer.
    fn advance<F: Send + Sync + 'static>(
        mut self: Pin<&mut Self>,
        config: &Arc<Config<S, F, W>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<ResBody>, Svc::Error>> {
        loop {
            let next = match self.as_mut().project() {
                StateProjection::Passing { inner } => {
                    let mut response = ready!(inner.poll(cx))?;
                    // Nothing here could tag it.
                    Mark::<S::Revision>::refuse(&mut response);
                    return Poll::Ready(Ok(response));
                }
                StateProjection::InvalidKey { inner, kept } => {
                    let response = ready!(inner.poll(cx))?;
                    let success = response.status().as_u16() < 400;
                    return Poll::Ready(Ok(if success {
                        config.unguarded_or_waived(kept.head(), response)
                    } else {
                        response
                    }));
                }
                StateProjection::Reading { inner, reading } => {
                    let response = ready!(inner.poll(cx))?;
                    let reading = reading.take().expect(ONCE);
                    return Poll::Ready(Ok(config.conclude_read(&reading, response)));
                }
                StateProjection::Asking {
                    store,
                    waiting,
                    inner,
                } => {
                    let (key, current) = ready!(store.as_mut().poll(cx));
                    let waiting = *waiting.take().expect(ONCE);
                    match current {
                        Ok(current) => State::read_opened(config, inner, key, current, waiting),
                        Err(error) => {
                            let head = Head::Whole(&waiting.parts, &waiting.conditions);
                            return Poll::Ready(Ok(config.unavailable(head, &error)));
                        }
                    }
                }
                StateProjection::Preparing { prepared, inner } => {
                    match ready!(prepared.as_mut().poll(cx)) {
                        Ok((request, running)) => {
                            State::written_by(config, inner.call(request), running)
                        }
                        Err(answer) => return Poll::Ready(Ok(answer)),
                    }
                }
                StateProjection::Writing { inner, running } => {
                    let response = ready!(inner.poll(cx))?;
                    match settled(config, running.take().expect(ONCE), response) {
                        Ok(response) => return Poll::Ready(Ok(response)),
                        Err(answer) => State::Answering { answer },
                    }
                }
                StateProjection::Answering { answer } => return answer.as_mut().poll(cx).map(Ok),
                StateProjection::Answered { response } => {
                    return Poll::Ready(Ok(response.take().expect(ONCE)));
                }
            };
            self.set(next);
        }
    }

    pub(crate) fn answered(response: Response<ResBody>) -> Self {
        Self::Answered {
            response: Some(response),
        }
    }

    /// A read goes on to the handler, with the version that was read before where that was asked for.
    pub(crate) fn read_opened<F>(
        config: &Config<S, F, W>,
        inner: &mut Svc,
        key: S::Key,
        before: Option<Version<S::Revision>>,
        waiting: Waiting<ReqBody>,
    ) -> Self {
        let Waiting {
            parts,
            body,
            conditions,
        } = waiting;
        let kept = (!conditions.is_empty())
            .then(|| Box::new(Kept::of(&parts, conditions, config.keeps_head())));
        let reading = Reading {
            kept,
            key,
            before: before.map(Box::new),
        };
        let inner = inner.call(Request::from_parts(parts, body));
        Self::Reading {
            inner,
            reading: Some(reading),
        }
    }

    /// The inner service works on a write that was handed over.
    pub(crate) fn written_by<F>(
        config: &Config<S, F, W>,
        inner: Svc::Future,
        running: Running<S, W::Held>,
    ) -> Self {
        Self::Writing {
            inner: config.strategy.run(inner, &running.held),
            running: Some(running),
        }
    }

    /// The version is known, or is not to be known: a write is handed over or refused.
    pub(crate) fn write_opened<F>(
        config: &Arc<Config<S, F, W>>,
        inner: &mut Svc,
        key: S::Key,
        opened: OpenResult<S, W::Held>,
        waiting: Waiting<ReqBody>,
    ) -> Self
    where
        F: Send + Sync + 'static,
    {
        let Waiting {
            parts,
            body,
            conditions,
        } = waiting;
        let head = Head::Whole(&parts, &conditions);
        let Opened { current, held } = match opened {
            Ok(opened) => opened,
            Err(error) => return Self::answered(config.not_opened(head, &error)),
        };
        match config.decide(head, &key, current) {
            Decision::Go { demand, waived } => {
                let demand = (demand, waived);
                let (request, running) = config.lend(conditions, key, demand, held, parts, body);
                Self::written_by(config, inner.call(request), running)
            }
            Decision::Deny(denied) => Self::answered(denied_response(denied)),
            Decision::Refuse(refusal, _) if config.disclosure_for(&refusal).is_none() => {
                Self::answered(config.refuse(head, refusal, None))
            }
            Decision::Refuse(refusal, client_version) => {
                let config = Arc::clone(config);
                let kept = Kept::of(&parts, conditions, config.keeps_head());
                let answer = Box::pin(async move {
                    config
                        .refuse_disclosing(kept.head(), &key, refusal, client_version)
                        .await
                });
                Self::Answering { answer }
            }
        }
    }
}

/// The handler has answered: how its write ended decides what becomes of the answer. What has to be
/// waited for is still to come.
fn settled<S, F, W, B>(
    config: &Arc<Config<S, F, W>>,
    running: Running<S, W::Held>,
    mut response: Response<B>,
) -> Result<Response<B>, BoxFuture<Response<B>>>
where
    S: VersionStore,
    F: Send + Sync + 'static,
    W: Strategy<S>,
    B: RefusalBody + Send + 'static,
{
    let Running {
        kept,
        slot,
        mut held,
    } = running;
    // First, because it is what the handler's answer has its own status back from.
    let marked = Mark::take(&mut response).map(|(version, _)| version);
    if let Some(settled) = config.strategy.settle_at_once(&mut held, &slot) {
        return match config.conclude(kept.head(), slot.key(), settled, marked, response) {
            Conclusion::Answer(response) => Ok(response),
            Conclusion::Lost => {
                let config = Arc::clone(config);
                Err(Box::pin(async move {
                    config.afresh(kept.head(), slot.key()).await
                }))
            }
        };
    }
    let config = Arc::clone(config);
    Err(Box::pin(async move {
        let success = response.status().as_u16() < 400;
        let settled = config.strategy.settle(held, &config.store, &slot, success);
        let settled = timed(config.tags.scope(), Operation::Settle, settled).await;
        match config.conclude(kept.head(), slot.key(), settled, marked, response) {
            Conclusion::Answer(response) => response,
            Conclusion::Lost => config.afresh(kept.head(), slot.key()).await,
        }
    }))
}

impl<Svc, S, F, W, ReqBody, ResBody> fmt::Debug for ResponseFuture<Svc, S, F, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>>,
    S: VersionStore,
    W: Runs<S, Svc, ReqBody>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

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
use crate::observe::Observed;
use crate::read::{self, Reading};
use crate::request::{Head, Kept};
use crate::strategy::{OpenResult, Opened, Runs};
use crate::write::{BoxFuture, Guard, Judgement, Prepared, Running, Waiting};

pin_project! {
    /// The future of [`IfMatch`](crate::stack::IfMatch).
    pub struct ResponseFuture<Svc, S, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>>,
        S: VersionStore,
        W: Runs<S, Svc, ReqBody>,
    {
        guard: Arc<Guard<S, W>>,
        observed: Observed,
        #[pin]
        state: State<Svc, S, W, ReqBody, ResBody>,
    }
}

pin_project! {
    /// The state of a request. Only what waits outside the inner service is boxed, because the futures of a store have
    /// no names.
    #[project = StateProjection]
    pub(crate) enum State<Svc, S, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>>,
        S: VersionStore,
        W: Runs<S, Svc, ReqBody>,
    {
        /// There is nothing to do for the layer: the inner service responds.
        Passing { #[pin] inner: Svc::Future },
        /// A write with an invalid id: a success would be an unguarded write.
        InvalidKey { #[pin] inner: Svc::Future, kept: Box<Kept> },
        /// A read: its response will be tagged.
        Reading { #[pin] inner: Svc::Future, reading: Option<Reading<S::Key, S::Revision>> },
        /// The store is queried, then the read proceeds.
        Asking {
            store: VersionBefore<S>,
            waiting: Option<Box<Waiting<ReqBody>>>,
            inner: Svc,
        },
        /// A write is judged, and what it needs is acquired.
        Preparing { prepared: BoxFuture<Prepared<S, W::Held, ReqBody, ResBody>>, inner: Svc },
        /// A write: its response will be judged.
        Writing { #[pin] inner: W::Running, running: Option<Running<S, W::Held>> },
        /// The inner service is done or was never called, and the response depends on the store.
        Answering { answer: BoxFuture<Response<ResBody>> },
        /// The response.
        Answered { response: Option<Response<ResBody>> },
    }
}

/// The version before a read, and its resource.
pub(super) type VersionBefore<S> = BoxFuture<(
    <S as VersionStore>::Key,
    Result<Option<Version<<S as VersionStore>::Revision>>, <S as VersionStore>::Error>,
)>;

impl<Svc, S, W, ReqBody, ResBody> ResponseFuture<Svc, S, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>>,
    S: VersionStore,
    W: Runs<S, Svc, ReqBody>,
{
    pub(super) fn new(
        guard: Arc<Guard<S, W>>,
        observed: Observed,
        state: State<Svc, S, W, ReqBody, ResBody>,
    ) -> Self {
        Self {
            guard,
            observed,
            state,
        }
    }
}

impl<Svc, S, W, ReqBody, ResBody> Future for ResponseFuture<Svc, S, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S: VersionStore,
    W: Runs<S, Svc, ReqBody>,
    ResBody: RefusalBody + Send + 'static,
{
    type Output = Result<Response<ResBody>, Svc::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answered = ready!(this.state.advance(this.guard, cx))?;
        let scope = this.guard.config.tags.scope();
        this.observed.answered(scope, &answered);
        Poll::Ready(Ok(answered))
    }
}

const ONCE: &str = "a future is not polled again after completion";

impl<Svc, S, W, ReqBody, ResBody> State<Svc, S, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S: VersionStore,
    W: Runs<S, Svc, ReqBody>,
    ResBody: RefusalBody + Send + 'static,
{
    /// Advances to the next wait, or to the response.
    fn advance(
        mut self: Pin<&mut Self>,
        guard: &Arc<Guard<S, W>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<ResBody>, Svc::Error>> {
        loop {
            let next = match self.as_mut().project() {
                StateProjection::Passing { inner } => {
                    let mut response = ready!(inner.poll(cx))?;
                    // There is nothing to tag it with.
                    Mark::<S::Revision>::refuse(&mut response);
                    return Poll::Ready(Ok(response));
                }
                StateProjection::InvalidKey { inner, kept } => {
                    let response = ready!(inner.poll(cx))?;
                    let success = response.status().as_u16() < 400;
                    return Poll::Ready(Ok(if success {
                        guard.unguarded_or_waived(kept.head(), response)
                    } else {
                        response
                    }));
                }
                StateProjection::Reading { inner, reading } => {
                    let response = ready!(inner.poll(cx))?;
                    let reading = reading.take().expect(ONCE);
                    return Poll::Ready(Ok(read::conclude(&guard.config, &reading, response)));
                }
                StateProjection::Asking {
                    store,
                    waiting,
                    inner,
                } => {
                    let (key, current) = ready!(store.as_mut().poll(cx));
                    let waiting = *waiting.take().expect(ONCE);
                    match current {
                        Ok(current) => Self::reading(guard, inner, key, current, waiting),
                        Err(error) => {
                            let head = Head::Whole(&waiting.parts, &waiting.conditions);
                            return Poll::Ready(Ok(guard.unavailable(head, &error)));
                        }
                    }
                }
                StateProjection::Preparing { prepared, inner } => {
                    match ready!(prepared.as_mut().poll(cx)) {
                        Ok(handed_over) => Self::writing(guard, inner, handed_over),
                        Err(response) => return Poll::Ready(Ok(response)),
                    }
                }
                StateProjection::Writing { inner, running } => {
                    let response = ready!(inner.poll(cx))?;
                    match guard.finish(running.take().expect(ONCE), response) {
                        Ok(response) => return Poll::Ready(Ok(response)),
                        Err(answer) => Self::Answering { answer },
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

    pub(super) fn answered(response: Response<ResBody>) -> Self {
        Self::Answered {
            response: Some(response),
        }
    }

    /// Passes a read on to the handler, with the version that was read before, if you opted in.
    pub(super) fn reading(
        guard: &Guard<S, W>,
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
        let reading = Reading::of(&guard.config, &parts, conditions, key, before);
        let inner = inner.call(Request::from_parts(parts, body));
        Self::Reading {
            inner,
            reading: Some(reading),
        }
    }

    /// The version is known, or cannot be: hands a write over or refuses it.
    pub(super) fn opened(
        guard: &Arc<Guard<S, W>>,
        inner: &mut Svc,
        key: S::Key,
        opened: OpenResult<S, W::Held>,
        waiting: Waiting<ReqBody>,
    ) -> Self {
        let Waiting {
            parts,
            body,
            conditions,
        } = waiting;
        let head = Head::Whole(&parts, &conditions);
        let Opened { current, held } = match opened {
            Ok(opened) => opened,
            Err(error) => return Self::answered(guard.not_opened(head, &error)),
        };
        match guard.judge(head, &key, current) {
            Judgement::Go(clearance) => {
                let handed_over = guard.hand_over(conditions, key, clearance, held, parts, body);
                Self::writing(guard, inner, handed_over)
            }
            Judgement::Answer(response) => Self::answered(response),
            Judgement::Tell(refusal, client_version) => {
                let kept = Kept::of(&parts, conditions, guard.needs_head());
                let guard = Arc::clone(guard);
                Self::Answering {
                    answer: Box::pin(async move {
                        guard.tell(kept.head(), &key, refusal, client_version).await
                    }),
                }
            }
        }
    }

    /// The one place where a write reaches the inner service.
    pub(super) fn writing(
        guard: &Guard<S, W>,
        inner: &mut Svc,
        (request, running): (Request<ReqBody>, Running<S, W::Held>),
    ) -> Self {
        Self::Writing {
            inner: guard.strategy.run(inner.call(request), &running.held),
            running: Some(running),
        }
    }
}

impl<Svc, S, W, ReqBody, ResBody> fmt::Debug for ResponseFuture<Svc, S, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>>,
    S: VersionStore,
    W: Runs<S, Svc, ReqBody>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;
use version_store::handover::Mark;
use version_store::{Version, VersionStore};

use crate::body::RefusalBody;
use crate::observe::Observed;
use crate::read::{self, Reading};
use crate::request::{Fields, Head, Kept, Taken};
use crate::strategy::{OpenResult, Opened, Runs};
use crate::tag::Minted;
use crate::write::{BoxFuture, Clearance, Guard, Judgement, Prepared, Running, Waiting};

pin_project! {
    /// The future of [`IfMatch`](crate::stack::IfMatch).
    pub struct ResponseFuture<Svc, S, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>>,
        S: VersionStore,
        W: Runs<S, Svc, ReqBody>,
    {
        pub(super) guard: Arc<Guard<S, W>>,
        pub(super) observed: Observed,
        #[pin]
        pub(super) state: State<Svc, S, W, ReqBody, ResBody>,
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

impl<Svc, S, W, ReqBody, ResBody> Future for ResponseFuture<Svc, S, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S: VersionStore,
    W: Runs<S, Svc, ReqBody>,
    ResBody: RefusalBody + Send + 'static,
{
    type Output = Result<Response<ResBody>, Svc::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // The response is judged where the inner service put it: to move one costs more than to judge it.
        let mut polled = this.state.as_mut().advance(this.guard, cx);
        if let Poll::Ready(Ok(response)) = &mut polled
            && let Some(answer) = this.state.as_mut().judge(this.guard, response)
        {
            this.state.set(State::Answering { answer });
            polled = this.state.advance(this.guard, cx);
        }
        if let Poll::Ready(Ok(response)) = &polled {
            let scope = this.guard.config.tags.scope();
            this.observed.answered(scope, response);
        }
        polled
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
    /// Advances to the next wait, or to the response that the inner service or the layer gave.
    #[inline]
    fn advance(
        mut self: Pin<&mut Self>,
        guard: &Arc<Guard<S, W>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<ResBody>, Svc::Error>> {
        loop {
            let next = match self.as_mut().project() {
                StateProjection::Passing { inner }
                | StateProjection::InvalidKey { inner, .. }
                | StateProjection::Reading { inner, .. } => return inner.poll(cx),
                StateProjection::Writing { inner, .. } => return inner.poll(cx),
                StateProjection::Asking {
                    store,
                    waiting,
                    inner,
                } => {
                    let (key, current) = ready!(store.as_mut().poll(cx));
                    let waiting = *waiting.take().expect(ONCE);
                    match current {
                        Ok(current) => {
                            let Waiting { parts, body } = waiting;
                            let reading = Reading::of(&guard.config, &parts, key, current);
                            let inner = inner.call(Request::from_parts(parts, body));
                            Self::Reading {
                                inner,
                                reading: Some(reading),
                            }
                        }
                        Err(error) => {
                            let parts = &waiting.parts;
                            let fields = Fields::of(&parts.headers);
                            let kept = guard.keep(parts, &fields, guard.take(parts));
                            Self::answered(guard.unavailable(kept.head(), &error))
                        }
                    }
                }
                StateProjection::Preparing { prepared, inner } => {
                    match ready!(prepared.as_mut().poll(cx)) {
                        Ok((request, running)) => {
                            let inner = guard.strategy.run(inner.call(request), &running.held);
                            Self::Writing {
                                inner,
                                running: Some(running),
                            }
                        }
                        Err(response) => Self::answered(response),
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

    /// Judges the response of the inner service. Returns another one, if that has to be waited for.
    #[inline]
    fn judge(
        self: Pin<&mut Self>,
        guard: &Arc<Guard<S, W>>,
        response: &mut Response<ResBody>,
    ) -> Option<BoxFuture<Response<ResBody>>> {
        match self.project() {
            // There is nothing to tag it with.
            StateProjection::Passing { .. } => Mark::<S::Revision>::refuse(response),
            StateProjection::InvalidKey { kept, .. } => {
                if response.status().as_u16() < 400 {
                    guard.refuse_unguarded(kept.head(), response);
                }
            }
            StateProjection::Reading { reading, .. } => {
                let reading = reading.take().expect(ONCE);
                read::conclude(&guard.config, &reading, response);
            }
            StateProjection::Writing { running, .. } => {
                return guard.finish(running.take().expect(ONCE), response).err();
            }
            // It is the layer's own.
            StateProjection::Asking { .. }
            | StateProjection::Preparing { .. }
            | StateProjection::Answering { .. }
            | StateProjection::Answered { .. } => {}
        }
        None
    }

    pub(super) fn answered(response: Response<ResBody>) -> Self {
        Self::Answered {
            response: Some(response),
        }
    }

    /// The version is known, or cannot be: what a write may do, or the state of its refusal.
    #[expect(
        clippy::inline_always,
        reason = "each call moves a request, which costs more than the code"
    )]
    #[inline(always)]
    pub(super) fn opened(
        guard: &Arc<Guard<S, W>>,
        parts: &Parts,
        fields: &Fields<'_>,
        taken: &mut Option<Box<Taken>>,
        key: &S::Key,
        opened: OpenResult<S, W::Held>,
    ) -> Result<(Clearance<S::Revision>, W::Held), Self> {
        let Opened { mut current, held } = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let kept = guard.keep(parts, fields, taken.take());
                return Err(Self::answered(guard.not_opened(kept.head(), &error)));
            }
        };
        if let Err(denied) = guard.authorize(taken.as_deref(), key, current.as_ref()) {
            return Err(Self::answered(guard.config.responder.deny(denied)));
        }
        match guard.judge_at_once(fields, key, &mut current) {
            Ok(clearance) => Ok((clearance, held)),
            Err(minted) => {
                match Self::judged(guard, parts, fields, taken, key, (current, minted)) {
                    Ok(clearance) => Ok((clearance, held)),
                    Err(refused) => Err(refused),
                }
            }
        }
    }

    #[inline(never)]
    fn judged(
        guard: &Arc<Guard<S, W>>,
        parts: &Parts,
        fields: &Fields<'_>,
        taken: &mut Option<Box<Taken>>,
        key: &S::Key,
        (current, minted): (Option<Version<S::Revision>>, Option<Minted>),
    ) -> Result<Clearance<S::Revision>, Self> {
        let conditions = guard.config.conditions(parts, fields);
        let head = Head::Whole {
            parts,
            fields,
            conditions: &conditions,
            taken: taken.as_deref(),
        };
        match guard.judge_authorized(head, key, current, minted) {
            Judgement::Go(clearance) => Ok(clearance),
            Judgement::Answer(response) => Err(Self::answered(response)),
            Judgement::Tell(refusal, client_version) => {
                let (guard, key) = (Arc::clone(guard), key.clone());
                let kept = guard.keep(parts, fields, taken.take());
                Err(Self::Answering {
                    answer: Box::pin(async move {
                        guard.tell(kept.head(), &key, refusal, client_version).await
                    }),
                })
            }
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

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;
use version_store::handover::{Ending, Slot};
use version_store::{Version, VersionStore};

use crate::body::RefusalBody;
use crate::config::Config;
use crate::head::Head;
use crate::read::Reading;
use crate::refusal::Refusal;
use crate::way::{Opened, Way};
use crate::write::{Admission, Conclusion, Running, denied_response};

pin_project! {
    /// The future of [`IfMatch`](crate::IfMatch).
    pub struct ResponseFuture<Svc, S, F, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>>,
        S: VersionStore,
        W: Way<S>,
    {
        config: Arc<Config<S, F, W>>,
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
        W: Way<S>,
    {
        /// Nothing of ours: the inner service answers.
        Passing { #[pin] inner: Svc::Future },
        /// A write whose id could not be read: a success would be a write that nobody guarded.
        Unreadable { #[pin] inner: Svc::Future, head: Head },
        /// A read: its answer will be tagged.
        Reading { #[pin] inner: Svc::Future, reading: Option<Reading<S>> },
        /// The store is asked, then the inner service is called.
        Opening { opening: Opening<S, W>, request: Option<(Parts, ReqBody)>, inner: Svc },
        /// A write: its answer will be judged.
        Writing { #[pin] inner: Svc::Future, running: Option<Running<S, W>> },
        /// The inner service is done or was never called; the answer takes asking the store.
        Answering { answer: BoxFuture<Response<ResBody>> },
        /// The answer.
        Answered { response: Option<Response<ResBody>> },
    }
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What was asked of the store, together with what is needed when it answers.
type Asked<S, T> = BoxFuture<(
    Head,
    <S as VersionStore>::Key,
    Result<T, <S as VersionStore>::Error>,
)>;

/// The store's answer to come, and what goes on with it.
pub(crate) enum Opening<S: VersionStore, W: Way<S>> {
    Read(Asked<S, Option<Version<S::Revision>>>),
    Write(Asked<S, Opened<S::Revision, W::Held>>),
}

impl<S: VersionStore, W: Way<S>> Opening<S, W> {
    pub(crate) fn read<F>(config: Arc<Config<S, F, W>>, head: Head, key: S::Key) -> Self
    where
        F: Send + Sync + 'static,
    {
        Self::Read(Box::pin(async move {
            let current = config.store.current(&key).await;
            (head, key, current)
        }))
    }

    pub(crate) fn write<F>(config: Arc<Config<S, F, W>>, head: Head, key: S::Key) -> Self
    where
        F: Send + Sync + 'static,
    {
        Self::Write(Box::pin(async move {
            let opened = config.way.open(&config.store, &key).await;
            (head, key, opened)
        }))
    }
}

impl<Svc, S, F, W, ReqBody, ResBody> ResponseFuture<Svc, S, F, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>>,
    S: VersionStore,
    W: Way<S>,
{
    pub(crate) fn new(
        config: Arc<Config<S, F, W>>,
        state: State<Svc, S, W, ReqBody, ResBody>,
    ) -> Self {
        Self { config, state }
    }
}

impl<Svc, S, F, W, ReqBody, ResBody> Future for ResponseFuture<Svc, S, F, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S: VersionStore,
    F: Send + Sync + 'static,
    W: Way<S>,
    ResBody: RefusalBody + Send + 'static,
{
    type Output = Result<Response<ResBody>, Svc::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let config = &*this.config;
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Passing { inner } => return inner.poll(cx),
                StateProjection::Unreadable { inner, head } => {
                    let response = ready!(inner.poll(cx))?;
                    let success = response.status().as_u16() < 400;
                    return Poll::Ready(Ok(if success {
                        config.unguarded(head, &response, false)
                    } else {
                        response
                    }));
                }
                StateProjection::Reading { inner, reading } => {
                    let response = ready!(inner.poll(cx))?;
                    let reading = reading.take().expect(ONCE);
                    return Poll::Ready(Ok(config.conclude_read(&reading, response)));
                }
                StateProjection::Opening {
                    opening,
                    request,
                    inner,
                } => match opening {
                    Opening::Read(store) => {
                        let (head, key, current) = ready!(store.as_mut().poll(cx));
                        State::read_opened(config, inner, head, key, current, request.take())
                    }
                    Opening::Write(store) => {
                        let (head, key, opened) = ready!(store.as_mut().poll(cx));
                        let (parts, body) = request.take().expect(ONCE);
                        State::write_opened(config, inner, head, key, opened, parts, body)
                    }
                },
                StateProjection::Writing { inner, running } => {
                    let response = ready!(inner.poll(cx))?;
                    State::written(config, running.take().expect(ONCE), response)
                }
                StateProjection::Answering { answer } => return answer.as_mut().poll(cx).map(Ok),
                StateProjection::Answered { response } => {
                    return Poll::Ready(Ok(response.take().expect(ONCE)));
                }
            };
            this.state.set(next);
        }
    }
}

const ONCE: &str = "a future is not polled again after it completed";

impl<Svc, S, W, ReqBody, ResBody> State<Svc, S, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S: VersionStore,
    W: Way<S>,
    ResBody: RefusalBody + Send + 'static,
{
    pub(crate) fn answered(response: Response<ResBody>) -> Self {
        Self::Answered {
            response: Some(response),
        }
    }

    /// The version is known, or is not to be known: a read goes on to the handler.
    fn read_opened<F>(
        config: &Arc<Config<S, F, W>>,
        inner: &mut Svc,
        head: Head,
        key: S::Key,
        current: Result<Option<Version<S::Revision>>, S::Error>,
        request: Option<(Parts, ReqBody)>,
    ) -> Self {
        match current {
            Err(error) => Self::answered(config.unavailable(&head, &error)),
            Ok(before) => {
                let (parts, body) = request.expect(ONCE);
                let inner = inner.call(Request::from_parts(parts, body));
                Self::Reading {
                    inner,
                    reading: Some(Reading { head, key, before }),
                }
            }
        }
    }

    /// The version is known, or is not to be known: a write is admitted or refused.
    pub(crate) fn write_opened<F>(
        config: &Arc<Config<S, F, W>>,
        inner: &mut Svc,
        head: Head,
        key: S::Key,
        opened: Result<Opened<S::Revision, W::Held>, S::Error>,
        parts: Parts,
        body: ReqBody,
    ) -> Self
    where
        F: Send + Sync + 'static,
    {
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return Self::answered(config.unavailable(&head, &error)),
        };
        match config.admit(head, key, opened, parts, body) {
            Admission::Run(request, running) => Self::Writing {
                inner: inner.call(request),
                running: Some(running),
            },
            Admission::Deny(denied) => Self::answered(denied_response(denied)),
            Admission::Refuse {
                head,
                key,
                refusal,
                client_version,
            } => Self::refused(config, head, key, refusal, client_version),
        }
    }

    fn refused<F>(
        config: &Arc<Config<S, F, W>>,
        head: Head,
        key: S::Key,
        refusal: Refusal,
        client_version: Option<Version<S::Revision>>,
    ) -> Self
    where
        F: Send + Sync + 'static,
    {
        if config.disclosure_for(&refusal).is_none() {
            return Self::answered(config.refuse(&head, refusal, None));
        }
        let config = Arc::clone(config);
        let answer = Box::pin(async move {
            config
                .refuse_disclosing(&head, &key, refusal, client_version)
                .await
        });
        Self::Answering { answer }
    }

    /// The handler has answered: how its write ended decides what becomes of the answer.
    fn written<F>(
        config: &Arc<Config<S, F, W>>,
        running: Running<S, W>,
        response: Response<ResBody>,
    ) -> Self
    where
        F: Send + Sync + 'static,
    {
        let Running {
            head,
            slot,
            mut held,
        } = running;
        if let Some(ending) = config.way.settle_at_once(&mut held, &slot) {
            return Self::settled(config, head, slot, ending, response);
        }
        let config = Arc::clone(config);
        let answer = Box::pin(async move {
            let success = response.status().as_u16() < 400;
            let ending = config.way.settle(held, &slot, success).await;
            match config.conclude(&head, slot.key(), ending, response) {
                Conclusion::Answer(response) => response,
                Conclusion::Lost => config.afresh(&head, slot.key()).await,
            }
        });
        Self::Answering { answer }
    }

    fn settled<F>(
        config: &Arc<Config<S, F, W>>,
        head: Head,
        slot: Slot<S>,
        ending: Ending<S::Revision>,
        response: Response<ResBody>,
    ) -> Self
    where
        F: Send + Sync + 'static,
    {
        match config.conclude(&head, slot.key(), ending, response) {
            Conclusion::Answer(response) => Self::answered(response),
            Conclusion::Lost => {
                let config = Arc::clone(config);
                let answer = Box::pin(async move { config.afresh(&head, slot.key()).await });
                Self::Answering { answer }
            }
        }
    }
}

impl<Svc, S, F, W, ReqBody, ResBody> fmt::Debug for ResponseFuture<Svc, S, F, W, ReqBody, ResBody>
where
    Svc: Service<Request<ReqBody>>,
    S: VersionStore,
    W: Way<S>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

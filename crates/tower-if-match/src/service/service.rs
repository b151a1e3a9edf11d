use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http::request::Parts;
use http::{Method, Request, Response};
use http_precondition::MethodClass;
use tower_service::Service;
use version_store::handover::{InvalidKey, OtherStrategy, Slot};
use version_store::{Demand, Expected, VersionStore};

use super::future::{ResponseFuture, State};
use crate::body::RefusalBody;
use crate::config::Config;
use crate::decide::Need;
use crate::decide::decide_unkeyed;
use crate::observe::{Observed, Operation, timed};
use crate::refusal::Reason;
use crate::refusal::Refusal;
use crate::request::{FindKey, Found};
use crate::request::{Head, Kept};
use crate::strategy::{CompareAndSwap, Runs};
use crate::write::{Waiting, version_before};

/// The service that [`IfMatchLayer`](crate::IfMatchLayer) makes. The crate's documentation tells the
/// way that a request takes through it.
pub struct IfMatch<Svc, S: VersionStore, F, W = CompareAndSwap> {
    inner: Svc,
    config: Arc<Config<S, F, W>>,
}

impl<Svc, S: VersionStore, F, W> IfMatch<Svc, S, F, W> {
    pub(crate) fn new(inner: Svc, config: Arc<Config<S, F, W>>) -> Self {
        Self { inner, config }
    }
}

impl<Svc, S, F, W, ReqBody, ResBody> Service<Request<ReqBody>> for IfMatch<Svc, S, F, W>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S: VersionStore,
    F: FindKey<S::Key>,
    W: Runs<S, Svc, ReqBody>,
    ReqBody: Send + 'static,
    ResBody: RefusalBody + Send + 'static,
{
    type Response = Response<ResBody>;
    type Error = Svc::Error;
    type Future = ResponseFuture<Svc, S, F, W, ReqBody, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let observed = Observed::of(&request);
        let state = match MethodClass::of(request.method()) {
            MethodClass::Unconditional => State::Passing {
                inner: self.inner.call(request),
            },
            MethodClass::Read => self.read(request),
            MethodClass::Write => self.write(request),
        };
        ResponseFuture::new(Arc::clone(&self.config), observed, state)
    }
}

impl<Svc, S, F, W> IfMatch<Svc, S, F, W>
where
    S: VersionStore,
    F: FindKey<S::Key>,
{
    fn write<ReqBody, ResBody>(
        &mut self,
        request: Request<ReqBody>,
    ) -> State<Svc, S, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        W: Runs<S, Svc, ReqBody>,
        ReqBody: Send + 'static,
        ResBody: RefusalBody + Send + 'static,
    {
        let config = &self.config;
        let (mut parts, body) = request.into_parts();
        let found = config.finder.find(&mut parts);
        let conditions = config.conditions(&parts);
        let key = match found {
            Found::Key(_) if is_guarded::<S>(&parts) => {
                tracing::error!("two layers for stores of one type guard this route");
                let head = Head::Whole(&parts, &conditions);
                return State::answered(config.refuse(head, Refusal::new(Reason::Unkeyed), None));
            }
            Found::Key(key) => key,
            Found::NoResource => {
                return match decide_unkeyed(&conditions) {
                    Some(refusal) => {
                        let head = Head::Whole(&parts, &conditions);
                        State::answered(config.refuse(head, refusal, None))
                    }
                    None => State::Passing {
                        inner: self.forward(parts, body),
                    },
                };
            }
            Found::Invalid => {
                InvalidKey::<S>::mark(&mut parts.extensions);
                let kept = Box::new(Kept::of(&parts, conditions, config.keeps_head()));
                return State::InvalidKey {
                    inner: self.forward(parts, body),
                    kept,
                };
            }
            Found::Misrouted(why) => {
                tracing::error!(why, "no key can be derived on this route");
                let head = Head::Whole(&parts, &conditions);
                return State::answered(config.refuse(head, Refusal::new(Reason::Unkeyed), None));
            }
        };
        if config.settings.policy.asks_nothing(&parts.method)
            && conditions.is_empty()
            && config.hooks.authorize.is_none()
            && let Some(held) = config.strategy.unopened()
        {
            let policy = &config.settings.policy;
            let waived =
                (policy.need(&parts.method) == Need::Required).then_some(Reason::MissingCondition);
            let anything = (Demand::Any, waived);
            let (request, running) = config.lend(conditions, key, anything, held, parts, body);
            return State::written_by(config, self.inner.call(request), running);
        }
        let waiting = Waiting {
            parts,
            body,
            conditions,
        };
        if W::OPENS_AT_ONCE
            && let Some(opened) = poll_once(config.open(&key))
        {
            return State::write_opened(config, &mut self.inner, key, opened, waiting);
        }
        let prepared = Arc::clone(config).prepare(key, waiting);
        State::Preparing {
            prepared: Box::pin(prepared),
            inner: self.take_ready(),
        }
    }

    fn read<ReqBody, ResBody>(
        &mut self,
        request: Request<ReqBody>,
    ) -> State<Svc, S, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        W: Runs<S, Svc, ReqBody>,
        ResBody: RefusalBody + Send + 'static,
    {
        let config = &self.config;
        let (mut parts, body) = request.into_parts();
        let key = match config.finder.find(&mut parts) {
            Found::Key(key) => key,
            Found::NoResource | Found::Invalid => {
                return State::Passing {
                    inner: self.forward(parts, body),
                };
            }
            Found::Misrouted(why) => {
                tracing::error!(
                    why,
                    "no key can be derived on this route, its reads go untagged"
                );
                return State::Passing {
                    inner: self.forward(parts, body),
                };
            }
        };
        let conditions = config.conditions(&parts);
        let waiting = Waiting {
            parts,
            body,
            conditions,
        };
        // The content of a QUERY depends on more than the resource's version.
        let of_the_resource = matches!(waiting.parts.method, Method::GET | Method::HEAD);
        if !config.settings.version_before_body || !of_the_resource {
            return State::read_opened(config, &mut self.inner, key, None, waiting);
        }
        if S::ANSWERS_AT_ONCE
            && let Some(Ok(current)) = poll_once(timed(
                config.tags.scope(),
                Operation::Current,
                config.store.current(&key),
            ))
        {
            return State::read_opened(config, &mut self.inner, key, current, waiting);
        }
        let store = version_before(Arc::clone(config), key);
        State::Asking {
            store,
            waiting: Some(Box::new(waiting)),
            inner: self.take_ready(),
        }
    }

    fn forward<ReqBody>(&mut self, parts: Parts, body: ReqBody) -> Svc::Future
    where
        Svc: Service<Request<ReqBody>>,
    {
        self.inner.call(Request::from_parts(parts, body))
    }

    /// The inner service that was polled ready, for a call later on. Its clone stays behind and is
    /// polled ready before it is called.
    fn take_ready(&mut self) -> Svc
    where
        Svc: Clone,
    {
        let clone = self.inner.clone();
        std::mem::replace(&mut self.inner, clone)
    }
}

/// Whether a layer for a store of this type has handed the request over already.
fn is_guarded<S: VersionStore>(parts: &Parts) -> bool {
    let extensions = &parts.extensions;
    extensions.get::<Slot<Expected<S>>>().is_some()
        || extensions.get::<OtherStrategy<S>>().is_some()
}

/// What a future is ready with at once, or nothing, and then it is gone.
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Not derived: that would ask the store and the finder to be `Clone` for what is one shared pointer.
impl<Svc: Clone, S: VersionStore, F, W> Clone for IfMatch<Svc, S, F, W> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            config: Arc::clone(&self.config),
        }
    }
}

impl<Svc: fmt::Debug, S: VersionStore, F, W> fmt::Debug for IfMatch<Svc, S, F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IfMatch")
            .field("inner", &self.inner)
            .field("config", &self.config)
            .finish()
    }
}

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http::request::Parts;
use http::{Request, Response};
use http_precondition::MethodClass;
use tower_service::Service;
use version_store::handover::Unreadable;
use version_store::{Demand, VersionStore};

use crate::Reason;
use crate::body::RefusalBody;
use crate::config::Config;
use crate::future::{Opening, ResponseFuture, State};
use crate::head::Head;
use crate::key::{FindKey, Found};
use crate::policy::Need;
use crate::read::Reading;
use crate::refusal::Refusal;
use crate::way::{CompareAndSwap, Way};

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
    W: Way<S>,
    ResBody: RefusalBody + Send + 'static,
{
    type Response = Response<ResBody>;
    type Error = Svc::Error;
    type Future = ResponseFuture<Svc, S, F, W, ReqBody, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let class = MethodClass::of(&parts.method);
        let state = if class == MethodClass::Unconditional {
            State::Passing {
                inner: self.forward(parts, body),
            }
        } else {
            let found = self.config.finder.find(&mut parts);
            match class {
                MethodClass::Write => self.write(found, parts, body),
                MethodClass::Read | MethodClass::Unconditional => self.read(found, parts, body),
            }
        };
        ResponseFuture::new(Arc::clone(&self.config), state)
    }
}

impl<Svc, S, F, W> IfMatch<Svc, S, F, W>
where
    S: VersionStore,
    F: FindKey<S::Key>,
    W: Way<S>,
{
    fn write<ReqBody, ResBody>(
        &mut self,
        found: Found<S::Key>,
        mut parts: Parts,
        body: ReqBody,
    ) -> State<Svc, S, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        ResBody: RefusalBody + Send + 'static,
    {
        let config = Arc::clone(&self.config);
        let head = Head::capture(&parts, &config.clock, config.authorize.is_some());
        let key = match found {
            Found::Key(key) => key,
            Found::NotOurs => {
                return match Config::<S, F, W>::decide_unkeyed(&head) {
                    Some(refusal) => State::answered(config.refuse(&head, refusal, None)),
                    None => State::Passing {
                        inner: self.forward(parts, body),
                    },
                };
            }
            Found::Unreadable => {
                Unreadable::<S>::mark(&mut parts.extensions);
                return State::Unreadable {
                    inner: self.forward(parts, body),
                    head,
                };
            }
            Found::Misconfigured(why) => {
                tracing::error!(why, "no key can be derived on this route");
                let refusal = Refusal::new(Reason::Unkeyed);
                return State::answered(config.refuse(&head, refusal, None));
            }
        };
        if config.policy.need(&head.method) == Need::Exempt
            && head.conditions.is_empty()
            && config.authorize.is_none()
            && let Some(held) = config.way.unopened()
        {
            let (request, running) = config.lend(head, key, Demand::Anything, held, parts, body);
            return State::Writing {
                inner: self.inner.call(request),
                running: Some(running),
            };
        }
        if W::OPENS_AT_ONCE
            && let Some(opened) = poll_once(config.way.open(&config.store, &key))
        {
            return State::write_opened(&config, &mut self.inner, head, key, opened, parts, body);
        }
        let opening = Opening::write(config, head, key);
        State::Opening {
            opening,
            request: Some((parts, body)),
            inner: self.take_ready(),
        }
    }

    fn read<ReqBody, ResBody>(
        &mut self,
        found: Found<S::Key>,
        parts: Parts,
        body: ReqBody,
    ) -> State<Svc, S, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        ResBody: RefusalBody + Send + 'static,
    {
        let key = match found {
            Found::Key(key) => key,
            Found::NotOurs | Found::Unreadable => {
                return State::Passing {
                    inner: self.forward(parts, body),
                };
            }
            Found::Misconfigured(why) => {
                tracing::error!(
                    why,
                    "no key can be derived on this route, its reads go untagged"
                );
                return State::Passing {
                    inner: self.forward(parts, body),
                };
            }
        };
        let head = Head::capture(&parts, &self.config.clock, false);
        if self.config.version_before_body {
            let opening = Opening::read(Arc::clone(&self.config), head, key);
            return State::Opening {
                opening,
                request: Some((parts, body)),
                inner: self.take_ready(),
            };
        }
        let reading = Reading {
            head,
            key,
            before: None,
        };
        State::Reading {
            inner: self.forward(parts, body),
            reading: Some(reading),
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

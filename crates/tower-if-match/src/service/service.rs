use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http::request::Parts;
use http::{Method, Request, Response};
use http_precondition::MethodClass;
use tower_service::Service;
use version_store::VersionStore;
use version_store::handover::InvalidKey;

use super::future::{ResponseFuture, State, VersionBefore};
use crate::body::RefusalBody;
use crate::decide::{Decision, decide_unkeyed};
use crate::observe::{Observed, Operation, timed};
use crate::refusal::{Reason, Refusal};
use crate::request::{FindKey, Found, Head, Kept};
use crate::strategy::{CompareAndSwap, Runs};
use crate::write::{Clearance, Guard, Waiting, is_guarded};

/// The service of an [`IfMatchLayer`](crate::IfMatchLayer). The crate's documentation describes what happens to a
/// request in it.
pub struct IfMatch<Svc, S: VersionStore, F, W = CompareAndSwap> {
    inner: Svc,
    find_key: F,
    guard: Arc<Guard<S, W>>,
}

impl<Svc, S: VersionStore, F, W> IfMatch<Svc, S, F, W> {
    pub(crate) fn new(inner: Svc, find_key: F, guard: Arc<Guard<S, W>>) -> Self {
        Self {
            inner,
            find_key,
            guard,
        }
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
    type Future = ResponseFuture<Svc, S, W, ReqBody, ResBody>;

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
        ResponseFuture::new(Arc::clone(&self.guard), observed, state)
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
        let guard = &self.guard;
        let responder = &guard.config.responder;
        let (mut parts, body) = request.into_parts();
        let found = self.find_key.find(&mut parts);
        let conditions = guard.config.conditions(&parts.headers);
        let key = match found {
            Found::Key(_) if is_guarded::<S>(&parts) => {
                tracing::error!("two layers for stores of the same type guard this route");
                let head = Head::Whole(&parts, &conditions);
                return State::answered(responder.refuse(head, Refusal::new(Reason::Unkeyed)));
            }
            Found::Key(key) => key,
            Found::NoResource => {
                return match decide_unkeyed(&conditions) {
                    Some(refusal) => {
                        let head = Head::Whole(&parts, &conditions);
                        State::answered(responder.refuse(head, refusal))
                    }
                    None => State::Passing {
                        inner: self.forward(parts, body),
                    },
                };
            }
            Found::Invalid => {
                InvalidKey::<S>::mark(&mut parts.extensions);
                let kept = Box::new(Kept::of(&parts, conditions, guard.needs_head()));
                return State::InvalidKey {
                    inner: self.forward(parts, body),
                    kept,
                };
            }
            Found::Misrouted(why) => {
                tracing::error!(why, "no key can be derived on this route");
                let head = Head::Whole(&parts, &conditions);
                return State::answered(responder.refuse(head, Refusal::new(Reason::Unkeyed)));
            }
        };
        if guard.config.authorize.is_none()
            && let Some(Decision::Go { demand, waived }) =
                guard.rules().decide_unasked(&parts.method, &conditions)
            && let Some(held) = guard.strategy.unopened()
        {
            let clearance = Clearance { demand, waived };
            let handed_over = guard.hand_over(conditions, key, clearance, held, parts, body);
            return State::writing(guard, &mut self.inner, handed_over);
        }
        let waiting = Waiting {
            parts,
            body,
            conditions,
        };
        if W::OPENS_AT_ONCE
            && let Some(opened) = poll_once(guard.open(&key))
        {
            return State::opened(guard, &mut self.inner, key, opened, waiting);
        }
        let prepared = Arc::clone(guard).prepare(key, waiting);
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
        let guard = &self.guard;
        let (mut parts, body) = request.into_parts();
        let key = match self.find_key.find(&mut parts) {
            Found::Key(key) => key,
            Found::NoResource | Found::Invalid => {
                return State::Passing {
                    inner: self.forward(parts, body),
                };
            }
            Found::Misrouted(why) => {
                tracing::error!(
                    why,
                    "no key can be derived on this route, so its reads are not tagged"
                );
                return State::Passing {
                    inner: self.forward(parts, body),
                };
            }
        };
        let conditions = guard.config.conditions(&parts.headers);
        let waiting = Waiting {
            parts,
            body,
            conditions,
        };
        // The response to QUERY depends on more than the resource's version.
        let of_the_resource = matches!(waiting.parts.method, Method::GET | Method::HEAD);
        if !guard.config.version_before_body || !of_the_resource {
            return State::reading(guard, &mut self.inner, key, None, waiting);
        }
        if S::ANSWERS_AT_ONCE
            && let Some(Ok(current)) = poll_once(timed(
                guard.config.tags.scope(),
                Operation::Current,
                guard.store.current(&key),
            ))
        {
            return State::reading(guard, &mut self.inner, key, current, waiting);
        }
        let store = version_before(Arc::clone(guard), key);
        State::Asking {
            store,
            waiting: Some(Box::new(waiting)),
            inner: self.take_ready(),
        }
    }

    /// Passes on what is not guarded.
    fn forward<ReqBody>(&mut self, parts: Parts, body: ReqBody) -> Svc::Future
    where
        Svc: Service<Request<ReqBody>>,
    {
        self.inner.call(Request::from_parts(parts, body))
    }

    /// Takes the inner service that was polled ready, for a later call. Its clone stays behind, and is polled ready
    /// before it is called.
    fn take_ready(&mut self) -> Svc
    where
        Svc: Clone,
    {
        let clone = self.inner.clone();
        std::mem::replace(&mut self.inner, clone)
    }
}

/// Queries the store before a read.
fn version_before<S, W>(guard: Arc<Guard<S, W>>, key: S::Key) -> VersionBefore<S>
where
    S: VersionStore,
    W: Send + Sync + 'static,
{
    Box::pin(async move {
        let current = guard.store.current(&key);
        let current = timed(guard.config.tags.scope(), Operation::Current, current).await;
        (key, current)
    })
}

/// The output of a future if it is ready at once. Otherwise `None`, and the future is dropped.
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Not derived: `derive` would require `Clone` of the type parameters, although this is one shared pointer.
impl<Svc: Clone, S: VersionStore, F: Clone, W> Clone for IfMatch<Svc, S, F, W> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            find_key: self.find_key.clone(),
            guard: Arc::clone(&self.guard),
        }
    }
}

impl<Svc: fmt::Debug, S: VersionStore, F, W> fmt::Debug for IfMatch<Svc, S, F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IfMatch")
            .field("inner", &self.inner)
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}

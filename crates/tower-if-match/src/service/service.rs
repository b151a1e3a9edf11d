use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http::request::Parts;
use http::{Method, Request, Response};
use http_precondition::MethodClass;
use tower_service::Service;
use version_store::VersionStore;
use version_store::handover::Lent;

use super::future::{ResponseFuture, State, VersionBefore};
use crate::body::RefusalBody;
use crate::decide::{Decision, decide_unkeyed};
use crate::observe::{Observed, Operation, timed};
use crate::read::Reading;
use crate::refusal::{Reason, Refusal};
use crate::request::{Fields, FindKey, Found};
use crate::strategy::{CompareAndSwap, Runs};
use crate::write::{Clearance, Guard, Waiting};

/// A future in this state. A macro, because a function would move the state, and the request in it, once more.
macro_rules! future {
    ($service:expr, $observed:expr, $state:expr) => {
        ResponseFuture {
            guard: Arc::clone(&$service.guard),
            observed: $observed,
            state: $state,
        }
    };
}

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
        match MethodClass::of(request.method()) {
            MethodClass::Unconditional => {
                let inner = self.inner.call(request);
                future!(self, observed, State::Passing { inner })
            }
            MethodClass::Read => self.read(observed, request),
            MethodClass::Write => self.write(observed, request),
        }
    }
}

impl<Svc, S, F, W> IfMatch<Svc, S, F, W>
where
    S: VersionStore,
    F: FindKey<S::Key>,
{
    #[expect(
        clippy::inline_always,
        reason = "each call moves a request, which costs more than the code"
    )]
    #[inline(always)]
    fn write<ReqBody, ResBody>(
        &mut self,
        observed: Observed,
        request: Request<ReqBody>,
    ) -> ResponseFuture<Svc, S, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        W: Runs<S, Svc, ReqBody>,
        ReqBody: Send + 'static,
        ResBody: RefusalBody + Send + 'static,
    {
        let guard = &self.guard;
        let (mut parts, body) = request.into_parts();
        let key = match self.find_key.find(&mut parts) {
            Found::Key(key) if !Lent::<S>::is_guarded(&parts.extensions) => key,
            found => {
                let state = self.write_without_key(&found, parts, body);
                return future!(self, observed, state);
            }
        };
        let fields = Fields::of(&parts.headers);
        let mut taken = guard.take(&parts);
        let unasked = guard
            .rules()
            .decide_unasked(&parts.method, fields.are_unconditional());
        let (clearance, held) = if guard.config.authorize.is_none()
            && let Some(Decision::Go { demand, waived }) = unasked
            && let Some(held) = guard.strategy.unopened()
        {
            (Clearance { demand, waived }, held)
        } else if W::OPENS_AT_ONCE
            && let Some(opened) = poll_once(guard.open(&key))
        {
            match State::opened(guard, &parts, &fields, &mut taken, &key, opened) {
                Ok(cleared) => cleared,
                Err(refused) => return future!(self, observed, refused),
            }
        } else {
            let waiting = Waiting { parts, body };
            let prepared = Box::pin(Arc::clone(guard).prepare(key, taken, waiting));
            let inner = self.take_ready();
            return future!(self, observed, State::Preparing { prepared, inner });
        };
        let kept = guard.keep(&parts, &fields, taken);
        let running = guard.hand_over(kept, key, clearance, held, &mut parts.extensions);
        let request = Request::from_parts(parts, body);
        future!(
            self,
            observed,
            State::Writing {
                inner: guard.strategy.run(self.inner.call(request), &running.held),
                running: Some(running),
            }
        )
    }

    /// A write to something that has no key, or whose key is already guarded.
    #[inline(never)]
    fn write_without_key<ReqBody, ResBody>(
        &mut self,
        found: &Found<S::Key>,
        mut parts: Parts,
        body: ReqBody,
    ) -> State<Svc, S, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
        W: Runs<S, Svc, ReqBody>,
        ResBody: RefusalBody + Send + 'static,
    {
        let guard = &self.guard;
        let fields = Fields::of(&parts.headers);
        let refusal = match found {
            Found::Key(_) => {
                tracing::error!("two layers for stores of the same type guard this route");
                Some(Refusal::new(Reason::Unkeyed))
            }
            Found::Misrouted(why) => {
                tracing::error!(why, "no key can be derived on this route");
                Some(Refusal::new(Reason::Unkeyed))
            }
            Found::NoResource => decide_unkeyed(&guard.config.conditions(&parts, &fields)),
            Found::Invalid => {
                let kept = Box::new(guard.keep(&parts, &fields, guard.take(&parts)));
                Lent::<S>::InvalidKey.put(&mut parts.extensions);
                return State::InvalidKey {
                    inner: self.forward(parts, body),
                    kept,
                };
            }
        };
        match refusal {
            Some(refusal) => {
                let kept = guard.keep(&parts, &fields, guard.take(&parts));
                State::answered(guard.config.responder.refuse(kept.head(), refusal))
            }
            None => State::Passing {
                inner: self.forward(parts, body),
            },
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "each call moves a request, which costs more than the code"
    )]
    #[inline(always)]
    fn read<ReqBody, ResBody>(
        &mut self,
        observed: Observed,
        request: Request<ReqBody>,
    ) -> ResponseFuture<Svc, S, W, ReqBody, ResBody>
    where
        Svc: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        W: Runs<S, Svc, ReqBody>,
        ResBody: RefusalBody + Send + 'static,
    {
        let guard = &self.guard;
        let (mut parts, body) = request.into_parts();
        let key = match self.find_key.find(&mut parts) {
            Found::Key(key) => key,
            found => {
                if let Found::Misrouted(why) = found {
                    tracing::error!(
                        why,
                        "no key can be derived on this route, so its reads are not tagged"
                    );
                }
                let inner = self.forward(parts, body);
                return future!(self, observed, State::Passing { inner });
            }
        };
        // The response to QUERY depends on more than the resource's version.
        let of_the_resource = matches!(parts.method, Method::GET | Method::HEAD);
        let asks = guard.config.version_before_body && of_the_resource;
        let at_once = if asks && S::ANSWERS_AT_ONCE {
            let current = guard.store.current(&key);
            let scope = guard.config.tags.scope();
            poll_once(timed(scope, Operation::Current, current)).and_then(Result::ok)
        } else {
            None
        };
        if asks && at_once.is_none() {
            let store = version_before(Arc::clone(guard), key);
            let waiting = Some(Box::new(Waiting { parts, body }));
            let inner = self.take_ready();
            let state = State::Asking {
                store,
                waiting,
                inner,
            };
            return future!(self, observed, state);
        }
        let reading = Reading::of(&guard.config, &parts, key, at_once.flatten());
        let reading = Some(reading);
        let inner = self.forward(parts, body);
        future!(self, observed, State::Reading { inner, reading })
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

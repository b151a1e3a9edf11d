use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_precondition::MethodClass;
use pin_project_lite::pin_project;
use tower_service::Service;
use version_store::VersionStore;

use super::guard::BulkGuard;
use super::strategy::BulkStrategy;
use super::write::respond;
use crate::body::RefusalBody;
use crate::request::Bufferable;
use crate::strategy::CompareAndSwap;
use crate::write::BoxFuture;

/// The service of a [`BulkLayer`](super::BulkLayer). [The module](super) describes what happens to a
/// request in it.
pub struct Bulk<Svc, S: VersionStore, W = CompareAndSwap> {
    inner: Svc,
    shared: Arc<BulkGuard<S, W>>,
}

impl<Svc, S: VersionStore, W> Bulk<Svc, S, W> {
    pub(super) fn new(inner: Svc, shared: Arc<BulkGuard<S, W>>) -> Self {
        Self { inner, shared }
    }
}

impl<Svc, S, W, ReqBody, ResBody> Service<Request<ReqBody>> for Bulk<Svc, S, W>
where
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    Svc::Future: Send,
    S: VersionStore,
    W: BulkStrategy<S>,
    ReqBody: Bufferable + 'static,
    ResBody: RefusalBody + Send + 'static,
{
    type Response = Response<ResBody>;
    type Error = Svc::Error;
    type Future = BulkFuture<Svc::Future, Response<ResBody>, Svc::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let state = if MethodClass::of(request.method()) == MethodClass::Write {
            // Take the service that was polled ready, and leave its clone behind.
            let clone = self.inner.clone();
            let ready = std::mem::replace(&mut self.inner, clone);
            let shared = Arc::clone(&self.shared);
            BulkState::Writing {
                answer: Box::pin(respond(shared, request, ready)),
            }
        } else {
            BulkState::Passing {
                inner: self.inner.call(request),
            }
        };
        BulkFuture { state }
    }
}

pin_project! {
    /// The future of [`Bulk`].
    pub struct BulkFuture<F, R, E> {
        #[pin]
        state: BulkState<F, R, E>,
    }
}

pin_project! {
    #[project = BulkStateProjection]
    enum BulkState<F, R, E> {
        /// Not guarded: the inner service responds.
        Passing { #[pin] inner: F },
        /// A bulk write. It reads a body and looks up every item, so one more allocation is negligible.
        Writing { answer: BoxFuture<Result<R, E>> },
    }
}

impl<F, R, E> Future for BulkFuture<F, R, E>
where
    F: Future<Output = Result<R, E>>,
{
    type Output = Result<R, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            BulkStateProjection::Passing { inner } => inner.poll(cx),
            BulkStateProjection::Writing { answer } => answer.as_mut().poll(cx),
        }
    }
}

impl<F, R, E> fmt::Debug for BulkFuture<F, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkFuture").finish_non_exhaustive()
    }
}

/// Not derived: `derive` would require `Clone` of the type parameters, although this is one shared pointer.
impl<Svc: Clone, S: VersionStore, W> Clone for Bulk<Svc, S, W> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<Svc: fmt::Debug, S: VersionStore, W> fmt::Debug for Bulk<Svc, S, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk")
            .field("inner", &self.inner)
            .field("shared", &self.shared)
            .finish()
    }
}

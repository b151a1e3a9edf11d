use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Extensions, Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;
use tracing::Instrument;
use version_store::handover::{Ending, Made, OtherStrategy, Slot};
use version_store::{Expected, KeyEncoder, Version, VersionStore};

use super::locks::{Lock, Locks};
use super::{Buffers, OpenError, OpenResult, Opened, Runs, Settled, Strategy};
use crate::body::RefusalBody;
use crate::observe::waited;
use crate::request::{BufferLimits, Bufferable, Unbuffered};
use crate::sync::{Arc, JoinHandle, spawn, within};
use crate::tag::Scope;

/// A lock for each resource around the handler, for handlers that cannot be changed.
///
/// The handler writes as it always did, without a word about versions. What it needs:
///
/// - **All writers of a resource go through clones of this one value**, so all within one process,
///   whatever the scopes of their layers. Layers for another table or collection take a value of their
///   own: post 7 and comment 7 would share a lock, and a handler that writes both wait for itself.
/// - **The version changes with the data**, by a trigger or by the statements. A success that leaves it
///   as it was is a warning in the log.
///
/// A path without parameters is a collection to [`PathKey`](crate::PathKey), and its writes go unguarded,
/// which nothing here finds out: find the key of a resource such as `/settings` with a closure.
///
/// A method that does not create is answered 404 where the resource is absent, without the handler:
/// it would not know that it may not create.
///
/// The content is read to its end first, then the lock is waited for. The handler runs to its end in a
/// task of its own, whether or not the client stays, and the lock ends with it: a write that was begun
/// is never overtaken by another one that believes it was not. A handler that panics is answered 500.
///
/// ```
/// use axum::{Router, routing::get};
/// use tower_if_match::{IfMatchLayer, MemoryStore, PathKey, SingleProcess};
/// # async fn read() {}
/// # async fn replace() {}
///
/// # let posts: MemoryStore<u64, String> = MemoryStore::new();
/// let locks = SingleProcess::new();
/// let guard = IfMatchLayer::new("posts", posts, PathKey).with_strategy(locks.clone());
/// let app: Router = Router::new()
///     .route("/posts/{id}", get(read).put(replace).route_layer(guard));
/// # async fn serve(_: Router) {}
/// # async move {
/// serve(app).await;
/// locks.drained().await; // handlers whose clients left may still be at work
/// # };
/// ```
#[derive(Clone)]
pub struct SingleProcess {
    locks: Locks,
    at_work: Arc<Semaphore>,
    most: u32,
    wait_timeout: Duration,
    limits: BufferLimits,
    /// For metrics: keys alone name the locks.
    scope: Scope,
}

impl SingleProcess {
    /// Locks for the writers of this process.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a request waits for the resource, and for its turn among those at work, before it is
    /// answered 503 `busy`.
    ///
    /// Default: 5 seconds.
    #[must_use]
    pub fn with_wait_timeout(self, wait_timeout: Duration) -> Self {
        Self {
            wait_timeout,
            ..self
        }
    }

    /// How many handlers may run at once, including those whose clients have left.
    ///
    /// Default: 1024.
    ///
    /// # Panics
    ///
    /// If the value has been cloned already: the clones would keep a count of their own.
    ///
    /// ```should_panic
    /// use tower_if_match::SingleProcess;
    ///
    /// let locks = SingleProcess::new();
    /// let clone = locks.clone();
    /// let locks = locks.with_most_at_work(8); // panics: `clone` would not know
    /// # drop(clone);
    /// ```
    #[must_use]
    pub fn with_most_at_work(mut self, most: u32) -> Self {
        let at_work = Arc::get_mut(&mut self.at_work)
            .expect("`with_most_at_work` comes before the value is cloned");
        *at_work = Semaphore::new(most as usize);
        self.most = most;
        self
    }

    /// How many bytes of the body are read before the lock is taken. More is 413.
    ///
    /// Default: 2 MiB.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.limits.limit = bytes;
        self
    }

    /// How long the body may take to arrive. Longer is 408.
    ///
    /// Default: 30 seconds.
    #[must_use]
    pub fn with_body_timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Waits until no handler is at work any more, for the end of the program. Stop serving first: writes
    /// that come meanwhile wait until it is through.
    pub async fn drained(&self) {
        // Never closed, so there is no error.
        let _all = self.at_work.acquire_many(self.most).await;
    }

    /// How many resources are locked or waited for: for a metric.
    pub fn locked(&self) -> usize {
        self.locks.len()
    }

    /// Reads the current version under the lock of this name.
    pub(crate) async fn open_under<S: VersionStore>(
        &self,
        scope: &Scope,
        name: KeyEncoder,
        store: &S,
        key: &S::Key,
    ) -> OpenResult<S, UnderLock<S::Revision>> {
        let lock = waited(scope, self.lock(name)).await;
        let at_work = lock.ok_or(OpenError::Busy)?;
        let current = store.current(key).await?;
        let before = current.clone();
        Ok(Opened {
            current,
            held: UnderLock { at_work, before },
        })
    }

    pub(crate) async fn lock(&self, key: KeyEncoder) -> Option<Arc<AtWork>> {
        within(self.wait_timeout, async {
            let lock = self.locks.lock(key).await;
            let permit = Arc::clone(&self.at_work).acquire_owned().await.ok()?;
            Some(Arc::new(AtWork {
                _lock: lock,
                _permit: permit,
            }))
        })
        .await?
    }
}

impl Default for SingleProcess {
    fn default() -> Self {
        const MOST: u32 = 1024;
        Self {
            locks: Locks::default(),
            at_work: Arc::new(Semaphore::new(MOST as usize)),
            most: MOST,
            wait_timeout: Duration::from_secs(5),
            limits: BufferLimits::default(),
            scope: Scope::default(),
        }
    }
}

/// What ends when both the handler and the settling are through.
#[derive(Debug)]
pub(crate) struct AtWork {
    _lock: Lock,
    _permit: OwnedSemaphorePermit,
}

/// The lock, and the version that the handler found.
#[derive(Debug)]
pub struct UnderLock<R> {
    at_work: Arc<AtWork>,
    before: Option<Version<R>>,
}

impl<S: VersionStore> Strategy<S> for SingleProcess {
    type Held = UnderLock<S::Revision>;

    const HOLDS: bool = true;
    const HANDS_OVER: bool = false;
    const OPENS_AT_ONCE: bool = false;

    fn for_scope(mut self, scope: &Scope) -> Self {
        self.scope = scope.clone();
        self
    }

    async fn open(&self, store: &S, key: &S::Key) -> OpenResult<S, Self::Held> {
        self.open_under(&self.scope, KeyEncoder::of(key), store, key)
            .await
    }

    /// Nothing: a handler that asks for `Expected` stands under the wrong way, and is told so.
    fn hand_over(&self, _: &mut Self::Held, _: &Slot<Expected<S>>, to: &mut Extensions) {
        OtherStrategy::<S>::mark(to);
    }

    fn settle_at_once(
        &self,
        _: &mut Self::Held,
        _: &Slot<Expected<S>>,
    ) -> Option<Settled<S::Revision>> {
        None
    }

    /// What the handler did is read off the version, still under the lock.
    async fn settle(
        &self,
        held: Self::Held,
        store: &S,
        slot: &Slot<Expected<S>>,
        success: bool,
    ) -> Settled<S::Revision> {
        if !success {
            return Settled::Ended(Ending::Unchanged);
        }
        Settled::Ended(match (store.current(slot.key()).await, held.before) {
            (Ok(Some(now)), Some(before)) if now.same_state(&before) => {
                tracing::warn!(
                    "a handler succeeded and left the version as it was; if it wrote, nothing \
                     advances the version, and the next write under the same tag destroys this one"
                );
                Ending::Unchanged
            }
            (Ok(Some(version)), _) => Ending::Written(Made::version(version)),
            (Ok(None), Some(_)) => Ending::Written(Made::removal()),
            (Ok(None), None) => Ending::Unchanged,
            (Err(error), _) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a write is done, but the store cannot tell which version it made; it is \
                     answered without a tag"
                );
                Ending::Unchanged
            }
        })
    }
}

impl<ReqBody: Bufferable> Buffers<ReqBody> for SingleProcess {
    async fn buffer(&self, body: ReqBody) -> Result<ReqBody, Unbuffered> {
        self.limits.buffer(body).await
    }
}

impl<S, Svc, ReqBody, ResBody> Runs<S, Svc, ReqBody> for SingleProcess
where
    S: VersionStore,
    Svc: Service<Request<ReqBody>, Response = Response<ResBody>>,
    Svc::Future: Send + 'static,
    Svc::Error: Send + 'static,
    Self: Buffers<ReqBody>,
    ResBody: RefusalBody + Send + 'static,
{
    type Running = Task<Result<Response<ResBody>, Svc::Error>>;

    fn run(&self, inner: Svc::Future, held: &Self::Held) -> Self::Running {
        let at_work = Arc::clone(&held.at_work);
        let to_its_end = async move {
            let answer = inner.await;
            drop(at_work);
            answer
        };
        Task(spawn(to_its_end.in_current_span()))
    }
}

/// A handler that runs to its end, whether or not this is dropped.
#[derive(Debug)]
pub struct Task<T>(JoinHandle<T>);

impl<B: RefusalBody, E> Future for Task<Result<Response<B>, E>> {
    type Output = Result<Response<B>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(%error, "a handler panicked; its write may have happened");
                let mut response = Response::new(B::from_text(Bytes::new()));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                Ok(response)
            }
        })
    }
}

impl fmt::Debug for SingleProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleProcess")
            .field("locked", &self.locked())
            .field("wait_timeout", &self.wait_timeout)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

use std::fmt;
use std::time::Duration;

use http::{Extensions, Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;
use tracing::Instrument;
use version_store::handover::{Ending, Lent, Made, Slot};
use version_store::{Expected, KeyEncoder, Version, VersionStore};

use super::locks::{Lock, Locks};
use super::task::Task;
use super::{Buffers, OpenError, OpenResult, Opened, Runs, Settled, Strategy};
use crate::body::RefusalBody;
use crate::observe::waited;
use crate::request::{BufferLimits, Bufferable, Unbuffered};
use crate::sync::{Arc, spawn, within};
use crate::tag::Scope;

/// A lock per resource around the handler, for handlers that you cannot change.
///
/// The handler writes as before and knows nothing about versions. Two conditions must hold:
///
/// - **All writers of a resource use clones of this one value**, so they are all in one process, whatever the
///   scopes of their layers. Use a separate value for the layers of another table or collection: otherwise
///   post 7 and comment 7 share a lock, and a handler that writes both waits for itself.
/// - **The version changes with the data**, through a trigger or in the statements. A success that leaves it
///   unchanged is logged as a warning.
///
/// [`PathKey`](crate::PathKey) treats a path without parameters as a collection, so its writes are unguarded,
/// and nothing here detects that: find the key of a resource such as `/settings` with a closure.
///
/// If the resource is absent and a condition was sent or is required, a method that does not create gets 404
/// without calling the handler, because the handler does not know that it must not create.
///
/// The body is buffered before locking. The handler runs in its own task and keeps the lock until it
/// finishes, even if the client disconnects: no later write can slip in between and mistake an unfinished
/// write for one that never began. If the handler panics, the response is 500.
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
/// locks.drained().await; // handlers whose clients disconnected may still be running
/// # };
/// ```
#[derive(Clone)]
pub struct SingleProcess {
    locks: Locks,
    at_work: Arc<Semaphore>,
    most: u32,
    wait_timeout: Duration,
    limits: BufferLimits,
    /// For metrics only: locks are named by keys alone.
    scope: Scope,
}

impl SingleProcess {
    /// Locks for the writers of this process.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a request waits for the resource, and for one of the slots of
    /// [`with_most_at_work`](Self::with_most_at_work), before it is answered 503 `busy`.
    ///
    /// Default: 5 seconds.
    #[must_use]
    pub fn with_wait_timeout(self, wait_timeout: Duration) -> Self {
        Self {
            wait_timeout,
            ..self
        }
    }

    /// How many handlers may run at once, including those whose clients have disconnected.
    ///
    /// Default: 1024.
    ///
    /// # Panics
    ///
    /// Panics if the value has already been cloned: the clones would not see the new limit.
    ///
    /// ```should_panic
    /// use tower_if_match::SingleProcess;
    ///
    /// let locks = SingleProcess::new();
    /// let clone = locks.clone();
    /// let locks = locks.with_most_at_work(8); // panics: `clone` would not see it
    /// # drop(clone);
    /// ```
    #[must_use]
    pub fn with_most_at_work(mut self, most: u32) -> Self {
        let at_work = Arc::get_mut(&mut self.at_work)
            .expect("`with_most_at_work` must be called before the value is cloned");
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

    /// Waits until no handler is running any more, for a graceful shutdown. Stop serving first: writes that
    /// arrive in the meantime wait until this returns.
    pub async fn drained(&self) {
        // The semaphore is never closed, so there is no error.
        let _all = self.at_work.acquire_many(self.most).await;
    }

    /// How many resources are locked or awaited, for use as a metric.
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

/// What is released once both the handler and the settling are done.
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

    /// Nothing: a handler that extracts `Expected` runs under the wrong strategy, and its rejection says so.
    fn hand_over(&self, _: &mut Self::Held, _: &Slot<Expected<S>>, to: &mut Extensions) {
        Lent::<S>::OtherStrategy.put(to);
    }

    fn settle_at_once(
        &self,
        _: &mut Self::Held,
        _: &Slot<Expected<S>>,
    ) -> Option<Settled<S::Revision>> {
        None
    }

    /// Compares versions, still under the lock, to see what the handler did.
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
                    "a handler succeeded but the version is unchanged; if it wrote, nothing advances \
                     the version, and the next write with the same tag will destroy this one"
                );
                Ending::Unchanged
            }
            (Ok(Some(version)), _) => Ending::Written(Made::version(version)),
            (Ok(None), Some(_)) => Ending::Written(Made::removal()),
            (Ok(None), None) => Ending::Unchanged,
            (Err(error), _) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a write succeeded, but the store cannot tell its new version; the response has \
                     no tag"
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

impl fmt::Debug for SingleProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleProcess")
            .field("locked", &self.locked())
            .field("wait_timeout", &self.wait_timeout)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

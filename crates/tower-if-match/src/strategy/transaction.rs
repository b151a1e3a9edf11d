use std::fmt;
use std::time::Duration;

use http::{Extensions, Request};
use tower_service::Service;
use version_store::handover::{Ending, Lent, Made, Slot};
use version_store::{Begun, Demand, Expected, Transactional, Version, Versions};

use super::locks::{Lock, Locks};
use super::{Buffers, OpenError, OpenResult, Opened, Runs, Settled, Strategy, in_scope};
use crate::observe::waited;
use crate::refusal::Reason;
use crate::request::{BufferLimits, Bufferable, Unbuffered};
use crate::sync::within;
use crate::tag::Scope;

mod end;

pub(crate) use end::{Ended, Loan, end};

/// A transaction of the store around the handler, for handlers that know nothing about versions. It works with
/// any number of processes.
///
/// The handler takes the open transaction, [`Tx`], and writes in it as before. If it responds with a status
/// below 400, the layer advances the version, commits, and only then sends the response. Otherwise the
/// transaction is rolled back.
///
/// The body is buffered before the transaction begins. Of all requests that want the same resource and go
/// through clones of this value, only one holds a connection.
///
/// [`Tx`]: crate::Tx
#[derive(Clone)]
pub struct Transaction {
    /// Keeps the waiters of this process from each holding a connection.
    pub(crate) turns: Locks,
    scope: Scope,
    pub(crate) wait_timeout: Duration,
    limits: BufferLimits,
}

impl Transaction {
    /// Transactions of the layer's store.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a request waits for the resource and a connection before it is answered 503 `busy`. The store
    /// has timeouts of its own for what it waits for in the database.
    ///
    /// Default: 10 seconds.
    #[must_use]
    pub fn with_wait_timeout(self, wait_timeout: Duration) -> Self {
        Self {
            wait_timeout,
            ..self
        }
    }

    /// How many bytes of the body are read before the transaction begins. More is 413.
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
}

impl Default for Transaction {
    fn default() -> Self {
        Self {
            turns: Locks::default(),
            scope: Scope::default(),
            wait_timeout: Duration::from_secs(10),
            limits: BufferLimits::default(),
        }
    }
}

/// The transaction on loan, and the version that it read.
pub struct InTransaction<S: Transactional> {
    loan: Loan<S>,
    before: Option<Version<S::Revision>>,
    /// Dropped after the transaction, so that the next request in this process finds it ended.
    _turn: Lock,
}

impl<S: Transactional> Strategy<S> for Transaction {
    type Held = InTransaction<S>;

    const HOLDS: bool = true;
    const UNDOES_UNSETTLED: bool = true;
    const OPENS_AT_ONCE: bool = false;

    fn for_scope(mut self, scope: &Scope) -> Self {
        self.scope = scope.clone();
        self
    }

    async fn open(&self, store: &S, key: &S::Key) -> OpenResult<S, Self::Held> {
        let opened = within(self.wait_timeout, async {
            let turn = self.turns.lock(in_scope(&self.scope, key));
            let turn = waited(&self.scope, turn).await;
            let Begun {
                transaction,
                mut current,
            } = store.begin(std::slice::from_ref(key)).await?;
            let current = current.pop().flatten();
            let before = current.clone();
            Ok(Opened {
                current,
                held: InTransaction {
                    loan: Loan::of(transaction),
                    before,
                    _turn: turn,
                },
            })
        });
        opened.await.unwrap_or(Err(OpenError::Busy))
    }

    /// Not `Expected`: a handler that extracts it runs under the wrong strategy, and its rejection says so.
    fn hand_over(&self, held: &mut Self::Held, _: &Slot<Expected<S>>, to: &mut Extensions) {
        Lent::<S>::OtherStrategy.put(to);
        held.loan.hand_over(to);
    }

    fn settle_at_once(
        &self,
        _: &mut Self::Held,
        _: &Slot<Expected<S>>,
    ) -> Option<Settled<S::Revision>> {
        None
    }

    async fn settle(
        &self,
        held: Self::Held,
        store: &S,
        slot: &Slot<Expected<S>>,
        success: bool,
    ) -> Settled<S::Revision> {
        let keys = std::slice::from_ref(slot.key());
        let existed = held.before.is_some();
        // Nothing was evaluated: a method that does not create was passed on to the handler's 404.
        let nothing = matches!(slot.demand(), Demand::Never);
        let allowed = |made: &Versions<S>| !(nothing && made.iter().any(Option::is_some));
        let before = &[held.before];
        let ended = match end(
            store,
            &held.loan,
            keys,
            before,
            success,
            self.wait_timeout,
            allowed,
        )
        .await
        {
            Ended::Untaken => Ending::Untaken,
            Ended::Kept => Ending::Unsettled,
            Ended::Forbidden => Ending::Lost,
            Ended::Committed(made) => match made.into_iter().next().flatten() {
                Some(version) => Ending::Written(Made::version(version)),
                None if existed => Ending::Written(Made::removal()),
                None => Ending::Unchanged,
            },
            Ended::Unknown => return Settled::Refused(Reason::OutcomeUnknown),
            Ended::RolledBack(reason) => {
                let otherwise = match reason {
                    Some(reason) => Settled::Refused(reason),
                    None => Settled::Ended(Ending::Unchanged),
                };
                return after_rollback(store, slot, otherwise).await;
            }
        };
        Settled::Ended(ended)
    }
}

/// The outcome of a write that was rolled back: if its condition no longer holds, it has lost, whatever made
/// it fail (a unique violation, a deadlock).
async fn after_rollback<S: Transactional>(
    store: &S,
    slot: &Slot<Expected<S>>,
    otherwise: Settled<S::Revision>,
) -> Settled<S::Revision> {
    match store.current(slot.key()).await {
        Ok(current) if lost(slot, current.as_ref()) => Settled::Ended(Ending::Lost),
        _ => otherwise,
    }
}

/// Whether the write has lost. Where nothing was evaluated, nothing that exists may be written, so that write
/// has lost only if the resource has appeared.
fn lost<S: Transactional>(
    slot: &Slot<Expected<S>>,
    current: Option<&Version<S::Revision>>,
) -> bool {
    match slot.demand() {
        Demand::Never => current.is_some(),
        demand => !demand.admits(current),
    }
}

impl<ReqBody: Bufferable> Buffers<ReqBody> for Transaction {
    async fn buffer(&self, body: ReqBody) -> Result<ReqBody, Unbuffered> {
        self.limits.buffer(body).await
    }
}

impl<S, Svc, ReqBody> Runs<S, Svc, ReqBody> for Transaction
where
    S: Transactional,
    Svc: Service<Request<ReqBody>>,
    Self: Buffers<ReqBody>,
{
    type Running = Svc::Future;

    fn run(&self, inner: Svc::Future, _: &Self::Held) -> Svc::Future {
        inner
    }
}

impl<S: Transactional> fmt::Debug for InTransaction<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InTransaction")
            .field("before", &self.before)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("wait_timeout", &self.wait_timeout)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

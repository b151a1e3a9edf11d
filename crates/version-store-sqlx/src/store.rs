use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Pool;
use sqlx_core::transaction::TransactionManager;
use version_store::{KeyEncoder, Version, VersionStore};

use crate::check::{Source, check};
use crate::driver::{Driver, Isolation, LockId, Plan};
use crate::key::KeyColumns;
use crate::lease::Lease;
use crate::select::{Statements, arguments};
use crate::{Dialect, Error, ErrorKind, OpenError, SqlKey, Table};

/// A database that the stores know: sqlx's `Sqlite`, `Postgres` and `MySql`. Sealed.
pub trait Backend: Driver {}

/// The versions of the rows of one table, and conditional writes to it.
///
/// A cheap handle on two pools: the application's, which answers [`current`](VersionStore::current), and
/// one of its own for [`compare_and_swap`](Self::compare_and_swap) and for
/// [`Transactional`](version_store::Transactional). So a handler that holds a transaction can take another
/// connection from the application's pool. In MariaDB `current` has connections of its own, too (as many
/// as the application's pool may have), because the application's may show what stood there earlier: a
/// `BEGIN` whose future was dropped before its answer stays open on the connection, and sqlx does not know.
pub struct SqlVersions<D: Backend, K> {
    pub(crate) shared: Arc<Shared<D>>,
    key: PhantomData<fn() -> K>,
}

pub(crate) struct Shared<D: Backend> {
    table: Table,
    /// What `current` is answered by.
    reads: Pool<D>,
    pub(crate) transactions: Pool<D>,
    pub(crate) plan: Plan,
    pub(crate) statements: Statements,
    /// What the locks of this table's keys begin with.
    identity: Vec<u8>,
}

/// How a store's transactions are made.
///
/// | | default |
/// | --- | --- |
/// | [connections](Self::with_connections) | 8; SQLite has one writer, and so one |
/// | [patience](Self::with_wait_timeout) | 5 seconds |
/// | [idle limit](Self::with_idle_limit) | 60 seconds |
/// | [isolation](Self::with_isolation) | read committed |
#[derive(Clone, Copy, Debug)]
pub struct Transactions {
    connections: u32,
    plan: Plan,
}

impl Default for Transactions {
    fn default() -> Self {
        Self {
            connections: 8,
            plan: Plan {
                isolation: Isolation::default(),
                patience: Duration::from_secs(5),
                idle: Duration::from_mins(1),
            },
        }
    }
}

impl Transactions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many transactions may be open at once, each with a connection. Further ones wait. At least 1;
    /// SQLite always has 1.
    #[must_use]
    pub fn with_connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// How long a transaction waits, each time, for its connection, for a lock, for a row. Then it fails
    /// as [busy](ErrorKind::Busy).
    #[must_use]
    pub fn with_wait_timeout(mut self, patience: Duration) -> Self {
        self.plan.patience = patience;
        self
    }

    /// How long a transaction may do nothing before PostgreSQL or MariaDB ends it: what frees the row when
    /// the process that holds it has vanished from the network.
    #[must_use]
    pub fn with_idle_limit(mut self, idle: Duration) -> Self {
        self.plan.idle = idle;
        self
    }

    /// How far transactions are kept from each other.
    #[must_use]
    pub fn with_isolation(mut self, isolation: Isolation) -> Self {
        self.plan.isolation = isolation;
        self
    }
}

impl<D: Backend, K: SqlKey> SqlVersions<D, K> {
    /// Checks the table, and opens the store on it, with the default [`Transactions`].
    ///
    /// # Errors
    ///
    /// [`OpenError`], one line that tells what the table lacks.
    pub async fn open(pool: Pool<D>, table: Table) -> Result<Self, OpenError> {
        Self::open_with(pool, table, Transactions::default()).await
    }

    /// Checks the table, and opens the store on it.
    ///
    /// The pool for transactions is made with the options of the application's, its hooks for new
    /// connections included; the hook for connections that are given back is the store's own.
    ///
    /// # Errors
    ///
    /// [`OpenError`], one line that tells what the table lacks.
    pub async fn open_with(
        pool: Pool<D>,
        table: Table,
        transactions: Transactions,
    ) -> Result<Self, OpenError> {
        let name = table.name.clone();
        let failed = |error| OpenError::failed(&name, error);
        if let Some(unusable) = table.unusable_name() {
            return Err(OpenError::unfit(&name, unusable));
        }
        let own = own_pool(&pool, transactions);
        let mut lease = Lease::from_pool(&pool).await.map_err(failed)?;
        let found = D::inspect(lease.connection(), &table)
            .await
            .map_err(failed)?;
        lease.give_back();
        let source = check(D::DIALECT, &table, &KeyColumns::of::<K>(), &found)
            .map_err(|unfit| OpenError::unfit(&name, unfit))?;

        // A private in-memory database, and a search path that was set by hand, are of one connection.
        let mut lease = Lease::from_pool(&own).await.map_err(failed)?;
        let again = D::inspect(lease.connection(), &table)
            .await
            .map_err(failed)?;
        lease.give_back();
        if again.identity != found.identity {
            return Err(OpenError::unfit(
                &name,
                "a second connection, made with the options of the pool, does not find the same table",
            ));
        }
        let next_is_default = source == Source::Default && D::DIALECT != Dialect::Sqlite;
        let statements = Statements::new(D::DIALECT, &table, &found, next_is_default);
        let shared = Shared {
            reads: if D::RECOVERS { pool } else { apart(&pool) },
            transactions: own,
            plan: transactions.plan,
            statements,
            identity: found.identity.unwrap_or_default(),
            table,
        };
        Ok(Self {
            shared: Arc::new(shared),
            key: PhantomData,
        })
    }

    /// The table, as it was described.
    pub fn table(&self) -> &Table {
        &self.shared.table
    }

    /// What a key of this table is locked by.
    pub(crate) fn lock_id(&self, key: &K) -> LockId {
        let mut hasher = blake3::Hasher::new();
        // Its length keeps a name's end from being taken for a key's beginning.
        hasher.update(&(self.shared.identity.len() as u64).to_be_bytes());
        hasher.update(&self.shared.identity);
        hasher.update(KeyEncoder::of(key).as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        LockId(id)
    }

    /// The version of a row, on this connection.
    pub(crate) async fn read(
        &self,
        connection: &mut D::Connection,
        key: &K,
        sql: &Arc<str>,
    ) -> Result<Option<Version>, Error> {
        let Some(arguments) = arguments::<D>(key).map_err(busy_or_failed::<D>)? else {
            return Ok(None);
        };
        let rows = D::query(connection, Arc::clone(sql), arguments).await;
        let rows = rows.map_err(busy_or_failed::<D>)?;
        rows.first()
            .map(|row| self.shared.statements.version::<D>(row))
            .transpose()
    }
}

/// Connections that nobody else sends statements on.
fn apart<D: Backend>(pool: &Pool<D>) -> Pool<D> {
    let options = pool.options().clone().min_connections(0);
    options.connect_lazy_with((*pool.connect_options()).clone())
}

/// The pool for transactions.
fn own_pool<D: Backend>(pool: &Pool<D>, transactions: Transactions) -> Pool<D> {
    let connections = match D::DIALECT {
        Dialect::Sqlite => 1,
        Dialect::Postgres | Dialect::MariaDb => transactions.connections,
    };
    let patience = transactions.plan.patience;
    let options = pool.options().clone();
    let options = options.min_connections(0).max_connections(connections);
    options
        .acquire_timeout(patience)
        .after_release(|connection, _| {
            Box::pin(async move {
                // It also waits for the end of whatever was dropped midway.
                D::send(connection, D::RELEASE.to_owned()).await?;
                Ok(D::TransactionManager::get_transaction_depth(connection) == 0)
            })
        })
        .connect_lazy_with(D::bounded((*pool.connect_options()).clone(), patience))
}

impl<D: Backend, K: SqlKey> VersionStore for SqlVersions<D, K> {
    type Key = K;
    type Revision = u64;
    type Error = Error;

    fn is_busy(error: &Error) -> bool {
        error.is_busy()
    }

    /// One `SELECT`.
    async fn current(&self, key: &K) -> Result<Option<Version>, Error> {
        let lease = Lease::from_pool(&self.shared.reads).await;
        let mut lease = lease.map_err(busy_or_failed::<D>)?;
        let version = self
            .read(lease.connection(), key, &self.shared.statements.current)
            .await;
        lease.give_back();
        version
    }
}

/// Another handle on the same pools. Not derived: that would ask the key to be `Clone` in vain.
impl<D: Backend, K> Clone for SqlVersions<D, K> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            key: PhantomData,
        }
    }
}

impl<D: Backend, K> fmt::Debug for SqlVersions<D, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlVersions")
            .field("table", &self.shared.table)
            .finish_non_exhaustive()
    }
}

/// An error of a statement that was no COMMIT.
pub(crate) fn busy_or_failed<D: Driver>(error: sqlx::Error) -> Error {
    let busy = matches!(error, sqlx::Error::PoolTimedOut) || D::is_busy(&error);
    Error::new(
        if busy {
            ErrorKind::Busy
        } else {
            ErrorKind::Failed
        },
        error,
    )
}

//! Posts in PostgreSQL.
//!
//! A conditional write is one statement, which commits by itself: a row comes back, or nobody's write was
//! destroyed. Versions, incarnations and dates are made by triggers: see `migrations`. So a write in a transaction
//! that the layer opened needs no word about them at all.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};
use tower_if_match::{
    Conflict, Conflicts, Demand, Expected, Version, VersionStore, Versioned, WriteError,
};

use version_store_sqlx::{PgVersions, Transactions};

use super::{OpenError, PostStore, Put, StoreError, conflict, migrations, table};
use crate::post::{Draft, Post, PostId};

mod statements;
mod transaction;

/// How long anybody waits for a connection, and again for a lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections for reads; as many again for writes that are one statement, and for transactions. Writers
/// wait for each other, and readers for nobody.
const CONNECTIONS: u32 = 8;

/// The store behind `--store postgres://…`. A cheap handle on three pools.
#[derive(Clone, Debug)]
pub struct PostgresPosts {
    read: PgPool,
    write: PgPool,
    /// For transactions.
    versions: PgVersions<PostId>,
}

impl PostgresPosts {
    /// Connects to the database that the URL names, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from being opened.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let options = options(url)?;
        migrate(&options).await?;
        let patient = format!("{}ms", PATIENCE.as_millis());
        let options = options.options([("lock_timeout", patient)]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE);
        let read = pool.clone().connect_lazy_with(options.clone());
        let write = pool.connect_lazy_with(options);
        let versions = PgVersions::open_with(read.clone(), table(), transactions()).await?;
        Ok(Self {
            read,
            write,
            versions,
        })
    }

    /// Closes all connections; those that are in use as soon as they are not.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

/// What the URL says, and what the statements rely on, whatever the server's defaults are: they look
/// again at a row that they waited for.
fn options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    let options = match options.get_application_name() {
        None => options.application_name("posts"),
        Some(_) => options,
    };
    Ok(options.options([("default_transaction_isolation", "read committed")]))
}

/// As many as there are connections of any other kind, and as patient.
fn transactions() -> Transactions {
    Transactions::new()
        .with_connections(CONNECTIONS)
        .with_wait_timeout(PATIENCE)
}

/// A connection. Where there is none at all the database is away, and not busy.
async fn acquire(pool: &PgPool) -> Result<PoolConnection<sqlx::Postgres>, StoreError> {
    match pool.acquire().await {
        Err(error @ sqlx::Error::PoolTimedOut) if pool.size() == 0 => {
            Err(StoreError::Failed(error.into()))
        }
        acquired => Ok(acquired?),
    }
}

/// Brings the tables up to date. Of processes that start together one does it, and the others wait for
/// the lock that sqlx takes in the database, as long as that may be.
async fn migrate(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    migrations::postgres().run(&mut connection).await?;
    connection.close().await
}

impl VersionStore for PostgresPosts {
    type Key = PostId;
    type Revision = u64;
    type Error = StoreError;

    /// The triggers see to it, across incarnations too.
    fn dates_advance(&self) -> bool {
        true
    }

    fn is_busy(error: &StoreError) -> bool {
        matches!(error, StoreError::Busy(_))
    }

    async fn current(&self, id: &PostId) -> Result<Option<Version>, StoreError> {
        let mut db = acquire(&self.read).await?;
        Ok(statements::version(&mut db, *id).await?)
    }
}

impl Conflicts for PostgresPosts {
    async fn conflict(
        &self,
        id: &PostId,
        held: Option<&Version>,
    ) -> Result<Option<Conflict>, StoreError> {
        let mut db = acquire(&self.read).await?;
        let found = statements::post_beside(&mut db, *id, held).await?;
        Ok(found.map(|(current, earlier)| conflict(current, earlier.as_ref())))
    }
}

impl PostStore for PostgresPosts {
    type Versions = Self;

    fn versions(&self) -> Self {
        self.clone()
    }

    async fn list(&self) -> Result<Vec<Versioned<Post>>, StoreError> {
        let mut db = acquire(&self.read).await?;
        Ok(statements::posts(&mut db).await?)
    }

    async fn read(&self, id: PostId) -> Result<Option<Versioned<Post>>, StoreError> {
        let mut db = acquire(&self.read).await?;
        Ok(statements::post(&mut db, id).await?)
    }

    async fn create(&self, draft: Draft) -> Result<Versioned<Post>, StoreError> {
        let mut db = acquire(&self.write).await?;
        loop {
            let created = statements::create(&mut db, &draft).await;
            if let Some(created) = created.map_err(unless_refused)? {
                return Ok(created);
            }
        }
    }

    async fn put(
        &self,
        draft: Draft,
        expected: Expected<Self>,
    ) -> Result<Put, WriteError<StoreError>> {
        let id = *expected.key();
        let mut db = acquire(&self.write).await?;
        let written = match expected.demand() {
            Demand::Version(version) => statements::update(&mut db, id, version, &draft).await,
            Demand::Exists => statements::update_existing(&mut db, id, &draft).await,
            Demand::NotExists => statements::insert(&mut db, id, &draft).await,
            Demand::Any => statements::put(&mut db, id, &draft).await.map(Some),
            Demand::Never => Ok(None),
        };
        match written.map_err(unless_refused)? {
            Some(written) => {
                expected.written(written.version().clone());
                Ok(Put::of(written))
            }
            None => Err(expected.lost().into()),
        }
    }

    async fn remove(&self, expected: Expected<Self>) -> Result<(), WriteError<StoreError>> {
        let id = *expected.key();
        let mut db = acquire(&self.write).await?;
        let (removed, was_there) = match expected.demand() {
            Demand::Version(version) => (statements::delete(&mut db, id, version).await, true),
            Demand::Exists => (statements::delete_existing(&mut db, id).await, true),
            Demand::Any => (statements::delete_existing(&mut db, id).await, false),
            Demand::NotExists | Demand::Never => (Ok(false), false),
        };
        if removed.map_err(unless_refused)? {
            expected.removed();
            return Ok(());
        }
        let found = statements::version(&mut db, id).await;
        if was_there || found.map_err(StoreError::from)?.is_some() {
            return Err(expected.lost().into());
        }
        expected.unchanged();
        Err(WriteError::Absent)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.current(&PostId::MIN).await?;
        Ok(())
    }
}

/// What became of a write that commits by itself and did not answer as it should. Where the database sent
/// an error, it has not taken place; where something else went wrong, such as the connection, it may
/// have.
fn unless_refused(error: sqlx::Error) -> StoreError {
    let refused = code(&error).is_some_and(|code| !ENDS.iter().any(|end| code.starts_with(end)));
    if refused {
        error.into()
    } else {
        StoreError::OutcomeUnknown(error.into())
    }
}

/// Errors that end the connection, whoever sent them: a proxy does so where the connection behind it
/// broke, at whatever moment.
const ENDS: [&str; 2] = ["08", "57P"];

/// Whether someone else has what was needed, or the database chose this one to give way.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    // Lock not available, by its timeout too; serialization failure; deadlock; too many connections.
    matches!(code(error), Some("55P03" | "40001" | "40P01" | "53300"))
}

/// The SQLSTATE that the database sent.
fn code(error: &sqlx::Error) -> Option<&str> {
    let error = error.as_database_error()?;
    Some(error.try_downcast_ref::<PgDatabaseError>()?.code())
}

#[cfg(test)]
mod tests;

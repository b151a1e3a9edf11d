//! Posts in an SQLite file.
//!
//! Writers take turns on one connection, each in a transaction that holds the write lock of the file
//! from its first statement (`BEGIN IMMEDIATE`), so other processes may write to the same file.
//! Readers have connections of their own and wait for nobody (WAL). What the tables promise is
//! enforced by their triggers: see `migrations`.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::error::DatabaseError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteError, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};
use tower_if_match::{
    Conflict, Conflicts, Demand, Expected, Version, VersionStore, Versioned, WriteError,
};

use version_store_sqlx::{SqliteVersions, Transactions};

use super::{OpenError, PostStore, Put, StoreError, conflict, migrations, table};
use crate::post::{Draft, Post, PostId};

mod statements;
mod transaction;

/// How long a writer waits for its turn in this process, and again for other processes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections that only read.
const READERS: u32 = 4;

/// The store behind `--store sqlite:PATH`. A cheap handle on three pools.
#[derive(Clone, Debug)]
pub struct SqlitePosts {
    write: SqlitePool,
    read: SqlitePool,
    /// For transactions that the layer opens.
    versions: SqliteVersions<PostId>,
}

impl SqlitePosts {
    /// Opens the file, which is created when missing, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// Whatever keeps the file from being opened.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged write survives the loss of power.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE);
        let pool = SqlitePoolOptions::new().acquire_timeout(PATIENCE);
        let write = connect(pool.clone().max_connections(1), &options).await?;
        migrate(&write).await?;
        let options = options.pragma("query_only", "on");
        let read = connect(pool.max_connections(READERS), &options).await?;
        let transactions = Transactions::new().with_wait_timeout(PATIENCE);
        let versions = SqliteVersions::open_with(write.clone(), table(), transactions).await?;
        Ok(Self {
            write,
            read,
            versions,
        })
    }

    /// Closes all connections; those that are in use as soon as they are not.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    /// A transaction that holds the write lock. Dropped, as when the request is cancelled, it is
    /// rolled back.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        // A deferred one would read first and fail on its first write if someone else wrote meanwhile.
        Ok(self.write.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Connects, patiently: while another process switches a new file to WAL, SQLite refuses at once,
/// whatever the busy timeout.
async fn connect(
    pool: SqlitePoolOptions,
    options: &SqliteConnectOptions,
) -> Result<SqlitePool, sqlx::Error> {
    let given_up = Instant::now() + PATIENCE;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(error) if is_locked(&error) && Instant::now() < given_up => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            connected => return connected,
        }
    }
}

/// Brings the tables up to date, under the write lock as a whole: of processes that start together on
/// a new file, one makes the tables and the others find them.
async fn migrate(write: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut transaction = write.begin_with("BEGIN IMMEDIATE").await?;
    migrations::sqlite().run(&mut *transaction).await?;
    transaction.commit().await
}

impl VersionStore for SqlitePosts {
    type Key = PostId;
    type Revision = u64;
    type Error = StoreError;

    /// Every statement and the triggers see to it, across incarnations too.
    fn dates_advance(&self) -> bool {
        true
    }

    fn is_busy(error: &StoreError) -> bool {
        matches!(error, StoreError::Busy(_))
    }

    async fn current(&self, id: &PostId) -> Result<Option<Version>, StoreError> {
        statements::version(&mut *self.read.acquire().await?, *id).await
    }
}

impl Conflicts for SqlitePosts {
    async fn conflict(
        &self,
        id: &PostId,
        held: Option<&Version>,
    ) -> Result<Option<Conflict>, StoreError> {
        let mut connection = self.read.acquire().await?;
        let found = statements::post_beside(&mut connection, *id, held).await?;
        Ok(found.map(|(current, earlier)| conflict(current, earlier.as_ref())))
    }
}

impl PostStore for SqlitePosts {
    type Versions = Self;

    fn versions(&self) -> Self {
        self.clone()
    }

    async fn list(&self) -> Result<Vec<Versioned<Post>>, StoreError> {
        statements::posts(&mut *self.read.acquire().await?).await
    }

    async fn read(&self, id: PostId) -> Result<Option<Versioned<Post>>, StoreError> {
        statements::post(&mut *self.read.acquire().await?, id).await
    }

    async fn create(&self, draft: Draft) -> Result<Versioned<Post>, StoreError> {
        let mut transaction = self.begin().await?;
        let id = statements::draw_id(&mut transaction).await?;
        let created = statements::insert(&mut transaction, id, &draft).await?;
        // The id never was a post's, and nobody else writes.
        let created = created.ok_or_else(|| StoreError::Failed("the drawn id is taken".into()))?;
        commit(transaction).await?;
        Ok(created)
    }

    async fn put(
        &self,
        draft: Draft,
        expected: Expected<Self>,
    ) -> Result<Put, WriteError<StoreError>> {
        let id = *expected.key();
        let mut transaction = self.begin().await?;
        let step = Step::of(&expected, &mut transaction).await?;
        let written = match step {
            Step::Replace(version) => {
                statements::update(&mut transaction, id, &version, &draft).await?
            }
            Step::Insert => statements::insert(&mut transaction, id, &draft).await?,
            Step::Nothing => None,
        };
        let Some(written) = written else {
            return Err(expected.lost().into());
        };
        // First the commit, then the word: a success that was not committed is a lost update, too.
        commit(transaction).await?;
        expected.written(written.version().clone());
        Ok(Put::of(written))
    }

    async fn remove(&self, expected: Expected<Self>) -> Result<(), WriteError<StoreError>> {
        let id = *expected.key();
        let mut transaction = self.begin().await?;
        let removed = match Step::of(&expected, &mut transaction).await? {
            Step::Replace(version) => statements::delete(&mut transaction, id, &version).await?,
            Step::Insert | Step::Nothing => false,
        };
        if removed {
            commit(transaction).await?;
            expected.removed();
            return Ok(());
        }
        let absent = statements::version(&mut transaction, id).await?.is_none();
        let was_there = match expected.demand() {
            Demand::Version(_) | Demand::Exists => true,
            Demand::NotExists | Demand::Any | Demand::Never => false,
        };
        if absent && !was_there {
            expected.unchanged();
            return Err(WriteError::Absent);
        }
        Err(expected.lost().into())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        statements::version(&mut *self.read.acquire().await?, PostId::MIN).await?;
        Ok(())
    }
}

/// What a write does in its statement.
enum Step {
    /// Names this version there.
    Replace(Version),
    Insert,
    Nothing,
}

impl Step {
    async fn of(
        expected: &Expected<SqlitePosts>,
        transaction: &mut SqliteConnection,
    ) -> Result<Self, StoreError> {
        Ok(match expected.demand() {
            Demand::Version(version) => Self::Replace(version.clone()),
            Demand::NotExists => Self::Insert,
            // Nobody else can write before this transaction ends, so what it reads is what it replaces.
            Demand::Exists => Self::replacing(expected.key(), transaction)
                .await?
                .unwrap_or(Self::Nothing),
            Demand::Any => Self::replacing(expected.key(), transaction)
                .await?
                .unwrap_or(Self::Insert),
            Demand::Never => Self::Nothing,
        })
    }

    async fn replacing(
        id: &PostId,
        transaction: &mut SqliteConnection,
    ) -> Result<Option<Self>, StoreError> {
        let current = statements::version(transaction, *id).await?;
        Ok(current.map(Self::Replace))
    }
}

/// Commits. An error of any kind leaves open whether the write is in the file, a lock that is not had
/// now included, so none of them may be told as "nothing was written".
async fn commit(transaction: Transaction<'static, Sqlite>) -> Result<(), StoreError> {
    let committed = transaction.commit().await;
    committed.map_err(|error| StoreError::OutcomeUnknown(error.into()))
}

/// Whether someone else has the lock that was needed.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    let code = || {
        let error = error.as_database_error()?;
        let error = error.try_downcast_ref::<SqliteError>()?;
        error.code()?.parse::<u32>().ok()
    };
    // The low byte is the primary result code: SQLITE_BUSY or SQLITE_LOCKED.
    code().is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

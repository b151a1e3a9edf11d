//! Every promise of `VersionStore`, by way of `compare_and_swap` and by way of transactions.

use std::sync::Arc;

use version_store::conformance::{
    Check, Finding, RowOf, UnderTest, Worker, assert_conforms, check,
};
use version_store::{
    Begun, Demand, EndError, Expected, Transactional, Version, VersionStore, Versioned, WriteError,
};
use version_store_sqlx::{Dialect, Error, Isolation, SqlVersions, SwapError, Transactions};

use crate::database::{Posts, TestDatabase, on_each_database};

on_each_database! {
    compare_and_swap
    transactions
    in_turns
    repeatable_read
    serializable
    a_comparison_in_front_of_the_write_is_found
}

struct Written<D: TestDatabase> {
    posts: Arc<Posts<D>>,
    store: SqlVersions<D, u64>,
    by: By,
    spawns: bool,
}

#[derive(Clone, Copy)]
enum By {
    Swap,
    Transaction,
    /// The mistake: the comparison is one thing, the write another.
    CompareInFront,
}

impl<D: TestDatabase> Clone for Written<D> {
    fn clone(&self) -> Self {
        Self {
            posts: Arc::clone(&self.posts),
            store: self.store.clone(),
            by: self.by,
            spawns: self.spawns,
        }
    }
}

impl<D: TestDatabase> Written<D> {
    async fn new(by: By, spawns: bool) -> Option<Self> {
        Self::isolated(by, spawns, Isolation::ReadCommitted).await
    }

    async fn isolated(by: By, spawns: bool, isolation: Isolation) -> Option<Self> {
        let posts = Arc::new(Posts::migrated().await?);
        let store = posts
            .store(Transactions::new().with_isolation(isolation))
            .await;
        Some(Self {
            posts,
            store,
            by,
            spawns,
        })
    }

    async fn write_with(
        &self,
        sql: impl Fn(Option<&Version>) -> Option<String> + Send,
        expected: Expected<SqlVersions<D, u64>>,
    ) -> Result<(), WriteError<Failure>> {
        match self.by {
            By::Swap => {
                let swap = self
                    .store
                    .compare_and_swap(expected, async |connection, was| {
                        let Some(sql) = sql(was) else {
                            return Err(WriteError::Absent);
                        };
                        let done = D::run(connection, sql).await.map(drop);
                        done.map_err(|error| WriteError::Backend(Failure::Statement(error)))
                    });
                swap.await.map_err(|error| match error {
                    SwapError::Lost(lost) => WriteError::Lost(lost),
                    SwapError::Statements(error) => error,
                    SwapError::Store(error) => WriteError::Backend(Failure::Store(error)),
                })
            }
            By::Transaction => self.in_transaction(sql, expected).await,
            By::CompareInFront => {
                let id = *expected.key();
                let store = |error| WriteError::Backend(Failure::Store(error));
                let current = self.store.current(&id).await.map_err(store)?;
                if !expected.admits(current.as_ref()) {
                    return Err(expected.lost().into());
                }
                let Some(sql) = sql(current.as_ref()) else {
                    return Err(WriteError::Absent);
                };
                let statement = |error| WriteError::Backend(Failure::Statement(error));
                self.posts.run(&sql).await.map_err(statement)?;
                match self.store.current(&id).await.map_err(store)? {
                    Some(version) => expected.written(version),
                    None => expected.removed(),
                }
                Ok(())
            }
        }
    }

    /// As a layer does it.
    async fn in_transaction(
        &self,
        sql: impl Fn(Option<&Version>) -> Option<String> + Send,
        expected: Expected<SqlVersions<D, u64>>,
    ) -> Result<(), WriteError<Failure>> {
        let store = |error| WriteError::Backend(Failure::Store(error));
        let end = |error| WriteError::Backend(Failure::End(error));
        let keys = [*expected.key()];
        let Begun {
            mut transaction,
            current,
        } = self.store.begin(&keys).await.map_err(store)?;
        if !expected.admits(current[0].as_ref()) {
            self.store.rollback(transaction).await;
            return Err(expected.lost().into());
        }
        let Some(sql) = sql(current[0].as_ref()) else {
            self.store.rollback(transaction).await;
            return Err(WriteError::Absent);
        };
        let done = D::run(&mut transaction, sql).await;
        done.map_err(|error| WriteError::Backend(Failure::Statement(error)))?;
        let made = self.store.advance(&mut transaction, &keys, &current).await;
        let made = made.map_err(end)?.remove(0);
        self.store.commit(transaction).await.map_err(end)?;
        match (made, &current[0]) {
            (Some(version), _) => expected.written(version),
            (None, Some(_)) => expected.removed(),
            (None, None) => expected.unchanged(),
        }
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("a statement failed: {0}")]
    Statement(sqlx::Error),
    #[error("the store failed: {0:?}")]
    Store(Error),
    #[error("the transaction ended otherwise: {0:?}")]
    End(EndError<Error>),
    #[error("a read failed: {0}")]
    Read(sqlx::Error),
}

impl<D: TestDatabase> UnderTest for Written<D> {
    type Store = SqlVersions<D, u64>;
    type Error = Failure;

    fn versions(&self) -> Self::Store {
        self.store.clone()
    }

    fn key(&self, number: u64) -> u64 {
        number
    }

    async fn write(
        &self,
        marker: u64,
        expected: Expected<Self::Store>,
    ) -> Result<(), WriteError<Failure>> {
        let id = *expected.key();
        let sql = move |was: Option<&Version>| match was {
            Some(_) => Some(format!(
                "UPDATE posts SET marker = {marker} WHERE id = {id}"
            )),
            None => Some(format!(
                "INSERT INTO posts (id, marker) VALUES ({id}, {marker})"
            )),
        };
        self.write_with(sql, expected).await
    }

    async fn remove(&self, expected: Expected<Self::Store>) -> Result<(), WriteError<Failure>> {
        let id = *expected.key();
        if matches!(expected.demand(), Demand::NotExists) {
            return Err(expected.lost().into());
        }
        let sql =
            move |was: Option<&Version>| was.map(|_| format!("DELETE FROM posts WHERE id = {id}"));
        self.write_with(sql, expected).await
    }

    async fn read(&self, id: &u64) -> Result<Option<RowOf<Self>>, Failure> {
        let sql = format!("SELECT version, marker FROM posts WHERE id = {id}");
        let row = self.posts.row(&sql).await.map_err(Failure::Read)?;
        Ok(row.map(|row| {
            Versioned::new(Version::new(row[0].cast_unsigned()), row[1].cast_unsigned())
        }))
    }

    /// With pools of its own, as another process has them.
    async fn other_handle(&self) -> Self {
        let pool = D::pool(&self.posts.place, 8).await;
        let open = SqlVersions::open(pool, self.posts.table.clone());
        Self {
            store: open.await.unwrap(),
            ..self.clone()
        }
    }

    fn spawn(&self, worker: Worker) -> Worker {
        if !self.spawns {
            return worker;
        }
        let task = tokio::spawn(worker);
        Box::pin(async { task.await.unwrap() })
    }
}

async fn compare_and_swap<D: TestDatabase>() {
    if let Some(written) = Written::<D>::new(By::Swap, true).await {
        assert_conforms(written).await;
    }
}

async fn transactions<D: TestDatabase>() {
    if let Some(written) = Written::<D>::new(By::Transaction, true).await {
        assert_conforms(written).await;
    }
}

async fn repeatable_read<D: TestDatabase>() {
    isolated::<D>(Isolation::RepeatableRead).await;
}

async fn serializable<D: TestDatabase>() {
    isolated::<D>(Isolation::Serializable).await;
}

async fn isolated<D: TestDatabase>(isolation: Isolation) {
    // SQLite knows one kind of transaction.
    if D::DIALECT == Dialect::Sqlite {
        return;
    }
    if let Some(written) = Written::<D>::isolated(By::Transaction, true, isolation).await {
        assert_conforms(written).await;
    }
}

/// The control: the suite sees the race that the stores close.
async fn a_comparison_in_front_of_the_write_is_found<D: TestDatabase>() {
    if let Some(written) = Written::<D>::new(By::CompareInFront, true).await {
        let report = check(written).await;
        let found: Vec<_> = report.findings().iter().map(Finding::check).collect();
        assert!(found.contains(&Check::Counting), "{report}");
    }
}

/// Those who race take turns at their await points, on one thread.
async fn in_turns<D: TestDatabase>() {
    if let Some(written) = Written::<D>::new(By::Swap, false).await {
        assert_conforms(written).await;
    }
}

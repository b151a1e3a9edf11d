//! The other strategy: writes in a transaction that the layer opens and commits.

use sqlx::Sqlite;
use sqlx::sqlite::SqliteConnection;
use tower_if_match::version_store::{Begun, EndError, Versions};
use tower_if_match::{Transactional, Version, Versioned};
use version_store_sqlx::{SqlTransaction, SqliteVersions};

use super::{SqlitePosts, statements};
use crate::post::{Draft, Post, PostId};
use crate::store::{Put, StoreError, TransactionalPosts, ended};

impl Transactional for SqlitePosts {
    type Transaction = SqlTransaction<Sqlite>;

    const HOLDS_ABSENT: bool = SqliteVersions::<PostId>::HOLDS_ABSENT;

    async fn begin(&self, ids: &[PostId]) -> Result<Begun<Self>, StoreError> {
        let begun = self.versions.begin(ids).await?;
        Ok(Begun {
            transaction: begun.transaction,
            current: begun.current,
        })
    }

    async fn advance(
        &self,
        transaction: &mut Self::Transaction,
        ids: &[PostId],
        before: &[Option<Version>],
    ) -> Result<Versions<Self>, EndError<StoreError>> {
        let made = self.versions.advance(transaction, ids, before).await;
        made.map_err(ended)
    }

    async fn commit(&self, transaction: Self::Transaction) -> Result<(), EndError<StoreError>> {
        self.versions.commit(transaction).await.map_err(ended)
    }

    async fn rollback(&self, transaction: Self::Transaction) {
        self.versions.rollback(transaction).await;
    }
}

impl TransactionalPosts for SqlitePosts {
    async fn read_in(
        &self,
        tx: &mut SqliteConnection,
        id: PostId,
    ) -> Result<Option<Post>, StoreError> {
        let post = statements::post(tx, id).await?;
        Ok(post.map(Versioned::into_body))
    }

    async fn put_in(
        &self,
        tx: &mut SqliteConnection,
        id: PostId,
        draft: Draft,
    ) -> Result<Put, StoreError> {
        let written = match statements::version(tx, id).await? {
            Some(version) => statements::update(tx, id, &version, &draft).await?,
            None => statements::insert(tx, id, &draft).await?,
        };
        let written = written.ok_or_else(|| StoreError::Failed("someone else wrote".into()))?;
        Ok(Put::of(written))
    }

    async fn remove_in(&self, tx: &mut SqliteConnection, id: PostId) -> Result<bool, StoreError> {
        match statements::version(tx, id).await? {
            Some(version) => statements::delete(tx, id, &version).await,
            None => Ok(false),
        }
    }
}

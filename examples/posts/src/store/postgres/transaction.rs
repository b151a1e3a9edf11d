//! The other strategy: writes in a transaction that the layer opens and commits.

use sqlx::Postgres;
use sqlx::postgres::PgConnection;
use tower_if_match::version_store::{Begun, EndError, Versions};
use tower_if_match::{Transactional, Version, Versioned};
use version_store_sqlx::{PgVersions, SqlTransaction};

use super::{PostgresPosts, statements};
use crate::post::{Draft, Post, PostId};
use crate::store::{Put, StoreError, TransactionalPosts, ended};

impl Transactional for PostgresPosts {
    type Transaction = SqlTransaction<Postgres>;

    const HOLDS_ABSENT: bool = PgVersions::<PostId>::HOLDS_ABSENT;

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

impl TransactionalPosts for PostgresPosts {
    async fn read_in(&self, tx: &mut PgConnection, id: PostId) -> Result<Option<Post>, StoreError> {
        let post = statements::post(tx, id).await?;
        Ok(post.map(Versioned::into_body))
    }

    async fn put_in(
        &self,
        tx: &mut PgConnection,
        id: PostId,
        draft: Draft,
    ) -> Result<Put, StoreError> {
        Ok(Put::of(statements::put(tx, id, &draft).await?))
    }

    async fn remove_in(&self, tx: &mut PgConnection, id: PostId) -> Result<bool, StoreError> {
        Ok(statements::delete_existing(tx, id).await?)
    }
}

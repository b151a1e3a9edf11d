//! The posts in transactions of the layer's: handlers that write as they always did.

use std::ops::DerefMut;

use axum::extract::{Path, State};
use axum::{Json, Router, http::StatusCode, routing::get};
use sqlx::Pool;
use tower_if_match::version_store::{Begun, EndError, Versions};
use tower_if_match::{
    IfMatchLayer, PathKey, Transaction, Transactional, Tx, Version, VersionStore, Versioned,
};

use crate::answer::{Failed, Refused, written};
use crate::post::{Patch, Post};
use crate::rows::{Posted, Rows};
use crate::sql;

/// A store whose transactions are connections to posts.
pub trait Transactions:
    Transactional<Key = u64, Revision = u64, Transaction: DerefMut<Target: Rows>>
{
}

impl<S> Transactions for S where
    S: Transactional<Key = u64, Revision = u64, Transaction: DerefMut<Target: Rows>>
{
}

/// The routes.
pub fn app<D: Posted, S: Transactions>(pool: Pool<D>, store: S) -> Router {
    let guard = IfMatchLayer::new("posts", store, PathKey).with_strategy(Transaction::new());
    let methods = get(read::<D>)
        .put(replace::<S>)
        .patch(patch::<S>)
        .delete(remove::<S>)
        .route_layer(guard);
    Router::new()
        .route("/api/posts/{id}", methods)
        .with_state(pool)
}

async fn read<D: Posted>(
    State(pool): State<Pool<D>>,
    Path(id): Path<u64>,
) -> Result<Versioned<Json<Post>>, Refused> {
    let post = sql::read(&pool, id).await?.ok_or(Refused::Absent)?;
    Ok(post.map(Json))
}

async fn replace<S: Transactions>(
    Path(id): Path<u64>,
    mut tx: Tx<S>,
    Json(post): Json<Post>,
) -> Result<(StatusCode, Json<Post>), Refused> {
    let created = tx.post(id).await?.is_none();
    tx.upsert(id, &post).await?;
    Ok(written(created, post))
}

async fn patch<S: Transactions>(
    Path(id): Path<u64>,
    mut tx: Tx<S>,
    Json(patch): Json<Patch>,
) -> Result<(StatusCode, Json<Post>), Refused> {
    let (_, post) = tx.post(id).await?.ok_or(Refused::Absent)?;
    let post = post.patched(patch);
    tx.update(id, &post).await?;
    Ok(written(false, post))
}

async fn remove<S: Transactions>(
    Path(id): Path<u64>,
    mut tx: Tx<S>,
) -> Result<StatusCode, Refused> {
    if tx.delete(id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refused::Absent)
    }
}

/// The transaction is rolled back.
impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        tracing::warn!(%error, "a statement failed");
        Self::Failed(Failed::Unavailable)
    }
}

/// The same store without the hold: what its transactions begin with was read before they began, and
/// anybody may have written in between.
#[derive(Clone, Debug)]
pub struct Unprotected<S>(pub S);

impl<S: Transactional> VersionStore for Unprotected<S> {
    type Key = S::Key;
    type Revision = S::Revision;
    type Error = S::Error;

    fn is_busy(error: &S::Error) -> bool {
        S::is_busy(error)
    }

    async fn current(&self, key: &S::Key) -> Result<Option<Version<S::Revision>>, S::Error> {
        self.0.current(key).await
    }
}

impl<S: Transactional> Transactional for Unprotected<S> {
    type Transaction = S::Transaction;

    /// Not so: but the layer's second look before a creation is part of the protection, too.
    const HOLDS_ABSENT: bool = true;

    async fn begin(&self, keys: &[S::Key]) -> Result<Begun<Self>, S::Error> {
        let mut current = Vec::new();
        for key in keys {
            current.push(self.0.current(key).await?);
        }
        let Begun { transaction, .. } = self.0.begin(keys).await?;
        Ok(Begun {
            transaction,
            current,
        })
    }

    async fn advance(
        &self,
        transaction: &mut S::Transaction,
        keys: &[S::Key],
        before: &[Option<Version<S::Revision>>],
    ) -> Result<Versions<Self>, EndError<S::Error>> {
        self.0.advance(transaction, keys, before).await
    }

    async fn commit(&self, transaction: S::Transaction) -> Result<(), EndError<S::Error>> {
        self.0.commit(transaction).await
    }

    async fn rollback(&self, transaction: S::Transaction) {
        self.0.rollback(transaction).await;
    }
}

//! Every statement that the store sends, one function each.

use std::time::SystemTime;

use sqlx::sqlite::SqliteConnection;
use tower_if_match::http_precondition::HttpDate;
use tower_if_match::{Version, Versioned};

use crate::post::{Draft, Post, PostId};
use crate::store::StoreError;
use crate::store::rows::{self, Beside, Row, VersionColumns};

type Result<T> = std::result::Result<T, StoreError>;

pub(super) async fn version(db: &mut SqliteConnection, id: PostId) -> Result<Option<Version>> {
    let columns = sqlx::query_as(rows::VERSION)
        .bind(id.get())
        .fetch_optional(db)
        .await?;
    Ok(columns.map(VersionColumns::into_version))
}

pub(super) async fn post(db: &mut SqliteConnection, id: PostId) -> Result<Option<Versioned<Post>>> {
    let row = sqlx::query_as(rows::POST)
        .bind(id.get())
        .fetch_optional(db)
        .await?;
    Ok(row.map(Row::into_versioned))
}

pub(super) async fn posts(db: &mut SqliteConnection) -> Result<Vec<Versioned<Post>>> {
    let rows = sqlx::query_as(rows::POSTS).fetch_all(db).await?;
    Ok(rows.into_iter().map(Row::into_versioned).collect())
}

/// A post, and beside it what it was at the version that a client holds, if that is still known. One
/// statement, so that all of it is of one moment.
pub(super) async fn post_beside(
    db: &mut SqliteConnection,
    id: PostId,
    held: Option<&Version>,
) -> Result<Option<(Versioned<Post>, Option<Post>)>> {
    let found = sqlx::query_as(rows::POST_BESIDE)
        .bind(id.get())
        .bind(held.map(|held| held.incarnation().cast_signed()))
        .bind(held.map(|held| held.revision().cast_signed()))
        .fetch_optional(db)
        .await?;
    Ok(found.map(Beside::into_pair))
}

/// The next id that never was a post's: neither given by POST nor taken by PUT, deleted ones
/// included.
pub(super) async fn draw_id(db: &mut SqliteConnection) -> Result<PostId> {
    let (id,): (i64,) = sqlx::query_as(
        "WITH RECURSIVE candidate (id) AS (
             SELECT next FROM sequence
             UNION ALL
             SELECT candidate.id + 1 FROM candidate JOIN incarnations ON incarnations.id = candidate.id
         )
         SELECT max(id) FROM candidate",
    )
    .fetch_one(&mut *db)
    .await?;
    sqlx::query("UPDATE sequence SET next = $1 + 1")
        .bind(id)
        .execute(db)
        .await?;
    PostId::try_from(id).map_err(|error| StoreError::Failed(error.into()))
}

/// The first version of a new incarnation; `None`, and nothing written, where the post exists.
pub(super) async fn insert(
    db: &mut SqliteConnection,
    id: PostId,
    draft: &Draft,
) -> Result<Option<Versioned<Post>>> {
    let row = sqlx::query_as(
        "INSERT INTO posts (id, title, content, author, updated_at, incarnation, version, modified_at)
         SELECT $1, $2, $3, $4, $5,
                1 + coalesce(max(incarnation), (SELECT incarnation FROM epoch)),
                1, max($5, 1 + coalesce(max(modified_at), 0))
         FROM (
             SELECT incarnation, modified_at FROM incarnations WHERE id = $1
             UNION ALL
             SELECT incarnation, modified_at FROM posts WHERE id = $1
         )
         WHERE true -- without it ON would belong to a join
         ON CONFLICT (id) DO NOTHING
         RETURNING *",
    )
    .bind(id.get())
    .bind(&draft.title)
    .bind(&draft.content)
    .bind(&draft.author)
    .bind(now())
    .fetch_optional(db)
    .await?;
    Ok(row.map(Row::into_versioned))
}

/// The next version, if the present one is this one. This statement is what closes the race.
pub(super) async fn update(
    db: &mut SqliteConnection,
    id: PostId,
    version: &Version,
    draft: &Draft,
) -> Result<Option<Versioned<Post>>> {
    let row = sqlx::query_as(
        "UPDATE posts
         SET title = $1, content = $2, author = $3, updated_at = $4,
             version = version + 1, modified_at = max($4, modified_at + 1)
         WHERE id = $5 AND incarnation = $6 AND version = $7
         RETURNING *",
    )
    .bind(&draft.title)
    .bind(&draft.content)
    .bind(&draft.author)
    .bind(now())
    .bind(id.get())
    .bind(version.incarnation().cast_signed())
    .bind(version.revision().cast_signed())
    .fetch_optional(db)
    .await?;
    Ok(row.map(Row::into_versioned))
}

/// Whether the post was of this version, and now is no more.
pub(super) async fn delete(
    db: &mut SqliteConnection,
    id: PostId,
    version: &Version,
) -> Result<bool> {
    let deleted =
        sqlx::query("DELETE FROM posts WHERE id = $1 AND incarnation = $2 AND version = $3")
            .bind(id.get())
            .bind(version.incarnation().cast_signed())
            .bind(version.revision().cast_signed())
            .execute(db)
            .await?;
    Ok(deleted.rows_affected() == 1)
}

fn now() -> i64 {
    HttpDate::from(SystemTime::now()).unix()
}

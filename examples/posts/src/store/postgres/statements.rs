//! Every statement that the store sends, one function each. None of them says anything about the next
//! version: that is the triggers'.

use sqlx::Error;
use sqlx::postgres::PgConnection;
use tower_if_match::{Version, Versioned};

use crate::post::{Draft, Post, PostId};
use crate::store::rows::{self, Beside, Row, VersionColumns};

type Result<T> = std::result::Result<T, Error>;

pub(super) async fn version(db: &mut PgConnection, id: PostId) -> Result<Option<Version>> {
    let columns = sqlx::query_as(rows::VERSION)
        .bind(id.get())
        .fetch_optional(db)
        .await?;
    Ok(columns.map(VersionColumns::into_version))
}

pub(super) async fn post(db: &mut PgConnection, id: PostId) -> Result<Option<Versioned<Post>>> {
    let row = sqlx::query_as(rows::POST)
        .bind(id.get())
        .fetch_optional(db)
        .await?;
    Ok(row.map(Row::into_versioned))
}

pub(super) async fn posts(db: &mut PgConnection) -> Result<Vec<Versioned<Post>>> {
    let rows = sqlx::query_as(rows::POSTS).fetch_all(db).await?;
    Ok(rows.into_iter().map(Row::into_versioned).collect())
}

/// A post, and beside it what it was at the version that a client holds, if that is still known.
pub(super) async fn post_beside(
    db: &mut PgConnection,
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

/// A new post under the next id; `None`, and nothing written, where a PUT has used that one up.
///
/// Putting the id into `incarnations` comes first: who has that row has the id, whatever others do meanwhile.
pub(super) async fn create(
    db: &mut PgConnection,
    draft: &Draft,
) -> Result<Option<Versioned<Post>>> {
    let row = sqlx::query_as(
        "WITH drawn AS (
             INSERT INTO incarnations (id, incarnation, modified_at) VALUES (nextval('post_ids'), 0, 0)
             ON CONFLICT (id) DO NOTHING
             RETURNING id
         )
         INSERT INTO posts (id, title, content, author) SELECT id, $1, $2, $3 FROM drawn
         RETURNING *",
    )
    .bind(&draft.title)
    .bind(&draft.content)
    .bind(&draft.author)
    .fetch_optional(db)
    .await?;
    Ok(row.map(Row::into_versioned))
}

/// The first version of a new incarnation; `None`, and nothing written, where the post exists.
pub(super) async fn insert(
    db: &mut PgConnection,
    id: PostId,
    draft: &Draft,
) -> Result<Option<Versioned<Post>>> {
    let row = sqlx::query_as(
        "INSERT INTO posts (id, title, content, author) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO NOTHING
         RETURNING *",
    )
    .bind(id.get())
    .bind(&draft.title)
    .bind(&draft.content)
    .bind(&draft.author)
    .fetch_optional(db)
    .await?;
    Ok(row.map(Row::into_versioned))
}

/// The next version, if the present one is this one. This statement is what closes the race.
pub(super) async fn update(
    db: &mut PgConnection,
    id: PostId,
    version: &Version,
    draft: &Draft,
) -> Result<Option<Versioned<Post>>> {
    let row = sqlx::query_as(
        "UPDATE posts SET title = $1, content = $2, author = $3
         WHERE id = $4 AND incarnation = $5 AND version = $6
         RETURNING *",
    )
    .bind(&draft.title)
    .bind(&draft.content)
    .bind(&draft.author)
    .bind(id.get())
    .bind(version.incarnation().cast_signed())
    .bind(version.revision().cast_signed())
    .fetch_optional(db)
    .await?;
    Ok(row.map(Row::into_versioned))
}

/// The next version, whatever the present one is; `None` where there is no post.
pub(super) async fn update_existing(
    db: &mut PgConnection,
    id: PostId,
    draft: &Draft,
) -> Result<Option<Versioned<Post>>> {
    let row = sqlx::query_as(
        "UPDATE posts SET title = $1, content = $2, author = $3 WHERE id = $4 RETURNING *",
    )
    .bind(&draft.title)
    .bind(&draft.content)
    .bind(&draft.author)
    .bind(id.get())
    .fetch_optional(db)
    .await?;
    Ok(row.map(Row::into_versioned))
}

/// The next version, or the first one where there is no post.
pub(super) async fn put(
    db: &mut PgConnection,
    id: PostId,
    draft: &Draft,
) -> Result<Versioned<Post>> {
    let row: Row = sqlx::query_as(
        "INSERT INTO posts (id, title, content, author) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE
             SET title = excluded.title, content = excluded.content, author = excluded.author
         RETURNING *",
    )
    .bind(id.get())
    .bind(&draft.title)
    .bind(&draft.content)
    .bind(&draft.author)
    .fetch_one(db)
    .await?;
    Ok(row.into_versioned())
}

/// Whether the post was of this version, and now is no more.
pub(super) async fn delete(db: &mut PgConnection, id: PostId, version: &Version) -> Result<bool> {
    let deleted =
        sqlx::query("DELETE FROM posts WHERE id = $1 AND incarnation = $2 AND version = $3")
            .bind(id.get())
            .bind(version.incarnation().cast_signed())
            .bind(version.revision().cast_signed())
            .execute(db)
            .await?;
    Ok(deleted.rows_affected() == 1)
}

/// Whether there was a post, and now is none.
pub(super) async fn delete_existing(db: &mut PgConnection, id: PostId) -> Result<bool> {
    let deleted = sqlx::query("DELETE FROM posts WHERE id = $1")
        .bind(id.get())
        .execute(db)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

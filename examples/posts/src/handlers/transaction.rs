//! Writes in a transaction, [`Tx`], that the layer opens before them and commits after them. It holds the
//! post, so what they read is what they write over, and nothing here is conditional.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use tower_if_match::Tx;

use super::written;
use crate::answer::Refused;
use crate::app::App;
use crate::extract::{Content, Target};
use crate::post::Draft;
use crate::store::TransactionalPosts;

pub(crate) async fn replace<S: TransactionalPosts>(
    State(app): State<App<S>>,
    Target(id): Target,
    mut tx: Tx<S>, // holds the post
    Content(sent): Content,
) -> Result<impl IntoResponse, Refused> {
    let draft = Draft::check(sent, Some(id))?;
    let put = app.posts.put_in(&mut tx, id, draft).await?;
    Ok(written(put)) // the layer commits, then sets the new ETag
}

pub(crate) async fn patch<S: TransactionalPosts>(
    State(app): State<App<S>>,
    Target(id): Target,
    mut tx: Tx<S>,
    Content(patch): Content,
) -> Result<impl IntoResponse, Refused> {
    let post = app.posts.read_in(&mut tx, id).await?;
    let draft = Draft::patched(&post.ok_or_else(Refused::absent)?, &patch)?;
    let put = app.posts.put_in(&mut tx, id, draft).await?;
    Ok(written(put))
}

pub(crate) async fn remove<S: TransactionalPosts>(
    State(app): State<App<S>>,
    Target(id): Target,
    mut tx: Tx<S>,
) -> Result<StatusCode, Refused> {
    if app.posts.remove_in(&mut tx, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refused::absent())
    }
}

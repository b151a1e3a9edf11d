//! What the routes do. None of them says anything about tags or conditions: that is the layer's.
//!
//! Those that write a post exist twice, one file for each way of closing the race.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_LOCATION, ETAG, LOCATION};
use axum::http::{HeaderName, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use serde::Serialize;
use tower_if_match::http_precondition::EntityTag;

use crate::answer::Refused;
use crate::app::App;
use crate::extract::{Content, Target};
use crate::post::{Draft, Post, PostId};
use crate::store::{PostStore, Put};

pub(crate) mod compare_and_swap;
pub(crate) mod transaction;

/// Caches may keep it, but have to ask before they use it.
const REVALIDATE: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "no-cache")];

/// A post in a list, with the tag that a write of it has to send.
#[derive(Serialize)]
struct Item {
    #[serde(flatten)]
    post: Post,
    etag: Option<EntityTag>,
}

pub(crate) async fn list<S: PostStore>(
    State(app): State<App<S>>,
) -> Result<impl IntoResponse, Refused> {
    let posts = app.posts.list().await?;
    let items = posts.into_iter().map(|post| {
        let etag = app.tags.tag(&post.body().id, post.version());
        Item {
            post: post.into_body(),
            etag,
        }
    });
    Ok((REVALIDATE, Json(items.collect::<Vec<_>>())))
}

pub(crate) async fn create<S: PostStore>(
    State(app): State<App<S>>,
    Content(sent): Content,
) -> Result<impl IntoResponse, Refused> {
    let created = app.posts.create(Draft::check(sent, None)?).await?;
    let id = created.body().id;
    let tag = app
        .tags
        .tag(&id, created.version())
        .map(|tag| (ETAG, tag.to_header_value()));
    let location = [(LOCATION, path(id))];
    Ok((
        StatusCode::CREATED,
        location,
        AppendHeaders(tag),
        Json(created.into_body()),
    ))
}

/// The layer makes `ETag` and `Last-Modified` of the version, and 304 where the client has it.
pub(crate) async fn read<S: PostStore>(
    State(app): State<App<S>>,
    Target(id): Target,
) -> Result<impl IntoResponse, Refused> {
    let post = app.posts.read(id).await?.ok_or_else(Refused::absent)?;
    Ok(post.map(|post| (REVALIDATE, Json(post))))
}

pub(crate) async fn health<S: PostStore>(
    State(app): State<App<S>>,
) -> Result<impl IntoResponse, Refused> {
    app.posts.ping().await?;
    Ok(([(CACHE_CONTROL, "no-store")], "ok\n"))
}

/// The post that a write made, whose `ETag` the layer adds.
fn written(put: Put) -> impl IntoResponse {
    let status = if put.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let location = [(CONTENT_LOCATION, path(put.post.id))];
    (status, location, Json(put.post))
}

fn path(id: PostId) -> String {
    format!("/api/posts/{}", id.get())
}

//! What the routes do. Those that write take [`Expected`], hand it to the store's write, and say
//! nothing about tags or conditions: that is the layer's.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_LOCATION, ETAG, LOCATION};
use axum::http::{HeaderName, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use serde::Serialize;
use tower_if_match::http_precondition::EntityTag;
use tower_if_match::{Demand, Expected};

use crate::answer::Refused;
use crate::app::App;
use crate::extract::{Content, Target};
use crate::post::{Draft, Post, PostId};
use crate::store::PostStore;

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

pub(crate) async fn replace<S: PostStore>(
    State(app): State<App<S>>,
    Target(id): Target,
    expected: Expected<S::Versions>, // what the condition demands; hopeless requests never get here
    Content(sent): Content,
) -> Result<impl IntoResponse, Refused> {
    let draft = Draft::check(sent, Some(id))?;
    let put = app.posts.put(draft, expected).await?; // one atomic step; lost if someone was faster
    let status = if put.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, [(CONTENT_LOCATION, path(id))], Json(put.post))) // the layer sets the new ETag
}

pub(crate) async fn patch<S: PostStore>(
    State(app): State<App<S>>,
    Target(id): Target,
    expected: Expected<S::Versions>,
    Content(patch): Content,
) -> Result<impl IntoResponse, Refused> {
    let Some(post) = app.posts.read(id).await? else {
        return Err(match expected.demand() {
            // Absent as the layer saw it, or under no condition.
            Demand::Nothing | Demand::Absent | Demand::Anything => Refused::absent(),
            // Gone since: the layer evaluates afresh.
            Demand::Exactly(_) | Demand::Existing => expected.lost().into(),
        });
    };
    // What is made from one version must not be stored over another, not even under `If-Match: *`.
    let expected = expected.narrowed_to(post.version())?;
    let put = app
        .posts
        .put(Draft::patched(post.body(), &patch)?, expected)
        .await?;
    Ok(([(CONTENT_LOCATION, path(id))], Json(put.post)))
}

pub(crate) async fn remove<S: PostStore>(
    State(app): State<App<S>>,
    Target(_): Target,
    expected: Expected<S::Versions>,
) -> Result<StatusCode, Refused> {
    app.posts.remove(expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn health<S: PostStore>(
    State(app): State<App<S>>,
) -> Result<impl IntoResponse, Refused> {
    app.posts.ping().await?;
    Ok(([(CACHE_CONTROL, "no-store")], "ok\n"))
}

fn path(id: PostId) -> String {
    format!("/api/posts/{}", id.get())
}

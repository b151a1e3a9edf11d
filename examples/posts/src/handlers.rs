//! What the routes do. None of them says anything about tags or conditions: that is the layer's.
//!
//! Those that write a post exist twice, one file for each strategy that closes the race.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_LOCATION, ETAG, LOCATION};
use axum::http::{HeaderName, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use serde::Serialize;
use tower_if_match::http_precondition::EntityTag;
use utoipa::ToSchema;

use crate::answer::Refused;
use crate::app::App;
use crate::extract::{Content, Target};
use crate::openapi;
use crate::post::{Draft, Post, PostId};
use crate::store::{PostStore, Put};

pub(crate) mod compare_and_swap;
pub(crate) mod transaction;

/// Caches may keep it, but have to ask before they use it.
const REVALIDATE: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "no-cache")];

/// A post in a list, with the tag that a write of it has to send.
#[derive(Serialize, ToSchema)]
#[schema(description = "A post in a list.")]
pub(crate) struct Item {
    #[serde(flatten)]
    post: Post,
    /// The entity tag that a write of this post sends as `If-Match`.
    #[schema(value_type = Option<String>, required)]
    etag: Option<EntityTag>,
}

/// All posts.
#[utoipa::path(
    get,
    path = "/api/posts",
    operation_id = "listPosts",
    tag = "posts",
    responses(
        (status = 200, description = "The posts, each with its entity tag.", body = Vec<Item>),
        openapi::Unavailable,
    ),
)]
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

/// Adds a post. This overwrites nothing and needs no condition.
#[utoipa::path(
    post,
    path = "/api/posts",
    operation_id = "createPost",
    tag = "posts",
    request_body = openapi::Draft,
    responses(
        (
            status = 201,
            description = "The new post.",
            body = Post,
            headers(
                ("ETag" = String, description = "The entity tag of its version."),
                ("Location" = String, description = "Where it is."),
            ),
        ),
        openapi::ContentRefused,
        openapi::Unavailable,
    ),
)]
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

// The layer makes `ETag` and `Last-Modified` of the version, and 304 where the client has it.
/// A post.
#[utoipa::path(
    get,
    path = "/api/posts/{id}",
    operation_id = "readPost",
    tag = "posts",
    params(("id" = PostId, Path)),
    responses(
        (status = 200, description = "The post.", body = Post),
        openapi::Absent,
        openapi::Unavailable,
    ),
)]
pub(crate) async fn read<S: PostStore>(
    State(app): State<App<S>>,
    Target(id): Target,
) -> Result<impl IntoResponse, Refused> {
    let post = app.posts.read(id).await?.ok_or_else(Refused::absent)?;
    Ok(post.map(|post| (REVALIDATE, Json(post))))
}

/// Whether the store answers.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "health",
    tag = "service",
    responses(
        (status = 200, description = "It does.", body = String, content_type = "text/plain"),
        openapi::Unavailable,
    ),
)]
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

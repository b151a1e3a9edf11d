//! Writes that take [`Expected`] and hand it to the store, whose write is conditional on it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use tower_if_match::{Demand, Expected};

use super::written;
use crate::answer::Refused;
use crate::app::App;
use crate::extract::{Content, Target};
use crate::openapi;
use crate::post::{Draft, Post, PostId};
use crate::store::PostStore;

/// Replaces a post, or creates it with `If-None-Match: *`.
#[utoipa::path(
    put,
    path = "/api/posts/{id}",
    operation_id = "replacePost",
    tag = "posts",
    params(("id" = PostId, Path)),
    request_body = openapi::Draft,
    responses(
        (
            status = 200,
            description = "The post as it is now.",
            body = Post,
            headers(("Content-Location" = String, description = "What the content is of.")),
        ),
        (
            status = 201,
            description = "The post, which did not exist.",
            body = Post,
            headers(("Content-Location" = String, description = "What the content is of.")),
        ),
        openapi::Absent,
        openapi::ContentRefused,
        openapi::Unavailable,
    ),
)]
pub(crate) async fn replace<S: PostStore>(
    State(app): State<App<S>>,
    Target(id): Target,
    expected: Expected<S::Versions>, // what the condition demands
    Content(sent): Content,
) -> Result<impl IntoResponse, Refused> {
    let draft = Draft::check(sent, Some(id))?;
    let put = app.posts.put(draft, expected).await?; // one atomic step; lost if someone was faster
    Ok(written(put)) // the layer sets the new ETag
}

/// Changes members of a post (RFC 7396).
#[utoipa::path(
    patch,
    path = "/api/posts/{id}",
    operation_id = "patchPost",
    tag = "posts",
    params(("id" = PostId, Path)),
    request_body(content = openapi::Patch, content_type = "application/merge-patch+json"),
    responses(
        (
            status = 200,
            description = "The post as it is now.",
            body = Post,
            headers(("Content-Location" = String, description = "What the content is of.")),
        ),
        openapi::Absent,
        openapi::ContentRefused,
        openapi::Unavailable,
    ),
)]
pub(crate) async fn patch<S: PostStore>(
    State(app): State<App<S>>,
    Target(id): Target,
    expected: Expected<S::Versions>,
    Content(patch): Content,
) -> Result<impl IntoResponse, Refused> {
    let Some(post) = app.posts.read(id).await? else {
        return Err(match expected.demand() {
            // Absent as the layer saw it, or under no condition.
            Demand::Never | Demand::NotExists | Demand::Any => Refused::absent(),
            // Gone since: the layer evaluates afresh.
            Demand::Version(_) | Demand::Exists => expected.lost().into(),
        });
    };
    // What is made from one version must not be stored over another, not even under `If-Match: *`.
    let expected = expected.require_version(post.version())?;
    let draft = Draft::patched(post.body(), &patch)?;
    let put = app.posts.put(draft, expected).await?;
    Ok(written(put))
}

/// Deletes a post.
#[utoipa::path(
    delete,
    path = "/api/posts/{id}",
    operation_id = "deletePost",
    tag = "posts",
    params(("id" = PostId, Path)),
    responses(
        (status = 204, description = "It is deleted."),
        openapi::Absent,
        openapi::Unavailable,
    ),
)]
pub(crate) async fn remove<S: PostStore>(
    State(app): State<App<S>>,
    Target(_): Target,
    expected: Expected<S::Versions>,
) -> Result<StatusCode, Refused> {
    app.posts.remove(expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! The service: for each thing that can go wrong a route where it does.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{get, patch, put};
use axum::{Json, Router};
use serde::Deserialize;
use tower_if_match::bulk::{BulkLayer, ExpectedItems, InvalidItems, Item};
use tower_if_match::{
    Expected, IfMatchLayer, Lost, PathKey, Policy, Refusals, Transaction, Tx, Versioned,
};

use crate::posts::{Fault, Post, Posts};

/// The scope of all tags.
const SCOPE: &str = "posts";

/// All routes.
pub fn app(posts: Posts) -> Router {
    let over = |posts: &Posts| {
        IfMatchLayer::new(SCOPE, posts.clone(), PathKey)
            .with_refusals(Refusals::new().with_noun("post"))
    };
    let guard = over(&posts);
    let away = over(&posts.with_fault(Fault::Away));
    let busy = over(&posts.with_fault(Fault::Busy));
    let cut_off =
        over(&posts.with_fault(Fault::AcknowledgementLost)).with_strategy(Transaction::new());
    let bulk = BulkLayer::new(SCOPE, posts.clone(), items)
        .with_refusals(Refusals::new().with_noun("post"));
    Router::new()
        .route("/posts", patch(change_all).route_layer(bulk))
        .route(
            "/posts/{id}",
            get(read)
                .put(replace)
                .patch(retitle)
                .delete(remove)
                .route_layer(guard.clone()),
        )
        .route(
            "/public/{id}",
            put(replace).route_layer(guard.clone().with_public_conflicts()),
        )
        .route(
            "/overtaken/{id}",
            patch(retitle_too_late)
                .delete(remove_too_late)
                .route_layer(guard.clone()),
        )
        .route("/away/{id}", put(replace).route_layer(away))
        .route("/busy/{id}", put(replace).route_layer(busy))
        .route(
            "/cut-off/{id}",
            put(replace_in_transaction).route_layer(cut_off),
        )
        .route("/careless/{id}", put(overwrite).route_layer(guard.clone()))
        .route(
            "/posts/{id}/notes/{note}",
            put(overwrite).route_layer(guard.clone()),
        )
        .route(
            "/reporting/{id}",
            put(replace).route_layer(guard.clone().with_policy(Policy::new().with_report_only())),
        )
        .route(
            "/reporting-careless/{id}",
            put(overwrite).route_layer(guard.clone().with_policy(Policy::new().with_report_only())),
        )
        .route("/echoing/{id}", put(echo).route_layer(echoing(guard)))
        .with_state(posts)
}

async fn read(
    State(posts): State<Posts>,
    Path(id): Path<u64>,
) -> Result<Versioned<Json<Post>>, StatusCode> {
    let post = posts.get(id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(post.map(Json))
}

async fn replace(
    State(posts): State<Posts>,
    expected: Expected<Posts>,
    Json(post): Json<Post>,
) -> Result<Json<Post>, Lost> {
    posts.put(post.clone(), expected)?;
    Ok(Json(post))
}

/// A merge patch of the one member that a post lets be patched.
#[derive(Deserialize)]
struct Patch {
    title: String,
}

async fn retitle(
    posts: State<Posts>,
    expected: Expected<Posts>,
    patch: Json<Patch>,
) -> Result<Json<Post>, Refused> {
    patched(posts, expected, patch, |_| ())
}

/// Somebody else writes between this handler's read and its write.
async fn retitle_too_late(
    posts: State<Posts>,
    expected: Expected<Posts>,
    patch: Json<Patch>,
) -> Result<Json<Post>, Refused> {
    let overtake = |posts: &Posts| posts.write(1, Post::new("Faster", "eve"));
    patched(posts, expected, patch, overtake)
}

fn patched(
    State(posts): State<Posts>,
    expected: Expected<Posts>,
    Json(patch): Json<Patch>,
    before_the_write: impl FnOnce(&Posts),
) -> Result<Json<Post>, Refused> {
    let Some(found) = posts.get(*expected.key()) else {
        expected.unchanged();
        return Err(Refused::Absent);
    };
    let expected = expected.require_version(found.version())?;
    let post = Post {
        title: patch.title,
        ..found.into_body()
    };
    before_the_write(&posts);
    posts.put(post.clone(), expected)?;
    Ok(Json(post))
}

/// What a handler answers that did not write.
enum Refused {
    Lost(Lost),
    Absent,
}

impl From<Lost> for Refused {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

impl axum::response::IntoResponse for Refused {
    fn into_response(self) -> axum::response::Response {
        match self {
            Self::Lost(lost) => lost.into_response(),
            Self::Absent => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

async fn remove(State(posts): State<Posts>, expected: Expected<Posts>) -> Result<StatusCode, Lost> {
    posts.remove(expected)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody else removes it first.
async fn remove_too_late(
    State(posts): State<Posts>,
    expected: Expected<Posts>,
) -> Result<StatusCode, Lost> {
    posts.erase(*expected.key());
    posts.remove(expected)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn replace_in_transaction(Path(id): Path<u64>, mut open: Tx<Posts>, Json(post): Json<Post>) {
    open.push((id, post));
}

/// Knows nothing of conditions.
async fn overwrite(State(posts): State<Posts>, Json(post): Json<Post>) -> Json<Post> {
    posts.write(1, post.clone());
    Json(post)
}

/// An entry of a request that changes several posts.
#[derive(Deserialize)]
struct Change {
    id: u64,
    etag: Option<String>,
}

fn items(_: &Parts, content: &[u8]) -> Result<Vec<Item<u64>>, InvalidItems> {
    let changes: Vec<Change> = serde_json::from_slice(content)
        .map_err(|_| InvalidItems::new("The content is an array of {id, etag, title}."))?;
    let item = |change: Change| match change.etag {
        Some(etag) => Item::new(change.id).with_if_match(etag),
        None => Item::new(change.id),
    };
    Ok(changes.into_iter().map(item).collect())
}

/// For the examples of refusals it need not write.
async fn change_all(expected: ExpectedItems<Posts>) {
    expected.unchanged();
}

/// What no layer does: a refusal that tells what was sent, for the tests that look for it.
fn echoing(guard: IfMatchLayer<Posts, PathKey>) -> IfMatchLayer<Posts, PathKey> {
    guard.with_refusals(Refusals::new().with_response_from(
        |head| head.headers.get("if-match").cloned(),
        |sent, answer| {
            let sent = sent.as_ref().and_then(|sent| sent.to_str().ok());
            answer.member("sent", &sent).into_response()
        },
    ))
}

/// And a handler that repeats the body of the request.
async fn echo(expected: Expected<Posts>, content: String) -> (StatusCode, String) {
    expected.unchanged();
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        format!("cannot use {content}"),
    )
}

//! Writes that take [`Expected`] and hand it to the store, whose write is conditional on it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use tower_if_match::{Demand, Expected};

use super::written;
use crate::answer::Refused;
use crate::app::App;
use crate::extract::{Content, Target};
use crate::post::Draft;
use crate::store::PostStore;

pub(crate) async fn replace<S: PostStore>(
    State(app): State<App<S>>,
    Target(id): Target,
    expected: Expected<S::Versions>, // what the condition demands; hopeless requests never get here
    Content(sent): Content,
) -> Result<impl IntoResponse, Refused> {
    let draft = Draft::check(sent, Some(id))?;
    let put = app.posts.put(draft, expected).await?; // one atomic step; lost if someone was faster
    Ok(written(put)) // the layer sets the new ETag
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
    let draft = Draft::patched(post.body(), &patch)?;
    let put = app.posts.put(draft, expected).await?;
    Ok(written(put))
}

pub(crate) async fn remove<S: PostStore>(
    State(app): State<App<S>>,
    Target(_): Target,
    expected: Expected<S::Versions>,
) -> Result<StatusCode, Refused> {
    app.posts.remove(expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

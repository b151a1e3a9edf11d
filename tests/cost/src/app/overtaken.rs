//! Handlers that lose the race, after which the layer asks the store again.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::put;
use tower_if_match::{Expected, IfMatchLayer, Lost, PathKey, VersionStore};

use super::guarded::minted_tag;
use super::{App, ID, POST, twice};
use crate::posts::Posts;

impl App {
    /// Somebody else writes between the layer's read and the handler's write: the tag is stale then.
    pub(crate) fn overtaken() -> Self {
        Self::losing(somebody_is_faster)
    }

    /// The handler loses, but the layer finds the version that it has found before: all that it can tell is that
    /// the race was lost.
    pub(crate) fn lost() -> Self {
        Self::losing(|_, _, expected| Err(expected.lost()))
    }

    fn losing(lose: fn(&Posts<false>, Bytes, Expected<Posts<false>>) -> Written) -> Self {
        let posts = Posts::default();
        twice(|text| posts.overwrite(ID, text));
        let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
        let tag_of = minted_tag(guard.tags(), 0);
        let write = move |State(posts): State<Posts<false>>,
                          expected: Expected<Posts<false>>,
                          text: Bytes| async move { lose(&posts, text, expected) };
        Self {
            router: Router::new()
                .route(POST, put(write).route_layer(guard))
                .with_state(posts),
            tag_of,
        }
    }
}

type Written = Result<StatusCode, Lost>;

/// The one write of a handler that passes is here that of the other, so the no-op row is comparable.
pub(super) fn somebody_is_faster<S: VersionStore<Key = u64, Revision = u64>>(
    posts: &Posts<false>,
    text: Bytes,
    expected: Expected<S>,
) -> Written {
    posts.overwrite(ID, text.clone());
    posts.put(text, expected)?;
    Ok(StatusCode::NO_CONTENT)
}

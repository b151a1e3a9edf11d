//! Our layer on a store that has to be waited for, as one behind a connection.

use std::convert::Infallible;
use std::task::Poll;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, put};
use tower_if_match::{Expected, IfMatchLayer, Lost, PathKey, Version, VersionStore};

use super::guarded::minted_tag;
use super::{App, ID, POST, overtaken, twice};
use crate::posts::Posts;

/// Does not promise to answer at once. It does so all the same, or has to be polled twice if it `WAITS`.
#[derive(Clone, Default)]
pub(super) struct Asked<const WAITS: bool>(Posts<false>);

impl<const WAITS: bool> VersionStore for Asked<WAITS> {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, key: &u64) -> Result<Option<Version>, Infallible> {
        if WAITS {
            wait().await;
        }
        self.0.current(key).await
    }
}

/// Pending once, and woken at once.
async fn wait() {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl App {
    /// The handler writes at once: what waits is the layer.
    pub(crate) fn asked<const WAITS: bool>() -> Self {
        Self::asked_by::<WAITS>(get(read_untagged).put(write))
    }

    /// The same, where somebody is faster than the handler.
    pub(crate) fn asked_and_overtaken<const WAITS: bool>() -> Self {
        Self::asked_by::<WAITS>(put(overtaken_write))
    }

    fn asked_by<const WAITS: bool>(methods: MethodRouter<Asked<WAITS>>) -> Self {
        let posts = Asked::<WAITS>::default();
        twice(|text| posts.0.overwrite(ID, text));
        let guard = IfMatchLayer::new("posts", posts.clone(), PathKey).with_version_before_body();
        let tag_of = minted_tag(guard.tags(), 0);
        Self {
            router: Router::new()
                .route(POST, methods.route_layer(guard))
                .with_state(posts),
            tag_of,
        }
    }
}

async fn write<const WAITS: bool>(
    State(posts): State<Asked<WAITS>>,
    expected: Expected<Asked<WAITS>>,
    text: Bytes,
) -> Result<StatusCode, Lost> {
    posts.0.put(text, expected)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn overtaken_write<const WAITS: bool>(
    State(posts): State<Asked<WAITS>>,
    expected: Expected<Asked<WAITS>>,
    text: Bytes,
) -> Result<StatusCode, Lost> {
    overtaken::somebody_is_faster(&posts.0, text, expected)
}

/// The handler does not know the version, so the layer's is the tag.
async fn read_untagged<const WAITS: bool>(
    State(posts): State<Asked<WAITS>>,
    Path(id): Path<u64>,
) -> Result<Bytes, StatusCode> {
    let text = posts.0.rows().get(&id).map(|post| post.text.clone());
    text.ok_or(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn only_the_store_that_waits_is_polled_twice() {
        let mut cx = Context::from_waker(Waker::noop());
        let at_once = Asked::<false>::default();
        assert!(pin!(at_once.current(&ID)).poll(&mut cx).is_ready());
        let waits = Asked::<true>::default();
        let mut asked = pin!(waits.current(&ID));
        assert!(asked.as_mut().poll(&mut cx).is_pending());
        assert!(asked.as_mut().poll(&mut cx).is_ready());
    }
}

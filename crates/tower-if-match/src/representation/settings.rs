use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, Uri};

use super::body::{Resumable, Resumed};
use super::get::target_text;
use super::watch::Watch;
use crate::config::Config;
use crate::request::{FindKey, Found};
use crate::strategy::SingleProcess;

/// Names the unit to which a target belongs.
pub(super) type UnitOf = dyn Fn(&Uri) -> String + Send + Sync;

/// What you set on the layer.
#[derive(Clone)]
pub(super) struct Settings {
    /// No store: one is made for each request, because the state of a resource depends on who reads it.
    pub(super) config: Arc<Config<String, String>>,
    pub(super) process: SingleProcess,
    pub(super) accept: HeaderValue,
    pub(super) limit: usize,
    pub(super) wait_timeout: Duration,
    pub(super) unit: Option<Arc<UnitOf>>,
    pub(super) watch: Watch,
}

impl Settings {
    /// Reads the body of a response, as far as it can be held.
    pub(super) async fn hold<B: Resumable>(&self, answer: Response<B>) -> Response<Resumed<B>> {
        let (head, content) = answer.into_parts();
        let content = if is_endless(&head.headers) {
            Resumed::unread(content)
        } else {
            Resumed::read(content, self.limit, self.wait_timeout).await
        };
        Response::from_parts(head, content)
    }
}

/// Whether a body is a stream without an end.
fn is_endless(fields: &HeaderMap) -> bool {
    const ENDLESS: [&[u8]; 2] = [b"text/event-stream", b"multipart/x-mixed-replace"];
    let Some(media_type) = fields.get(CONTENT_TYPE) else {
        return false;
    };
    let named = |name: &[u8]| {
        let start = media_type.as_bytes().get(..name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    ENDLESS.into_iter().any(named)
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RepresentationLayer")
            .field("config", &self.config)
            .field("accept", &self.accept)
            .field("limit", &self.limit)
            .field("wait_timeout", &self.wait_timeout)
            .field("locks_by", &self.unit.is_some())
            .finish_non_exhaustive()
    }
}

/// The key is the target as sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct TargetKey;

impl FindKey<String> for TargetKey {
    fn find(&self, head: &mut Parts) -> Found<String> {
        if is_inside_a_router(head) {
            return Found::Misrouted(
                "a RepresentationLayer is inside a router, where its GET would run the handler of the \
                 write; put it around the whole router"
                    .to_owned(),
            );
        }
        Found::Key(target_text(head))
    }
}

#[cfg(feature = "axum")]
fn is_inside_a_router(head: &Parts) -> bool {
    head.extensions
        .get::<axum::extract::MatchedPath>()
        .is_some()
}

#[cfg(not(feature = "axum"))]
fn is_inside_a_router(_: &Parts) -> bool {
    false
}

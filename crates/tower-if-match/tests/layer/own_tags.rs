//! A store that brings tags of its own, or says that there are none.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::IF_NONE_MATCH;
use axum::routing::get;
use tower_if_match::http_precondition::EntityTag;
use tower_if_match::version_store::Tagging;
use tower_if_match::{Expected, IfMatchLayer, PathKey, Version, VersionStore, Versioned};

use crate::posts::{self, Answer, request, send};

/// One resource that stays at one version.
#[derive(Clone)]
struct Tagged(Tagging);

impl Tagged {
    fn version(&self) -> Version {
        match &self.0 {
            Tagging::Own(tag) => Version::new(1).with_own_tag(tag.clone()),
            Tagging::Untagged => Version::new(1).without_tag(),
            Tagging::Minted => Version::new(1),
        }
    }
}

impl VersionStore for Tagged {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        Ok(Some(self.version()))
    }
}

fn app(tagging: Tagging) -> Router {
    let store = Tagged(tagging);
    let guard = IfMatchLayer::new("tagged", store.clone(), PathKey);
    let version = store.version();
    let read = async move || Versioned::new(version, "body");
    let write = async move |expected: Expected<Tagged>| expected.written(store.version());
    Router::new().route("/posts/{id}", get(read).put(write).route_layer(guard))
}

fn strong() -> Router {
    app(Tagging::Own(EntityTag::strong("own").unwrap()))
}

fn weak() -> Router {
    app(Tagging::Own(EntityTag::weak("own").unwrap()))
}

async fn put_if_none_match(app: &Router, tag: &str) -> Answer {
    let sent = request("PUT", "/posts/7").header(IF_NONE_MATCH, tag);
    send(app, sent.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_strong_tag_is_served_compared_and_told_as_it_is() {
    let app = strong();
    assert_eq!(posts::get_tag(&app).await, "\"own\"");
    let fitting = posts::put(&app, "\"own\"", "x").await;
    assert_eq!(
        (fitting.status, fitting.etag()),
        (StatusCode::OK, Some("\"own\""))
    );
    for (tag, reason) in [("\"older\"", "stale_version"), ("W/\"own\"", "weak_tag")] {
        let refused = posts::put(&app, tag, "x").await;
        assert_eq!(refused.reason(), reason, "{tag}");
        assert_eq!(refused.etag(), Some("\"own\""));
    }
    // What a store's own tag looks like with a suffix nobody can tell.
    let suffixed = posts::put(&app, "\"own-gzip\"", "x").await;
    assert_eq!(suffixed.reason(), "stale_version");
}

#[tokio::test]
async fn a_weak_tag_never_satisfies_if_match_and_always_if_none_match() {
    let app = weak();
    assert_eq!(posts::get_tag(&app).await, "W/\"own\"");
    for (tag, reason) in [("W/\"own\"", "weak_tag"), ("\"own\"", "stale_version")] {
        assert_eq!(posts::put(&app, tag, "x").await.reason(), reason);
        assert_eq!(put_if_none_match(&app, tag).await.reason(), "exists");
    }
    assert_eq!(posts::put(&app, "*", "x").await.status, StatusCode::OK);
    // The strong one, weakly presented.
    assert_eq!(
        put_if_none_match(&strong(), "W/\"own\"").await.reason(),
        "exists"
    );
}

#[tokio::test]
async fn a_version_without_a_tag_fits_no_tag_and_is_told_without_one() {
    let app = app(Tagging::Untagged);
    let get = request("GET", "/posts/7").body(Body::empty()).unwrap();
    assert_eq!(send(&app, get).await.etag(), None);
    let minted = strong_tag_of_a_minted_version();
    for tag in ["\"own\"", minted.as_str()] {
        let refused = posts::put(&app, tag, "x").await;
        assert_eq!(refused.reason(), "unknown_tag");
        assert_eq!(refused.etag(), None);
        let passed = put_if_none_match(&app, tag).await;
        assert_eq!(passed.status, StatusCode::PRECONDITION_REQUIRED);
    }
    let written = posts::put(&app, "*", "x").await;
    assert_eq!((written.status, written.etag()), (StatusCode::OK, None));
}

fn strong_tag_of_a_minted_version() -> String {
    let store = Tagged(Tagging::Minted);
    let guard = IfMatchLayer::new("tagged", store.clone(), PathKey);
    guard.tags().tag(&7, &store.version()).unwrap().to_string()
}

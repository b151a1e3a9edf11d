//! Tags that something on the way weakened, and the option that accepts them all the same.

use axum::body::Body;
use axum::http::StatusCode;
use tower_if_match::http_precondition::EntityTag;
use tower_if_match::{Expected, IfMatchLayer, PathKey, Policy, Version};

use crate::posts::{self, app, get_tag, posts, put, request, send};

#[tokio::test]
async fn a_weakened_tag_writes_where_the_owner_accepts_it_and_only_there() {
    let (posts, guard) = posts();
    let strict = app(&posts, guard.clone());
    let lenient = app(
        &posts,
        guard.with_policy(Policy::new().with_weakened_tags_accepted()),
    );
    let weakened = format!("W/{}", get_tag(&strict).await);
    let refused = put(&strict, &weakened, "second").await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(refused.reason(), "weak_tag");

    let written = put(&lenient, &weakened, "second").await;
    assert_eq!(written.status, StatusCode::OK);
    // It is no longer the current one: accepting weak tags is not accepting old ones.
    let stale = put(&lenient, &weakened, "third").await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(stale.reason(), "stale_version");
    assert_eq!(*posts.get(&7).unwrap().body(), "second");
}

/// As nginx does it: the tag of an encoded body, weakened.
#[tokio::test]
async fn a_weakened_tag_of_a_variant_writes() {
    let (posts, guard) = posts();
    let app = app(
        &posts,
        guard.with_policy(Policy::new().with_weakened_tags_accepted()),
    );
    let tag = get_tag(&app).await;
    let variant = format!("W/{}.gzip\"", tag.trim_end_matches('"'));
    assert_eq!(put(&app, &variant, "second").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_this_service_did_not_mint_is_refused_all_the_same() {
    let (posts, guard) = posts();
    posts.create(8, "other".to_owned());
    let app = app(
        &posts,
        guard.with_policy(Policy::new().with_weakened_tags_accepted()),
    );
    let of_8 = request("GET", "/posts/8").body(Body::empty()).unwrap();
    let of_8 = send(&app, of_8).await.etag().unwrap().to_owned();
    for (tag, reason) in [
        ("W/\"invented\"".to_owned(), "unknown_tag"),
        (format!("W/{of_8}"), "foreign_tag"),
    ] {
        let answer = put(&app, &tag, "second").await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(answer.reason(), reason);
    }
}

/// A weak tag of a store's own says that the state may have changed under it.
#[tokio::test]
async fn a_stores_own_weak_tag_never_writes() {
    #[derive(Clone)]
    struct Own;
    impl tower_if_match::VersionStore for Own {
        type Key = u64;
        type Revision = u64;
        type Error = std::convert::Infallible;
        async fn current(&self, _: &u64) -> Result<Option<Version>, Self::Error> {
            let tag = EntityTag::weak("own").unwrap();
            Ok(Some(Version::new(1).with_own_tag(tag)))
        }
    }
    let guard = IfMatchLayer::new("own", Own, PathKey)
        .with_policy(Policy::new().with_weakened_tags_accepted());
    let write = async |expected: Expected<Own>| expected.unchanged();
    let methods = axum::routing::put(write).route_layer(guard);
    let app: axum::Router = axum::Router::new().route("/posts/{id}", methods);
    let answer = put(&app, "W/\"own\"", "content").await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(answer.reason(), "weak_tag");
}

/// The read's 412 is about the representation that would be sent, and that is named strongly.
#[tokio::test]
async fn reads_are_not_concerned() {
    let (posts, guard) = posts();
    let app = posts::app(
        &posts,
        guard.with_policy(Policy::new().with_weakened_tags_accepted()),
    );
    let weakened = format!("W/{}", get_tag(&app).await);
    let read = request("GET", "/posts/7").header("if-match", weakened);
    let answer = send(&app, read.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(answer.reason(), "weak_tag");
}

/// In front of a whole service, whose tags are hashes of what it answers.
#[tokio::test]
async fn a_representation_layer_accepts_them_where_it_is_told_to() {
    use tower::Layer;
    use tower_if_match::RepresentationLayer;

    let layers = [
        (
            RepresentationLayer::new("notes"),
            StatusCode::PRECONDITION_FAILED,
        ),
        (
            RepresentationLayer::new("notes")
                .with_policy(Policy::new().with_weakened_tags_accepted()),
            StatusCode::OK,
        ),
    ];
    for (layer, status) in layers {
        let service: axum::Router = axum::Router::new().route(
            "/posts/7",
            axum::routing::get(async || "first").put(async || "done"),
        );
        let app = axum::Router::new().fallback_service(layer.layer(service));
        let weakened = format!("W/{}", get_tag(&app).await);
        assert_eq!(put(&app, &weakened, "second").await.status, status);
    }
}

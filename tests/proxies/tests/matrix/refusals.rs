//! Refusals come through as they are.

use wire::{Request, Response};

use crate::origins::Origin;
use crate::routes::{Route, create, read, replace, uri};

/// What a client needs of a refusal; the order of the fields and what a proxy adds are its own.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    fields: Vec<Option<String>>,
    document: serde_json::Value,
}

impl Seen {
    fn of(answer: &Response) -> Self {
        let names = ["etag", "cache-control", "content-type", "retry-after"];
        Self {
            status: answer.status(),
            fields: names
                .map(|name| answer.header(name).map(str::to_owned))
                .into(),
            document: answer.json().unwrap(),
        }
    }
}

/// A write on a version that was replaced, one without a condition, and one that no store can answer
/// for.
async fn refused(origin: &Route) -> [(u16, Request); 3] {
    let (id, first) = create(origin).await;
    assert_eq!(origin.send(&replace(id, &first)).await.status(), 200);
    [
        (412, replace(id, &first)),
        (428, Request::new("PUT", uri(id)).json("{}")),
        (
            503,
            Request::new("PUT", format!("/away/{id}")).field("If-Match", &first),
        ),
    ]
}

#[tokio::test]
async fn a_refusal_comes_through_every_proxy_unchanged() {
    let routes = Route::all(Origin::Guarded.serve().await).await;
    for (status, request) in refused(&routes[0]).await {
        let direct = routes[0].send(&request).await;
        assert_eq!(direct.status(), status);
        assert_eq!(direct.header("cache-control"), Some("no-store"));
        assert_eq!(
            direct.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(direct.header("etag").is_some(), status == 412);
        assert_eq!(direct.header("retry-after"), (status == 503).then_some("7"));
        let direct = Seen::of(&direct);
        for route in &routes[1..] {
            assert_eq!(
                Seen::of(&route.send(&request).await),
                direct,
                "{}",
                route.name()
            );
        }
    }
}

/// To clients that accept gzip a proxy may encode a refusal, too. Then its tag may be another; it
/// still is one that writes.
#[tokio::test]
async fn the_tag_on_a_refusal_that_may_be_encoded_writes() {
    let routes = Route::all(Origin::Guarded.serve().await).await;
    for route in &routes {
        let (id, first) = create(&routes[0]).await;
        assert_eq!(route.send(&replace(id, &first)).await.status(), 200);
        let stale = replace(id, &first).field("Accept-Encoding", "gzip");
        let stale = route.send(&stale).await;
        assert_eq!(stale.status(), 412);
        let again = replace(id, stale.header("etag").unwrap());
        assert_eq!(route.send(&again).await.status(), 200, "{stale:?}");
    }
}

/// What a client can do about a weakened tag: read again without an encoding.
#[tokio::test]
async fn a_tag_of_a_read_without_encoding_writes() {
    let routes = Route::all(Origin::Guarded.serve().await).await;
    for route in &routes {
        let (id, state) = create(&routes[0]).await;
        let answer = route.send(&read(id, "identity")).await;
        assert_eq!(answer.header("etag"), Some(&*state), "{}", route.name());
        assert_eq!(route.send(&replace(id, &state)).await.status(), 200);
    }
}

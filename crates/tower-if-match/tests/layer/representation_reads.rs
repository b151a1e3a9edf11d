//! Reads of a service that is guarded from outside.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE,
    LAST_MODIFIED, RANGE, UPGRADE,
};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tower::{Layer, Service, service_fn};

use crate::representation::{ask, guard, guarded, legacy, tag_of};

/// A service that answers at once.
pub(crate) fn service(
    answer: impl Fn(&Request) -> Response + Clone + Send + Sync + 'static,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    service_fn(move |request: Request| {
        let answer = answer(&request);
        async move { Ok(answer) }
    })
}

#[tokio::test]
async fn conditions_of_reads_are_evaluated_on_the_tag() {
    let (app, _) = guarded();
    let tag = tag_of(&app, "/posts/7").await;
    for method in ["GET", "HEAD"] {
        let line = format!("{method} /posts/7");
        let fresh = ask(&app, &line, &[("if-none-match", &tag)], "").await;
        assert_eq!(
            (fresh.status, fresh.etag()),
            (StatusCode::NOT_MODIFIED, Some(&*tag))
        );
        let other = ask(&app, &line, &[("if-none-match", "\"x\"")], "").await;
        assert_eq!(other.status, StatusCode::OK);
        let failed = ask(&app, &line, &[("if-match", "\"x\"")], "").await;
        assert_eq!(failed.status, StatusCode::PRECONDITION_FAILED);
        let absent = ask(
            &app,
            &format!("{method} /posts/9"),
            &[("if-match", "*")],
            "",
        )
        .await;
        assert_eq!(absent.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn head_is_the_get_without_its_content() {
    let (app, _) = guarded();
    let tag = tag_of(&app, "/posts/7").await;
    for fields in [&[][..], &[("accept-language", "fr")]] {
        let head = ask(&app, "HEAD /posts/7", fields, "").await;
        assert_eq!(head.etag(), Some(&*tag));
        assert_eq!(head.field(CONTENT_LENGTH), Some("5"));
        assert!(head.body.is_empty());
    }
}

#[tokio::test]
async fn a_range_gets_the_whole() {
    let app = guard().layer(service(|request| {
        if request.headers().contains_key(RANGE) {
            return (StatusCode::PARTIAL_CONTENT, "s").into_response();
        }
        ([(ACCEPT_RANGES, "bytes")], "state").into_response()
    }));
    let tag = tag_of(&app, "/").await;
    let ranged = ask(
        &app,
        "GET /",
        &[("range", "bytes=0-0"), ("if-range", &tag)],
        "",
    )
    .await;
    assert_eq!(
        (ranged.status, &*ranged.body),
        (StatusCode::OK, &b"state"[..])
    );
    assert_eq!(ranged.field(ACCEPT_RANGES), None);
}

#[tokio::test]
async fn a_tag_of_the_services_own_is_replaced_and_its_date_stays() {
    const DATE: &str = "Sat, 01 Jan 2000 00:00:00 GMT";
    for own in ["\"own\"", "W/\"own\""] {
        let app = guard().layer(service(move |_| {
            ([("etag", own), ("last-modified", DATE)], "state").into_response()
        }));
        let read = ask(&app, "GET /", &[], "").await;
        assert!(read.etag().unwrap().starts_with("\"v"));
        assert_eq!(read.field(LAST_MODIFIED), Some(DATE));
        let date = [("if-unmodified-since", DATE)];
        let written = ask(&app, "PUT /", &date, "").await;
        assert_eq!(
            written.reason(),
            "missing_condition",
            "a date guards nothing"
        );
    }
}

/// Speaks text and JSON, in any language, and encodes.
fn negotiating(request: &Request) -> Response {
    let json = request
        .headers()
        .get(ACCEPT)
        .is_some_and(|accept| accept == "application/json");
    let french = request.headers().contains_key(ACCEPT_LANGUAGE);
    let gzip = request
        .headers()
        .get("accept-encoding")
        .is_some_and(|coding| coding == "gzip");
    match (json, french, gzip) {
        (_, _, true) => ([(CONTENT_ENCODING, "gzip")], "gzipped").into_response(),
        (true, ..) => ([(CONTENT_TYPE, "application/json")], "{}").into_response(),
        (_, true, _) => "l'état".into_response(),
        _ => "state".into_response(),
    }
}

#[tokio::test]
async fn bodies_that_differ_have_tags_that_differ_and_any_of_them_writes() {
    let app = guard().layer(service(negotiating));
    let selections = [
        &[][..],
        &[("accept", "application/json")],
        &[("accept-language", "fr")],
        &[("accept-encoding", "gzip")],
    ];
    let mut tags = Vec::new();
    for fields in selections {
        let read = ask(&app, "GET /", fields, "").await;
        let tag = read.etag().unwrap().to_owned();
        let condition = ("if-none-match", &*tag);
        let again = ask(&app, "GET /", &[fields, &[condition]].concat(), "").await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        let written = ask(&app, "PUT /", &[("if-match", &tag)], "").await;
        assert_eq!(written.status, StatusCode::OK, "{tag}");
        assert_eq!(
            written.etag(),
            tags.first()
                .map_or(Some(&*tag), |state: &String| Some(state))
        );
        tags.push(tag);
    }
    assert!(tags[3].ends_with(".gzip\""), "{}", tags[3]);
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4);

    let same = [("accept", "text/*"), ("accept-encoding", "br, identity")];
    let app = guard().layer(service(|_| "state".into_response()));
    let state = tag_of(&app, "/").await;
    assert_eq!(ask(&app, "GET /", &same, "").await.etag(), Some(&*state));
}

#[tokio::test]
async fn the_media_type_is_part_of_the_state() {
    let tags = ["text/one", "text/two"].map(async |media_type: &'static str| {
        let app = guard().layer(service(move |_| {
            ([(CONTENT_TYPE, media_type)], "state").into_response()
        }));
        tag_of(&app, "/").await
    });
    let [one, two] = tags;
    assert_ne!(one.await, two.await);
}

#[tokio::test]
async fn what_tells_the_state_can_be_chosen() {
    let app = guard()
        .with_accept("application/json")
        .layer(service(negotiating));
    let json = ask(&app, "GET /", &[("accept", "application/json")], "").await;
    assert!(
        !json.etag().unwrap().contains('.'),
        "no variant: it is the state"
    );
    let text = ask(&app, "GET /", &[("accept", "text/plain")], "").await;
    assert!(text.etag().unwrap().contains('.'));
}

/// P4: a tag may be older than its body, never newer.
#[tokio::test]
async fn a_write_between_the_state_and_the_body_makes_the_tag_stale() {
    let state = Arc::new(Mutex::new("first"));
    let app = guard().layer(service(move |request| {
        let mut state = state.lock().unwrap();
        if request.headers().contains_key(ACCEPT_LANGUAGE) {
            *state = "second";
        }
        state.into_response()
    }));
    let read = ask(&app, "GET /", &[("accept-language", "fr")], "").await;
    assert_eq!(read.body, b"second");
    let written = ask(&app, "PUT /", &[("if-match", read.etag().unwrap())], "").await;
    assert_eq!(written.reason(), "stale_version");
}

#[tokio::test]
async fn what_reads_and_writes_cost() {
    let gets = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&gets);
    let (router, _) = legacy();
    let app = guard().layer(tower::ServiceBuilder::new().service(router.layer(
        axum::middleware::from_fn(move |request: Request, next: axum::middleware::Next| {
            if request.method() == Method::GET {
                counter.fetch_add(1, Ordering::Relaxed);
            }
            next.run(request)
        }),
    )));
    let tag = tag_of(&app, "/posts/7").await;
    let fitting = ("if-match", &*tag);
    let requests = [
        ("GET /posts/7", vec![], 1),
        (
            "GET /posts/7",
            vec![("accept", "*/*"), ("accept-encoding", "identity")],
            1,
        ),
        ("GET /posts/7", vec![("accept-encoding", "gzip")], 2),
        ("OPTIONS /posts/7", vec![], 0),
        ("PUT /posts/7", vec![], 1),
        ("PUT /posts/7", vec![fitting], 3),
    ];
    for (line, fields, expected) in requests {
        gets.store(0, Ordering::Relaxed);
        let content = if line.starts_with("PUT") {
            "second"
        } else {
            ""
        };
        ask(&app, line, &fields, content).await;
        assert_eq!(gets.load(Ordering::Relaxed), expected, "{line} {fields:?}");
    }
}

#[tokio::test]
async fn a_query_has_no_tag_of_the_resources() {
    let app = guard().layer(service(|_| {
        ([("etag", "\"own\"")], "state").into_response()
    }));
    let read = ask(&app, "QUERY /", &[], "").await;
    assert_eq!((read.status, read.etag()), (StatusCode::OK, None));
}

#[tokio::test]
async fn an_upgrade_goes_through() {
    let app = guard().layer(service(|request| {
        let upgrades = request.headers().contains_key(UPGRADE);
        assert!(!request.headers().contains_key("x-http-method-override"));
        if upgrades {
            return StatusCode::SWITCHING_PROTOCOLS.into_response();
        }
        "state".into_response()
    }));
    let fields = [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("x-http-method-override", "DELETE"),
    ];
    let answer = ask(&app, "GET /", &fields, "").await;
    assert_eq!(answer.status, StatusCode::SWITCHING_PROTOCOLS);
    let answer = ask(&app, "GET /", &fields[2..], "").await;
    assert_eq!(answer.status, StatusCode::OK);
}

//! P4 and the conditions of reads.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION,
    CONTENT_RANGE, CONTENT_TYPE, EXPIRES, LAST_MODIFIED, TRANSFER_ENCODING, VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use tower_if_match::http_precondition::EntityTag;
use tower_if_match::{IfMatchLayer, PathKey, Version, VersionStore, Versioned};

use crate::posts::{self, Answer, Posts, app, get_tag, posts, request, send, with_methods};

async fn get_with(app: &Router, name: &str, value: &str) -> Answer {
    send(
        app,
        request("GET", "/posts/7")
            .header(name, value)
            .body(Body::empty())
            .unwrap(),
    )
    .await
}

#[tokio::test]
async fn a_read_is_tagged_and_its_conditions_are_evaluated() {
    let (posts, guard) = posts();
    let app = app(&posts, guard);
    let tag = posts::get_tag(&app).await;
    let not_modified = get_with(&app, "if-none-match", &tag).await;
    assert_eq!(not_modified.status, StatusCode::NOT_MODIFIED);
    assert_eq!(not_modified.etag(), Some(tag.as_str()));
    assert!(not_modified.body.is_empty());
    assert_eq!(
        get_with(&app, "if-none-match", "\"x\"").await.status,
        StatusCode::OK
    );
    assert_eq!(
        get_with(&app, "if-match", &tag).await.status,
        StatusCode::OK
    );
    let failed = get_with(&app, "if-match", "\"x\"").await;
    assert_eq!(failed.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(failed.etag(), Some(tag.as_str()));
    assert_eq!(failed.reason(), "unknown_tag");
    assert_eq!(failed.problem()["failed_condition"], "If-Match");
    posts::put(&app, &tag, "second").await;
    assert_eq!(
        get_with(&app, "if-match", &tag).await.reason(),
        "stale_version"
    );
    assert_eq!(
        get_with(&app, "if-match", "malformed").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        get_with(&app, "if-none-match", "malformed").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_head_has_the_fields_and_no_body() {
    let (posts, guard) = posts();
    let app = app(&posts, guard);
    let tag = posts::get_tag(&app).await;
    for (value, status) in [
        ("*", StatusCode::OK),
        ("\"x\"", StatusCode::PRECONDITION_FAILED),
    ] {
        let head = request("HEAD", "/posts/7")
            .header("if-match", value)
            .body(Body::empty());
        let answer = send(&app, head.unwrap()).await;
        assert_eq!((answer.status, answer.etag()), (status, Some(tag.as_str())));
        assert!(answer.body.is_empty());
        let get = request("GET", "/posts/7")
            .header("if-match", value)
            .body(Body::empty());
        let length = send(&app, get.unwrap()).await.body.len().to_string();
        assert_eq!(
            answer.field(axum::http::header::CONTENT_LENGTH),
            Some(length.as_str())
        );
    }
}

#[tokio::test]
async fn the_304_keeps_what_it_must_and_drops_what_describes_content() {
    let handler = async |State(posts): State<Posts>| {
        let post = posts.get(&7).unwrap();
        post.map(|text| {
            let fields = [
                (VARY, "accept-language"),
                (CACHE_CONTROL, "max-age=60"),
                (CONTENT_LOCATION, "/posts/7"),
                (EXPIRES, "Thu, 01 Jan 2037 00:00:00 GMT"),
                (axum::http::header::SET_COOKIE, "seen=1"),
                (CONTENT_ENCODING, "identity"),
                (CONTENT_LANGUAGE, "en"),
                (CONTENT_LENGTH, "7"),
                (CONTENT_RANGE, "bytes 0-6/7"),
                (TRANSFER_ENCODING, "chunked"),
            ];
            (fields, Json(text))
        })
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, get(handler));
    let tag = posts::get_tag(&app).await;
    let answer = get_with(&app, "if-none-match", &tag).await;
    assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
    for name in [
        VARY,
        CACHE_CONTROL,
        CONTENT_LOCATION,
        EXPIRES,
        axum::http::header::SET_COOKIE,
    ] {
        assert!(answer.field(name.clone()).is_some(), "{name}");
    }
    // axum itself says 0 for what is empty.
    assert_ne!(answer.field(CONTENT_LENGTH), Some("7"));
    for name in [
        CONTENT_ENCODING,
        CONTENT_LANGUAGE,
        CONTENT_RANGE,
        CONTENT_TYPE,
        TRANSFER_ENCODING,
        LAST_MODIFIED,
    ] {
        assert_eq!(answer.field(name.clone()), None, "{name}");
    }
}

/// Without a tag the date is all that a cache has to go by.
#[tokio::test]
async fn a_304_by_date_keeps_the_date_where_there_is_no_tag() {
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    let (posts, guard) = posts();
    let app = with_methods(
        &posts,
        guard,
        get(async || ([(LAST_MODIFIED, DATE)], "body")),
    );
    let answer = get_with(&app, "if-modified-since", DATE).await;
    assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
    assert_eq!(answer.field(LAST_MODIFIED), Some(DATE));
    assert!(answer.body.is_empty());
    let earlier = get_with(&app, "if-modified-since", "Sun, 06 Nov 1994 08:49:36 GMT").await;
    assert_eq!(earlier.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_success_stays_what_it_is() {
    for status in [
        StatusCode::NOT_FOUND,
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::INTERNAL_SERVER_ERROR,
    ] {
        let (posts, guard) = posts();
        let app = with_methods(&posts, guard, get(async move || status));
        for (name, value) in [
            ("if-match", "\"x\""),
            ("if-none-match", "*"),
            ("if-match", "malformed"),
        ] {
            assert_eq!(get_with(&app, name, value).await.status, status);
        }
    }
}

#[tokio::test]
async fn what_is_served_is_clamped_and_what_is_compared_is_not() {
    let (posts, guard) = posts();
    let now = SystemTime::now();
    let app = app(
        &posts,
        guard.with_clock(move || now - Duration::from_hours(1)),
    );
    let get = request("GET", "/posts/7").body(Body::empty()).unwrap();
    let served = send(&app, get)
        .await
        .field(LAST_MODIFIED)
        .unwrap()
        .to_owned();
    assert_eq!(
        get_with(&app, "if-modified-since", &served).await.status,
        StatusCode::OK,
        "a read compares with the stored date, too"
    );
    // Earlier than the stored date: to write with it would be to write with a date before the last
    // modification.
    let put = request("PUT", "/posts/7").header("if-unmodified-since", &served);
    let answer = send(&app, put.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.reason(), "modified_since");
}

/// Two writes within one second, and a date between them: the second finds out.
#[tokio::test]
async fn if_unmodified_since_loses_nothing_within_a_second() {
    let (posts, guard) = posts();
    let app = app(
        &posts,
        guard.with_clock(|| SystemTime::now() + Duration::from_hours(1)),
    );
    let get = request("GET", "/posts/7").body(Body::empty()).unwrap();
    let date = send(&app, get)
        .await
        .field(LAST_MODIFIED)
        .unwrap()
        .to_owned();
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let put = request("PUT", "/posts/7").header("if-unmodified-since", &date);
        statuses.push(send(&app, put.body(Body::from("x")).unwrap()).await.status);
    }
    assert_eq!(statuses, [StatusCode::OK, StatusCode::PRECONDITION_FAILED]);
}

/// The negative control of the test above: with dates of whole seconds off the wall clock, which a
/// store must not declare to advance, both writes pass.
#[tokio::test]
async fn dates_that_do_not_advance_let_both_pass() {
    for (declared, expected) in [
        (true, [StatusCode::OK, StatusCode::OK]),
        (false, [StatusCode::PRECONDITION_REQUIRED; 2]),
    ] {
        let store = Coarse {
            revision: Arc::default(),
            declared,
        };
        let guard = IfMatchLayer::new("coarse", store.clone(), PathKey);
        let write = async |State(store): State<Coarse>,
                           expected: tower_if_match::Expected<Coarse>| {
            let mut revision = store.revision.lock().unwrap();
            if !expected.admits(Some(&Version::new(*revision))) {
                return Err(expected.lost());
            }
            *revision += 1;
            expected.written(Version::new(*revision));
            Ok(())
        };
        let app: Router = Router::new()
            .route("/posts/{id}", axum::routing::put(write).route_layer(guard))
            .with_state(store);
        let mut statuses = Vec::new();
        for _ in 0..2 {
            let put = request("PUT", "/posts/7")
                .header("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT");
            statuses.push(send(&app, put.body(Body::empty()).unwrap()).await.status);
        }
        assert_eq!(statuses, expected, "declared: {declared}");
    }
}

/// A store that says nothing of its dates.
#[derive(Clone)]
struct Dated;

impl VersionStore for Dated {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        Ok(Some(
            Version::new(1).with_modified_at(SystemTime::UNIX_EPOCH),
        ))
    }
}

#[tokio::test]
async fn dates_do_not_advance_unless_the_store_says_so() {
    let guard = IfMatchLayer::new("dated", Dated, PathKey);
    let methods = axum::routing::put(async || "wrote").route_layer(guard);
    let app: Router = Router::new().route("/posts/{id}", methods);
    let put =
        request("PUT", "/posts/7").header("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT");
    let answer = send(&app, put.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_REQUIRED);
}

/// A store whose modification date stands still.
#[derive(Clone)]
struct Coarse {
    revision: Arc<Mutex<u64>>,
    declared: bool,
}

impl VersionStore for Coarse {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    fn dates_advance(&self) -> bool {
        self.declared
    }

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        Ok(Some(
            Version::new(*self.revision.lock().unwrap()).with_modified_at(date),
        ))
    }
}

/// A handler's own strong tag has to be one that its writes recognise.
#[tokio::test]
async fn a_tag_that_no_write_would_recognise_is_removed() {
    let (posts, guard) = posts();
    let version = posts.get(&7).unwrap().version().clone();
    let minted = guard.tags().tag(&7, &version).unwrap().to_string();
    let foreign = guard.tags().tag(&8, &version).unwrap().to_string();
    for (own, kept) in [
        ("\"abc\"".to_owned(), false),
        (foreign, false),
        ("not a tag".to_owned(), false),
        ("W/\"abc\"".to_owned(), true),
        (minted, true),
    ] {
        let set = own.clone();
        let handler = async move || ([("etag", set)], "body");
        let app = with_methods(&posts, guard.clone(), get(handler));
        let answer = send(
            &app,
            request("GET", "/posts/7").body(Body::empty()).unwrap(),
        )
        .await;
        assert_eq!(answer.etag(), kept.then_some(own.as_str()));
        let again = get_with(&app, "if-none-match", &own).await.status;
        assert_eq!(again == StatusCode::NOT_MODIFIED, kept, "{own}");
        let failed = get_with(&app, "if-match", "\"x\"").await;
        assert_eq!(failed.reason(), "unknown_tag");
    }
}

/// A representation that varies carries a variant, writes with any of them, and 304s only its own.
#[tokio::test]
async fn variants_share_a_state_and_not_a_tag() {
    let read = async |State(posts): State<Posts>, headers: axum::http::HeaderMap| {
        let language = headers["accept-language"].to_str().unwrap().to_owned();
        posts.get(&7).unwrap().with_variant(language)
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, get(read).put(posts::replace));
    let tag_in = async |language: &str, if_none_match: &str| {
        let get = request("GET", "/posts/7")
            .header("accept-language", language)
            .header("if-none-match", if_none_match);
        send(&app, get.body(Body::empty()).unwrap()).await
    };
    let french = tag_in("fr", "\"\"").await.etag().unwrap().to_owned();
    let english = tag_in("en", "\"\"").await.etag().unwrap().to_owned();
    assert_ne!(french, english);
    assert_eq!(tag_in("fr", &french).await.status, StatusCode::NOT_MODIFIED);
    assert_eq!(tag_in("fr", &english).await.status, StatusCode::OK);
    assert_eq!(
        posts::put(&app, &english, "second").await.status,
        StatusCode::OK
    );
    assert_eq!(
        posts::put(&app, &french, "third").await.status,
        StatusCode::PRECONDITION_FAILED
    );
}

/// A primary and a replica that lags one write behind, and a handler that reads its body from one of
/// them and cannot tell the version.
#[derive(Clone, Default)]
struct Replicated {
    rows: Arc<Mutex<Vec<String>>>,
}

impl Replicated {
    fn write(&self, text: &str) {
        self.rows.lock().unwrap().push(text.to_owned());
    }

    fn body(&self, lag: usize) -> String {
        let rows = self.rows.lock().unwrap();
        rows[rows.len().saturating_sub(1 + lag)].clone()
    }
}

impl VersionStore for Replicated {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        tokio::task::yield_now().await;
        Ok(Some(Version::new(self.rows.lock().unwrap().len() as u64)))
    }
}

/// Reads bodies that race with writes, tagged by a look-up before the handler: how many came with a
/// tag that is newer than they are.
async fn bodies_older_than_their_tag(lag: usize) -> usize {
    let store = Replicated::default();
    store.write("1");
    store.write("2");
    let guard = IfMatchLayer::new("rows", store.clone(), PathKey).with_version_before_body();
    let read = async move |State(store): State<Replicated>| {
        // Writes come in between the look-up and the body.
        let next = store.rows.lock().unwrap().len() + 1;
        store.write(&next.to_string());
        tokio::task::yield_now().await;
        store.body(lag)
    };
    let app: Router = Router::new()
        .route("/posts/{id}", get(read).route_layer(guard))
        .with_state(store);
    let mut older = 0;
    for _ in 0..100 {
        let answer = send(
            &app,
            request("GET", "/posts/7").body(Body::empty()).unwrap(),
        )
        .await;
        let tag = answer.etag().unwrap();
        let tagged: usize = tag[2..tag.find('-').unwrap()].parse().unwrap();
        let body: usize = String::from_utf8(answer.body.clone())
            .unwrap()
            .parse()
            .unwrap();
        older += usize::from(body < tagged);
    }
    older
}

#[tokio::test]
async fn no_body_comes_with_a_newer_tag_where_its_source_is_as_fresh_as_declared() {
    assert_eq!(bodies_older_than_their_tag(0).await, 0);
    assert_eq!(
        bodies_older_than_their_tag(1).await,
        0,
        "one behind the write in between is as fresh"
    );
}

/// The negative control: a replica that lags further than what the owner declared.
#[tokio::test]
async fn a_lagging_replica_gives_bodies_older_than_their_tag() {
    assert!(bodies_older_than_their_tag(2).await > 0);
}

/// `Versioned` takes body and tag from one row, so a lagging replica serves an old body with an old
/// tag, which can only be refused.
#[tokio::test]
async fn a_versioned_body_is_as_old_as_its_tag_on_any_replica() {
    let store = Replicated::default();
    for write in 1..=3 {
        store.write(&write.to_string());
    }
    let guard = IfMatchLayer::new("rows", store.clone(), PathKey);
    let read = async |State(store): State<Replicated>| {
        let body = store.body(2);
        Versioned::new(Version::new(body.parse::<u64>().unwrap()), body)
    };
    let put = async |expected: tower_if_match::Expected<Replicated>| expected.unchanged();
    let app: Router = Router::new()
        .route("/posts/{id}", get(read).put(put).route_layer(guard))
        .with_state(store);
    let answer = send(
        &app,
        request("GET", "/posts/7").body(Body::empty()).unwrap(),
    )
    .await;
    assert!(answer.etag().unwrap().starts_with("\"v1-"));
    assert_eq!(answer.body, b"1");
    let put = posts::put(&app, answer.etag().unwrap(), "x").await;
    assert_eq!(put.reason(), "stale_version");
}

/// A coded body has a tag of its own, and writes with it.
#[tokio::test]
async fn an_encoded_body_does_not_share_the_plain_ones_strong_tag() {
    let read = async |State(posts): State<Posts>, headers: axum::http::HeaderMap| {
        let coding = headers
            .get("accept-encoding")
            .map(|coding| [("content-encoding", coding.clone())]);
        posts.get(&7).unwrap().map(|text| match coding {
            Some(field) => (field, text).into_response(),
            None => text.into_response(),
        })
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, get(read).put(posts::replace));
    let plain = posts::get_tag(&app).await;
    let gzip = get_with(&app, "accept-encoding", "gzip")
        .await
        .etag()
        .unwrap()
        .to_owned();
    assert_eq!(gzip, format!("{}.gzip\"", plain.trim_end_matches('"')));
    for odd in ["a, b", "\u{e9}"] {
        let odd = get_with(&app, "accept-encoding", odd).await;
        assert!(
            odd.etag().unwrap().starts_with("W/"),
            "what cannot be named is not told apart strongly"
        );
    }
    assert_eq!(
        posts::put(&app, &gzip, "second").await.status,
        StatusCode::OK
    );
}

/// Two field lines are one list: a body that was encoded twice is not the one that was encoded once.
#[tokio::test]
async fn a_second_coding_on_a_line_of_its_own_counts() {
    let read = async |State(posts): State<Posts>| {
        posts.get(&7).unwrap().map(|text| {
            let lines = [("content-encoding", "gzip"), ("content-encoding", "br")];
            (AppendHeaders(lines), text)
        })
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, get(read));
    let tag = posts::get_tag(&app).await;
    assert!(tag.starts_with("W/"), "{tag}");
}

#[tokio::test]
async fn a_coding_that_the_variant_names_already_is_not_named_again() {
    let read = async |State(posts): State<Posts>| {
        let post = posts.get(&7).unwrap().with_variant("fr.gzip");
        post.map(|text| ([("content-encoding", "gzip")], text))
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, get(read));
    let tag = posts::get_tag(&app).await;
    assert!(
        tag.ends_with(".fr.gzip\"") && !tag.contains("gzip."),
        "{tag}"
    );
}

#[tokio::test]
async fn a_version_goes_before_the_handlers_tag() {
    let read = async |State(posts): State<Posts>| {
        let post = posts.get(&7).unwrap();
        post.map(|text| ([("etag", "W/\"of the handler\"")], text))
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, get(read));
    assert!(posts::get_tag(&app).await.starts_with("\"v1-"));
}

#[tokio::test]
async fn a_version_without_a_tag_takes_the_handlers_tag_away_too() {
    let read = async || {
        let version = Version::new(1_u64).without_tag();
        Versioned::new(version, ([("etag", "\"of the handler\"")], "body"))
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, get(read));
    let answer = send(
        &app,
        request("GET", "/posts/7").body(Body::empty()).unwrap(),
    )
    .await;
    assert_eq!((answer.status, answer.etag()), (StatusCode::OK, None));
}

#[tokio::test]
async fn an_encoded_variant_is_neither_the_variant_nor_the_encoded_body() {
    let read = async |State(posts): State<Posts>| {
        let encoded = |text: String| ([("content-encoding", "gzip")], text);
        posts.get(&7).unwrap().with_variant("fr").map(encoded)
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, get(read));
    assert!(posts::get_tag(&app).await.ends_with(".fr.gzip\""));
}

#[tokio::test]
async fn several_tags_of_a_handler_are_none() {
    let handler = async || {
        let weak = axum::http::HeaderValue::from_static("W/\"a\"");
        (
            AppendHeaders([("etag", weak.clone()), ("etag", weak)]),
            "body",
        )
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, get(handler));
    assert_eq!(
        send(
            &app,
            request("GET", "/posts/7").body(Body::empty()).unwrap()
        )
        .await
        .etag(),
        None
    );
}

/// Where the version is read before the body, a handler that knows that its body varies says so.
#[tokio::test]
async fn a_version_before_the_body_leaves_a_weak_tag_and_a_query_alone() {
    let varies = async || ([("etag", "W/\"volatile\"")], "body");
    let (posts, guard) = posts();
    let guard = guard.with_version_before_body();
    let app = with_methods(&posts, guard.clone(), get(varies));
    let get_seven = || request("GET", "/posts/7").body(Body::empty()).unwrap();
    assert_eq!(send(&app, get_seven()).await.etag(), Some("W/\"volatile\""));
    let failed = get_with(&app, "if-match", "\"x\"").await;
    assert_eq!(failed.reason(), "unknown_tag");
    assert_eq!(failed.etag(), Some("W/\"volatile\""));

    let any = axum::routing::any(async || "body").layer(guard);
    let app: Router = Router::new().route("/posts/{id}", any).with_state(posts);
    let tag = send(&app, get_seven()).await.etag().unwrap().to_owned();
    let head = request("HEAD", "/posts/7").body(Body::empty()).unwrap();
    assert_eq!(send(&app, head).await.etag(), Some(tag.as_str()));
    let query = request("QUERY", "/posts/7").body(Body::from("a")).unwrap();
    assert_eq!(send(&app, query).await.etag(), None);
}

/// A proxy that encodes puts a suffix behind the tag, as Apache does. What its clients hold is current all
/// the same, and the 304 names it as they know it.
#[tokio::test]
async fn a_tag_with_a_known_suffix_is_not_modified() {
    let (posts, guard) = posts();
    let app = app(&posts, guard);
    let tag = get_tag(&app).await;
    let suffixed = |suffix: &str| format!("{}{suffix}\"", tag.trim_end_matches('"'));
    let read = async |field: &'static str, value: String| {
        let read = request("GET", "/posts/7").header(field, value);
        send(&app, read.body(Body::empty()).unwrap()).await
    };
    for suffix in ["-gzip", "--gzip", ";br", "-zstd"] {
        for held in [suffixed(suffix), format!("W/{}", suffixed(suffix))] {
            let answer = read("if-none-match", held.clone()).await;
            assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{held}");
            assert_eq!(answer.etag(), Some(held.as_str()));
        }
    }
    // Its own tag goes before, and nothing else is a suffix.
    let both = format!("{}, {tag}", suffixed("-gzip"));
    let answer = read("if-none-match", both).await;
    assert_eq!(
        (answer.status, answer.etag()),
        (StatusCode::NOT_MODIFIED, Some(tag.as_str()))
    );
    for other in ["-exe", "-gzip-gzip", "gzip", ".gzip-gzip"] {
        let answer = read("if-none-match", suffixed(other)).await;
        assert_eq!(answer.status, StatusCode::OK, "{other}");
        assert_eq!(answer.etag(), Some(tag.as_str()));
    }
    // Strongly it names another body.
    let answer = read("if-match", suffixed("-gzip")).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    // Of a version that is gone it is no more than that version's own tag.
    posts::put(&app, &tag, "second").await;
    let answer = read("if-none-match", suffixed("-gzip")).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// A tag of a store's own may end in anything.
#[tokio::test]
async fn a_suffix_means_nothing_behind_a_tag_that_was_not_minted() {
    let own = EntityTag::strong("own").unwrap();
    let version = Version::new(1_u64).with_own_tag(own);
    let guard = IfMatchLayer::new("posts", posts().0, PathKey);
    let handler = get(async move || Versioned::new(version.clone(), "body"));
    let app: Router = Router::new().route("/posts/{id}", handler.route_layer(guard));
    let read = request("GET", "/posts/7").header("if-none-match", "\"own-gzip\"");
    let answer = send(&app, read.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// By weak comparison, too, a client that holds one body is not told that it holds another.
#[tokio::test]
async fn bodies_that_differ_share_no_weak_tag_either() {
    let own = EntityTag::strong("own").unwrap();
    let version = Version::new(1_u64).with_own_tag(own);
    let stores_own = get(async move |fields: HeaderMap| {
        let language = fields["accept-language"].to_str().unwrap().to_owned();
        Versioned::new(version.clone(), language.clone()).with_variant(language)
    });
    // No variant that a tag could have.
    let unfit = get(async |State(posts): State<Posts>, fields: HeaderMap| {
        let language = fields["accept-language"].to_str().unwrap().to_owned();
        posts
            .get(&7)
            .unwrap()
            .with_variant(format!("{language}, *"))
    });
    for handler in [stores_own, unfit] {
        let (posts, guard) = posts();
        let app = with_methods(&posts, guard, handler);
        let read = async |language: &str, held: &str| {
            let read = request("GET", "/posts/7").header("accept-language", language);
            let read = read.header("if-none-match", held).body(Body::empty());
            send(&app, read.unwrap()).await
        };
        let french = read("fr", "\"none\"").await;
        let held = french.etag().unwrap();
        assert!(held.starts_with("W/"), "{held}");
        assert_eq!(read("fr", held).await.status, StatusCode::NOT_MODIFIED);
        assert_eq!(read("de", held).await.status, StatusCode::OK, "{held}");
    }
}

/// `pt-br` ends like brotli, and is another body than `pt`.
#[tokio::test]
async fn a_variant_is_no_suffix() {
    let (posts, guard) = posts();
    let handler = get(async |State(posts): State<Posts>, fields: HeaderMap| {
        let language = fields["accept-language"].to_str().unwrap().to_owned();
        posts.get(&7).unwrap().with_variant(language)
    });
    let app = with_methods(&posts, guard, handler);
    let read = async |language: &str, held: &str| {
        let read = request("GET", "/posts/7").header("accept-language", language);
        let read = read.header("if-none-match", held).body(Body::empty());
        send(&app, read.unwrap()).await
    };
    let brazilian = read("pt-br", "\"none\"").await;
    let held = brazilian.etag().unwrap();
    assert_eq!(read("pt-br", held).await.status, StatusCode::NOT_MODIFIED);
    assert_eq!(read("pt", held).await.status, StatusCode::OK);
}

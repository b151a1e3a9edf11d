//! What a refusal tells, and what it does not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{Method, Response, StatusCode};
use axum::routing::{get, put};
use tower_if_match::version_store::handover::Slot;
use tower_if_match::{
    Conflict, Conflicts, Demand, Describe, Expected, IfMatchLayer, MemoryStore, PathKey, Policy,
    Refusals, Version, VersionStore, Versioned,
};

use crate::posts::{self, app, posts, request, send, with_methods};

#[tokio::test]
async fn a_412_tells_the_current_tag_and_nothing_else_about_the_resource() {
    let (posts, guard) = posts();
    let app = app(&posts, guard);
    let tag = posts::get_tag(&app).await;
    let sent = request("PUT", "/posts/7?x=1")
        .header("if-match", "\"sent-tag\"")
        .header("x-request-id", "id-1")
        .body(Body::from("content"))
        .unwrap();
    let answer = send(&app, sent).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(answer.etag(), Some(tag.as_str()));
    assert_eq!(answer.field(CACHE_CONTROL), Some("no-store"));
    assert_eq!(
        answer.problem(),
        serde_json::json!({
            "type": "https://docs.rs/tower-if-match/latest/tower_if_match/problems/#precondition-failed",
            "title": "Precondition Failed",
            "status": 412,
            "detail": "If-Match names no version that this service knows.",
            "instance": "/posts/7",
            "error": "precondition_failed",
            "reason": "unknown_tag",
            "failed_condition": "If-Match",
            "current_etag": tag,
            "request_id": "id-1",
        })
    );
}

#[tokio::test]
async fn a_428_tells_the_tag_in_its_body_only() {
    let (posts, guard) = posts();
    let app = app(
        &posts,
        guard.with_refusals(
            Refusals::new()
                .with_problem_types("https://example.com/problems")
                .with_noun("note"),
        ),
    );
    let tag = posts::get_tag(&app).await;
    let answer = send(
        &app,
        request("PUT", "/posts/7").body(Body::empty()).unwrap(),
    )
    .await;
    assert_eq!(
        (answer.status, answer.etag()),
        (StatusCode::PRECONDITION_REQUIRED, None)
    );
    let problem = answer.problem();
    assert_eq!(
        problem["type"],
        "https://example.com/problems#precondition-required"
    );
    assert_eq!(problem["error"], "precondition_required");
    assert_eq!(problem["current_etag"], tag);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("overwrite") && detail.contains("If-Match"));
    assert!(
        !detail.contains("If-None-Match"),
        "who would overwrite is not told how to create"
    );
    let stale = posts::put(&app, &tag.replace("v1", "v0"), "x")
        .await
        .problem();
    assert_eq!(
        stale["type"],
        "https://example.com/problems#precondition-failed"
    );
    posts::put(&app, &tag, "second").await;
    let stale = posts::put(&app, &tag, "third").await.problem();
    assert_eq!(
        stale["detail"],
        "The note changed since the version that If-Match names."
    );
}

#[tokio::test]
async fn each_reason_has_its_request() {
    let (posts, guard) = posts();
    let app = app(&posts, guard.clone());
    let stale = posts::get_tag(&app).await;
    posts::put(&app, &stale, "second").await;
    let current = posts::get_tag(&app).await;
    let version = posts.get(&7).unwrap().version().clone();
    let foreign = guard.tags().tag(&8, &version).unwrap().to_string();
    let earlier = guard
        .tags()
        .tag(&7, &version.clone().with_incarnation(1))
        .unwrap()
        .to_string();
    let mangled = format!("{}x\"", current.trim_end_matches('"'));
    let eight_kib = format!("\"{}\"", "x".repeat(8200));
    for (name, value, status, reason) in [
        ("if-match", stale.as_str(), 412, "stale_version"),
        ("if-match", &format!("W/{current}"), 412, "weak_tag"),
        ("if-match", &foreign, 412, "foreign_tag"),
        ("if-match", &earlier, 412, "foreign_tag"),
        ("if-match", &mangled, 412, "mangled_tag"),
        ("if-match", "\"6\"", 412, "unknown_tag"),
        ("if-match", "", 412, "unknown_tag"),
        ("if-none-match", "*", 412, "exists"),
        ("if-none-match", &current, 412, "exists"),
        (
            "if-unmodified-since",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            412,
            "modified_since",
        ),
        ("if-match", "v6", 400, "malformed_condition"),
        ("if-none-match", "v6", 400, "malformed_condition"),
        ("if-match", &eight_kib, 400, "oversized_condition"),
        ("if-none-match", "\"x\"", 428, "missing_condition"),
        ("if-unmodified-since", "yesterday", 428, "missing_condition"),
        (
            "if-modified-since",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            428,
            "missing_condition",
        ),
    ] {
        let sent = request("PUT", "/posts/7")
            .header(name, value)
            .body(Body::from("x"))
            .unwrap();
        let answer = send(&app, sent).await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {value}");
        assert_eq!(answer.reason(), reason, "{name}: {value}");
    }
    assert_eq!(posts.get(&7).unwrap().body(), "second");
}

#[tokio::test]
async fn of_several_tags_the_one_that_explains_most_is_told_about() {
    let (posts, guard) = posts();
    let app = app(&posts, guard.clone());
    let stale = posts::get_tag(&app).await;
    posts::put(&app, &stale, "second").await;
    let current = posts::get_tag(&app).await;
    let version = posts.get(&7).unwrap().version().clone();
    let foreign = guard.tags().tag(&8, &version).unwrap().to_string();
    let by_rank = [
        (format!("W/{current}"), "weak_tag"),
        (stale, "stale_version"),
        (
            format!("{}x\"", current.trim_end_matches('"')),
            "mangled_tag",
        ),
        (foreign, "foreign_tag"),
        ("\"6\"".to_owned(), "unknown_tag"),
    ];
    for (rank, (more, reason)) in by_rank.iter().enumerate() {
        for (less, _) in &by_rank[rank..] {
            for list in [format!("{more}, {less}"), format!("{less}, {more}")] {
                assert_eq!(
                    posts::put(&app, &list, "x").await.reason(),
                    *reason,
                    "{list}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_400_names_the_field_that_could_not_be_parsed() {
    let (posts, guard) = posts();
    let app = app(&posts, guard);
    for (method, name, field) in [
        ("PUT", "if-match", "If-Match"),
        ("PUT", "if-none-match", "If-None-Match"),
        ("GET", "if-match", "If-Match"),
    ] {
        let sent = request(method, "/posts/7").header(name, "malformed");
        let answer = send(&app, sent.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.problem()["failed_condition"], field);
        assert!(answer.problem().get("current_etag").is_none());
    }
}

/// A note that can describe itself.
#[derive(Clone)]
struct Note {
    text: String,
    author: &'static str,
}

impl Describe for Note {
    fn modified_by(&self) -> Option<&str> {
        Some(self.author)
    }

    fn changed_since(&self, earlier: &Self) -> Vec<String> {
        if self.text == earlier.text {
            vec![]
        } else {
            vec!["/text".to_owned()]
        }
    }

    fn to_json(&self) -> String {
        serde_json::json!({ "text": self.text }).to_string()
    }
}

type Notes = MemoryStore<u64, Note>;

fn notes() -> (Notes, IfMatchLayer<Notes, PathKey>) {
    let notes = Notes::with_history(10);
    notes.create(
        7,
        Note {
            text: "first".to_owned(),
            author: "ada",
        },
    );
    let guard = IfMatchLayer::new("notes", notes.clone(), PathKey);
    (notes, guard)
}

fn note_app(notes: &Notes, guard: IfMatchLayer<Notes, PathKey>) -> Router {
    let read = async |State(notes): State<Notes>| notes.get(&7).unwrap().map(|note| note.text);
    let write = async |State(notes): State<Notes>, expected: Expected<Notes>, text: String| {
        notes
            .put(
                Note {
                    text,
                    author: "bob",
                },
                expected,
            )
            .map(|_| ())
    };
    Router::new()
        .route("/posts/{id}", get(read).put(write).route_layer(guard))
        .with_state(notes.clone())
}

#[tokio::test]
async fn who_opts_in_tells_what_a_client_needs_to_merge() {
    let (notes, guard) = notes();
    let app = note_app(&notes, guard.with_public_conflicts());
    let stale = posts::get_tag(&app).await;
    posts::put(&app, &stale, "second").await;
    let answer = posts::put(&app, &stale, "third").await;
    let problem = answer.problem();
    assert_eq!(answer.etag(), Some(posts::get_tag(&app).await.as_str()));
    assert_eq!(problem["current_etag"].as_str(), answer.etag());
    assert_eq!(problem["conflict"]["modified_by"], "bob");
    assert_eq!(problem["conflict"]["modified_at"], problem["last_modified"]);
    assert_eq!(problem["conflict"]["changed"], serde_json::json!(["/text"]));
    assert_eq!(
        problem["conflict"]["current"],
        serde_json::json!({ "text": "second" })
    );
    let unknown = posts::put(&app, "\"x\"", "third").await.problem();
    assert!(
        unknown["conflict"].get("changed").is_none(),
        "nobody knows what the client holds"
    );
}

/// A write that lost inside the store is told as much as one that came later.
#[tokio::test]
async fn who_lost_a_race_is_told_what_a_later_request_would_be() {
    let lose = async |State(notes): State<Notes>, expected: Expected<Notes>| {
        let note = |text: &str| Note {
            text: text.to_owned(),
            author: "bob",
        };
        let read = notes.get(&7).unwrap();
        let expected = expected.require_version(read.version())?;
        let other = Slot::new(7, Demand::Any).take().unwrap();
        notes.put(note("faster"), other)?;
        notes.put(note("slower"), expected).map(|_| ())
    };
    let (notes, guard) = notes();
    let tag = guard.tags().tag(&7, notes.get(&7).unwrap().version());
    let app: Router = Router::new()
        .route(
            "/posts/{id}",
            put(lose).route_layer(guard.with_public_conflicts()),
        )
        .with_state(notes);
    let tag = tag.unwrap().to_string();
    for (condition, reason) in [(tag.as_str(), "stale_version"), ("*", "lost_race")] {
        let problem = posts::put(&app, condition, "").await.problem();
        assert_eq!(problem["reason"], reason);
        assert_eq!(problem["conflict"]["current"]["text"], "faster");
    }
}

/// Whoever opted in told about conflicts, and a request without a condition conflicts with nothing.
#[tokio::test]
async fn only_a_failed_precondition_is_told_about() {
    let (notes, guard) = notes();
    let app = note_app(&notes, guard.with_public_conflicts());
    let blind = request("PUT", "/posts/7").body(Body::empty()).unwrap();
    let answer = send(&app, blind).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_REQUIRED);
    assert!(answer.problem()["current_etag"].is_string());
    assert!(answer.problem().get("conflict").is_none());
}

/// A setting that would do nothing is an error where the layer is built, in whatever order it was set.
#[tokio::test]
async fn without_an_authorization_hook_nothing_can_be_told_to_the_authorized() {
    let (notes, guard) = notes();
    for useless in [
        guard.clone().with_conflicts_for_authorized(),
        guard
            .clone()
            .with_public_conflicts()
            .with_conflicts_for_authorized(),
    ] {
        let built = AssertUnwindSafe(|| note_app(&notes, useless));
        let panic = catch_unwind(built).unwrap_err();
        let text = panic.downcast_ref::<&str>().unwrap();
        assert!(text.contains("without `with_authorization`"), "{text}");
    }
    let agreed = guard
        .with_conflicts_for_authorized()
        .with_authorization(|_| (), |(), _, _| Ok(()));
    let app = note_app(&notes, agreed);
    assert!(
        posts::put(&app, "\"x\"", "third")
            .await
            .problem()
            .get("conflict")
            .is_some()
    );
}

#[tokio::test]
async fn who_is_not_authorized_gets_the_hooks_answer_whatever_the_condition() {
    let (posts, guard) = posts();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let guard = guard.with_authorization(
        |head| head.method.clone(),
        move |method, key, version| {
            log.lock()
                .unwrap()
                .push((method.clone(), *key, version.is_some()));
            Err(StatusCode::FORBIDDEN.into())
        },
    );
    let app = app(&posts, guard);
    for condition in ["*", "\"x\"", "malformed"] {
        let answer = posts::put(&app, condition, "x").await;
        assert_eq!(
            (answer.status, answer.etag()),
            (StatusCode::FORBIDDEN, None)
        );
        assert!(answer.body.is_empty());
    }
    assert_eq!(seen.lock().unwrap()[0], (Method::PUT, 7, true));
}

#[tokio::test]
async fn a_hooks_answer_goes_out_whole() {
    let (posts, guard) = posts();
    let guard = guard.with_authorization(
        |_| (),
        |(), _, _| {
            let answer = Response::builder().status(403).header("x-why", "quota");
            Err(answer.body("not today".into()).unwrap().into())
        },
    );
    let answer = posts::put(&app(&posts, guard), "*", "x").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.headers["x-why"], "quota");
    assert_eq!(answer.body, b"not today");
}

/// A store whose conflict is about a newer version than the one that was decided on, or about none.
#[derive(Clone)]
struct Overtaken {
    newer: Option<u64>,
}

impl VersionStore for Overtaken {
    type Key = u64;
    type Revision = u64;
    type Error = std::convert::Infallible;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Self::Error> {
        let made = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        Ok(Some(Version::new(1).with_modified_at(made)))
    }
}

impl Conflicts for Overtaken {
    async fn conflict(
        &self,
        _: &u64,
        _: Option<&Version>,
    ) -> Result<Option<Conflict>, Self::Error> {
        Ok(self
            .newer
            .map(|newer| Conflict::new(Version::new(newer)).with_current("\"secret\"")))
    }
}

fn overtaken(newer: Option<u64>) -> IfMatchLayer<Overtaken, PathKey> {
    IfMatchLayer::new("overtaken", Overtaken { newer }, PathKey).with_conflicts_for_authorized()
}

#[tokio::test]
async fn what_leaves_is_what_the_hook_agreed_to() {
    let hook = |agreed: u64| {
        move |(): &(), _: &u64, version: Option<&Version>| {
            let shown = version.is_some_and(|version| *version.revision() <= agreed);
            if shown {
                Ok(())
            } else {
                Err(StatusCode::FORBIDDEN.into())
            }
        }
    };
    for (agreed, status) in [
        (1, StatusCode::FORBIDDEN),
        (2, StatusCode::PRECONDITION_FAILED),
    ] {
        let guard = overtaken(Some(2)).with_authorization(|_| (), hook(agreed));
        let app: Router = Router::new().route("/posts/{id}", put(async || ()).route_layer(guard));
        let answer = posts::put(&app, "\"x\"", "").await;
        assert_eq!(answer.status, status);
        let newer = answer.etag().is_some_and(|tag| tag.starts_with("\"v2-"));
        assert_eq!(newer, status == StatusCode::PRECONDITION_FAILED);
        let told = String::from_utf8(answer.body).unwrap().contains("secret");
        assert_eq!(told, status == StatusCode::PRECONDITION_FAILED);
    }
}

/// A representation that is not JSON would break the whole document.
#[tokio::test]
async fn what_is_not_json_is_left_out() {
    let store: MemoryStore<u64, Broken> = MemoryStore::new();
    store.create(7, Broken);
    let guard = IfMatchLayer::new("broken", store, PathKey).with_public_conflicts();
    let app: Router = Router::new().route("/posts/{id}", put(async || ()).route_layer(guard));
    let problem = posts::put(&app, "\"x\"", "").await.problem();
    assert!(problem["conflict"]["modified_at"].is_string());
    assert!(problem["conflict"].get("current").is_none());
}

#[derive(Clone)]
struct Broken;

impl Describe for Broken {
    fn changed_since(&self, _: &Self) -> Vec<String> {
        Vec::new()
    }

    fn to_json(&self) -> String {
        "\"cut short".to_owned()
    }
}

#[tokio::test]
async fn what_vanished_before_it_could_be_told_about_is_absent() {
    let guard = overtaken(None).with_authorization(|_| (), |(), _, _| Ok(()));
    let methods = put(async || ()).patch(async || ()).route_layer(guard);
    let app: Router = Router::new().route("/posts/{id}", methods);
    let answer = posts::put(&app, "\"x\"", "").await;
    assert_eq!(
        (answer.status.as_u16(), answer.reason().as_str()),
        (412, "absent")
    );
    assert_eq!(answer.etag(), None);
    assert_eq!(answer.problem()["failed_condition"], "If-Match");
    let dated =
        request("PUT", "/posts/7").header("if-unmodified-since", "Sun, 06 Nov 1994 08:49:36 GMT");
    let answer = send(&app, dated.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.reason(), "absent");
    assert_eq!(answer.problem()["failed_condition"], "If-Unmodified-Since");
    // It existed when If-None-Match was evaluated, and nobody knows its tag any more.
    let answer = posts::create(&app, "/posts/7", "").await;
    assert_eq!(answer.reason(), "exists");
    assert_eq!(answer.etag(), None);
    let patch = request("PATCH", "/posts/7")
        .header("if-match", "\"x\"")
        .body(Body::empty());
    assert_eq!(
        send(&app, patch.unwrap()).await.status,
        StatusCode::NOT_FOUND
    );
}

/// The hook decides again about the version that a lost race is answered with.
#[tokio::test]
async fn a_lost_race_is_authorized_afresh() {
    let (posts, guard) = posts();
    let asked = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&asked);
    let guard = guard.with_authorization(
        |_| (),
        move |(), _, _| {
            let mut asked = counter.lock().unwrap();
            *asked += 1;
            if *asked == 1 {
                Ok(())
            } else {
                Err(StatusCode::FORBIDDEN.into())
            }
        },
    );
    let overtaken = async |State(posts): State<posts::Posts>, expected: Expected<posts::Posts>| {
        let other = Slot::new(7, Demand::Any);
        posts
            .put("faster".to_owned(), other.take().unwrap())
            .unwrap();
        posts.put("slower".to_owned(), expected).map(|_| ())
    };
    let app = with_methods(&posts, guard, put(overtaken).get(posts::read));
    let tag = posts::get_tag(&app).await;
    assert_eq!(
        posts::put(&app, &tag, "").await.status,
        StatusCode::FORBIDDEN
    );
}

/// A store that fails when it is told to.
#[derive(Clone)]
struct Failing {
    answers: Arc<Mutex<Vec<bool>>>,
    busy: bool,
}

#[derive(Debug)]
struct Secret {
    busy: bool,
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("password=hunter2")
    }
}

impl std::error::Error for Secret {}

impl Failing {
    fn with(answers: &[bool]) -> Self {
        let answers = Arc::new(Mutex::new(answers.iter().rev().copied().collect()));
        Self {
            answers,
            busy: false,
        }
    }
}

impl VersionStore for Failing {
    type Key = u64;
    type Revision = u64;
    type Error = Secret;

    fn is_busy(error: &Secret) -> bool {
        error.busy
    }

    async fn current(&self, _: &u64) -> Result<Option<Version>, Secret> {
        tokio::task::yield_now().await;
        let fails = self.answers.lock().unwrap().pop().unwrap_or(true);
        if fails {
            Err(Secret { busy: self.busy })
        } else {
            Ok(Some(Version::new(1)))
        }
    }
}

fn failing(answers: &[bool]) -> Router {
    failing_app(Failing::with(answers))
}

fn failing_app(store: Failing) -> Router {
    let guard = IfMatchLayer::new("failing", store, PathKey)
        .with_refusals(Refusals::new().with_retry_after(3));
    let write = async |expected: Expected<Failing>| expected.lost().to_string();
    Router::new().route(
        "/posts/{id}",
        put(write)
            .get(async || Versioned::new(Version::new(1_u64), "body"))
            .route_layer(guard),
    )
}

#[tokio::test]
async fn a_store_that_cannot_answer_is_503_and_nothing_ran() {
    for condition in ["*", "\"x\"", "malformed"] {
        let answer = posts::put(&failing(&[true]), condition, "x").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.reason(), "store_unavailable");
        assert_eq!(answer.field(RETRY_AFTER), Some("3"));
        assert!(!String::from_utf8(answer.body).unwrap().contains("hunter2"));
    }
    let no_condition = request("PUT", "/posts/7").body(Body::empty()).unwrap();
    let answer = send(&failing(&[true]), no_condition).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let lost = posts::put(&failing(&[false, true]), "*", "x").await;
    assert_eq!(
        lost.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "the look-up after the lost race"
    );
    let read = request("GET", "/posts/7").body(Body::empty()).unwrap();
    assert_eq!(
        send(&failing(&[true]), read).await.status,
        StatusCode::OK,
        "reads do not ask"
    );
}

#[tokio::test]
async fn a_busy_store_is_told_apart_from_one_that_fails() {
    let busy = Failing {
        busy: true,
        ..Failing::with(&[true])
    };
    let answer = posts::put(&failing_app(busy), "*", "x").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.reason(), "busy");
}

#[tokio::test]
async fn a_read_that_waits_for_the_version_is_503_where_the_store_cannot_tell_it() {
    let guard = IfMatchLayer::new("failing", Failing::with(&[true]), PathKey);
    let methods = get(async || "body").route_layer(guard.with_version_before_body());
    let app: Router = Router::new().route("/posts/{id}", methods);
    let read = request("GET", "/posts/7").body(Body::empty()).unwrap();
    let answer = send(&app, read).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.reason(), "store_unavailable");
    assert_eq!(answer.field(RETRY_AFTER), Some("1"), "the default");
}

/// An optional condition asks the store, an exempt method does not; the last word counts.
#[tokio::test]
async fn only_an_exempt_write_does_without_the_store() {
    let guard = || IfMatchLayer::new("failing", Failing::with(&[true]), PathKey);
    let optional = guard().with_policy(
        Policy::new()
            .with_condition_exempt(Method::PUT)
            .with_condition_optional(Method::PUT),
    );
    let exempt = guard().with_policy(
        Policy::new()
            .with_condition_optional(Method::PUT)
            .with_condition_exempt(Method::PUT),
    );
    for (guard, status) in [
        (optional, StatusCode::SERVICE_UNAVAILABLE),
        (exempt, StatusCode::OK),
    ] {
        let write = async |expected: Expected<Failing>| expected.unchanged();
        let app: Router = Router::new().route("/posts/{id}", put(write).route_layer(guard));
        let blind = request("PUT", "/posts/7").body(Body::empty()).unwrap();
        assert_eq!(send(&app, blind).await.status, status);
    }
}

impl Conflicts for Failing {
    async fn conflict(&self, _: &u64, _: Option<&Version>) -> Result<Option<Conflict>, Secret> {
        Err(Secret { busy: false })
    }
}

#[tokio::test]
async fn a_conflict_that_cannot_be_told_about_is_still_a_412() {
    let store = Failing::with(&[false]);
    let guard = IfMatchLayer::new("failing", store, PathKey).with_public_conflicts();
    let app: Router = Router::new().route("/posts/{id}", put(async || ()).route_layer(guard));
    let answer = posts::put(&app, "\"x\"", "x").await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert!(answer.etag().is_some());
    assert!(answer.problem().get("conflict").is_none());
}

#[tokio::test]
async fn a_plain_request_id_is_passed_on_also_after_the_handler_ran() {
    let (posts, guard) = posts();
    let lose = async |expected: Expected<posts::Posts>| expected.lost();
    let app = with_methods(&posts, guard, put(lose).get(posts::read));
    for id in ["0aZ", "a.b", "a_b", "a-b", &"x".repeat(128)] {
        for condition in ["*", "\"x\""] {
            let sent = request("PUT", "/posts/7")
                .header("if-match", condition)
                .header("x-request-id", id);
            let problem = send(&app, sent.body(Body::empty()).unwrap())
                .await
                .problem();
            assert_eq!(problem["request_id"], id);
            assert_eq!(problem["instance"], "/posts/7");
        }
    }
}

/// A nested router strips the path; the client knows only the whole one.
#[tokio::test]
async fn a_refusal_names_the_path_that_the_client_sent() {
    let (posts, guard) = posts();
    let app = Router::new().nest("/api", app(&posts, guard));
    let blind = request("PUT", "/api/posts/7").body(Body::empty()).unwrap();
    assert_eq!(
        send(&app, blind).await.problem()["instance"],
        "/api/posts/7"
    );
}

#[tokio::test]
async fn a_request_id_that_is_not_plain_is_not_passed_on() {
    let (posts, guard) = posts();
    let app = app(&posts, guard);
    for id in ["a b", "a\"b", "", &"x".repeat(129)] {
        let sent = request("PUT", "/posts/7")
            .header("x-request-id", id)
            .body(Body::empty());
        let problem = send(&app, sent.unwrap()).await.problem();
        assert!(problem.get("request_id").is_none(), "{id}");
    }
}

/// A layer that is made from another one can only tighten what may be done and what is told.
#[tokio::test]
async fn a_second_hook_does_not_replace_the_first() {
    let (notes, guard) = notes();
    let denying = |(): &(), _: &u64, _: Option<&Version>| Err(StatusCode::FORBIDDEN.into());
    for denied in [
        guard
            .clone()
            .with_authorization(|_| (), denying)
            .with_authorization(|_| (), |(), _, _| Ok(())),
        guard
            .clone()
            .with_authorization(|_| (), |(), _, _| Ok(()))
            .with_authorization(|_| (), denying),
    ] {
        let answer = posts::put(&note_app(&notes, denied), "\"x\"", "third").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    let redacted = guard
        .with_public_conflicts()
        .with_redaction(|_| (), |(), _, conflict| conflict.current = None)
        .with_redaction(|_| (), |(), _, conflict| conflict.changed = None);
    let problem = posts::put(&note_app(&notes, redacted), "\"x\"", "third")
        .await
        .problem();
    assert!(problem["conflict"].get("current").is_none(), "{problem}");
    assert!(problem["conflict"].get("changed").is_none(), "{problem}");
}

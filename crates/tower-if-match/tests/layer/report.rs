//! Report-only mode: what goes on, what does not, and who is told.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, patch, put};
use tower::Layer;
use tower_if_match::{
    Expected, IfMatchLayer, Lost, PathKey, Policy, RepresentationLayer, SingleProcess, Transaction,
    Tx,
};

use crate::ledger::Ledger;

use crate::posts::{self, Answer, Guard, Posts, app, posts, request, send, with_methods};

const REPORT: &str = "if-match-report";

fn blind(method: &str, path: &str) -> Request<Body> {
    request(method, path).body(Body::from("blind")).unwrap()
}

fn reports(answer: &Answer) -> Vec<&str> {
    let lines = answer.headers.get_all(REPORT).iter();
    lines.map(|line| line.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_write_without_a_condition_goes_on_and_is_marked() {
    let (posts, guard) = posts();
    let app = app(
        &posts,
        guard.clone().with_policy(Policy::new().with_report_only()),
    );
    let answer = send(&app, blind("PUT", "/posts/7")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(reports(&answer), ["missing_condition"]);
    assert_eq!(*posts.get(&7).unwrap().body(), "blind");
    assert!(
        answer.etag().is_some(),
        "its writer may go on with the new tag"
    );

    let created = send(&app, blind("PUT", "/posts/8")).await;
    assert_eq!(
        (created.status, reports(&created)),
        (StatusCode::OK, vec!["missing_condition"])
    );
    let removed = send(&app, blind("DELETE", "/posts/8")).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert_eq!(reports(&removed), ["missing_condition"]);
    let absent = send(&app, blind("DELETE", "/posts/9")).await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);

    // The same without the mode, so that the test can fail.
    let enforced = send(&posts::app(&posts, guard), blind("PUT", "/posts/7")).await;
    assert_eq!(enforced.status, StatusCode::PRECONDITION_REQUIRED);
    assert!(reports(&enforced).is_empty());
}

/// Each of these guards nothing, which is what the gate would have said.
#[tokio::test]
async fn a_condition_that_guards_nothing_is_reported_too() {
    for (name, value) in [
        ("if-none-match", "\"other\""),
        ("if-modified-since", "Tue, 01 Jan 2030 00:00:00 GMT"),
        ("if-unmodified-since", "no date"),
    ] {
        let (posts, guard) = posts();
        let app = app(&posts, guard.with_policy(Policy::new().with_report_only()));
        let sent = request("PUT", "/posts/7").header(name, value);
        let answer = send(&app, sent.body(Body::from("x")).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        assert_eq!(reports(&answer), ["missing_condition"]);
    }
    let (posts, guard) = posts();
    let app = app(
        &posts,
        guard.with_policy(Policy::new().with_wildcard_refused().with_report_only()),
    );
    let answer = posts::put(&app, "*", "x").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(reports(&answer), ["missing_condition"]);
}

#[tokio::test]
async fn a_condition_that_was_sent_is_held_to() {
    let (posts, guard) = posts();
    let app = app(&posts, guard.with_policy(Policy::new().with_report_only()));
    let tag = posts::get_tag(&app).await;
    let held = posts::put(&app, &tag, "second").await;
    assert_eq!(held.status, StatusCode::OK);
    assert!(reports(&held).is_empty());
    let stale = posts::put(&app, &tag, "third").await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let exists = posts::create(&app, "/posts/7", "third").await;
    assert_eq!(exists.status, StatusCode::PRECONDITION_FAILED);
    let malformed = posts::put(&app, "v6", "third").await;
    assert_eq!(malformed.status, StatusCode::BAD_REQUEST);
    assert_eq!(*posts.get(&7).unwrap().body(), "second");
}

/// What is optional or exempt would not have been refused.
#[tokio::test]
async fn what_needs_no_condition_is_not_reported() {
    for loosened in [
        Policy::new().with_condition_optional(axum::http::Method::PUT),
        Policy::new().with_condition_exempt(axum::http::Method::PUT),
    ] {
        let (posts, guard) = posts();
        let app = app(&posts, guard.with_policy(loosened.with_report_only()));
        let answer = send(&app, blind("PUT", "/posts/7")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(reports(&answer).is_empty());
    }
}

/// A handler as it was before anybody thought of conditions.
async fn legacy() -> impl IntoResponse {
    ([(ETAG, "\"its-own\"")], "done")
}

#[tokio::test]
async fn a_handler_that_says_nothing_goes_on_and_is_marked() {
    let (posts, guard) = posts();
    let methods = || get(posts::read).put(legacy);
    let reporting = with_methods(
        &posts,
        guard.clone().with_policy(Policy::new().with_report_only()),
        methods(),
    );
    let tag = posts::get_tag(&reporting).await;
    let answer = posts::put(&reporting, &tag, "x").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(reports(&answer), ["unguarded_write"]);
    assert_eq!(answer.etag(), None, "no write would recognise that tag");
    let both = send(&reporting, blind("PUT", "/posts/7")).await;
    assert_eq!(both.status, StatusCode::OK);
    assert_eq!(reports(&both), ["missing_condition", "unguarded_write"]);
    let unreadable = send(&reporting, blind("PUT", "/posts/x")).await;
    assert_eq!(unreadable.status, StatusCode::OK);
    assert_eq!(reports(&unreadable), ["unguarded_write"]);

    let taken = async |_expected: Expected<Posts>| "done";
    let reporting = with_methods(
        &posts,
        guard.clone().with_policy(Policy::new().with_report_only()),
        put(taken),
    );
    let answer = posts::put(&reporting, &tag, "x").await;
    assert_eq!(reports(&answer), ["unguarded_write"]);

    let enforcing = with_methods(&posts, guard, methods());
    let answer = posts::put(&enforcing, &tag, "x").await;
    assert_eq!(answer.reason(), "unguarded_write");
}

/// The handler's own refusals are its own; that the client wrote blindly is told all the same.
#[tokio::test]
async fn a_failure_of_the_handlers_is_passed_on() {
    let (posts, guard) = posts();
    let methods = put(async || StatusCode::UNPROCESSABLE_ENTITY);
    let app = with_methods(
        &posts,
        guard.with_policy(Policy::new().with_report_only()),
        methods,
    );
    let answer = send(&app, blind("PUT", "/posts/7")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(reports(&answer), ["missing_condition"]);
}

#[tokio::test]
async fn a_race_that_is_lost_is_lost() {
    let (posts, guard) = posts();
    let lose = async |expected: Expected<Posts>| -> Lost { expected.lost() };
    let app = with_methods(
        &posts,
        guard.with_policy(Policy::new().with_report_only()),
        put(lose).get(posts::read),
    );
    let tag = posts::get_tag(&app).await;
    let answer = posts::put(&app, &tag, "x").await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(answer.reason(), "lost_race");
}

#[tokio::test]
async fn the_authorization_hook_is_asked_as_ever() {
    let (posts, guard) = posts();
    let guard = guard.with_authorization(|_| (), |(), _, _| Err(StatusCode::FORBIDDEN.into()));
    let app = app(&posts, guard.with_policy(Policy::new().with_report_only()));
    let answer = send(&app, blind("PUT", "/posts/7")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(*posts.get(&7).unwrap().body(), "first");
}

/// A live API must not wait for a store that only conditions need.
#[tokio::test]
async fn a_store_is_not_asked_for_writes_without_conditions() {
    use tower_if_match::{Version, VersionStore};
    #[derive(Clone, Default)]
    struct Asked(Arc<Mutex<u32>>);
    #[derive(Debug, thiserror::Error)]
    #[error("away")]
    struct Away;
    impl VersionStore for Asked {
        type Key = u64;
        type Revision = u64;
        type Error = Away;
        async fn current(&self, _: &u64) -> Result<Option<Version>, Away> {
            *self.0.lock().unwrap() += 1;
            Err(Away)
        }
    }
    let store = Asked::default();
    let guard = IfMatchLayer::new("asked", store.clone(), PathKey)
        .with_policy(Policy::new().with_report_only());
    let app: Router = Router::new().route("/posts/{id}", put(legacy).route_layer(guard));
    let answer = send(&app, blind("PUT", "/posts/7")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(*store.0.lock().unwrap(), 0);
    let answer = posts::put(&app, "\"x\"", "x").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

/// In front of a whole service that has no store.
#[tokio::test]
async fn a_representation_layer_reports_as_well() {
    let notes = Arc::new(Mutex::new("first".to_owned()));
    let (reads, writes) = (Arc::clone(&notes), Arc::clone(&notes));
    let service: Router = Router::new().route(
        "/notes",
        get(async move || reads.lock().unwrap().clone()).put(async move |text: String| {
            *writes.lock().unwrap() = text;
        }),
    );
    let layer = RepresentationLayer::new("notes").with_policy(Policy::new().with_report_only());
    let app = Router::new().fallback_service(layer.layer(service));
    let answer = send(&app, blind("PUT", "/notes")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(reports(&answer), ["missing_condition"]);
    assert_eq!(*notes.lock().unwrap(), "blind");
    let stale = request("PUT", "/notes").header("if-match", "\"stale\"");
    let stale = send(&app, stale.body(Body::from("x")).unwrap()).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(*notes.lock().unwrap(), "blind");
}

#[tokio::test]
async fn a_handler_under_a_lock_reports_as_well() {
    let ledger = Ledger::new();
    let guard = IfMatchLayer::new("rows", ledger.clone(), PathKey)
        .with_strategy(SingleProcess::new())
        .with_policy(Policy::new().with_report_only());
    let rows = ledger.clone();
    let write = put(async move |text: String| rows.write(7, Some(text)));
    let app = Router::new().route("/posts/{id}", write.route_layer(guard));
    let answer = send(&app, blind("PUT", "/posts/7")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(reports(&answer), ["missing_condition"]);
    assert!(answer.etag().is_some());
    assert_eq!(ledger.text(7).as_deref(), Some("blind"));
}

/// What was undone is no success, whatever the mode.
#[tokio::test]
async fn a_transaction_that_was_not_given_back_is_no_success() {
    let ledger = Ledger::new();
    let app = |methods: MethodRouter<Ledger>| {
        let guard = IfMatchLayer::new("rows", ledger.clone(), PathKey)
            .with_strategy(Transaction::new())
            .with_policy(Policy::new().with_report_only());
        Router::new()
            .route("/posts/{id}", methods.route_layer(guard))
            .with_state(ledger.clone())
    };
    let written = app(put(async |mut tx: Tx<Ledger>, text: String| {
        tx.put(7, text);
    }));
    let answer = send(&written, blind("PUT", "/posts/7")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(reports(&answer), ["missing_condition"]);
    assert_eq!(ledger.text(7).as_deref(), Some("blind"));

    let untaken = send(&app(put(async || "elsewhere")), blind("PUT", "/posts/7")).await;
    assert_eq!(untaken.status, StatusCode::OK);
    assert_eq!(reports(&untaken), ["missing_condition", "unguarded_write"]);

    let kept = app(put(async |mut tx: Tx<Ledger>| {
        tx.put(7, "kept".to_owned());
        std::mem::forget(tx);
    }));
    let answer = send(&kept, blind("PUT", "/posts/7")).await;
    assert_eq!(answer.reason(), "unguarded_write");
    assert_eq!(ledger.text(7).as_deref(), Some("blind"));
}

/// Nobody could evaluate it, so it is not let go.
#[tokio::test]
async fn a_condition_on_an_id_that_cannot_be_read_is_held_to() {
    let (posts, guard) = posts();
    let app = with_methods(
        &posts,
        guard.with_policy(Policy::new().with_report_only()),
        put(legacy),
    );
    for (name, value) in [
        ("if-match", "\"invented\""),
        ("if-match", "malformed"),
        ("if-none-match", "*"),
    ] {
        let sent = request("PUT", "/posts/slug").header(name, value);
        let answer = send(&app, sent.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{value}");
        assert_eq!(answer.reason(), "unguarded_write");
    }
}

/// Whatever the way, and whoever is asked about it first: a handler that creates goes on as before.
#[tokio::test]
async fn a_handler_that_creates_without_saying_so_goes_on() {
    async fn create(State(posts): State<Posts>, text: String) {
        posts.create(9, text);
    }

    let ways: [fn(Guard) -> MethodRouter<Posts>; 3] = [
        |guard| patch(create).route_layer(guard),
        |guard| patch(create).route_layer(guard.with_authorization(|_| (), |(), _, _| Ok(()))),
        |guard| patch(create).route_layer(guard.with_strategy(SingleProcess::new())),
    ];
    for way in ways {
        let (posts, guard) = posts();
        let route = way(guard.with_policy(Policy::new().with_report_only()));
        let app = Router::new()
            .route("/posts/{id}", route)
            .with_state(posts.clone());
        let answer = send(&app, blind("PATCH", "/posts/9")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(reports(&answer)[0], "missing_condition");
        assert_eq!(*posts.get(&9).unwrap().body(), "blind");
    }
}

#[tokio::test]
async fn a_blind_write_that_loses_a_race_is_reported_as_blind() {
    let (posts, guard) = posts();
    let lose = async |expected: Expected<Posts>| -> Lost { expected.lost() };
    let app = with_methods(
        &posts,
        guard.with_policy(Policy::new().with_report_only()),
        put(lose),
    );
    let answer = send(&app, blind("PUT", "/posts/7")).await;
    assert_eq!(answer.reason(), "lost_race");
    assert_eq!(reports(&answer), ["missing_condition"]);
}

//! Handlers that cannot be changed, under locks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::IF_MATCH;
use axum::routing::{MethodRouter, get};
use tokio::sync::{Barrier, Notify};
use tower::ServiceExt;
use tower_if_match::{Expected, IfMatchLayer, PathKey, SingleProcess, Version, Versioned};
use tracing::Instrument;
use tracing_subscriber::util::SubscriberInitExt;

use crate::ledger::Ledger;
use crate::posts::{create, get_tag, put, request, send};

async fn read(
    State(ledger): State<Ledger>,
    Path(id): Path<u64>,
) -> Result<Versioned<String>, StatusCode> {
    let (revision, text) = ledger.row(id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Versioned::new(Version::new(revision), text))
}

/// Reads, thinks, writes: what the layer is to make safe.
async fn blind(State(ledger): State<Ledger>, Path(id): Path<u64>, text: String) {
    let _read = ledger.row(id);
    tokio::task::yield_now().await;
    ledger.write(id, Some(text));
}

async fn remove(State(ledger): State<Ledger>, Path(id): Path<u64>) -> StatusCode {
    ledger.write(id, None);
    StatusCode::NO_CONTENT
}

fn app(ledger: &Ledger, locks: SingleProcess) -> Router {
    with_methods(ledger, locks, get(read).put(blind).delete(remove))
}

fn with_methods(ledger: &Ledger, locks: SingleProcess, methods: MethodRouter<Ledger>) -> Router {
    let guard = IfMatchLayer::new("rows", ledger.clone(), PathKey).with_strategy(locks);
    Router::new()
        .route("/posts/{id}", methods.route_layer(guard))
        .with_state(ledger.clone())
}

#[tokio::test]
async fn what_a_blind_handler_did_is_read_off_the_version() {
    let ledger = Ledger::new();
    let app = app(&ledger, SingleProcess::new());
    let first = get_tag(&app).await;
    let answer = put(&app, &first, "second").await;
    let second = get_tag(&app).await;
    assert_eq!(
        (answer.status, answer.etag()),
        (StatusCode::OK, Some(second.as_str()))
    );
    assert_eq!(put(&app, &first, "third").await.reason(), "stale_version");
    let created = create(&app, "/posts/8", "new").await;
    assert!(created.status.is_success() && created.etag().is_some());
    let delete = request("DELETE", "/posts/7").header(IF_MATCH, &second);
    let removed = send(&app, delete.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (removed.status, removed.etag()),
        (StatusCode::NO_CONTENT, None)
    );
}

#[tokio::test]
async fn a_versioned_answer_is_a_success() {
    let ledger = Ledger::new();
    let handler = async |State(ledger): State<Ledger>, text: String| {
        ledger.write(7, Some(text.clone()));
        Versioned::new(Version::new(ledger.row(7).unwrap().0), text)
    };
    let app = with_methods(&ledger, SingleProcess::new(), get(read).put(handler));
    let answer = put(&app, "*", "second").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.etag(), Some(get_tag(&app).await.as_str()));
}

/// How many of eight writes with one tag are acknowledged, each through one of these services.
async fn acknowledged(ledger: &Ledger, apps: Vec<Router>) -> usize {
    let tag = get_tag(&apps[0]).await;
    let writers: Vec<_> = apps
        .into_iter()
        .map(|app| {
            let tag = tag.clone();
            tokio::spawn(async move { put(&app, &tag, "written").await.status })
        })
        .collect();
    let mut succeeded = 0;
    for writer in writers {
        succeeded += usize::from(writer.await.unwrap() == StatusCode::OK);
    }
    assert!(ledger.text(7).is_some());
    succeeded
}

#[tokio::test]
async fn of_eight_writes_on_one_version_one_takes_effect() {
    for _ in 0..50 {
        let (ledger, locks) = (Ledger::new(), SingleProcess::new());
        let apps = (0..8).map(|_| app(&ledger, locks.clone())).collect();
        assert_eq!(acknowledged(&ledger, apps).await, 1);
        assert_eq!(locks.locked(), 0);
    }
}

/// The negative control: locks that are not shared lock nothing.
#[tokio::test]
async fn locks_of_their_own_acknowledge_several() {
    let ledger = Ledger::new();
    let apps = (0..8).map(|_| app(&ledger, SingleProcess::new())).collect();
    assert!(acknowledged(&ledger, apps).await > 1);
}

/// A handler that goes on when the test says so.
#[derive(Clone, Default)]
struct Gate {
    entered: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Gate {
    fn methods(&self) -> MethodRouter<Ledger> {
        let gate = self.clone();
        get(read).put(async move |State(ledger): State<Ledger>, text: String| {
            gate.entered.notify_one();
            gate.go_on.notified().await;
            ledger.write(7, Some(text));
        })
    }
}

#[tokio::test]
async fn a_handler_runs_to_its_end_though_the_client_leaves() {
    let (ledger, locks, gate) = (Ledger::new(), SingleProcess::new(), Gate::default());
    let app = with_methods(&ledger, locks.clone(), gate.methods());
    let tag = get_tag(&app).await;
    let leaving = {
        let (app, tag) = (app.clone(), tag.clone());
        tokio::spawn(async move { put(&app, &tag, "of one who left").await })
    };
    gate.entered.notified().await;
    leaving.abort();
    assert!(leaving.await.unwrap_err().is_cancelled());
    assert_eq!(locks.locked(), 1, "the handler still has the lock");

    // Whoever comes meanwhile waits for it, and finds what it wrote.
    let next = {
        let app = app.clone();
        tokio::spawn(async move { put(&app, &tag, "next").await })
    };
    gate.go_on.notify_one();
    assert_eq!(next.await.unwrap().reason(), "stale_version");
    locks.drained().await;
    assert_eq!(ledger.text(7).as_deref(), Some("of one who left"));
    assert_eq!(locks.locked(), 0);
}

#[tokio::test]
async fn draining_waits_for_those_at_work() {
    let (ledger, locks, gate) = (Ledger::new(), SingleProcess::new(), Gate::default());
    let app = with_methods(&ledger, locks.clone(), gate.methods());
    let at_work = tokio::spawn(async move { put(&app, "*", "late").await });
    gate.entered.notified().await;
    let mut drained = Box::pin(locks.drained());
    assert!(futures_util::poll!(&mut drained).is_pending());
    gate.go_on.notify_one();
    drained.await;
    assert_eq!(ledger.text(7).as_deref(), Some("late"));
    assert_eq!(at_work.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn a_panic_is_500_and_releases() {
    let (ledger, locks) = (Ledger::new(), SingleProcess::new());
    let panics = async |State(ledger): State<Ledger>, text: String| {
        assert!(text != "panic", "as the test wants it");
        ledger.write(7, Some(text));
    };
    let app = with_methods(&ledger, locks.clone(), get(read).put(panics));
    let answer = put(&app, "*", "panic").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(locks.locked(), 0);
    assert_eq!(put(&app, "*", "second").await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn waits_are_bounded() {
    let (ledger, gate) = (Ledger::new(), Gate::default());
    let locks = SingleProcess::new().with_wait_timeout(Duration::from_secs(2));
    let app = with_methods(&ledger, locks.clone(), gate.methods());
    let first = {
        let app = app.clone();
        tokio::spawn(async move { put(&app, "*", "first").await })
    };
    gate.entered.notified().await;
    let answer = put(&app, "*", "second").await;
    assert_eq!(
        (answer.status, answer.reason()),
        (StatusCode::SERVICE_UNAVAILABLE, "busy".to_owned())
    );
    gate.go_on.notify_one();
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_are_at_work() {
    let (ledger, gate) = (Ledger::new(), Gate::default());
    ledger.write(8, Some("another".to_owned()));
    let locks = SingleProcess::new().with_most_at_work(1);
    let app = with_methods(&ledger, locks, gate.methods());
    let first = {
        let app = app.clone();
        tokio::spawn(async move { put(&app, "*", "first").await })
    };
    gate.entered.notified().await;
    let other = request("PUT", "/posts/8")
        .header(IF_MATCH, "*")
        .body(Body::empty());
    assert_eq!(send(&app, other.unwrap()).await.reason(), "busy");
    gate.go_on.notify_one();
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
}

/// Whoever waited in vain is told what became of the version that it names, if that is gone.
#[tokio::test(start_paused = true)]
async fn who_waits_in_vain_for_a_version_that_is_gone_is_told_so() {
    let (ledger, gate) = (Ledger::new(), Gate::default());
    let app = with_methods(&ledger, SingleProcess::new(), gate.methods());
    let tag = get_tag(&app).await;
    let first = {
        let app = app.clone();
        tokio::spawn(async move { put(&app, "*", "first").await })
    };
    gate.entered.notified().await;
    let mut second = Box::pin(put(&app, &tag, "second"));
    // The store tells the version at the second poll; then it waits for the lock.
    for _ in 0..2 {
        assert!(futures_util::poll!(&mut second).is_pending());
    }
    ledger.write(7, Some("beside".to_owned()));
    assert_eq!(second.await.reason(), "stale_version");
    gate.go_on.notify_one();
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn a_handler_keeps_its_span() {
    let _log = tracing_subscriber::fmt()
        .with_writer(std::io::sink)
        .set_default();
    let ledger = Ledger::new();
    let tells = async || {
        let span = tracing::Span::current();
        span.metadata()
            .map_or("none", |span| span.name())
            .to_owned()
    };
    let app = with_methods(&ledger, SingleProcess::new(), get(read).put(tells));
    let span = tracing::info_span!("of the request");
    let answer = put(&app, "*", "").instrument(span).await;
    assert_eq!(String::from_utf8(answer.body).unwrap(), "of the request");
}

/// Post 7 and comment 7 are two resources, with locks of their own: a handler of one may write the
/// other.
#[tokio::test]
async fn a_nested_write_of_another_resource_does_not_wait_for_itself() {
    let (posts, comments) = (Ledger::new(), Ledger::new());
    let of_comments = IfMatchLayer::new("comments", comments.clone(), PathKey)
        .with_strategy(SingleProcess::new());
    let inner = Router::new()
        .route("/posts/{id}", get(read).put(blind).route_layer(of_comments))
        .with_state(comments.clone());
    posts.write(8, Some("another".to_owned()));
    let nested = {
        let inner = inner.clone();
        async move |State(posts): State<Ledger>, Path(id): Path<u64>, text: String| {
            let comment = put(&inner, "*", "nested").await;
            posts.write(id, Some(text));
            comment.status
        }
    };
    let app = with_methods(&posts, SingleProcess::new(), get(read).put(nested));
    assert_eq!(put(&app, "*", "outer").await.status, StatusCode::OK);
    assert_eq!(posts.text(7).as_deref(), Some("outer"));
    assert_eq!(comments.text(7).as_deref(), Some("nested"));
}

/// Two mounts of the same rows, as for editors and for administrators, have tags of their own and one
/// lock.
#[tokio::test]
async fn mounts_of_two_scopes_share_the_lock_of_a_row() {
    let (ledger, locks, gate) = (Ledger::new(), SingleProcess::new(), Gate::default());
    let mount = |scope: &str| {
        let guard = IfMatchLayer::new(scope, ledger.clone(), PathKey).with_strategy(locks.clone());
        Router::new()
            .route("/posts/{id}", gate.methods().route_layer(guard))
            .with_state(ledger.clone())
    };
    let (editors, admins) = (mount("posts"), mount("admin"));
    let tags = (get_tag(&editors).await, get_tag(&admins).await);
    let first = tokio::spawn(async move { put(&editors, &tags.0, "first").await });
    gate.entered.notified().await;
    let mut second = Box::pin(put(&admins, &tags.1, "second"));
    for _ in 0..3 {
        assert!(futures_util::poll!(&mut second).is_pending());
    }
    gate.go_on.notify_one();
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(second.await.reason(), "stale_version");
    assert_eq!(ledger.text(7).as_deref(), Some("first"));
}

/// A handler that is handed nothing cannot know that it may not create.
#[tokio::test]
async fn what_is_absent_is_not_created_by_a_method_that_does_not() {
    let ledger = Ledger::new();
    let methods = get(read).put(blind).patch(blind).post(blind).delete(remove);
    let app = with_methods(&ledger, SingleProcess::new(), methods);
    let tag = get_tag(&app).await;
    let delete = request("DELETE", "/posts/7").header(IF_MATCH, &tag);
    let removed = send(&app, delete.body(Body::empty()).unwrap()).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    for (method, conditions) in [("PATCH", vec![&tag]), ("POST", vec![])] {
        let mut revive = request(method, "/posts/7");
        for tag in conditions {
            revive = revive.header(IF_MATCH, tag);
        }
        let answer = send(&app, revive.body(Body::from("revived")).unwrap()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
        assert_eq!(answer.reason(), "absent");
        assert_eq!(ledger.row(7), None, "{method}");
    }
}

#[tokio::test]
async fn unrelated_resources_do_not_wait_for_each_other() {
    let ledger = Ledger::new();
    let together = Arc::new(Barrier::new(100));
    let meet = {
        let together = Arc::clone(&together);
        async move || {
            together.wait().await;
        }
    };
    let app = with_methods(&ledger, SingleProcess::new(), get(read).put(meet));
    let all: Vec<_> = (100..200)
        .map(|id| {
            let app = app.clone();
            tokio::spawn(async move { create(&app, &format!("/posts/{id}"), "").await.status })
        })
        .collect();
    for each in all {
        assert_eq!(each.await.unwrap(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_handler_that_asks_for_expected_stands_under_the_wrong_way() {
    let ledger = Ledger::new();
    let wants_expected = async |_: Expected<Ledger>| ();
    let app = with_methods(&ledger, SingleProcess::new(), get(read).put(wants_expected));
    let answer = put(&app, "*", "").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("another strategy"), "{text}");
}

/// Dropped before the handler began, a request leaves no lock and has written nothing.
#[tokio::test]
async fn a_request_that_is_dropped_leaves_nothing_behind() {
    let begun = Arc::new(AtomicUsize::new(0));
    for polls in 0..12 {
        let (ledger, locks) = (Ledger::new(), SingleProcess::new());
        let counted = {
            let begun = Arc::clone(&begun);
            async move |State(ledger): State<Ledger>, text: String| {
                begun.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                ledger.write(7, Some(text));
            }
        };
        let app = with_methods(&ledger, locks.clone(), get(read).put(counted));
        let request = request("PUT", "/posts/7").header(IF_MATCH, "*");
        let before = begun.load(Ordering::SeqCst);
        let mut answer = Box::pin(
            app.clone()
                .oneshot(request.body(Body::from("second")).unwrap()),
        );
        for _ in 0..polls {
            if futures_util::poll!(&mut answer).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(answer);
        locks.drained().await;
        assert_eq!(locks.locked(), 0, "after {polls} polls");
        // The whole write or nothing, also of one who left.
        let handled = begun.load(Ordering::SeqCst) > before;
        let expected = if handled { "second" } else { "first" };
        assert_eq!(
            ledger.text(7).as_deref(),
            Some(expected),
            "after {polls} polls"
        );
    }
    assert!(begun.load(Ordering::SeqCst) > 3);
}

#[tokio::test]
async fn the_version_is_read_under_the_lock() {
    let (ledger, locks) = (Ledger::new(), SingleProcess::new());
    let app = app(&ledger, locks.clone());
    let mut answer = Box::pin(put(&app, "*", "second"));
    while ledger.text(7).as_deref() != Some("second") {
        assert!(futures_util::poll!(&mut answer).is_pending());
        tokio::task::yield_now().await;
    }
    // The handler is through; the store tells its version at the second poll.
    assert!(futures_util::poll!(&mut answer).is_pending());
    assert_eq!(locks.locked(), 1);
    assert_eq!(answer.await.status, StatusCode::OK);
    assert_eq!(locks.locked(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_resource_is_not_at_work() {
    let (ledger, gate) = (Ledger::new(), Gate::default());
    let locks = SingleProcess::new().with_most_at_work(2);
    let app = with_methods(&ledger, locks, gate.methods());
    let mut writers = [
        Box::pin(put(&app, "*", "first")),
        Box::pin(put(&app, "*", "second")),
    ];
    for _ in 0..3 {
        for writer in &mut writers {
            assert!(futures_util::poll!(writer).is_pending());
        }
    }
    gate.entered.notified().await;
    tokio::select! {
        () = gate.entered.notified() => {}
        answer = create(&app, "/posts/8", "") => panic!("{}", answer.reason()),
    }
}

#[tokio::test]
async fn a_write_whose_version_cannot_be_read_stays_a_success() {
    let ledger = Ledger::new();
    let blinds = async |State(ledger): State<Ledger>, text: String| {
        ledger.write(7, Some(text));
        ledger.fail_next_look(crate::ledger::Fault::Full);
    };
    let app = with_methods(&ledger, SingleProcess::new(), get(read).put(blinds));
    let answer = put(&app, "*", "second").await;
    assert_eq!((answer.status, answer.etag()), (StatusCode::OK, None));
}

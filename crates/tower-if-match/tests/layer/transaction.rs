//! Handlers without a word about versions, in transactions that the layer opens and commits.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ETAG, IF_MATCH, RETRY_AFTER};
use axum::http::{Request, StatusCode};
use axum::routing::{MethodRouter, get};
use tower::ServiceExt;
use tower_if_match::{Expected, IfMatchLayer, PathKey, Transaction, Tx, Version, Versioned};

use crate::ledger::{Fault, Ledger};
use crate::posts::{Answer, create, get_tag, put, request, send};

async fn read(
    State(ledger): State<Ledger>,
    Path(id): Path<u64>,
) -> Result<Versioned<String>, StatusCode> {
    let (revision, text) = ledger.row(id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Versioned::new(Version::new(revision), text))
}

async fn replace(Path(id): Path<u64>, mut tx: Tx<Ledger>, text: String) {
    tokio::task::yield_now().await;
    tx.put(id, text);
}

async fn remove(Path(id): Path<u64>, mut tx: Tx<Ledger>) -> StatusCode {
    tx.remove(id);
    StatusCode::NO_CONTENT
}

fn methods() -> MethodRouter<Ledger> {
    get(read).put(replace).delete(remove)
}

fn app(ledger: &Ledger) -> Router {
    with_methods(ledger, methods())
}

fn with_methods(ledger: &Ledger, methods: MethodRouter<Ledger>) -> Router {
    let guard =
        IfMatchLayer::new("rows", ledger.clone(), PathKey).with_strategy(Transaction::new());
    Router::new()
        .route("/posts/{id}", methods.route_layer(guard))
        .with_state(ledger.clone())
}

/// A PUT by this handler with the current tag.
async fn put_with<H, T>(ledger: &Ledger, handler: H) -> Answer
where
    H: axum::handler::Handler<T, Ledger>,
    T: 'static,
{
    let app = with_methods(ledger, get(read).put(handler));
    let tag = get_tag(&app).await;
    put(&app, &tag, "second").await
}

#[tokio::test]
async fn a_write_is_committed_and_answered_with_the_tag_that_it_made() {
    let ledger = Ledger::new();
    let app = app(&ledger);
    let first = get_tag(&app).await;
    let answer = put(&app, &first, "second").await;
    assert_eq!(answer.status, StatusCode::OK);
    let second = get_tag(&app).await;
    assert_eq!(answer.etag(), Some(second.as_str()));
    assert_eq!(put(&app, &first, "third").await.reason(), "stale_version");
    assert_eq!(ledger.text(7).as_deref(), Some("second"));

    let created = create(&app, "/posts/8", "new").await;
    assert_eq!(created.status, StatusCode::OK);
    assert!(created.etag().is_some());
    assert_eq!(create(&app, "/posts/8", "again").await.reason(), "exists");

    let delete = request("DELETE", "/posts/7").header(IF_MATCH, &second);
    let removed = send(&app, delete.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (removed.status, removed.etag()),
        (StatusCode::NO_CONTENT, None)
    );
    assert_eq!(ledger.row(7), None);
    assert_eq!(ledger.open().0, 0);
}

#[tokio::test]
async fn without_a_condition_no_transaction_begins() {
    let ledger = Ledger::new();
    let app = app(&ledger);
    let blind = request("PUT", "/posts/7").body(Body::from("blind"));
    assert_eq!(
        send(&app, blind.unwrap()).await.reason(),
        "missing_condition"
    );
    put(&app, r#""v9-0123456789abcdef""#, "stale").await;
    assert_eq!(ledger.open(), (0, 0));
}

/// How many of eight writes with one tag were acknowledged, in each of fifty rounds.
async fn acknowledged(ledger: Ledger) -> Vec<usize> {
    let app = app(&ledger);
    let mut acknowledged = Vec::new();
    for round in 0..50 {
        let tag = get_tag(&app).await;
        let put = |writer| {
            let (app, tag) = (app.clone(), tag.clone());
            tokio::spawn(async move { put(&app, &tag, &format!("{round}/{writer}")).await.status })
        };
        let writers: Vec<_> = (0..8).map(put).collect();
        let mut succeeded = 0;
        for writer in writers {
            succeeded += usize::from(writer.await.unwrap() == StatusCode::OK);
        }
        acknowledged.push(succeeded);
    }
    acknowledged
}

#[tokio::test]
async fn of_eight_writes_on_one_version_one_takes_effect() {
    let ledger = Ledger::new();
    assert_eq!(acknowledged(ledger.clone()).await, vec![1; 50]);
    // Of those that wait in this process none holds a transaction meanwhile.
    assert_eq!(ledger.open(), (0, 1));
}

/// The negative control. The turns of one process keep even these from losing anything, so each
/// process has a layer of its own.
#[tokio::test]
async fn transactions_that_lock_nothing_acknowledge_several() {
    let ledger = Ledger::without_locks();
    let apps: Vec<_> = (0..8).map(|_| app(&ledger)).collect();
    let tag = get_tag(&apps[0]).await;
    let writers: Vec<_> = apps
        .into_iter()
        .map(|app| {
            let tag = tag.clone();
            tokio::spawn(async move { put(&app, &tag, "naive").await.status })
        })
        .collect();
    let mut succeeded = 0;
    for writer in writers {
        succeeded += usize::from(writer.await.unwrap() == StatusCode::OK);
    }
    assert!(succeeded > 1, "{succeeded}");
}

#[tokio::test]
async fn layers_of_their_own_wait_for_the_stores_lock() {
    let ledger = Ledger::new();
    let apps: Vec<_> = (0..8).map(|_| app(&ledger)).collect();
    let tag = get_tag(&apps[0]).await;
    let writers = apps.into_iter().map(|app| {
        let tag = tag.clone();
        tokio::spawn(async move { put(&app, &tag, "careful").await.status })
    });
    let mut statuses = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        statuses.push(writer.await.unwrap());
    }
    statuses.sort_unstable();
    let (winners, losers) = statuses.split_at(1);
    assert_eq!(winners, [StatusCode::OK]);
    assert_eq!(losers, [StatusCode::PRECONDITION_FAILED; 7]);
}

#[tokio::test]
async fn what_is_no_success_is_rolled_back() {
    for (status, text) in [
        (StatusCode::SEE_OTHER, "second"),
        (StatusCode::BAD_REQUEST, "first"),
        (StatusCode::INTERNAL_SERVER_ERROR, "first"),
    ] {
        let ledger = Ledger::new();
        let handler = async move |mut tx: Tx<Ledger>, text: String| {
            tx.put(7, text);
            status
        };
        let answer = put_with(&ledger, handler).await;
        assert_eq!(answer.status, status);
        assert_eq!(ledger.text(7).as_deref(), Some(text));
        assert_eq!(ledger.open().0, 0);
    }
}

/// `Versioned` says 500 until a layer sees it. What counts is the status that it is to have.
#[tokio::test]
async fn a_versioned_answer_is_a_success() {
    let ledger = Ledger::new();
    let handler = async |mut tx: Tx<Ledger>, text: String| {
        tx.put(7, text.clone());
        Versioned::new(Version::<u64>::new(1), text)
    };
    let answer = put_with(&ledger, handler).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(ledger.text(7).as_deref(), Some("second"));
    // The body is said to be of the version before this write's.
    assert_eq!(answer.etag(), None);
}

#[tokio::test]
async fn a_success_without_the_transaction_is_an_error() {
    let ledger = Ledger::new();
    let answer = put_with(&ledger, async || "wrote elsewhere, or did not").await;
    assert_eq!(answer.reason(), "unguarded_write");
    assert_eq!(ledger.open().0, 0);
}

#[tokio::test]
async fn a_transaction_that_is_kept_is_rolled_back() {
    let ledger = Ledger::new();
    let (keep, kept) = tokio::sync::oneshot::channel();
    let keep = std::sync::Mutex::new(Some(keep));
    let keep = std::sync::Arc::new(keep);
    let handler = async move |mut tx: Tx<Ledger>, text: String| {
        tx.put(7, text);
        let keep = keep.lock().unwrap().take().unwrap();
        keep.send(tx).unwrap();
    };
    let answer = put_with(&ledger, handler).await;
    assert_eq!(answer.reason(), "unguarded_write");
    assert_eq!(ledger.open().0, 1);
    drop(kept.await.unwrap());
    assert_eq!(ledger.text(7).as_deref(), Some("first"));
    assert_eq!(ledger.open().0, 0);
}

#[tokio::test]
async fn a_handler_that_ends_its_transaction_is_found_out() {
    let ledger = Ledger::new();
    let handler = async |mut tx: Tx<Ledger>| tx.end();
    let answer = put_with(&ledger, handler).await;
    assert_eq!(answer.reason(), "unguarded_write");
}

#[tokio::test]
async fn a_lost_acknowledgement_is_an_unknown_outcome() {
    let ledger = Ledger::new();
    ledger.fail_next_commit(Fault::AcknowledgementLost);
    let answer = put_with(&ledger, replace).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.reason(), "outcome_unknown");
    assert_eq!(answer.field(RETRY_AFTER), None);
    assert_eq!(answer.field(ETAG), None);
}

#[tokio::test]
async fn a_failed_commit_is_never_a_success() {
    for (fault, reason) in [
        (Fault::Deadlock, "busy"),
        (Fault::Full, "store_unavailable"),
    ] {
        let ledger = Ledger::new();
        ledger.fail_next_commit(fault);
        let answer = put_with(&ledger, replace).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.reason(), reason);
        assert_eq!(ledger.text(7).as_deref(), Some("first"));
    }
}

/// A unique violation, as the handler's own error tells it.
#[tokio::test]
async fn what_fails_because_someone_was_faster_has_lost() {
    let ledger = Ledger::new();
    let beside = async |State(ledger): State<Ledger>, _: Tx<Ledger>| {
        ledger.write(8, Some("beside".to_owned()));
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let app = with_methods(&ledger, get(read).put(beside));
    let answer = create(&app, "/posts/8", "mine").await;
    assert_eq!(answer.reason(), "exists");
    assert!(answer.etag().is_some());
}

/// An upsert finds a row where the transaction found none, and writes over it.
/// Nothing was there when its condition was looked at, so nothing was evaluated: what appears until it runs
/// is not its to remove, and the transaction itself sees nothing afterwards.
#[tokio::test]
async fn a_removal_of_what_appeared_meanwhile_has_lost() {
    let removes = async |State(ledger): State<Ledger>, mut tx: Tx<Ledger>| {
        ledger.write(8, Some("beside".to_owned()));
        tx.remove(8);
        StatusCode::NO_CONTENT
    };
    for condition in ["\"v1-of-an-earlier-incarnation\"", "*"] {
        let ledger = Ledger::new();
        let app = with_methods(&ledger, get(read).delete(removes));
        let delete = request("DELETE", "/posts/8").header(IF_MATCH, condition);
        let answer = send(&app, delete.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
        assert!(answer.etag().is_some(), "of what appeared");
        assert_eq!(ledger.text(8).as_deref(), Some("beside"));
    }
    // Where nothing appears, a handler may call it done.
    let idempotent = async |_: Tx<Ledger>| StatusCode::NO_CONTENT;
    let ledger = Ledger::new();
    let app = with_methods(&ledger, get(read).delete(idempotent));
    let delete = request("DELETE", "/posts/8").header(IF_MATCH, "*");
    let answer = send(&app, delete.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn an_upsert_over_what_appeared_meanwhile_has_lost() {
    let ledger = Ledger::new();
    let upsert = async |State(ledger): State<Ledger>, mut tx: Tx<Ledger>, text: String| {
        ledger.write(8, Some("beside".to_owned()));
        tx.put(8, text);
    };
    let app = with_methods(&ledger, get(read).put(upsert));
    let answer = create(&app, "/posts/8", "mine").await;
    assert_eq!(answer.reason(), "exists");
    assert_eq!(ledger.text(8).as_deref(), Some("beside"));
}

/// The other way round: the condition still holds, so the failure is the handler's own.
#[tokio::test]
async fn what_fails_by_itself_keeps_its_answer() {
    let ledger = Ledger::new();
    let fails = async |_: Tx<Ledger>| StatusCode::IM_A_TEAPOT;
    let answer = put_with(&ledger, fails).await;
    assert_eq!(answer.status, StatusCode::IM_A_TEAPOT);
}

#[tokio::test]
async fn a_method_that_does_not_create_cannot() {
    let ledger = Ledger::new();
    let app = with_methods(&ledger, get(read).patch(replace));
    let patch = request("PATCH", "/posts/8").header(IF_MATCH, r#""v1-0123456789abcdef""#);
    let answer = send(&app, patch.body(Body::from("upsert")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(ledger.row(8), None);
}

#[tokio::test]
async fn a_handler_under_the_wrong_way_is_told_so() {
    let ledger = Ledger::new();
    let wants_expected = async |_: Expected<Ledger>| ();
    let answer = put_with(&ledger, wants_expected).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(
        text.contains("Expected<") && text.contains("another strategy"),
        "{text}"
    );

    let guard = IfMatchLayer::new("rows", ledger.clone(), PathKey);
    let app = Router::new()
        .route("/posts/{id}", methods().route_layer(guard))
        .with_state(ledger.clone());
    let tag = get_tag(&app).await;
    let answer = put(&app, &tag, "second").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(
        text.contains("Tx<") && text.contains("strategy `Transaction`"),
        "{text}"
    );
    assert_eq!(ledger.text(7).as_deref(), Some("first"));
}

#[tokio::test]
async fn two_layers_on_one_route_are_refused() {
    let ledger = Ledger::new();
    let guard =
        || IfMatchLayer::new("rows", ledger.clone(), PathKey).with_strategy(Transaction::new());
    let methods = methods().route_layer(guard()).route_layer(guard());
    let app = Router::new()
        .route("/posts/{id}", methods)
        .with_state(ledger.clone());
    let answer = put(&app, "*", "second").await;
    assert_eq!(answer.reason(), "unkeyed");
}

/// Whoever cloned the request's extensions, as for a log, keeps neither the transaction nor a way to it.
#[tokio::test]
async fn a_transaction_ends_with_its_request_whoever_has_a_clone_of_the_slot() {
    let ledger = Ledger::new();
    let kept = std::sync::Arc::new(std::sync::Mutex::new(None));
    let keep = std::sync::Arc::clone(&kept);
    let hangs = async move |request: Request<Body>| {
        let _tx = Tx::<Ledger>::from_extensions(request.extensions()).unwrap();
        *keep.lock().unwrap() = Some(request.extensions().clone());
        std::future::pending::<()>().await;
    };
    let app = with_methods(&ledger, get(read).put(hangs));
    let mut leaving = Box::pin(put(&app, "*", "second"));
    while kept.lock().unwrap().is_none() {
        assert!(futures_util::poll!(&mut leaving).is_pending());
    }
    assert_eq!(ledger.open().0, 1);
    drop(leaving);
    assert_eq!(ledger.open().0, 0);
    let extensions = kept.lock().unwrap().take().unwrap();
    assert!(Tx::<Ledger>::from_extensions(&extensions).is_err());
}

#[tokio::test]
async fn an_id_that_cannot_be_read_is_404_though_the_handler_asks_for_the_transaction_first() {
    let ledger = Ledger::new();
    let handler = async |mut tx: Tx<Ledger>, Path(id): Path<u64>| tx.put(id, String::new());
    let app = with_methods(&ledger, get(read).put(handler));
    let put = request("PUT", "/posts/seven").header(IF_MATCH, "*");
    let answer = send(&app, put.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

/// P7: a client that leaves, at whatever await point, leaves the whole write or nothing.
#[tokio::test]
async fn a_request_that_is_dropped_leaves_nothing_behind() {
    let mut whole = 0;
    for polls in 0.. {
        let ledger = Ledger::new();
        let app = app(&ledger);
        let tag = get_tag(&app).await;
        let put = request("PUT", "/posts/7").header(IF_MATCH, &tag);
        let put: Request<Body> = put.body(Body::from("second")).unwrap();
        let mut answer = Box::pin(app.clone().oneshot(put));
        let mut ended = false;
        for _ in 0..polls {
            ended = futures_util::poll!(&mut answer).is_ready();
            if ended {
                break;
            }
        }
        drop(answer);
        assert_eq!(ledger.open().0, 0, "after {polls} polls");
        // Nobody holds the row.
        let tag = get_tag(&app).await;
        assert_eq!(self::put(&app, &tag, "third").await.status, StatusCode::OK);
        if ended {
            whole += 1;
            if whole == 2 {
                assert!(polls > 4, "{polls} polls reach few await points");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_row_is_bounded() {
    use std::time::Duration;
    use tower_if_match::Transactional;
    let ledger = Ledger::new();
    let _beside = ledger.begin(&[7]).await.unwrap();
    let way = Transaction::new().with_wait_timeout(Duration::from_secs(2));
    let guard = IfMatchLayer::new("rows", ledger.clone(), PathKey).with_strategy(way);
    let app = Router::new().route("/posts/{id}", methods().route_layer(guard));
    let app = app.with_state(ledger.clone());
    let bounded = tokio::time::timeout(Duration::from_secs(3), put(&app, "*", "second"));
    assert_eq!(bounded.await.unwrap().reason(), "busy");
}

#[tokio::test(start_paused = true)]
async fn one_way_has_turns_for_each_scope() {
    let (posts, comments, way) = (Ledger::new(), Ledger::new(), Transaction::new());
    let layer = |scope, ledger: &Ledger| {
        IfMatchLayer::new(scope, ledger.clone(), PathKey).with_strategy(way.clone())
    };
    let inner = axum::routing::put(replace).route_layer(layer("comments", &comments));
    let inner: Router = Router::new().route("/posts/{id}", inner);
    let nested = async move |_tx: Tx<Ledger>| put(&inner, "*", "comment").await.status;
    let outer = axum::routing::put(nested).route_layer(layer("posts", &posts));
    let outer: Router = Router::new().route("/posts/{id}", outer);
    assert_eq!(put(&outer, "*", "post").await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_place_cannot_be_seen_is_rolled_back() {
    for (fault, reason) in [(Fault::Full, "store_unavailable"), (Fault::Silence, "busy")] {
        let ledger = Ledger::new();
        let blinds = async move |State(ledger): State<Ledger>, mut tx: Tx<Ledger>, text: String| {
            tx.put(8, text);
            ledger.fail_next_look(fault);
        };
        let app = with_methods(&ledger, get(read).put(blinds));
        let answer = tokio::time::timeout(
            std::time::Duration::from_secs(11),
            create(&app, "/posts/8", "mine"),
        );
        assert_eq!(answer.await.unwrap().reason(), reason);
        assert_eq!(ledger.row(8), None);
    }
}

#[tokio::test]
async fn whom_a_busy_store_turns_away_is_told_what_became_of_its_version() {
    let ledger = Ledger::new();
    let app = app(&ledger);
    let tag = get_tag(&app).await;
    ledger.overtake_next_begin(Fault::Deadlock);
    assert_eq!(put(&app, &tag, "second").await.reason(), "stale_version");
}

#[tokio::test]
async fn what_comes_after_the_end_is_nobodys() {
    use tower_if_match::Transactional;
    use tower_if_match::version_store::handover::TxSlot;
    let ledger = Ledger::new();
    let slot = TxSlot::<Ledger>::new(ledger.begin(&[7]).await.unwrap().transaction);
    let late = slot.take().unwrap();
    slot.close();
    assert!(slot.take().is_err());
    drop(late);
    assert_eq!(ledger.open().0, 0);
    assert!(slot.take().is_err());
}

#[tokio::test]
async fn given_back_can_be_taken_again() {
    let ledger = Ledger::new();
    let twice = async |request: Request<Body>| {
        for text in ["one", "two"] {
            Tx::<Ledger>::from_extensions(request.extensions())
                .unwrap()
                .put(7, text.to_owned());
        }
    };
    assert_eq!(put_with(&ledger, twice).await.status, StatusCode::OK);
    assert_eq!(ledger.text(7).as_deref(), Some("two"));
}

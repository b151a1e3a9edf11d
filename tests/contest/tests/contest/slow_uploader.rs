//! A client that sends half of its body and then nothing, while others write the same post.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use contest::answer::{Failed, Refused};
use contest::{legacy, rows, transaction};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::poll_fn;
use sqlx::{MySql, Postgres, Sqlite};
use tokio::sync::{Mutex, Notify};
use tokio::time::timeout;
use tower_if_match::Transactional;
use version_store_sqlx::{SqlVersions, Transactions};
use wire::{Body as Content, Connection};

use crate::{Available, create, put, send, serve, tag};

const POST: u64 = 1;

/// How long the control's server lets a request wait. Nobody is to finish in that time.
const PATIENCE: Duration = Duration::from_millis(300);

/// Bears the field by which the server knows the slow client.
const SLOW: &str = "slow";

/// Tells when the server waits for the rest of the slow client's body.
async fn watch(State(waits): State<Arc<Notify>>, request: Request, next: Next) -> Response {
    if !request.headers().contains_key(SLOW) {
        return next.run(request).await;
    }
    let request = request.map(|body| {
        let mut content = body.into_data_stream();
        Body::from_stream(poll_fn(move |cx| {
            let polled = content.poll_next_unpin(cx);
            if polled.is_pending() {
                waits.notify_one();
            }
            polled
        }))
    });
    next.run(request).await
}

/// What others do while one client is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Others {
    /// Each reads, and writes what it read, until that succeeds.
    Write,
    /// Each sends a tag that does not fit.
    AreRefused,
}

/// How everybody fared.
#[derive(Debug, PartialEq, Eq)]
struct Fared {
    /// The status of the last answer to each of the others, while the slow one was not done.
    others: Vec<u16>,
    slow: u16,
}

async fn fared(app: Router, others: Others) -> Fared {
    let waits = Arc::new(Notify::new());
    let addr = serve(app.layer(middleware::from_fn_with_state(Arc::clone(&waits), watch))).await;
    assert_eq!(send(addr, &create(POST, "first")).await.status(), 201);

    let request = put(POST, &"slow".repeat(100))
        .field("If-Match", tag(addr, POST).await)
        .field(SLOW, "");
    let bytes = request.bytes();
    let Content::Sized(content) = &request.body else {
        panic!("{request:?}");
    };
    let (first, rest) = bytes.split_at(bytes.len() - content.len() / 2);
    let mut slow = Connection::open(addr).await.unwrap();
    slow.write_bytes(first).await.unwrap();
    waits.notified().await;

    let others = join_all((0..8).map(|other| write(addr, others, other))).await;
    slow.write_bytes(rest).await.unwrap();
    Fared {
        others,
        slow: slow.read("PUT").await.unwrap().status(),
    }
}

async fn write(addr: SocketAddr, others: Others, other: u32) -> u16 {
    loop {
        let tag = match others {
            Others::Write => tag(addr, POST).await,
            Others::AreRefused => r#""v0-0000000000000000""#.to_owned(),
        };
        let request = put(POST, &format!("by {other}")).field("If-Match", tag);
        let status = send(addr, &request).await.status();
        if others == Others::AreRefused || status != 412 {
            return status;
        }
    }
}

async fn holds_up_nobody(app: impl AsyncFn() -> Router) {
    let overtaken = Fared {
        others: vec![200; 8],
        slow: 412,
    };
    assert_eq!(fared(app().await, Others::Write).await, overtaken);
    let in_time = Fared {
        others: vec![412; 8],
        slow: 200,
    };
    assert_eq!(fared(app().await, Others::AreRefused).await, in_time);
}

async fn holds_up_nobody_in<D: Available>() {
    let Some(database) = D::fresh().await else {
        return;
    };
    let pool = D::connect(&database.url).await.unwrap();
    holds_up_nobody(async || {
        D::execute(&pool, "DELETE FROM posts").await.unwrap();
        let versions = SqlVersions::open(pool.clone(), rows::table()).await;
        transaction::app(pool.clone(), versions.unwrap())
    })
    .await;
}

/// Everybody is told 503, because the slow client has what they wait for.
async fn holds_up_everybody(app: Router) {
    let held_up = Fared {
        others: vec![503; 8],
        slow: 200,
    };
    assert_eq!(fared(app, Others::Write).await, held_up);
}

async fn read_to_its_end(request: Request) -> Request {
    let (head, body) = request.into_parts();
    let content = to_bytes(body, usize::MAX).await.unwrap();
    Request::from_parts(head, content.into())
}

fn busy() -> Response {
    Refused::Failed(Failed::Busy).into_response()
}

async fn holds_up_everybody_in<D: Available>() {
    let Some(database) = D::fresh().await else {
        return;
    };
    let pool = D::connect(&database.url).await.unwrap();
    let transactions = Transactions::new().with_wait_timeout(PATIENCE);
    let versions = SqlVersions::open_with(pool.clone(), rows::table(), transactions).await;
    let versions = versions.unwrap();
    let begin_first =
        async |State(versions): State<SqlVersions<D, u64>>, request: Request, next: Next| {
            if request.method().is_safe() {
                return next.run(request).await;
            }
            let Ok(begun) = versions.begin(&[POST]).await else {
                return busy();
            };
            let request = read_to_its_end(request).await;
            versions.rollback(begun.transaction).await;
            next.run(request).await
        };
    let app = transaction::app(pool, versions.clone())
        .layer(middleware::from_fn_with_state(versions, begin_first));
    holds_up_everybody(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_holds_up_nobody_in_sqlite() {
    holds_up_nobody_in::<Sqlite>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_holds_up_nobody_in_postgres() {
    holds_up_nobody_in::<Postgres>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_holds_up_nobody_in_mariadb() {
    holds_up_nobody_in::<MySql>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_holds_up_nobody_in_a_single_process() {
    holds_up_nobody(async || legacy::single_process(true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_one_that_begins_first_holds_up_everybody_in_sqlite() {
    holds_up_everybody_in::<Sqlite>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_one_that_begins_first_holds_up_everybody_in_postgres() {
    holds_up_everybody_in::<Postgres>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_one_that_begins_first_holds_up_everybody_in_mariadb() {
    holds_up_everybody_in::<MySql>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_one_that_locks_first_holds_up_everybody_in_a_single_process() {
    let lock_first = async |State(lock): State<Arc<Mutex<()>>>, request: Request, next: Next| {
        if request.method().is_safe() {
            return next.run(request).await;
        }
        let Ok(locked) = timeout(PATIENCE, lock.lock_owned()).await else {
            return busy();
        };
        let request = read_to_its_end(request).await;
        drop(locked);
        next.run(request).await
    };
    let lock = Arc::new(Mutex::new(()));
    let app = legacy::single_process(true).layer(middleware::from_fn_with_state(lock, lock_first));
    holds_up_everybody(app).await;
}

//! Over sockets: with `DrainLayer` a refusal arrives however large its request's body, and the connection stays
//! open; without it neither is certain.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body as Received;
use axum::extract::DefaultBodyLimit;
use axum::routing::{post, put};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use tower_drain::DrainLayer;
use tower_if_match::{Expected, IfMatchLayer, MemoryStore, PathKey};
use wire::{Body, Connection, Request};

type Posts = MemoryStore<u64, ()>;

/// More than the sockets can buffer on any system.
const HUGE: usize = 32 << 20;

/// Post 7, whose tag nobody knows. A POST to `/later` is answered at once and its body read after that; `told`
/// hears how much there was.
fn routes(told: mpsc::UnboundedSender<usize>) -> Router {
    let posts = Posts::new();
    posts.create(7, ());
    let store = posts.clone();
    let guard = IfMatchLayer::new("posts", posts, PathKey);
    let replace =
        async move |expected: Expected<Posts>, _: String| store.put((), expected).map(|_| ());
    let later = async move |mut body: Received| {
        tokio::spawn(async move {
            let mut bytes = 0;
            // To where it must end: once hyper has sent the answer it may not report the end.
            while !body.is_end_stream() {
                let frame = body.frame().await.unwrap().unwrap();
                bytes += frame.into_data().unwrap().len();
            }
            told.send(bytes).unwrap();
        });
    };
    // Reads one frame and has seen enough.
    let some = async |mut body: Received| {
        body.frame().await.unwrap().unwrap();
    };
    Router::new()
        .route("/posts/{id}", put(replace).route_layer(guard))
        .route("/later", post(later))
        .route("/some", post(some))
        .layer(DefaultBodyLimit::disable())
}

/// On axum's own server, which is hyper's.
async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    addr
}

fn unheard() -> mpsc::UnboundedSender<usize> {
    mpsc::unbounded_channel().0
}

async fn with(layer: DrainLayer) -> SocketAddr {
    serve(routes(unheard()).layer(layer)).await
}

async fn without() -> SocketAddr {
    serve(routes(unheard())).await
}

fn refused(body: Body) -> Request {
    Request::new("PUT", "/posts/7")
        .field("If-Match", "\"unknown\"")
        .body(body)
}

fn filled(bytes: usize) -> Vec<u8> {
    vec![b'x'; bytes]
}

fn read() -> Request {
    Request::new("GET", "/posts/8")
}

#[tokio::test]
async fn refusals_and_what_follows_them_share_a_connection() {
    let mut connection = Connection::open(with(DrainLayer::new()).await)
        .await
        .unwrap();
    for size in [1, 100, 60_000, 900_000, 1 << 20] {
        let halves = vec![filled(size / 2), filled(size - size / 2)];
        for body in [Body::Sized(filled(size)), Body::Chunked(halves)] {
            let answer = connection.send(&refused(body)).await.unwrap();
            assert_eq!(answer.status(), 412, "{size}");
            assert_eq!(answer.header("connection"), None);
            let next = connection.send(&read()).await.unwrap();
            assert_eq!(next.status(), 405, "{size}");
        }
        let some = Request::new("POST", "/some").body(Body::Sized(filled(size)));
        assert_eq!(connection.send(&some).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn control_without_the_layer_the_connection_closes_and_the_answer_does_not_say_so() {
    let addr = without().await;
    let mut connection = Connection::open(addr).await.unwrap();
    let answer = connection.send(&refused(Body::Sized(filled(HUGE)))).await;
    if let Ok(answer) = answer {
        assert_eq!(answer.header("connection"), None);
    }
    assert!(connection.send(&read()).await.is_err());
}

#[tokio::test]
async fn a_client_that_writes_all_before_it_reads_gets_its_answer() {
    let addr = with(DrainLayer::new().with_body_limit(HUGE)).await;
    let mut connection = Connection::open(addr).await.unwrap();
    let request = refused(Body::Sized(filled(HUGE)));
    connection.write(&request).await.unwrap();
    assert_eq!(connection.read("PUT").await.unwrap().status(), 412);
    assert_eq!(connection.send(&read()).await.unwrap().status(), 405);
}

#[tokio::test]
async fn control_without_the_layer_it_cannot_even_write() {
    let mut connection = Connection::open(without().await).await.unwrap();
    let request = refused(Body::Sized(filled(HUGE)));
    assert!(connection.write(&request).await.is_err());
}

/// A refused request most of whose body stays away.
const HALF: &[u8] = b"PUT /posts/7 HTTP/1.1\r\nHost: test\r\nIf-Match: \"unknown\"\r\n\
                      Content-Length: 1000\r\n\r\nhalf of it";

#[tokio::test]
async fn a_client_that_stops_sending_is_answered_and_told_that_the_connection_closes() {
    let soon = Duration::from_millis(20);
    let addr = with(DrainLayer::new().with_body_timeout(soon)).await;
    let mut connection = Connection::open(addr).await.unwrap();
    connection.write_bytes(HALF).await.unwrap();
    let answer = connection.read("PUT").await.unwrap();
    assert_eq!(
        (answer.status(), answer.header("connection")),
        (412, Some("close"))
    );
    connection.closed().await.unwrap();
}

#[tokio::test]
async fn a_client_that_ends_its_half_of_the_connection_is_answered() {
    let mut connection = Connection::open(with(DrainLayer::new()).await)
        .await
        .unwrap();
    connection.write_bytes(HALF).await.unwrap();
    connection.finish_writing().await.unwrap();
    let answer = connection.read("PUT").await.unwrap();
    assert_eq!(
        (answer.status(), answer.header("connection")),
        (412, Some("close"))
    );
}

#[tokio::test]
async fn past_the_limit_the_connection_closes_and_the_answer_says_so() {
    let addr = with(DrainLayer::new().with_body_limit(1000)).await;
    for body in [
        Body::Sized(filled(1001)),
        Body::Chunked(vec![filled(500), filled(501)]),
    ] {
        let mut connection = Connection::open(addr).await.unwrap();
        let answer = connection.send(&refused(body)).await.unwrap();
        assert_eq!(
            (answer.status(), answer.header("connection")),
            (412, Some("close"))
        );
        assert!(!connection.is_reusable());
    }
}

#[tokio::test]
async fn a_body_that_waits_for_100_is_not_asked_for() {
    let addr = with(DrainLayer::new()).await;
    let mut connection = Connection::open(addr).await.unwrap();
    let request = refused(Body::ExpectContinue(filled(1000)));
    let answer = connection.send(&request).await.unwrap();
    assert_eq!(
        (answer.status(), answer.header("connection")),
        (412, Some("close"))
    );
    assert!(answer.interim().is_empty());
    assert!(!answer.request_written());
    connection.closed().await.unwrap();

    // The control: the handler asks for it, and the layer reads the rest.
    let mut connection = Connection::open(addr).await.unwrap();
    let some = Request::new("POST", "/some").body(Body::ExpectContinue(filled(900_000)));
    let answer = connection.send(&some).await.unwrap();
    assert_eq!((answer.status(), answer.interim().len()), (200, 1));
    assert_eq!(connection.send(&read()).await.unwrap().status(), 405);
}

#[tokio::test]
async fn a_body_that_a_task_reads_is_left_to_it() {
    let (told, mut hears) = mpsc::unbounded_channel();
    let addr = serve(routes(told).layer(DrainLayer::new())).await;
    let mut connection = Connection::open(addr).await.unwrap();
    // Answered before all of the body has arrived.
    let head = b"POST /later HTTP/1.1\r\nHost: test\r\nContent-Length: 20\r\n\r\nten bytes!";
    connection.write_bytes(head).await.unwrap();
    let answer = connection.read("POST").await.unwrap();
    assert_eq!((answer.status(), answer.header("connection")), (200, None));
    connection.write_bytes(b"ten bytes!").await.unwrap();
    assert_eq!(hears.recv().await, Some(20));
    assert_eq!(connection.send(&read()).await.unwrap().status(), 405);
}

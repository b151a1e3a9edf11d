//! Any Tower stack: readiness, clones, errors, bodies, and that nothing runs that was refused.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::http::header::{CONTENT_LENGTH, ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Either, Empty, Full};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_if_match::stack::RefusalBody;
use tower_if_match::{Expected, FindKey, Found, IfMatchLayer, MemoryStore, Version, VersionStore};
use tower_test::mock;

type Posts = MemoryStore<u64, String>;

fn key(_: &Parts) -> Found<u64> {
    Found::Key(7)
}

fn guard() -> (Posts, IfMatchLayer<Posts, impl FindKey<u64>>) {
    let posts = Posts::new();
    posts.create(7, "first".to_owned());
    let guard = IfMatchLayer::new("posts", posts.clone(), key);
    (posts, guard)
}

fn put(if_match: &str) -> Request<Full<Bytes>> {
    Request::put("/posts/7")
        .header(IF_MATCH, if_match)
        .body(Full::default())
        .unwrap()
}

/// A store that is asked over a network.
#[derive(Clone)]
struct Remote;

impl VersionStore for Remote {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        tokio::task::yield_now().await;
        Ok(Some(Version::new(1)))
    }
}

/// A store that is asked over a network, and counts how often.
#[derive(Clone, Default)]
struct Asked(Arc<AtomicUsize>);

impl VersionStore for Asked {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        self.0.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        Ok(Some(Version::new(1)))
    }
}

/// A query that was begun and dropped would be asked for again.
#[tokio::test]
async fn a_store_that_does_not_answer_at_once_is_asked_once() {
    let store = Asked::default();
    let service = IfMatchLayer::new("asked", store.clone(), key)
        .with_version_before_body()
        .layer(service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
    let get = Request::get("/posts/7").body(Full::default()).unwrap();
    for (asked, request) in [(1, put("\"x\"")), (2, get)] {
        service.clone().oneshot(request).await.unwrap();
        assert_eq!(store.0.load(Ordering::Relaxed), asked);
    }
}

type Mock = mock::Mock<Request<Full<Bytes>>, Response<Full<Bytes>>>;

#[tokio::test]
async fn a_refused_request_never_reaches_the_inner_service() {
    let (_, guard) = guard();
    let (inner, mut handle): (Mock, _) = mock::pair();
    let mut service = guard.layer(inner);
    handle.allow(1);
    service.ready().await.unwrap();
    let response = service.call(put("\"x\"")).await.unwrap();
    assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);
    drop(service);
    assert!(handle.next_request().await.is_none());
}

#[tokio::test]
async fn readiness_is_the_inner_services() {
    let (_, guard) = guard();
    let (inner, mut handle): (Mock, _) = mock::pair();
    let mut service = guard.layer(inner);
    handle.allow(0);
    assert!(poll_ready(&mut service).is_pending());
    handle.allow(1);
    assert!(matches!(poll_ready(&mut service), Poll::Ready(Ok(()))));
    handle.send_error("broken");
    assert!(matches!(
        poll_ready(&mut service.clone()),
        Poll::Ready(Err(_))
    ));
}

fn poll_ready<S: Service<Request<Full<Bytes>>>>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(std::task::Waker::noop()))
}

/// The service that was polled ready is the one that is called, also when the call comes later than
/// the store's answer. A mock panics otherwise.
#[tokio::test]
async fn the_service_that_was_ready_is_called_after_the_store_answered() {
    let guard = IfMatchLayer::new("remote", Remote, key);
    let (inner, mut handle): (Mock, _) = mock::pair();
    let mut service = guard.layer(inner);
    handle.allow(1);
    service.ready().await.unwrap();
    let answer = tokio::spawn(service.call(put("*")));
    let (request, reply) = handle.next_request().await.unwrap();
    Expected::<Remote>::from_extensions(request.extensions())
        .unwrap()
        .written(Version::new(2));
    reply.send_response(Response::new(Full::default()));
    let response = answer.await.unwrap().unwrap();
    assert!(
        response.headers()[ETAG]
            .to_str()
            .unwrap()
            .starts_with("\"v2-")
    );
}

#[tokio::test]
async fn an_error_of_the_inner_service_is_its_own() {
    let (_, guard) = guard();
    let (inner, mut handle): (Mock, _) = mock::pair();
    let mut service = guard.layer(inner);
    handle.allow(1);
    service.ready().await.unwrap();
    let answer = tokio::spawn(service.call(put("*")));
    let (_, reply) = handle.next_request().await.unwrap();
    reply.send_error("broken inside");
    assert_eq!(
        answer.await.unwrap().unwrap_err().to_string(),
        "broken inside"
    );
}

/// Counts how often its frames are asked for.
struct Counted(Arc<AtomicUsize>);

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(None)
    }
}

#[tokio::test]
async fn a_refused_requests_body_is_never_polled() {
    let polled = Arc::new(AtomicUsize::new(0));
    let handler = service_fn(async |request: Request<Counted>| {
        let (parts, body) = request.into_parts();
        body.collect().await.unwrap();
        Expected::<Posts>::from_extensions(&parts.extensions)
            .unwrap()
            .unchanged();
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let (_, guard) = guard();
    let service = guard.layer(handler);
    let send = async |condition: Option<&str>| {
        let request = Request::put("/posts/7");
        let request = match condition {
            Some(tag) => request.header(IF_MATCH, tag),
            None => request,
        };
        let body = Counted(Arc::clone(&polled));
        service
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    for (condition, status) in [(None, 428), (Some("\"x\""), 412), (Some("malformed"), 400)] {
        assert_eq!(send(condition).await, status);
        assert_eq!(polled.load(Ordering::Relaxed), 0);
    }
    assert_eq!(send(Some("*")).await, 200);
    assert_eq!(
        polled.load(Ordering::Relaxed),
        1,
        "the negative control: the handler does poll it"
    );
}

/// Not every stack strips what a HEAD must not have.
#[tokio::test]
async fn a_refused_head_has_the_length_of_the_text_and_not_the_text() {
    let (_, guard) = guard();
    let service = guard.layer(service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let refused = async |method: &str| {
        let request = Request::builder()
            .method(method)
            .uri("/posts/7")
            .header(IF_MATCH, "\"x\"")
            .body(Full::default());
        let response = service.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);
        let declared = response.headers().get(CONTENT_LENGTH).cloned();
        (
            declared,
            response.into_body().collect().await.unwrap().to_bytes(),
        )
    };
    let (_, text) = refused("GET").await;
    let (declared, nothing) = refused("HEAD").await;
    assert_eq!(declared.unwrap(), text.len().to_string());
    assert!(nothing.is_empty());
}

async fn refused_in<B>(empty: fn() -> B) -> Bytes
where
    B: RefusalBody + http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Debug,
{
    let (_, guard) = guard();
    let handler = service_fn(move |_: Request<Full<Bytes>>| async move {
        Ok::<_, Infallible>(Response::new(empty()))
    });
    let service = ServiceBuilder::new().layer(guard).service(handler);
    let response = service.oneshot(put("\"x\"")).await.unwrap();
    assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);
    let text = response.into_body().collect().await.unwrap().to_bytes();
    let tag = text
        .windows(14)
        .position(|octets| octets == b"\"current_etag\"")
        .unwrap();
    text.slice(..tag)
}

#[tokio::test]
async fn refusals_come_in_the_stacks_own_body_type() {
    let expected = refused_in::<Full<Bytes>>(Full::default).await;
    assert!(expected.starts_with(b"{\"type\""));
    let boxed = || BoxBody::<Bytes, Infallible>::new(Empty::new());
    assert_eq!(refused_in(boxed).await, expected);
    let unsync = || UnsyncBoxBody::<Bytes, Infallible>::new(Empty::new());
    assert_eq!(refused_in(unsync).await, expected);
    assert_eq!(refused_in(axum::body::Body::empty).await, expected);
    let either = || Either::<Full<Bytes>, Empty<Bytes>>::Right(Empty::new());
    assert_eq!(refused_in(either).await, expected);
}

/// What axum demands of a layer and its service, also where nothing of the user's is `Clone`.
#[test]
fn layer_and_service_are_clone_send_and_sync() {
    fn holds<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn sends<T: Send>(_: &T) {}
    let (_, guard) = guard();
    holds(&guard);
    let service = guard.layer(service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    holds(&service);
    sends(&service.clone().call(put("*")));
}

/// A request that is dropped while the store is asked, or while the handler runs, leaves nothing.
#[tokio::test]
async fn a_request_that_is_given_up_leaves_nothing_behind() {
    let (posts, guard) = guard();
    let count = Arc::new(());
    let held = Arc::clone(&count);
    let never = service_fn(move |request: Request<Full<Bytes>>| {
        let held = Arc::clone(&held);
        async move {
            let expected = Expected::<Posts>::from_extensions(request.extensions()).unwrap();
            std::future::pending::<()>().await;
            drop((expected, held));
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }
    });
    let service = guard.layer(never);
    let before = Arc::strong_count(&count);
    for _ in 0..100 {
        let mut future = Box::pin(service.clone().oneshot(put("*")));
        assert!(
            future
                .as_mut()
                .poll(&mut Context::from_waker(std::task::Waker::noop()))
                .is_pending()
        );
        drop(future);
    }
    assert_eq!(Arc::strong_count(&count), before);
    assert_eq!(posts.get(&7).unwrap().body(), "first");
}

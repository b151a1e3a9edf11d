//! P1 around handlers that know nothing: increments by many clients over two spellings of one path.
//! And the same without the lock, or without the layer, which must lose some.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, Uri};
use tower::{Layer, Service, ServiceExt};
use tower_if_match::RepresentationLayer;

use crate::posts::Answer;
use crate::representation::{Texts, guard, legacy, request};

const CLIENTS: usize = 64;

/// Each client reads the number, adds one and sends it back with the tag, until that was taken.
async fn increments<S>(service: S, texts: &Texts) -> usize
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    texts.write(7, "0");
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let path = if client % 2 == 0 {
                "/posts/7"
            } else {
                "/posts/07"
            };
            tokio::spawn(increment(service.clone(), path))
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    texts.text(7).unwrap().parse().unwrap()
}

async fn increment<S>(service: S, path: &'static str)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    loop {
        let get = request(&format!("GET {path}"), &[], "");
        let read = Answer::of(service.clone().oneshot(get).await.unwrap()).await;
        let number: usize = String::from_utf8(read.body.clone())
            .unwrap()
            .parse()
            .unwrap();
        let tag = read.etag().unwrap_or("\"none\"");
        let put = request(
            &format!("PUT {path}"),
            &[("if-match", tag)],
            &(number + 1).to_string(),
        );
        match service.clone().oneshot(put).await.unwrap().status() {
            StatusCode::OK => return,
            StatusCode::PRECONDITION_FAILED => {}
            other => panic!("{other}"),
        }
    }
}

fn layered(layer: &RepresentationLayer) -> (impl Runs, Texts) {
    let (router, texts) = legacy();
    (layer.layer(router), texts)
}

trait Runs:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<S> Runs for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

#[tokio::test]
async fn no_increment_is_lost_over_two_spellings() {
    let (service, texts) = layered(&guard());
    assert_eq!(increments(service, &texts).await, CLIENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_is_lost_on_several_threads() {
    let (service, texts) = layered(&guard());
    assert_eq!(increments(service, &texts).await, CLIENTS);
}

#[tokio::test]
async fn units_that_hold_all_spellings_lose_nothing() {
    let layer = guard().with_locks_by(|uri: &Uri| {
        let id = uri.path().trim_start_matches("/posts/");
        id.trim_start_matches('0').to_owned()
    });
    let (service, texts) = layered(&layer);
    assert_eq!(increments(service, &texts).await, CLIENTS);
}

/// The negative control, and why one lock is the default.
#[tokio::test]
async fn units_that_part_the_spellings_lose_increments() {
    let (service, texts) = layered(&guard().with_locks_by(|uri: &Uri| uri.path().to_owned()));
    assert!(increments(service, &texts).await < CLIENTS);
}

/// The negative control: the same handlers without the layer.
#[tokio::test]
async fn without_the_layer_increments_are_lost() {
    let (router, texts): (Router, Texts) = legacy();
    assert!(increments(router, &texts).await < CLIENTS);
}

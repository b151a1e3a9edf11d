//! Bodies that cannot be held, and how they come to the client all the same.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt};

use crate::representation::{ask, guard, request};
use crate::representation_reads::service;

/// A body that comes in pieces and does not say how long it is.
#[derive(Default)]
pub(crate) struct Frames {
    frames: VecDeque<Result<Frame<Bytes>, io::Error>>,
    endless: bool,
}

impl Frames {
    pub(crate) fn of<const N: usize>(pieces: [&'static str; N]) -> Self {
        let frame = |piece: &'static str| Ok(Frame::data(Bytes::from_static(piece.as_bytes())));
        Self {
            frames: pieces.into_iter().map(frame).collect(),
            endless: false,
        }
    }

    pub(crate) fn broken(mut self) -> Self {
        self.frames.push_back(Err(io::Error::other("broken")));
        self
    }

    /// Nothing more comes, and no end either.
    pub(crate) fn endless(mut self) -> Self {
        self.endless = true;
        self
    }

    fn with_trailers(mut self, trailers: HeaderMap) -> Self {
        self.frames.push_back(Ok(Frame::trailers(trailers)));
        self
    }
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.frames.pop_front() {
            None if self.endless => Poll::Pending,
            frame => Poll::Ready(frame),
        }
    }
}

#[tokio::test]
async fn what_cannot_be_held_is_passed_on_untagged() {
    let large = || Body::new(Frames::of(["0123456789", "0123456789", "0123456789"]));
    let declared = || Body::from("0123456789".repeat(3));
    let bodies: [fn() -> Body; 2] = [large, declared];
    for body in bodies {
        let app = guard()
            .with_representation_limit(15)
            .layer(service(move |_| {
                ([("etag", "\"own\"")], body()).into_response()
            }));
        for fields in [&[][..], &[("accept-language", "fr")]] {
            let read = ask(&app, "GET /", fields, "").await;
            assert_eq!((read.status, read.etag()), (StatusCode::OK, None));
            assert_eq!(read.body, "0123456789".repeat(3).as_bytes());
        }
    }
}

#[tokio::test]
async fn what_never_ends_is_passed_on() {
    let patience = Duration::from_millis(1);
    for (media_type, patience) in [
        ("text/event-stream", Duration::MAX),
        ("text/plain", patience),
    ] {
        let app = guard().with_wait_timeout(patience).layer(service(move |_| {
            let body = Body::new(Frames::of(["first"]).endless());
            ([(CONTENT_TYPE, media_type)], body).into_response()
        }));
        let mut read = app.oneshot(request("GET /", &[], "")).await.unwrap();
        let frame = read.body_mut().frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "first");
        assert!(!read.headers().contains_key("etag"));
    }
}

#[tokio::test]
async fn a_body_that_breaks_breaks_for_the_client() {
    let app = guard().layer(service(|_| {
        Body::new(Frames::of(["first"]).broken()).into_response()
    }));
    let mut read = app.oneshot(request("GET /", &[], "")).await.unwrap();
    let frame = read.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "first");
    assert!(read.body_mut().frame().await.unwrap().is_err());
}

#[tokio::test]
async fn trailers_stay() {
    let app = guard().layer(service(|_| {
        let trailers = HeaderMap::from_iter([(CONTENT_TYPE, "x".parse().unwrap())]);
        Body::new(Frames::of(["state"]).with_trailers(trailers)).into_response()
    }));
    let read = app.oneshot(request("GET /", &[], "")).await.unwrap();
    assert!(read.headers().contains_key("etag"));
    let content = read.into_body().collect().await.unwrap();
    assert_eq!(content.trailers().map(HeaderMap::len), Some(1));
    assert_eq!(content.to_bytes(), "state");
}

//! How much is read, and for how long.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tower::{Layer, ServiceExt, service_fn};

use super::scripted::{Boxed, Step, THREE, closes, put, refused, sent};
use crate::DrainLayer;

#[tokio::test]
async fn no_more_than_the_limit_is_read() {
    let limited = |bytes| DrainLayer::new().with_body_limit(bytes);
    // Declared.
    let (answer, polls) = refused(limited(20), sent(THREE, Some(21)), 0).await;
    assert_eq!((polls, closes(&answer)), (0, true));
    let (answer, polls) = refused(limited(21), sent(THREE, Some(21)), 0).await;
    assert_eq!((polls, closes(&answer)), (4, false));
    // Found while reading; an empty frame counts as one byte.
    let (answer, polls) = refused(limited(20), put(THREE), 0).await;
    assert_eq!((polls, closes(&answer)), (3, true));
    let (answer, polls) = refused(limited(21), put(THREE), 0).await;
    assert_eq!((polls, closes(&answer)), (4, false));
    // Of what is left, not of all.
    let (answer, polls) = refused(limited(11), put(THREE), 1).await;
    assert_eq!((polls, closes(&answer)), (4, false));
    let endless = std::iter::repeat_n(Step::Gives(0), 100);
    let (answer, polls) = refused(limited(21), put(endless), 0).await;
    assert_eq!((polls, closes(&answer)), (22, true));
}

#[tokio::test]
async fn the_defaults_are_one_mebibyte_and_five_seconds() {
    let text = format!("{:?}", DrainLayer::new());
    assert!(text.contains("limit: 1048576"), "{text}");
    assert!(text.contains("timeout: 5s"), "{text}");
}

/// How long an answer is held, by a paused clock, while the body arrives in such steps, and whether it closes.
async fn held(layer: DrainLayer, pause: Duration, steps: usize) -> (Duration, bool) {
    let frames = futures_util::stream::unfold(0, move |step| async move {
        if step == steps {
            return None;
        }
        tokio::time::sleep(pause).await;
        let frame = Frame::data(Bytes::from_static(b"bytes"));
        Some((Ok::<_, io::Error>(frame), step + 1))
    });
    let body: Boxed = StreamBody::new(frames).boxed_unsync();
    let service = service_fn(|_: Request<Boxed>| ready(Ok::<_, Infallible>(Response::new(()))));
    let began = tokio::time::Instant::now();
    let answer = layer.layer(service).oneshot(Request::new(body)).await;
    (began.elapsed(), closes(&answer.unwrap()))
}

#[tokio::test(start_paused = true)]
async fn a_body_that_arrives_holds_the_answer_no_longer_than_the_timeout() {
    let layer = DrainLayer::new().with_body_timeout(Duration::from_secs(3));
    let pause = Duration::from_millis(400);
    assert_eq!(held(layer, pause, 5).await, (5 * pause, false));
    assert_eq!(held(layer, pause, 50).await, (Duration::from_secs(3), true));
}

/// A client may wait for the answer before it sends the rest.
#[tokio::test(start_paused = true)]
async fn a_body_that_stays_away_does_not_hold_the_answer_until_the_timeout() {
    let soon = Duration::from_millis(500);
    let layer = DrainLayer::new();
    assert_eq!(held(layer, Duration::from_mins(1), 1).await, (soon, true));
    let short = layer.with_body_timeout(Duration::from_millis(100));
    let (held, _) = held(short, Duration::from_mins(1), 1).await;
    assert_eq!(held, Duration::from_millis(100));
}

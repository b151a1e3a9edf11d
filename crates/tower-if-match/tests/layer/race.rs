//! P1 in memory: of the writes that name one version, one takes effect. And the same test on code
//! without the protection, which must fail.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use tower_if_match::{Expected, IfMatchLayer, Lost, PathKey, Version, VersionStore, Versioned};

use crate::posts::{get_tag, put};

/// One document with a version.
#[derive(Clone, Default)]
struct Register(Arc<Mutex<(u64, String)>>);

impl VersionStore for Register {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;
    const ANSWERS_AT_ONCE: bool = true;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        Ok(Some(Version::new(self.0.lock().unwrap().0)))
    }
}

impl Register {
    /// Compare and swap in one step.
    fn put(&self, text: String, expected: Expected<Self>) -> Result<(), Lost> {
        let mut row = self.0.lock().unwrap();
        if !expected.admits(Some(&Version::new(row.0))) {
            return Err(expected.lost());
        }
        *row = (row.0 + 1, text);
        expected.written(Version::new(row.0));
        Ok(())
    }

    /// The write of a handler that trusts the check in front.
    fn put_naively(&self, text: String, expected: Expected<Self>) {
        let mut row = self.0.lock().unwrap();
        *row = (row.0 + 1, text);
        expected.written(Version::new(row.0));
    }
}

async fn read(State(register): State<Register>, Path(_): Path<u64>) -> Versioned<String> {
    let row = register.0.lock().unwrap();
    Versioned::new(Version::new(row.0), row.1.clone())
}

async fn careful(
    State(register): State<Register>,
    expected: Expected<Register>,
    text: String,
) -> Result<(), Lost> {
    tokio::task::yield_now().await;
    register.put(text, expected)
}

async fn naive(State(register): State<Register>, expected: Expected<Register>, text: String) {
    tokio::task::yield_now().await;
    register.put_naively(text, expected);
}

fn app(careful_writes: bool) -> Router {
    let register = Register::default();
    let guard = IfMatchLayer::new("registers", register.clone(), PathKey);
    let methods = if careful_writes {
        get(read).put(careful)
    } else {
        get(read).put(naive)
    };
    Router::new()
        .route("/posts/{id}", methods.route_layer(guard))
        .with_state(register)
}

/// In each round eight writers send the same tag. The numbers of those that were acknowledged.
async fn acknowledged_by_round(app: &Router, rounds: usize) -> Vec<usize> {
    let mut acknowledged = Vec::new();
    for round in 0..rounds {
        let tag = get_tag(app).await;
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (app, tag) = (app.clone(), tag.clone());
                tokio::spawn(async move { put(&app, &tag, &format!("{round}/{writer}")).await })
            })
            .collect();
        let mut succeeded = Vec::new();
        for writer in writers {
            let answer = writer.await.unwrap();
            match answer.status {
                StatusCode::OK => succeeded.push(answer),
                StatusCode::PRECONDITION_FAILED => assert_eq!(answer.reason(), "stale_version"),
                other => panic!("{other}"),
            }
        }
        if let [winner] = &succeeded[..] {
            assert_eq!(winner.etag(), Some(get_tag(app).await.as_str()));
        }
        acknowledged.push(succeeded.len());
    }
    acknowledged
}

#[tokio::test]
async fn of_eight_writes_on_one_version_one_takes_effect() {
    assert_eq!(acknowledged_by_round(&app(true), 100).await, vec![1; 100]);
}

#[tokio::test]
async fn a_naive_handler_behind_the_same_check_acknowledges_several() {
    let acknowledged = acknowledged_by_round(&app(false), 100).await;
    assert!(
        acknowledged.iter().all(|succeeded| *succeeded == 8),
        "{acknowledged:?}"
    );
}

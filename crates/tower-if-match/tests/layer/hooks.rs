//! What a hook needs of a request's head it takes once, before the handler has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::put;
use tower_if_match::{
    Expected, IfMatchLayer, MemoryStore, PathKey, Policy, Refusals, SingleProcess, Version,
    VersionStore,
};

use crate::posts;

type Posts = MemoryStore<u64, String>;

/// The same posts as a store that has to be waited for.
#[derive(Clone)]
struct Waiting(Posts);

impl VersionStore for Waiting {
    type Key = u64;
    type Revision = u64;
    type Error = std::convert::Infallible;

    async fn current(&self, key: &u64) -> Result<Option<Version>, Self::Error> {
        tokio::task::yield_now().await;
        self.0.current(key).await
    }
}

/// How often each hook took something.
#[derive(Clone, Default)]
struct Counts(Arc<[AtomicUsize; 3]>);

impl Counts {
    fn count(&self, hook: usize) -> impl Fn(&Parts) -> Option<String> + Send + Sync + 'static {
        let counts = self.clone();
        move |head| {
            counts.0[hook].fetch_add(1, Ordering::SeqCst);
            let name = head.headers.get("x-client-name")?;
            Some(name.to_str().ok()?.to_owned())
        }
    }

    fn taken(&self) -> [usize; 3] {
        [0, 1, 2].map(|hook| self.0[hook].swap(0, Ordering::SeqCst))
    }
}

fn hooked<S: VersionStore<Key = u64, Revision = u64>>(
    store: S,
    counts: &Counts,
) -> IfMatchLayer<S, PathKey> {
    let refusals = Refusals::new()
        .with_client_name(counts.count(0))
        .with_response_from(counts.count(1), |name, response| {
            response.member("to", name).into_response()
        });
    IfMatchLayer::new("posts", store, PathKey)
        .with_refusals(refusals)
        .with_authorization(counts.count(2), |_, _, _| Ok(()))
}

async fn put_as_ada(app: &Router, tag: Option<&str>) -> posts::Answer {
    let mut request = posts::request("PUT", "/posts/7").header("x-client-name", "ada");
    if let Some(tag) = tag {
        request = request.header("if-match", tag);
    }
    posts::send(app, request.body("text".into()).unwrap()).await
}

#[tokio::test]
async fn a_hook_takes_once_from_each_write_whatever_becomes_of_it() {
    let posts = Posts::new();
    posts.create(7, "first".to_owned());
    let counts = Counts::default();
    let losing = async |expected: Expected<Posts>| expected.lost();
    let losing_later = async |expected: Expected<Waiting>| expected.lost();
    let nothing = async || StatusCode::CONFLICT;
    let at_once = hooked(posts.clone(), &counts);
    let later = hooked(Waiting(posts.clone()), &counts);
    let locked = later.clone().with_strategy(SingleProcess::new());
    let report = Policy::new().with_report_only();
    let apps = [
        put(losing).route_layer(at_once.clone()),
        put(losing_later).route_layer(later),
        put(nothing).route_layer(locked),
        put(losing).route_layer(at_once.with_policy(report)),
    ];
    for (which, methods) in apps.into_iter().enumerate() {
        let app = Router::new().route("/posts/{id}", methods);
        for tag in [Some("*"), Some("\"v1-0000000000000000\""), None] {
            let answer = put_as_ada(&app, tag).await;
            assert!(
                answer.status.is_client_error(),
                "{which} {tag:?}: {answer:?}"
            );
            assert_eq!(counts.taken(), [1; 3], "{which} {tag:?}");
        }
        // What was taken before is there after the handler.
        let lost = put_as_ada(&app, Some("*")).await;
        if which != 2 {
            assert_eq!(lost.problem()["to"], "ada", "{which}");
        }
        counts.taken();
    }
}

/// Reads are not authorized here, and without conditions they cannot be refused.
#[tokio::test]
async fn a_read_is_looked_at_where_it_can_be_refused() {
    let posts = Posts::new();
    posts.create(7, "first".to_owned());
    let counts = Counts::default();
    let guard = hooked(posts.clone(), &counts);
    let app = posts::app(&posts, guard);
    for (field, taken) in [("accept", [0; 3]), ("if-match", [1, 1, 0])] {
        let read = posts::request("GET", "/posts/7").header(field, "\"x\"");
        posts::send(&app, read.body("".into()).unwrap()).await;
        assert_eq!(counts.taken(), taken, "{field}");
    }
}

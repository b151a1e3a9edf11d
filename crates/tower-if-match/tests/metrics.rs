//! What the layer counts, and under which labels. A test binary of its own, because the feature is one.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tower::ServiceExt;
use tower_if_match::{
    Describe, Expected, IfMatchLayer, Lost, MemoryStore, PathKey, Policy, Refusals, SingleProcess,
    Versioned, describe_metrics,
};

#[derive(Clone)]
struct Text(String);

impl Describe for Text {
    fn changed_since(&self, _: &Self) -> Vec<String> {
        vec![String::new()]
    }

    fn to_json(&self) -> String {
        serde_json::json!(self.0).to_string()
    }
}

type Posts = MemoryStore<u64, Text>;
type Guard = IfMatchLayer<Posts, PathKey>;

async fn read(State(posts): State<Posts>) -> Versioned<String> {
    posts.get(&7).unwrap().map(|text| text.0)
}

async fn replace(
    State(posts): State<Posts>,
    expected: Expected<Posts>,
    text: String,
) -> Result<(), Lost> {
    posts.put(Text(text), expected).map(drop)
}

fn app(told: impl FnOnce(Guard) -> Guard) -> Router {
    let posts = Posts::new();
    posts.create(7, Text("first".to_owned()));
    let guard = told(IfMatchLayer::new("posts", posts.clone(), PathKey));
    Router::new()
        .route(
            "/posts",
            get(async || "list")
                .post(async || "made")
                .route_layer(guard.clone()),
        )
        .route(
            "/posts/{id}",
            get(read)
                .put(replace)
                .patch(async || "done")
                .route_layer(guard),
        )
        .with_state(posts)
}

/// A recorder for this thread, on which the whole test runs.
struct Recorded {
    snapshotter: Snapshotter,
    _installed: metrics::LocalRecorderGuard<'static>,
}

impl Recorded {
    fn start() -> Self {
        let recorder: &'static DebuggingRecorder = Box::leak(Box::default());
        Self {
            snapshotter: recorder.snapshotter(),
            _installed: metrics::set_default_local_recorder(recorder),
        }
    }

    /// The series, written as `name{label=value,…}`, with what was counted, or how often something was
    /// timed.
    fn series(&self) -> BTreeMap<String, u64> {
        let snapshot = self.snapshotter.snapshot().into_vec();
        let series = snapshot.into_iter().map(|(key, _, _, value)| {
            let key = key.key();
            let labels: Vec<_> = key
                .labels()
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let count = match value {
                DebugValue::Counter(count) => count,
                DebugValue::Histogram(times) => times.len() as u64,
                DebugValue::Gauge(_) => unreachable!("the layer has no gauges"),
            };
            (format!("{}{{{}}}", key.name(), labels.join(",")), count)
        });
        series.collect()
    }

    fn counters(&self) -> Vec<(String, u64)> {
        let series = self.series().into_iter();
        series.filter(|(name, _)| name.contains("_total")).collect()
    }
}

async fn send(app: &Router, method: &str, path: &str, fields: &[(&str, &str)]) -> StatusCode {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from("text")).unwrap();
    app.clone().oneshot(request).await.unwrap().status()
}

async fn tag(app: &Router) -> String {
    let read = Request::get("/posts/7").body(Body::empty()).unwrap();
    let answer = app.clone().oneshot(read).await.unwrap();
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

const ROUTE: &str = "scope=posts,route=/posts/{id}";

fn requests(method: &str, outcome: &str, reason: &str) -> String {
    format!("if_match_requests_total{{{ROUTE},method={method},outcome={outcome},reason={reason}}}")
}

#[tokio::test]
async fn every_answer_is_counted_once_with_its_outcome_and_reason() {
    let recorded = Recorded::start();
    let app = app(|guard| guard);
    let tag = tag(&app).await;
    send(&app, "GET", "/posts/7", &[("if-none-match", &tag)]).await;
    send(&app, "PUT", "/posts/7", &[("if-match", &tag)]).await;
    send(&app, "PUT", "/posts/7", &[("if-match", &tag)]).await;
    send(&app, "PUT", "/posts/7", &[("if-match", "x")]).await;
    send(&app, "PUT", "/posts/7", &[]).await;
    send(&app, "PATCH", "/posts/7", &[("if-match", "*")]).await;
    send(&app, "PUT", "/posts/x", &[("if-match", "*")]).await;
    send(&app, "OPTIONS", "/posts/7", &[]).await;
    send(&app, "POST", "/posts", &[]).await;
    let unconditional = format!(
        "if_match_unconditional_writes_total{{{ROUTE},method=PUT,client=unknown,mode=enforce}}"
    );
    let unguarded = format!("if_match_unguarded_writes_total{{{ROUTE},method=PATCH,mode=enforce}}");
    let of_the_collection = "if_match_requests_total{scope=posts,route=/posts,method=POST,\
                             outcome=passed,reason=none}";
    let mut expected = vec![
        (requests("GET", "not_modified", "none"), 1),
        (requests("GET", "passed", "none"), 1),
        (requests("PATCH", "refused", "unguarded_write"), 1),
        (requests("PUT", "failed", "none"), 1),
        (requests("PUT", "passed", "none"), 1),
        (requests("PUT", "refused", "malformed_condition"), 1),
        (requests("PUT", "refused", "missing_condition"), 1),
        (requests("PUT", "refused", "stale_version"), 1),
        (of_the_collection.to_owned(), 1),
        (unconditional, 1),
        (unguarded, 1),
    ];
    expected.sort();
    assert_eq!(recorded.counters(), expected);
}

#[tokio::test]
async fn what_report_only_mode_lets_go_is_counted_by_client() {
    let recorded = Recorded::start();
    let app = app(|guard| {
        guard
            .with_policy(Policy::new().with_report_only())
            .with_refusals(Refusals::new().with_client_name(|head| {
                let name = head.headers.get("x-client-name")?;
                Some(name.to_str().ok()?.to_owned())
            }))
    });
    send(&app, "PUT", "/posts/7", &[("x-client-name", "importer")]).await;
    send(&app, "PUT", "/posts/7", &[]).await;
    send(&app, "PATCH", "/posts/7", &[("if-match", "*")]).await;
    let series = recorded.series();
    for (name, count) in [
        (
            format!(
                "if_match_unconditional_writes_total{{{ROUTE},method=PUT,client=importer,mode=report}}"
            ),
            1,
        ),
        (
            format!(
                "if_match_unconditional_writes_total{{{ROUTE},method=PUT,client=unknown,mode=report}}"
            ),
            1,
        ),
        (
            format!("if_match_unguarded_writes_total{{{ROUTE},method=PATCH,mode=report}}"),
            1,
        ),
        (requests("PUT", "passed", "none"), 2),
    ] {
        assert_eq!(series.get(&name), Some(&count), "{name} in {series:#?}");
    }
}

#[tokio::test]
async fn the_store_and_the_waits_are_timed() {
    let recorded = Recorded::start();
    let app = app(Guard::with_public_conflicts);
    send(&app, "PUT", "/posts/7", &[("if-match", "*")]).await;
    send(&app, "PUT", "/posts/7", &[("if-match", "\"stale\"")]).await;
    let series = recorded.series();
    let timed = |operation| {
        let name = format!("if_match_store_seconds{{scope=posts,operation={operation}}}");
        series.get(&name).copied()
    };
    assert_eq!(timed("open"), Some(2));
    assert_eq!(timed("conflict"), Some(1));
    assert!(
        !series
            .keys()
            .any(|name| name.starts_with("if_match_lock_wait"))
    );

    let posts = Posts::new();
    posts.create(7, Text("first".to_owned()));
    let guard = IfMatchLayer::new("locked", posts, PathKey).with_strategy(SingleProcess::new());
    let locked: Router = Router::new().route(
        "/posts/{id}",
        get(async || "").put(async || "").route_layer(guard),
    );
    send(&locked, "PUT", "/posts/7", &[("if-match", "*")]).await;
    let series = recorded.series();
    let expected = [
        ("if_match_lock_wait_seconds{scope=locked}", 1),
        ("if_match_store_seconds{scope=locked,operation=current}", 1),
        ("if_match_store_seconds{scope=locked,operation=open}", 1),
        ("if_match_store_seconds{scope=locked,operation=settle}", 1),
    ];
    for (name, count) in expected {
        assert_eq!(series.get(name), Some(&count), "{name}");
    }
}

/// Whatever clients send: paths, methods, names, tags.
#[tokio::test]
async fn clients_cannot_make_series() {
    let recorded = Recorded::start();
    let app = app(|guard| {
        guard.with_refusals(Refusals::new().with_client_name(|head| {
            let name = head.headers.get("x-client-name")?;
            Some(name.to_str().ok()?.to_owned())
        }))
    });
    for number in 0..1000 {
        let name = format!("client-{number}");
        let tag = format!("\"v{number}-0123456789abcdef\"");
        let path = format!("/posts/{number}?{number}");
        send(&app, "PUT", &path, &[("x-client-name", &name)]).await;
        send(&app, "PUT", &path, &[("if-match", &tag)]).await;
        send(
            &app,
            "PATCH",
            &path,
            &[("x-client-name", &name), ("if-match", &tag)],
        )
        .await;
        send(&app, &format!("METHOD{number}"), &path, &[]).await;
    }
    let series = recorded.series();
    let names = |name: &str| series.keys().filter(|key| key.starts_with(name)).count();
    // Two methods with several reasons each; 64 clients and `other`; the phases of the store.
    assert_eq!(names("if_match_unconditional_writes_total"), 65);
    assert!(names("if_match_requests_total") <= 10, "{series:#?}");
    assert!(series.len() <= 80, "{}", series.len());

    // The measure sees what grows: the same with the path as the client sent it.
    for number in 0..1000 {
        metrics::counter!("naive_total", "path" => format!("/posts/{number}")).increment(1);
    }
    assert!(recorded.series().len() > 1000);
}

/// The names are a stable promise: dashboards and alerts are made of them.
#[test]
fn every_metric_is_described() {
    let recorded = Recorded::start();
    describe_metrics();
    let names = [
        "if_match_requests_total",
        "if_match_unconditional_writes_total",
        "if_match_unguarded_writes_total",
    ];
    for name in names {
        metrics::counter!(name).increment(1);
    }
    for name in ["if_match_store_seconds", "if_match_lock_wait_seconds"] {
        metrics::histogram!(name).record(1.0);
    }
    let snapshot = recorded.snapshotter.snapshot().into_vec();
    assert_eq!(snapshot.len(), 5);
    for (key, unit, description, _) in snapshot {
        assert!(unit.is_some() && description.is_some(), "{key:?}");
    }
}

/// Of two layers each counts what it has refused or let go itself.
#[tokio::test]
async fn a_layer_further_in_counts_for_itself() {
    for reporting in [false, true] {
        let recorded = Recorded::start();
        let (outer, inner) = (MemoryStore::<u64, u8>::new(), Posts::new());
        inner.create(7, Text("first".to_owned()));
        let inner_guard = IfMatchLayer::new("inner", inner.clone(), PathKey);
        let inner_guard = if reporting {
            inner_guard.with_policy(Policy::new().with_report_only())
        } else {
            inner_guard
        };
        let outer_guard = IfMatchLayer::new("outer", outer, PathKey)
            .with_policy(Policy::new().with_condition_exempt(axum::http::Method::PUT));
        let write = async |outer: Expected<MemoryStore<u64, u8>>,
                           State(posts): State<Posts>,
                           inner: Expected<Posts>| {
            outer.unchanged();
            posts.put(Text("second".to_owned()), inner).unwrap();
        };
        let methods = axum::routing::put(write)
            .route_layer(inner_guard)
            .route_layer(outer_guard);
        let app = Router::new()
            .route("/posts/{id}", methods)
            .with_state(inner);
        let status = send(&app, "PUT", "/posts/7", &[]).await;
        let series = recorded.series();
        let scope = |name: &str, scope: &str| {
            let start = format!("{name}{{scope={scope},");
            series.keys().filter(|key| key.starts_with(&start)).count()
        };
        assert_eq!(scope("if_match_unconditional_writes_total", "inner"), 1);
        assert_eq!(scope("if_match_unconditional_writes_total", "outer"), 0);
        let of_outer = if reporting {
            assert_eq!(status, StatusCode::OK);
            "outcome=passed,reason=none"
        } else {
            assert_eq!(status, StatusCode::PRECONDITION_REQUIRED);
            "outcome=failed,reason=none"
        };
        let outer = series
            .keys()
            .find(|key| key.contains("requests_total{scope=outer"));
        assert!(outer.unwrap().contains(of_outer), "{series:#?}");
    }
}

/// A bulk write takes the store's time as a single one does.
#[tokio::test]
async fn a_bulk_write_is_counted_and_timed() {
    use tower_if_match::bulk::{BulkLayer, ExpectedItems, Item};
    let recorded = Recorded::start();
    let posts = Posts::new();
    posts.create(7, Text("first".to_owned()));
    let bulk = BulkLayer::new("posts", posts, |_, _| {
        Ok(vec![Item::new(7).with_if_match("*")])
    });
    let write = async |expected: ExpectedItems<Posts>| expected.unchanged();
    let methods = axum::routing::patch(write).route_layer(bulk);
    let app: Router = Router::new().route("/posts", methods);
    assert_eq!(send(&app, "PATCH", "/posts", &[]).await, StatusCode::OK);
    let series = recorded.series();
    for name in [
        "if_match_requests_total{scope=posts,route=/posts,method=PATCH,outcome=passed,reason=none}",
        "if_match_store_seconds{scope=posts,operation=open}",
        "if_match_store_seconds{scope=posts,operation=settle}",
    ] {
        assert_eq!(series.get(name), Some(&1), "{name} in {series:#?}");
    }
}

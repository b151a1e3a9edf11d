//! Each request moves the counters that it should, by one, and no other.

use std::collections::BTreeMap;

use observability::{Exposition, Series};
use wire::Request;

use crate::{Api, patch, put};

/// The series of counters that grew, as `name{label="value",…}`, and by how much.
fn grown(before: &Exposition, after: &Exposition) -> BTreeMap<String, f64> {
    let values = |exposition: &Exposition| -> BTreeMap<String, f64> {
        let counters = exposition.series.iter();
        let counters = counters.filter(|series| series.name.ends_with("_total"));
        counters
            .map(|series| (identity(series), series.value))
            .collect()
    };
    let before = values(before);
    let mut grown = values(after);
    for (series, value) in &mut grown {
        *value -= before.get(series).copied().unwrap_or_default();
    }
    grown.retain(|_, value| *value != 0.0);
    grown
}

fn identity(series: &Series) -> String {
    let labels = series.labels.iter();
    let labels: Vec<String> = labels
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{}{{{}}}", series.name, labels.join(","))
}

/// Sends a request and compares what grew.
async fn grows(api: &mut Api, request: &Request, status: u16, series: &[&str]) {
    let before = api.exposition().await;
    let answer = api.send(request).await;
    assert_eq!(answer.status(), status, "{}", answer.text());
    let after = api.exposition().await;
    let expected = series.iter().map(|series| ((*series).to_owned(), 1.0));
    let expected: BTreeMap<String, f64> = expected.collect();
    assert_eq!(grown(&before, &after), expected, "{request:?}");
}

/// The series of a request to a post.
fn request(method: &str, outcome: &str, reason: &str) -> String {
    let route = "route=/api/posts/{id},scope=posts";
    format!("if_match_requests_total{{method={method},outcome={outcome},reason={reason},{route}}}")
}

fn unconditional(method: &str, client: &str) -> String {
    let route = "route=/api/posts/{id},scope=posts";
    format!(
        "if_match_unconditional_writes_total{{client={client},method={method},mode=enforce,{route}}}"
    )
}

#[tokio::test]
async fn each_request_is_counted_for_what_became_of_it() {
    let mut api = Api::in_memory().await;
    let (target, first) = api.post().await;
    let read = api.send(&Request::new("GET", target.as_str())).await;
    let modified = read.header("last-modified").unwrap().to_owned();
    let written = put(&target).field("If-Match", &first);

    let cases = [
        (
            Request::new("GET", target.as_str()),
            200,
            vec![request("GET", "passed", "none")],
        ),
        (
            Request::new("GET", target.as_str()).field("If-Modified-Since", modified),
            304,
            vec![request("GET", "not_modified", "none")],
        ),
        // `VariantLayer` decides this one, outside: only there is known which coding the body has.
        (
            Request::new("GET", target.as_str()).field("If-None-Match", &first),
            304,
            vec![request("GET", "passed", "none")],
        ),
        (
            Request::new("HEAD", target.as_str()),
            200,
            vec![request("HEAD", "passed", "none")],
        ),
        (written.clone(), 200, vec![request("PUT", "passed", "none")]),
        // The same again.
        (
            written,
            412,
            vec![request("PUT", "refused", "stale_version")],
        ),
        (
            put(&target).field("If-Match", "\"invented\""),
            412,
            vec![request("PUT", "refused", "unknown_tag")],
        ),
        (
            put(&target).field("If-Match", "no tag"),
            400,
            vec![request("PUT", "refused", "malformed_condition")],
        ),
        (
            put(&target),
            428,
            vec![
                request("PUT", "refused", "missing_condition"),
                unconditional("PUT", "unknown"),
            ],
        ),
        (
            patch(&target).field("x-client-name", "importer-2.1"),
            428,
            vec![
                request("PATCH", "refused", "missing_condition"),
                unconditional("PATCH", "importer-2.1"),
            ],
        ),
        // Not fit for a label.
        (
            patch(&target).field("x-client-name", "a b"),
            428,
            vec![
                request("PATCH", "refused", "missing_condition"),
                unconditional("PATCH", "unknown"),
            ],
        ),
        // The handler's own refusal, behind the condition.
        (
            Request::new("PUT", target.as_str())
                .json(r#"{"title":""}"#)
                .field("If-Match", "*"),
            422,
            vec![request("PUT", "failed", "none")],
        ),
        (
            Request::new("DELETE", target.as_str()).field("If-Match", "*"),
            204,
            vec![request("DELETE", "passed", "none")],
        ),
        (
            Request::new("GET", target.as_str()),
            404,
            vec![request("GET", "failed", "none")],
        ),
        // What stands outside the layer is not the layer's to count.
        (Request::new("BREW", target.as_str()), 405, vec![]),
        (Request::new("GET", "/nowhere"), 404, vec![]),
        (
            Request::new("PUT", target.as_str()).field("Content-Type", "text/plain"),
            415,
            vec![],
        ),
    ];
    for (request, status, series) in &cases {
        let series: Vec<&str> = series.iter().map(String::as_str).collect();
        grows(&mut api, request, *status, &series).await;
    }
}

#[tokio::test]
async fn the_store_is_timed_by_what_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("posts.db").display());
    let mut api = Api::on(&store, "transaction").await;
    let (target, tag) = api.post().await;
    let write = put(&target).field("If-Match", tag);
    assert_eq!(api.send(&write).await.status(), 200);
    assert_eq!(api.send(&write).await.status(), 412);

    let counted = api.exposition().await;
    let count = |name: &str, labels: &[(&str, &str)]| counted.sum(&format!("{name}_count"), labels);
    for operation in ["current", "open", "settle", "conflict"] {
        let labels = [("scope", "posts"), ("operation", operation)];
        assert!(
            count("if_match_store_seconds", &labels) >= 1.0,
            "{operation}"
        );
    }
    let waits = count("if_match_lock_wait_seconds", &[("scope", "posts")]);
    assert!(waits >= 1.0, "{waits}");
    // Buckets, of which quantiles can be made over many processes, and not a summary.
    let bounds = counted.values("if_match_store_seconds_bucket", "le");
    assert!(bounds.contains("+Inf") && bounds.len() > 10, "{bounds:?}");
}

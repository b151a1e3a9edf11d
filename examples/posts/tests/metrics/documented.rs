//! What is served is what `docs/observability/README.md` describes, and of the format.

use std::collections::BTreeSet;

use observability::{Catalogue, Exposition, Promtool, README};
use wire::Request;

use crate::{Api, put};

/// What the program serves after a request of each kind, on a store that has all ways of waiting.
async fn served() -> String {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("posts.db").display());
    let mut api = Api::on(&store, "transaction").await;
    let (target, tag) = api.post().await;
    for request in [
        put(&target).field("If-Match", &tag),
        put(&target).field("If-Match", &tag),
        put(&target).field("x-client-name", "importer"),
        put(&target),
        Request::new("GET", target.as_str()).field("If-None-Match", "*"),
        Request::new("GET", target),
    ] {
        api.send(&request).await;
    }
    api.text().await
}

#[tokio::test]
async fn every_metric_and_label_is_documented_and_served() {
    let served = Exposition::parse(&served().await);
    let catalogue = Catalogue::parse(README);
    for (name, kind) in &served.kinds {
        let metric = catalogue.metrics.get(name);
        let metric = metric.unwrap_or_else(|| panic!("{name} is documented"));
        assert_eq!(kind, metric.kind.as_str(), "{name}");
        let documented: BTreeSet<&str> = metric.labels.iter().map(String::as_str).collect();
        assert_eq!(served.labels(name), documented, "{name}");
    }
    for series in &served.series {
        for (label, value) in &series.labels {
            let admitted = catalogue.labels[label].admit(value);
            assert!(admitted, "{}: {label}={value}", series.name);
        }
    }
    let missing = catalogue.metrics.iter().filter(|(name, metric)| {
        metric.source != "Prometheus" && !served.kinds.contains_key(name.as_str())
    });
    let missing: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
    // No handler of the example does that.
    assert_eq!(missing, ["if_match_unguarded_writes_total"]);
}

#[tokio::test]
async fn the_text_passes_promtools_check() {
    let Some(promtool) = Promtool::installed() else {
        return;
    };
    let text = served().await;
    let verdict = promtool.check_metrics(&text);
    assert!(
        verdict.accepted && verdict.text.is_empty(),
        "{}",
        verdict.text
    );
    // A counter by another name than counters have, and a metric that nothing describes.
    for broken in [
        text.replace("if_match_requests_total", "if_match_requests"),
        text.replace("# HELP posts_build_info", "# posts_build_info"),
        text.replace(" 1\n", " one\n"),
    ] {
        assert!(!promtool.check_metrics(&broken).accepted);
    }
}

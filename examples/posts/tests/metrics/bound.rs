//! Clients cannot make the number of series grow: not by paths, methods, tags nor names that they invent.

use std::collections::BTreeSet;

use metrics_exporter_prometheus::PrometheusBuilder;
use observability::{Exposition, Series};
use wire::Request;

use crate::{Api, patch, put};

const REQUESTS: usize = 1_000;

/// How many names of clients the layer tells apart.
const NAMES: usize = 64;

/// They write without a condition, until no name is left to be told apart.
const FIRST_COMERS: usize = 100;

fn random() -> String {
    format!("{:016x}", getrandom::u64().unwrap())
}

/// The request that comes at this place: what it is goes round, everything else in it is new each time.
/// One post is there.
fn invented(place: usize, there: &str) -> Request {
    let there = format!("{there}?{}", random());
    // An id that is free: 2^53 of them are.
    let free = format!(
        "/api/posts/{}",
        1_000_000 + (getrandom::u64().unwrap() >> 12)
    );
    let tag = format!("\"{}\"", random());
    let kind = if place < FIRST_COMERS { 0 } else { place % 10 };
    let request = match kind {
        0 => put(&free),
        1 => patch(&there),
        2 => Request::new("DELETE", there),
        3 => put(&free).field("If-Match", tag),
        4 => patch(&there).field("If-Match", tag),
        5 => put(&free).field("If-Match", random()),
        6 => Request::new("GET", free).field("If-None-Match", tag),
        7 => Request::new("HEAD", free),
        8 => Request::new(random().to_uppercase(), free),
        _ => Request::new("GET", format!("/{}", random())),
    };
    if place.is_multiple_of(11) {
        return request;
    }
    request.field("x-client-name", random())
}

/// Each series, by its name and labels.
fn series(exposition: &Exposition) -> BTreeSet<String> {
    let all = exposition.series.iter();
    all.map(|series| format!("{} {:?}", series.name, series.labels))
        .collect()
}

async fn send_invented(api: &mut Api, there: &str) {
    for place in 0..REQUESTS {
        api.send(&invented(place, there)).await;
    }
}

#[tokio::test]
async fn a_thousand_invented_requests_leave_as_many_series_as_there_are_things_to_tell_apart() {
    let mut api = Api::in_memory().await;
    let (there, _) = api.post().await;
    send_invented(&mut api, &there).await;
    let first = api.exposition().await;

    // One for each kind of request above that reaches the layer, and the one that added the post.
    let label = |series: &Series, name: &str| series.labels[name].clone();
    let counted = first.series.iter();
    let counted = counted.filter(|series| series.name == "if_match_requests_total");
    let counted: BTreeSet<[String; 4]> = counted
        .map(|it| ["route", "method", "outcome", "reason"].map(|name| label(it, name)))
        .collect();
    let expected = [
        ["/api/posts", "POST", "passed", "none"],
        ["/api/posts/{id}", "DELETE", "refused", "missing_condition"],
        ["/api/posts/{id}", "GET", "failed", "none"],
        ["/api/posts/{id}", "HEAD", "failed", "none"],
        ["/api/posts/{id}", "PATCH", "refused", "missing_condition"],
        ["/api/posts/{id}", "PATCH", "refused", "unknown_tag"],
        ["/api/posts/{id}", "PUT", "refused", "absent"],
        ["/api/posts/{id}", "PUT", "refused", "malformed_condition"],
        ["/api/posts/{id}", "PUT", "refused", "missing_condition"],
    ];
    assert_eq!(
        counted,
        expected.map(|labels| labels.map(str::to_owned)).into()
    );
    // One for each name that is told apart; all others, and those without a name, by method.
    let count = |name: &str| first.series.iter().filter(|it| it.name == name).count();
    assert_eq!(count("if_match_unconditional_writes_total"), NAMES + 2 * 3);
    let named = first.values("if_match_unconditional_writes_total", "client");
    assert_eq!(named.len(), NAMES + 2);
    assert!(named.contains("other") && named.contains("unknown"));

    // A thousand more add nothing.
    send_invented(&mut api, &there).await;
    let second = api.exposition().await;
    assert_eq!(series(&first), series(&second));
    let all = |of: &Exposition| of.sum("if_match_requests_total", &[]);
    // Without the one that added the post.
    let (first, second) = (all(&first) - 1.0, all(&second) - 1.0);
    assert!((second - 2.0 * first).abs() < 0.5, "{first}, {second}");
}

/// The same requests, counted by what clients send.
#[test]
fn a_counter_by_raw_path_grows() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let served = || Exposition::parse(&recorder.handle().render());
    let mut counts = Vec::new();
    for _ in 0..2 {
        for place in 0..REQUESTS {
            let target = String::from_utf8(invented(place, "/api/posts/1").target).unwrap();
            metrics::with_local_recorder(&recorder, || {
                metrics::counter!("requests_total", "path" => target).increment(1);
            });
        }
        counts.push(series(&served()).len());
    }
    assert_eq!(counts, [REQUESTS, 2 * REQUESTS]);
}

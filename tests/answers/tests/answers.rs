//! Every reason occurs, no answer tells what it may not, and the page is what comes over the wire.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;

use answers::examples::{by_form, by_reason, put, reported};
use answers::{Exchange, Scene, page};

#[tokio::test]
async fn the_page_is_what_comes_over_the_wire() {
    let page = page::page(&by_reason().await, &by_form().await, &reported().await);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(page::PATH, &page).unwrap();
    }
    let checked_in = fs::read_to_string(page::PATH).unwrap();
    for (number, (now, then)) in page.lines().zip(checked_in.lines()).enumerate() {
        assert_eq!(now, then, "line {}; UPDATE=1 writes it anew", number + 1);
    }
    assert_eq!(page, checked_in);
}

#[tokio::test]
async fn every_reason_occurs() {
    let examples = by_reason().await;
    assert_eq!(page::known_reasons().len(), 17);
    assert_eq!(page::missing(&examples), BTreeSet::new());

    // The negative control: without the examples of one reason it is missed.
    let others = examples
        .iter()
        .filter(|example| example.exchange.answer.reason().as_deref() != Some("busy"));
    assert_eq!(page::missing(others), BTreeSet::from(["busy".to_owned()]));
}

/// P12: no tag that was sent and nothing of a request's body is in an answer. In report-only mode a
/// success is the handler's.
#[tokio::test]
async fn no_refusal_tells_what_was_sent() {
    for exchange in refusals().await {
        assert_eq!(exchange.leaks(), Vec::<String>::new(), "{exchange:#?}");
    }
}

/// The negative control: a hook that repeats the tag, a handler that repeats the body.
#[tokio::test]
async fn what_was_sent_is_found_where_it_is_told() {
    let scene = Scene::new().await;
    let tag = "\"v1-0123456789abcdef\"";
    let refused = scene
        .exchange(put("/echoing/1").field("If-Match", tag))
        .await;
    assert_eq!(refused.answer.status, 412, "{refused:?}");
    assert_eq!(refused.leaks(), [tag]);

    let fits = scene.tag(1).await;
    let told = scene
        .exchange(put("/echoing/1").field("If-Match", &fits))
        .await;
    assert_eq!(told.answer.status, 422, "{told:?}");
    assert_eq!(told.leaks(), ["bob", "What I wrote"]);
}

#[tokio::test]
async fn header_fields_stand_where_the_catalogue_says() {
    let exchanges = refusals().await;
    for exchange in &exchanges {
        assert_eq!(exchange.misplaced(), Vec::<&str>::new(), "{exchange:#?}");
    }

    // The negative control: fields that are missing, or stand where they should not.
    let of = |reason: &str| -> Exchange {
        let of = |exchange: &&Exchange| exchange.answer.reason().as_deref() == Some(reason);
        exchanges.iter().find(of).unwrap().clone()
    };
    for (reason, name) in [
        ("stale_version", "etag"),
        ("busy", "retry-after"),
        ("absent", "vary"),
        ("unkeyed", "cache-control"),
    ] {
        let mut changed = of(reason);
        changed.answer.fields.retain(|(known, _)| known != name);
        assert_eq!(changed.misplaced(), [name]);
    }
    for (reason, name) in [
        ("missing_condition", "etag"),
        ("outcome_unknown", "retry-after"),
    ] {
        let mut changed = of(reason);
        changed.answer.fields.push((name.to_owned(), String::new()));
        assert_eq!(changed.misplaced(), [name]);
    }
}

/// What report-only mode lets go on is marked, and nothing else is.
#[tokio::test]
async fn only_what_was_let_go_on_is_marked() {
    let told = reported().await;
    let told: Vec<(u16, Option<&str>)> = told
        .iter()
        .map(|(_, example)| &example.exchange.answer)
        .map(|answer| (answer.status, answer.field("if-match-report")))
        .collect();
    let expected = [
        (200, Some("missing_condition")),
        (200, Some("unguarded_write")),
        (412, None),
    ];
    assert_eq!(told, expected);
    for exchange in refusals().await {
        assert_eq!(exchange.answer.field("if-match-report"), None);
    }
}

async fn refusals() -> Vec<Exchange> {
    let examples = by_reason().await.into_iter();
    let others = by_form().await.into_iter().chain(reported().await);
    let all = examples.chain(others.map(|(_, example)| example));
    all.map(|example| example.exchange)
        .filter(|exchange| exchange.answer.status >= 400)
        .collect()
}

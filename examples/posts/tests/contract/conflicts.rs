//! What a 412 tells, so that a client can merge without another request.

use serde_json::{Value, json};
use wire::Response;

use crate::api::{Api, patch, problem, put, tag};

on_every_store!(
    a_conflict_tells_who_when_and_what,
    changed_compares_with_what_the_client_holds,
    a_refusal_leads_to_the_write_in_one_step,
    gone_has_no_tag,
    a_hundred_versions_are_remembered,
    the_longest_post_is_told_as_well,
    a_refusal_has_the_form_that_accept_asks_for,
);

const DAY: usize = "2026-11-20T09:31:00Z".len();

fn stale(answer: &Response) -> Value {
    let problem = problem(answer, 412, "precondition_failed");
    assert_eq!(problem["reason"], "stale_version", "{problem}");
    assert_eq!(problem["current_etag"], tag(answer), "{problem}");
    problem
}

async fn a_conflict_tells_who_when_and_what(api: Api) {
    let (target, held) = api
        .post(r#"{"title":"a","content":"1","author":"ada"}"#)
        .await;
    api.put(
        &target,
        &held,
        r#"{"title":"a","content":"2","author":"ada"}"#,
    )
    .await;
    let read = api.get(&target).await;

    let refused = api
        .send(&put(&target, r#"{"title":"b"}"#).field("If-Match", &held))
        .await;
    let problem = stale(&refused);
    assert_eq!(tag(&refused), tag(&read));
    assert!(
        problem["type"]
            .as_str()
            .unwrap()
            .ends_with("/problems/#precondition-failed")
    );
    assert_eq!(problem["title"], "Precondition Failed");
    assert_eq!(problem["instance"], target);
    assert_eq!(problem["failed_condition"], "If-Match");
    assert_eq!(problem["last_modified"].as_str().unwrap().len(), DAY);
    let conflict = &problem["conflict"];
    assert_eq!(conflict["modified_by"], "ada");
    assert_eq!(conflict["modified_at"], problem["last_modified"]);
    assert_eq!(conflict["changed"], json!(["/content"]));
    assert_eq!(conflict["current"], read.json().unwrap());
    assert!(
        !refused.text().contains(held.trim_matches('"')),
        "a sent tag is not echoed"
    );
}

async fn changed_compares_with_what_the_client_holds(api: Api) {
    let (target, first) = api
        .post(r#"{"title":"a","content":"1","author":"ada"}"#)
        .await;
    let second = api
        .put(
            &target,
            &first,
            r#"{"title":"b","content":"2","author":"bob"}"#,
        )
        .await;
    api.put(
        &target,
        &second,
        r#"{"title":"a","content":"3","author":"ada"}"#,
    )
    .await;
    for (held, changed) in [
        (first, json!(["/content"])),
        (second, json!(["/title", "/content", "/author"])),
    ] {
        let refused = api
            .send(&put(&target, r#"{"title":"x"}"#).field("If-Match", held))
            .await;
        assert_eq!(stale(&refused)["conflict"]["changed"], changed);
    }
}

async fn a_refusal_leads_to_the_write_in_one_step(api: Api) {
    let (target, held) = api.post(r#"{"title":"a","content":"1"}"#).await;
    api.put(&target, &held, r#"{"title":"theirs","content":"1"}"#)
        .await;
    let mine = patch(&target, r#"{"content":"mine"}"#);
    let refused = stale(&api.send(&mine.clone().field("If-Match", held)).await);
    let current = refused["current_etag"].as_str().unwrap();
    let merged = api.send(&mine.field("If-Match", current)).await;
    let merged = (merged.status(), merged.json().unwrap());
    assert_eq!(merged.0, 200);
    assert_eq!(
        (&merged.1["title"], &merged.1["content"]),
        (&json!("theirs"), &json!("mine"))
    );
}

async fn gone_has_no_tag(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    api.delete(&target).await;
    let refused = api
        .send(&put(&target, r#"{"title":"b"}"#).field("If-Match", held))
        .await;
    let problem = problem(&refused, 412, "precondition_failed");
    assert_eq!(problem["reason"], "absent");
    assert_eq!(refused.header("etag"), None);
    for member in ["current_etag", "conflict", "last_modified"] {
        assert_eq!(problem.get(member), None, "{problem}");
    }
}

async fn a_hundred_versions_are_remembered(api: Api) {
    let mut tags = Vec::new();
    let (target, mut held) = api.post(r#"{"title":"t","content":"0"}"#).await;
    for version in 1..=101 {
        tags.push(held.clone());
        held = api
            .put(
                &target,
                &held,
                &format!(r#"{{"title":"t","content":"{version}"}}"#),
            )
            .await;
    }
    // 101 versions came before the present one: of all but the first it is known what they were.
    for (index, old) in tags.iter().enumerate() {
        if (2..99).contains(&index) {
            continue;
        }
        let refused = api
            .send(&put(&target, r#"{"title":"x"}"#).field("If-Match", old))
            .await;
        let changed = stale(&refused)["conflict"].get("changed").cloned();
        assert_eq!(
            changed,
            (index > 0).then(|| json!(["/content"])),
            "version {index}"
        );
    }
}

/// Every byte of it an escape of six in JSON.
async fn the_longest_post_is_told_as_well(api: Api) {
    let longest = format!(
        r#"{{"title":"a","content":"{}"}}"#,
        "\\u0001".repeat(64 * 1024)
    );
    let (target, held) = api.post(&longest).await;
    api.put(&target, &held, &longest.replace(r#""a""#, r#""b""#))
        .await;
    let refused = api.send(&put(&target, "{}").field("If-Match", &held)).await;
    let problem = stale(&refused);
    let current = &problem["conflict"]["current"];
    assert_eq!(current["content"].as_str().map(str::len), Some(64 * 1024));
    assert_eq!(problem["conflict"]["changed"], json!(["/title"]));
}

async fn a_refusal_has_the_form_that_accept_asks_for(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    for (accept, media_type) in [
        ("*/*", "application/problem+json"),
        ("application/json", "application/json"),
        (
            "text/plain, application/json;q=0.5",
            "text/plain; charset=utf-8",
        ),
        ("text/html", "application/problem+json"),
    ] {
        let blind = put(&target, r#"{"title":"b"}"#).field("Accept", accept);
        let refused = api.send(&blind).await;
        assert_eq!(refused.status(), 428, "{accept}");
        assert_eq!(refused.header("content-type"), Some(media_type), "{accept}");
        assert!(refused.text().contains("missing_condition"), "{accept}");
    }
}

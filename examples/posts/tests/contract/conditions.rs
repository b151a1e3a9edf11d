//! 428, 412 and 400: writes without a condition, with one that is false, with one that is none.

use serde_json::{Value, json};
use wire::Request;

use crate::api::{Api, patch, problem, put};

on_every_store!(
    a_write_without_a_condition_is_428,
    what_guards_nothing_is_no_condition,
    a_wildcard_writes_what_exists,
    a_list_of_tags_writes_if_one_is_current,
    a_weak_tag_never_writes,
    tags_of_others_do_not_fit,
    malformed_is_never_no_condition,
    the_date_guards_even_within_a_second,
    what_is_absent_is_404_or_412,
    what_is_gone_is_not_brought_back,
);

fn writes(target: &str) -> [Request; 3] {
    [
        put(target, r#"{"title":"written"}"#),
        patch(target, r#"{"title":"written"}"#),
        Request::new("DELETE", target),
    ]
}

async fn state(api: &Api, target: &str) -> (Option<String>, Vec<u8>) {
    let read = api.get(target).await;
    (read.header("etag").map(str::to_owned), read.body().to_vec())
}

async fn a_write_without_a_condition_is_428(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let before = state(&api, &target).await;
    for write in writes(&target) {
        let refused = api.send(&write).await;
        let problem = problem(&refused, 428, "precondition_required");
        assert_eq!(refused.header("etag"), None);
        assert_eq!(problem["reason"], "missing_condition");
        assert_eq!(problem["current_etag"], held);
        assert_eq!(problem["instance"], target);
        assert!(
            problem["detail"].as_str().unwrap().contains("If-Match"),
            "{problem}"
        );
        assert_eq!(problem.get("conflict"), None);
    }
    assert_eq!(state(&api, &target).await, before);

    let create = problem(
        &api.send(&put("/api/posts/9", r#"{"title":"a"}"#)).await,
        428,
        "precondition_required",
    );
    assert_eq!(create.get("current_etag"), None);
    assert!(
        create["detail"].as_str().unwrap().contains("If-None-Match"),
        "{create}"
    );
}

async fn what_guards_nothing_is_no_condition(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    for (name, value) in [
        ("If-None-Match", "\"x\""),
        ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("If-Unmodified-Since", "yesterday"),
    ] {
        for write in writes(&target) {
            let refused = api.send(&write.field(name, value)).await;
            problem(&refused, 428, "precondition_required");
        }
    }
}

async fn a_wildcard_writes_what_exists(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    for (write, status) in writes(&target).into_iter().zip([200, 200, 204]) {
        assert_eq!(
            api.send(&write.field("If-Match", "*")).await.status(),
            status
        );
    }
    let gone = api
        .send(&put(&target, r#"{"title":"a"}"#).field("If-Match", "*"))
        .await;
    assert_eq!(
        problem(&gone, 412, "precondition_failed")["reason"],
        "absent"
    );
}

async fn a_list_of_tags_writes_if_one_is_current(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let (_, other) = api.post(r#"{"title":"b"}"#).await;
    let of = |value: &str| put(&target, r#"{"title":"c"}"#).field("If-Match", value);
    assert_eq!(
        api.send(&of(&format!("\"x\", {other}"))).await.status(),
        412
    );
    let two_lines = of("\"x\"").field("If-Match", &held);
    assert_eq!(api.send(&two_lines).await.status(), 200);
    assert_eq!(api.send(&of(&format!("\"x\", {held}"))).await.status(), 412);
}

async fn a_weak_tag_never_writes(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let weak = put(&target, r#"{"title":"b"}"#).field("If-Match", format!("W/{held}"));
    let problem = problem(&api.send(&weak).await, 412, "precondition_failed");
    assert_eq!(problem["reason"], "weak_tag");
}

async fn tags_of_others_do_not_fit(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    let (_, other) = api.post(r#"{"title":"a"}"#).await;
    for (sent, reason) in [(&*other, "foreign_tag"), ("\"invented\"", "unknown_tag")] {
        let refused = api
            .send(&put(&target, r#"{"title":"b"}"#).field("If-Match", sent))
            .await;
        let problem = problem(&refused, 412, "precondition_failed");
        assert_eq!(problem["reason"], reason);
        assert_eq!(
            problem["conflict"].get("changed"),
            None,
            "nothing is known of what it had"
        );
        assert!(
            !refused.text().contains("invented"),
            "a sent tag is not echoed"
        );
    }
}

async fn malformed_is_never_no_condition(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let before = state(&api, &target).await;
    let unquoted = held.trim_matches('"');
    for value in [unquoted, "\"a", "*, *", "w/\"a\"", "\"a\" \"b\""] {
        for name in ["If-Match", "If-None-Match"] {
            for write in writes(&target) {
                let refused = api.send(&write.field(name, value)).await;
                let problem = problem(&refused, 400, "bad_request");
                assert_eq!(problem["reason"], "malformed_condition", "{name}: {value}");
                assert_eq!(problem["failed_condition"], name);
            }
        }
    }
    let oversized =
        put(&target, r#"{"title":"b"}"#).field("If-Match", format!("{held}, ").repeat(999));
    assert_eq!(
        problem(&api.send(&oversized).await, 400, "bad_request")["reason"],
        "oversized_condition"
    );
    assert_eq!(state(&api, &target).await, before);
}

/// Many writes within a second, each under the date of the one before: none may be lost.
async fn the_date_guards_even_within_a_second(api: Api) {
    let (target, _) = api.post(r#"{"title":"0"}"#).await;
    // What is served is clamped to the present, so the stored date has to come from a conflict.
    let stored = |answer: &Value| answer["last_modified"].as_str().unwrap().to_owned();
    let stale = put(&target, r#"{"title":"x"}"#).field("If-Match", "\"x\"");
    let mut date = stored(&api.send(&stale).await.json().unwrap());
    for title in 1..=5 {
        let content = json!({"title": title.to_string()}).to_string();
        let write = put(&target, &content).field("If-Unmodified-Since", http_date(&date));
        assert_eq!(api.send(&write).await.status(), 200, "{date}");
        let refused = problem(&api.send(&write).await, 412, "precondition_failed");
        assert_eq!(refused["reason"], "modified_since");
        assert_eq!(refused["conflict"]["current"]["title"], title.to_string());
        assert!(
            stored(&refused) > date,
            "the date has not advanced: {refused}"
        );
        date = stored(&refused);
    }
}

/// A date of JSON as HTTP writes it.
fn http_date(rfc3339: &str) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (day, time) = rfc3339.trim_end_matches('Z').split_once('T').unwrap();
    let [year, month, day] = day.split('-').collect::<Vec<_>>().try_into().unwrap();
    let month = MONTHS[month.parse::<usize>().unwrap() - 1];
    // The name of the day is not checked against the date.
    format!("Mon, {day} {month} {year} {time} GMT")
}

async fn what_is_absent_is_404_or_412(api: Api) {
    let target = "/api/posts/77";
    let [put, patch, delete] = writes(target);
    let refused = api.send(&put.field("If-Match", "\"x\"")).await;
    let document = problem(&refused, 412, "precondition_failed");
    assert_eq!(document["reason"], "absent");
    assert_eq!(
        (refused.header("etag"), document.get("current_etag")),
        (None, None)
    );
    assert_eq!(document.get("conflict"), None);
    for write in [patch, delete] {
        // No condition is evaluated where the answer without it would be 404 (RFC 9110 §13.2.1).
        for value in [None, Some("\"x\""), Some("*")] {
            let write = value.map_or(write.clone(), |tag| write.clone().field("If-Match", tag));
            let refused = api.send(&write).await;
            let document = problem(&refused, 404, "not_found");
            assert_eq!(document["reason"], "absent");
            assert_eq!(document["detail"], "The post does not exist.");
            assert_eq!(document["instance"], target);
            assert_eq!(refused.header("etag"), None);
        }
    }
}

/// A tag of a deleted post brings nothing back, whatever the method.
async fn what_is_gone_is_not_brought_back(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    api.delete(&target).await;
    let [put, patch, delete] = writes(&target);
    for (write, status) in [(put, 412), (patch, 404), (delete, 404)] {
        for value in [&*held, "*"] {
            let refused = api.send(&write.clone().field("If-Match", value)).await;
            assert_eq!(refused.status(), status, "{}", refused.text());
            assert_eq!(refused.json().unwrap()["reason"], "absent");
            assert_eq!(api.get(&target).await.status(), 404);
        }
        // Not even one that a PUT would create under.
        if status == 404 {
            let refused = api.send(&write.field("If-None-Match", "*")).await;
            assert_eq!(refused.status(), 404, "{}", refused.text());
        }
    }
    assert_eq!(api.get("/api/posts").await.json().unwrap(), json!([]));
}

//! Encoded answers: each coding has a tag of its own, and all of them write.

use wire::{Request, Response};

use crate::api::{Api, patch, problem, put, tag};

on_every_store!(
    each_coding_has_a_tag_of_its_own,
    the_tag_of_any_coding_writes,
    what_the_client_has_in_its_coding_is_not_sent_again,
    a_head_has_the_fields_of_its_get_in_any_coding,
    what_is_not_read_by_its_tag_is_encoded_too,
);

const CODINGS: [&str; 3] = ["identity", "gzip", "br"];

async fn read(api: &Api, target: &str, coding: &str) -> Response {
    let get = Request::new("GET", target).field("Accept-Encoding", coding);
    api.send(&get).await
}

fn coded(state: &str, coding: &str) -> String {
    match coding {
        "identity" => state.to_owned(),
        coding => format!("{}.{coding}\"", state.trim_end_matches('"')),
    }
}

async fn each_coding_has_a_tag_of_its_own(api: Api) {
    let (target, state) = api.post(r#"{"title":"a"}"#).await;
    let plain = api.get(&target).await;
    assert_eq!(tag(&plain), state);
    for coding in CODINGS {
        let answer = read(&api, &target, coding).await;
        assert_eq!(tag(&answer), coded(&state, coding));
        let encoded = answer.header("content-encoding");
        assert_eq!(encoded.unwrap_or("identity"), coding);
        assert_eq!(answer.body() == plain.body(), coding == "identity");
        let vary: Vec<_> = answer.head().field_lines("vary").collect();
        assert_eq!(vary, [b"accept-encoding"], "{coding}");
    }
    // Each new version has its own again.
    let state = api.put(&target, &state, r#"{"title":"b"}"#).await;
    assert_eq!(
        tag(&read(&api, &target, "gzip").await),
        coded(&state, "gzip")
    );
}

async fn the_tag_of_any_coding_writes(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    for coding in CODINGS {
        let held = tag(&read(&api, &target, coding).await);
        let edit = patch(&target, r#"{"content":"x"}"#).field("If-Match", &held);
        let written = api.send(&edit).await;
        assert_eq!(written.status(), 200, "{}", written.text());
        let state = tag(&api.get(&target).await);
        assert_eq!(tag(&written), state, "a write's answer names the state");

        let late = put(&target, r#"{"title":"b"}"#).field("If-Match", &held);
        let refused = api.send(&late).await;
        let document = problem(&refused, 412, "precondition_failed");
        assert_eq!(document["reason"], "stale_version", "{document}");
        assert_eq!(document["current_etag"], state);
        assert_eq!(tag(&refused), state);

        let late = late.field("Accept-Encoding", "gzip");
        let refused = api.send(&late).await;
        assert_eq!((refused.status(), tag(&refused)), (412, state));
        assert_eq!(refused.header("content-encoding"), Some("gzip"));
    }
    let held = tag(&read(&api, &target, "gzip").await);
    let delete = Request::new("DELETE", &*target).field("If-Match", held);
    assert_eq!(api.send(&delete).await.status(), 204);
}

async fn what_the_client_has_in_its_coding_is_not_sent_again(api: Api) {
    let (target, state) = api.post(r#"{"title":"a"}"#).await;
    let all = CODINGS.map(|coding| coded(&state, coding)).join(", ");
    for accepted in CODINGS {
        let get = Request::new("GET", &*target).field("Accept-Encoding", accepted);
        for held in CODINGS {
            let held = coded(&state, held);
            let conditional = get.clone().field("If-None-Match", &held);
            let answer = api.send(&conditional).await;
            // The plain one is accepted in any case: what a write was answered with is current.
            let current = held == coded(&state, accepted) || held == state;
            assert_eq!(answer.status(), if current { 304 } else { 200 }, "{held}");
            if current {
                assert_eq!(tag(&answer), held);
            }
        }
        for value in [all.as_str(), "*"] {
            let unmodified = api.send(&get.clone().field("If-None-Match", value)).await;
            assert_eq!((unmodified.status(), unmodified.body()), (304, &b""[..]));
            assert_eq!(tag(&unmodified), coded(&state, accepted));
            assert_eq!(unmodified.header("vary"), Some("accept-encoding"));
            assert_eq!(unmodified.header("cache-control"), Some("no-cache"));
        }
    }
}

async fn a_head_has_the_fields_of_its_get_in_any_coding(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    let mut connection = api.connect().await;
    for coding in CODINGS {
        let get = read(&api, &target, coding).await;
        let head = Request::new("HEAD", &*target).field("Accept-Encoding", coding);
        let head = connection.send(&head).await.unwrap();
        assert_eq!((head.status(), head.body()), (200, &b""[..]));
        for name in [
            "etag",
            "last-modified",
            "cache-control",
            "content-type",
            "content-encoding",
            "content-length",
            "vary",
        ] {
            assert_eq!(head.header(name), get.header(name), "{name} in {coding}");
        }
    }
}

async fn what_is_not_read_by_its_tag_is_encoded_too(api: Api) {
    api.post(r#"{"title":"a"}"#).await;
    let list = read(&api, "/api/posts", "gzip").await;
    assert_eq!(list.header("content-encoding"), Some("gzip"));
    // Encoded it would be longer.
    let health = read(&api, "/healthz", "gzip").await;
    assert_eq!(health.header("content-encoding"), None);
    assert_eq!(health.text(), "ok\n");
}

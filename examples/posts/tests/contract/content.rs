//! What a client may write: 400, 413, 415, 422.

use serde_json::{Value, json};
use wire::{Body, Request};

use crate::api::{Api, MERGE_PATCH, patch, problem, put};

on_every_store!(
    limits_of_the_members,
    a_post_that_is_none_is_422,
    what_is_not_json_is_400,
    a_patch_is_checked_by_its_result,
    media_types,
    content_codings,
    parts_are_no_posts,
    declared_sizes,
    counted_sizes,
);

fn post(json: &Value) -> Request {
    Request::new("POST", "/api/posts").json(json.to_string())
}

async fn limits_of_the_members(api: Api) {
    for (member, fits, exceeds) in [
        ("title", "é".repeat(200), "é".repeat(201)),
        ("content", "a".repeat(65_536), "a".repeat(65_537)),
        ("content", "é".repeat(32_768), "é".repeat(32_769)),
        ("author", "é".repeat(80), "é".repeat(81)),
    ] {
        let with = |value: &str| {
            let mut sent = json!({"title": "t"});
            sent[member] = json!(value);
            post(&sent)
        };
        let created = api.send(&with(&fits)).await;
        assert_eq!(created.status(), 201, "{member}");
        assert_eq!(created.json().unwrap()[member], fits);
        let refused = problem(
            &api.send(&with(&exceeds)).await,
            422,
            "unprocessable_content",
        );
        assert!(
            refused["detail"].as_str().unwrap().contains(member),
            "{refused}"
        );
    }
    // However it is written: six bytes each.
    let escaped = format!(
        r#"{{"title":"t","content":"{}"}}"#,
        r"\u0061".repeat(65_536)
    );
    let request = Request::new("POST", "/api/posts").json(escaped);
    assert_eq!(api.send(&request).await.status(), 201);
}

async fn a_post_that_is_none_is_422(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    for (sent, named) in [
        (json!([1]), "object"),
        (json!({}), "title"),
        (json!({"title": ""}), "title"),
        (json!({"title": null}), "title"),
        (json!({"title": "t", "content": 1}), "content"),
        (json!({"title": "t", "author": []}), "author"),
        (json!({"title": "t", "tags": []}), "tags"),
        (json!({"title": "a\0"}), "title"),
        (json!({"title": "t", "content": "a\0b"}), "content"),
        (json!({"title": "t", "author": "\0"}), "author"),
        (json!({"title": "t", "id": 2}), "id"),
        (json!({"title": "t", "id": "1"}), "id"),
    ] {
        let write = put(&target, &sent.to_string()).field("If-Match", &held);
        for request in [post(&sent), write] {
            let refused = problem(&api.send(&request).await, 422, "unprocessable_content");
            assert!(
                refused["detail"].as_str().unwrap().contains(named),
                "{sent}: {refused}"
            );
        }
    }
    assert_eq!(api.get(&target).await.header("etag"), Some(&*held));
    let own_id = json!({"title": "t", "id": 1, "updated_at": false}).to_string();
    api.put(&target, &held, &own_id).await;
}

async fn what_is_not_json_is_400(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let no_json: [&[u8]; 6] = [
        b"",
        b"{",
        b"title",
        b"{\"title\":\"\xff\"}",
        b"{} {}",
        deep.as_bytes(),
    ];
    for content in no_json {
        let sized = |request: Request| request.body(Body::Sized(content.to_vec()));
        let requests = [
            Request::new("POST", "/api/posts").field("Content-Type", "application/json"),
            Request::new("PUT", &*target)
                .field("Content-Type", "application/json")
                .field("If-Match", &held),
            Request::new("PATCH", &*target)
                .field("Content-Type", MERGE_PATCH)
                .field("If-Match", &held),
        ];
        for request in requests {
            problem(&api.send(&sized(request)).await, 400, "bad_request");
        }
    }
}

async fn a_patch_is_checked_by_its_result(api: Api) {
    let (target, held) = api.post(r#"{"title":"a","content":"c"}"#).await;
    for content in [
        r#"{"title":null}"#,
        r#"{"tags":1}"#,
        "[]",
        r#""text""#,
        r#"{"id":9}"#,
        r#"{"content":"\u0000"}"#,
    ] {
        let refused = api
            .send(&patch(&target, content).field("If-Match", &held))
            .await;
        problem(&refused, 422, "unprocessable_content");
    }
    assert_eq!(api.get(&target).await.header("etag"), Some(&*held));
    let fits = patch(&target, r#"{"id":1,"updated_at":"x"}"#).field("If-Match", &held);
    assert_eq!(api.send(&fits).await.status(), 200);
}

async fn media_types(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    let content = || Body::Sized(br#"{"title":"b"}"#.to_vec());
    for (method, target, taken) in [
        ("POST", "/api/posts", "application/json"),
        ("PUT", &*target, "application/json"),
        ("PATCH", &*target, MERGE_PATCH),
    ] {
        let write = || Request::new(method, target).body(content());
        let typed = |media_type: &str| write().field("Content-Type", media_type);
        let two = typed(taken).field("Content-Type", taken);
        let others = [
            "text/plain",
            "application/jsonx",
            "application/json-patch+json",
            "",
        ];
        for request in others.map(typed).into_iter().chain([write(), two]) {
            // Whatever the condition is: none, fitting, stale, malformed.
            for condition in [None, Some("*"), Some("\"x\""), Some("x")] {
                let request = match condition {
                    Some(value) => request.clone().field("If-Match", value),
                    None => request.clone(),
                };
                let refused = api.send(&request).await;
                problem(&refused, 415, "unsupported_media_type");
                let accept_patch = (method == "PATCH").then_some(MERGE_PATCH);
                assert_eq!(refused.header("accept-patch"), accept_patch);
                // That would say that it was the coding (RFC 9110 §12.5.3).
                assert_eq!(refused.header("accept-encoding"), None);
            }
        }
        for media_type in [taken.to_uppercase(), format!("{taken} ; charset=utf-8")] {
            let request = typed(&media_type);
            let request = if method == "POST" {
                request
            } else {
                request.field("If-Match", "*")
            };
            assert!(
                api.send(&request).await.status() < 300,
                "{method} {media_type}"
            );
        }
    }
}

/// Whatever the condition is: none, fitting, stale, malformed.
fn under_each_condition(request: &Request) -> [Request; 4] {
    [None, Some("*"), Some("\"x\""), Some("x")].map(|condition| match condition {
        Some(value) => request.clone().field("If-Match", value),
        None => request.clone(),
    })
}

async fn content_codings(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let content = || Body::Sized(br#"{"title":"b"}"#.to_vec());
    for (method, target, taken) in [
        ("POST", "/api/posts", "application/json"),
        ("PUT", &*target, "application/json"),
        ("PATCH", &*target, MERGE_PATCH),
    ] {
        let write = || {
            Request::new(method, target)
                .field("Content-Type", taken)
                .body(content())
        };
        let coded = |coding: &str| write().field("Content-Encoding", coding);
        let codings = [
            "gzip",
            "br, identity",
            "identity,deflate",
            "x",
            "\"identity\"",
        ];
        let two = coded("identity").field("Content-Encoding", "gzip");
        for request in codings.map(coded).into_iter().chain([two]) {
            for request in under_each_condition(&request) {
                let refused = api.send(&request).await;
                problem(&refused, 415, "unsupported_media_type");
                assert_eq!(refused.header("accept-encoding"), Some("identity"));
                let accept_patch = (method == "PATCH").then_some(MERGE_PATCH);
                assert_eq!(refused.header("accept-patch"), accept_patch);
                assert_eq!(refused.header("accept"), None);
            }
        }
    }
    assert_eq!(api.get(&target).await.header("etag"), Some(&*held));

    // The control: no coding, however it is said.
    for coding in ["identity", "IDENTITY", "", " , identity ,identity"] {
        let write = put(&target, r#"{"title":"b"}"#).field("Content-Encoding", coding);
        let written = api.send(&write.field("If-Match", "*")).await;
        assert_eq!(written.status(), 200, "{coding}: {}", written.text());
    }
}

async fn parts_are_no_posts(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    for range in ["bytes 0-12/13", "bytes 0-12/*", "posts 1-2/3", ""] {
        for target in [&*target, "/api/posts/9"] {
            let part = put(target, r#"{"title":"b"}"#).field("Content-Range", range);
            for request in under_each_condition(&part) {
                let refused = problem(&api.send(&request).await, 400, "bad_request");
                assert_eq!(refused.get("reason"), None, "no condition was judged");
                let detail = refused["detail"].as_str().unwrap();
                assert!(detail.contains("Content-Range"), "{detail}");
            }
        }
    }
    assert_eq!(api.get(&target).await.header("etag"), Some(&*held));
    assert_eq!(api.get("/api/posts/9").await.status(), 404);

    // Content-Range says nothing on another method (RFC 9110 §14.4).
    let patch = patch(&target, r#"{"title":"b"}"#).field("Content-Range", "bytes 0-12/13");
    let written = api.send(&patch.field("If-Match", held)).await;
    assert_eq!(written.status(), 200, "{}", written.text());
}

async fn declared_sizes(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    let declared = |declared, method: &str, target: &str| {
        Request::new(method, target).body(Body::Partial {
            declared,
            sent: Vec::new(),
        })
    };
    for target in [
        &*target,
        "/api/posts",
        "/api/posts/99",
        "/api/posts/x",
        "/nowhere",
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE", "GET", "NONE"] {
            // Before routing, method, media type and conditions.
            for condition in [None, Some("*"), Some("\"x\""), Some("x")] {
                let request = declared(1_048_577, method, target);
                let request =
                    condition.map_or(request.clone(), |value| request.field("If-Match", value));
                problem(&api.send(&request).await, 413, "content_too_large");
            }
        }
    }
    let padded = format!("{}{}", r#"{"title":"b"}"#, " ".repeat(1_048_576 - 13));
    assert_eq!(padded.len(), 1_048_576);
    assert_eq!(
        api.send(&put(&target, &padded).field("If-Match", "*"))
            .await
            .status(),
        200
    );
}

async fn counted_sizes(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let chunked = |spaces: usize| {
        let content = vec![br#"{"title":"b"}"#.to_vec(), vec![b' '; spaces]];
        Request::new("PUT", &*target)
            .field("Content-Type", "application/json")
            .field("If-Match", &held)
            .body(Body::Chunked(content))
    };
    let refused = api.send(&chunked(1_048_576)).await;
    problem(&refused, 413, "content_too_large");
    assert_eq!(api.get(&target).await.header("etag"), Some(&*held));
    assert_eq!(api.send(&chunked(1_000)).await.status(), 200);
}

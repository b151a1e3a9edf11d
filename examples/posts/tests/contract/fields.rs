//! What every answer bears: its request id, and what pages of other origins need.

use wire::{Body, Request, Response};

use crate::api::{Api, put};

on_every_store!(
    every_answer_has_an_id,
    a_callers_id_is_taken_over_if_it_is_plain,
    preflights_are_answered,
    other_origins_see_the_validators,
);

/// One request for each way of being answered.
fn one_of_each(target: &str) -> Vec<(Request, u16)> {
    let get = |target: &str| Request::new("GET", target);
    vec![
        (get(target), 200),
        (get(target).field("If-None-Match", "*"), 304),
        (get("/api/posts"), 200),
        (get("/healthz"), 200),
        (get("/nowhere"), 404),
        (get("/api/posts/99"), 404),
        (get("/api/posts/x"), 404),
        (Request::new("POST", target), 405),
        (Request::new("PUT", target), 415),
        (put(target, "{").field("If-Match", "*"), 400),
        (put(target, "{}").field("If-Match", "*"), 422),
        (put(target, "{}"), 428),
        (put(target, "{}").field("If-Match", "\"x\""), 412),
        (
            get("/").body(Body::Partial {
                declared: 2_000_000,
                sent: Vec::new(),
            }),
            413,
        ),
        (preflight(target), 200),
        (Request::new("DELETE", target).field("If-Match", "*"), 204),
    ]
}

fn preflight(target: &str) -> Request {
    Request::new("OPTIONS", target)
        .field("Origin", "https://elsewhere.example")
        .field("Access-Control-Request-Method", "PUT")
        .field("Access-Control-Request-Headers", "content-type,if-match")
}

async fn every_answer_has_an_id(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    let mut seen = std::collections::HashSet::new();
    for (request, status) in one_of_each(&target) {
        let answer = api.send(&request).await;
        assert_eq!(answer.status(), status, "{request:?}");
        let ids: Vec<_> = answer.field_lines("x-request-id").collect();
        assert_eq!(ids.len(), 1, "{request:?}");
        assert!(
            !ids[0].is_empty() && seen.insert(ids[0].to_vec()),
            "{request:?}"
        );
        if answer.header("content-type") == Some("application/problem+json") {
            let id = &answer.json().unwrap()["request_id"];
            assert_eq!(id.as_str(), answer.header("x-request-id"), "{request:?}");
        }
    }
}

async fn a_callers_id_is_taken_over_if_it_is_plain(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    for (request, _) in one_of_each(&target) {
        let answer = api.send(&request.field("X-Request-Id", "Az09._-")).await;
        assert_eq!(answer.header("x-request-id"), Some("Az09._-"));
    }
    let of = |id: &str| Request::new("GET", "/nowhere").field("X-Request-Id", id);
    let longest = "a".repeat(128);
    assert_eq!(
        api.send(&of(&longest)).await.header("x-request-id"),
        Some(&*longest)
    );
    for id in ["", "a b", "a/b", "\"", "é", &"a".repeat(129)] {
        let answer = api.send(&of(id)).await;
        let fresh = answer.header("x-request-id").unwrap();
        assert!(fresh != id && !fresh.is_empty(), "{id}");
        assert_eq!(answer.json().unwrap()["request_id"], fresh);
    }
    let two = api.send(&of("one").field("X-Request-Id", "two")).await;
    assert!(!["one", "two"].contains(&two.header("x-request-id").unwrap()));
}

fn listed(answer: &Response, name: &str) -> Vec<String> {
    let list = answer.header(name).unwrap_or_default();
    let mut members: Vec<_> = list
        .split(',')
        .map(|member| member.trim().to_lowercase())
        .collect();
    members.sort_unstable();
    members
}

async fn preflights_are_answered(api: Api) {
    for target in ["/api/posts", "/api/posts/1", "/nowhere"] {
        let answer = api.send(&preflight(target)).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(
            listed(&answer, "access-control-allow-methods"),
            ["delete", "get", "head", "patch", "post", "put"]
        );
        assert_eq!(
            listed(&answer, "access-control-allow-headers"),
            [
                "content-type",
                "idempotency-key",
                "if-match",
                "if-modified-since",
                "if-none-match",
                "if-unmodified-since"
            ]
        );
    }
}

async fn other_origins_see_the_validators(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    for (request, status) in one_of_each(&target) {
        let answer = api
            .send(&request.field("Origin", "https://elsewhere.example"))
            .await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{status}"
        );
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        if request_is_no_preflight(status, &answer) {
            let exposed = listed(&answer, "access-control-expose-headers");
            assert_eq!(
                exposed,
                ["etag", "last-modified", "location", "x-request-id"],
                "{status}"
            );
        }
    }
}

fn request_is_no_preflight(status: u16, answer: &Response) -> bool {
    !(status == 200 && answer.header("access-control-allow-methods").is_some())
}

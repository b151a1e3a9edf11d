//! Posts that are deleted and created again, and ids that are given once.

use serde_json::json;
use wire::Request;

use crate::api::{Api, problem, put, tag};

on_every_store!(
    no_tag_of_an_earlier_life_fits,
    no_tag_of_a_deleted_store_fits,
    the_date_of_an_earlier_life_does_not_fit,
    the_history_ends_with_the_incarnation,
    post_gives_no_id_twice,
    put_cannot_use_the_ids_up,
    the_limits_of_an_id,
);

async fn no_tag_of_an_earlier_life_fits(api: Api) {
    let target = "/api/posts/5";
    let mut earlier: Vec<String> = Vec::new();
    for incarnation in 0..3 {
        let held = api.create(target, r#"{"title":"a"}"#).await;
        let held = [
            held.clone(),
            api.put(target, &held, r#"{"title":"a"}"#).await,
        ];
        for old in &earlier {
            assert!(
                !held.contains(old),
                "{old} again in incarnation {incarnation}"
            );
            let write = put(target, r#"{"title":"b"}"#).field("If-Match", old);
            let problem = problem(&api.send(&write).await, 412, "precondition_failed");
            assert_eq!(problem["conflict"].get("changed"), None);
        }
        earlier.extend(held);
        api.delete(target).await;
    }
}

/// The same writes on a new store make other tags, where the first store was deleted.
async fn no_tag_of_a_deleted_store_fits(api: Api) {
    async fn tags(api: &Api) -> Vec<String> {
        let (target, first) = api.post(r#"{"title":"a"}"#).await;
        let second = api.put(&target, &first, r#"{"title":"b"}"#).await;
        api.delete(&target).await;
        let third = api.create(&target, r#"{"title":"a"}"#).await;
        let fourth = api.put(&target, &third, r#"{"title":"b"}"#).await;
        vec![first, second, third, fourth]
    }
    let earlier = tags(&api).await;
    let api = api.anew().await;
    assert_eq!(api.get("/api/posts").await.json().unwrap(), json!([]));
    let later = tags(&api).await;
    for old in &earlier {
        assert!(!later.contains(old), "{old} again");
        let write = put("/api/posts/1", r#"{"title":"lost"}"#).field("If-Match", old);
        let refused = problem(&api.send(&write).await, 412, "precondition_failed");
        assert_eq!(refused["reason"], "foreign_tag");
    }
    assert_eq!(
        api.get("/api/posts/1").await.header("etag"),
        Some(&*later[3])
    );
}

async fn the_date_of_an_earlier_life_does_not_fit(api: Api) {
    let target = "/api/posts/5";
    let first = api.create(target, r#"{"title":"a"}"#).await;
    let mut read = api.get(target).await;
    // The date that a client could have read in the first incarnation, at the latest.
    let date = read.header("last-modified").unwrap().to_owned();
    api.put(target, &first, r#"{"title":"b"}"#).await;
    api.delete(target).await;
    api.create(target, r#"{"title":"c"}"#).await;
    let write = put(target, r#"{"title":"lost"}"#).field("If-Unmodified-Since", date);
    let refused = problem(&api.send(&write).await, 412, "precondition_failed");
    assert_eq!(refused["reason"], "modified_since");
    read = api.get(target).await;
    assert_eq!(read.json().unwrap()["title"], "c");
}

async fn the_history_ends_with_the_incarnation(api: Api) {
    let target = "/api/posts/5";
    let first = api.create(target, r#"{"title":"a"}"#).await;
    api.put(target, &first, r#"{"title":"b"}"#).await;
    api.delete(target).await;
    let again = api.create(target, r#"{"title":"c"}"#).await;
    api.put(target, &again, r#"{"title":"d"}"#).await;
    let stale = put(target, r#"{"title":"x"}"#).field("If-Match", again);
    let problem = problem(&api.send(&stale).await, 412, "precondition_failed");
    assert_eq!(problem["conflict"]["changed"], json!(["/title"]));
}

async fn post_gives_no_id_twice(api: Api) {
    let (first, _) = api.post(r#"{"title":"a"}"#).await;
    let (second, _) = api.post(r#"{"title":"b"}"#).await;
    assert_eq!((&*first, &*second), ("/api/posts/1", "/api/posts/2"));
    api.delete(&second).await;
    for target in ["/api/posts/3", "/api/posts/5"] {
        api.create(target, r#"{"title":"by PUT"}"#).await;
    }
    api.delete("/api/posts/5").await;
    let mut given = Vec::new();
    for _ in 0..3 {
        given.push(api.post(r#"{"title":"c"}"#).await.0);
    }
    assert_eq!(given, ["/api/posts/4", "/api/posts/6", "/api/posts/7"]);
}

async fn put_cannot_use_the_ids_up(api: Api) {
    api.create("/api/posts/9007199254740991", r#"{"title":"the last"}"#)
        .await;
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    assert_eq!(target, "/api/posts/1");
    assert_eq!(tag(&api.get(&target).await), held);
    let last = api.get("/api/posts/9007199254740991").await.json().unwrap();
    assert_eq!(last["id"], 9_007_199_254_740_991_u64);
}

async fn the_limits_of_an_id(api: Api) {
    let ids = [
        "0",
        "-1",
        "abc",
        "1.5",
        "%20",
        "%FF",
        "9007199254740992",
        "99999999999999999999999",
    ];
    for id in ids {
        let target = format!("/api/posts/{id}");
        let requests = [
            Request::new("GET", &*target),
            put(&target, r#"{"title":"a"}"#).field("If-None-Match", "*"),
            put(&target, r#"{"title":"a"}"#),
            crate::api::patch(&target, "{}").field("If-Match", "malformed"),
            Request::new("DELETE", &*target).field("If-Match", "*"),
        ];
        for request in requests {
            let refused = api.send(&request).await;
            assert_eq!(problem(&refused, 404, "not_found")["instance"], target);
        }
    }
}

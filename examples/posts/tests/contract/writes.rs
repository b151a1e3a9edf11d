//! Writes that take place.

use serde_json::json;
use wire::Request;

use crate::api::{Api, patch, problem, put, tag};

on_every_store!(
    post_creates,
    post_needs_no_condition_and_heeds_one,
    put_replaces,
    put_creates_where_the_id_is_free,
    patch_merges,
    delete_removes,
    every_write_makes_its_own_tag,
    what_was_read_can_be_sent_back,
    of_many_that_create_one_post_one_does,
);

async fn post_creates(api: Api) {
    let request = Request::new("POST", "/api/posts").json(r#"{"title":"Draft"}"#);
    let created = api.send(&request).await;
    assert_eq!(created.status(), 201);
    assert_eq!(created.header("location"), Some("/api/posts/1"));
    let post = created.json().unwrap();
    assert_eq!((&post["id"], &post["title"]), (&json!(1), &json!("Draft")));
    assert_eq!(
        (&post["content"], &post["author"]),
        (&json!(""), &json!("anonymous"))
    );

    let read = api.get("/api/posts/1").await;
    assert_eq!(read.json().unwrap(), post);
    assert_eq!(tag(&read), tag(&created));
}

async fn post_needs_no_condition_and_heeds_one(api: Api) {
    let post = || Request::new("POST", "/api/posts").json(r#"{"title":"a"}"#);
    assert_eq!(api.send(&post()).await.status(), 201);
    problem(
        &api.send(&post().field("If-Match", "\"x\"")).await,
        412,
        "precondition_failed",
    );
    problem(
        &api.send(&post().field("If-Match", "x")).await,
        400,
        "bad_request",
    );
    assert_eq!(
        api.get("/api/posts")
            .await
            .json()
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

async fn put_replaces(api: Api) {
    let (target, held) = api
        .post(r#"{"title":"a","content":"old","author":"ada"}"#)
        .await;
    let replaced = api
        .send(&put(&target, r#"{"title":"b"}"#).field("If-Match", &held))
        .await;
    assert_eq!(replaced.status(), 200);
    assert_eq!(replaced.header("content-location"), Some(&*target));
    assert_ne!(tag(&replaced), held);
    let post = replaced.json().unwrap();
    assert_eq!(
        (&post["title"], &post["content"]),
        (&json!("b"), &json!(""))
    );
    assert_eq!(post["author"], "anonymous");

    let read = api.get(&target).await;
    assert_eq!((tag(&read), read.json().unwrap()), (tag(&replaced), post));
}

async fn put_creates_where_the_id_is_free(api: Api) {
    let create = put("/api/posts/42", r#"{"title":"a"}"#).field("If-None-Match", "*");
    let created = api.send(&create).await;
    assert_eq!(created.status(), 201, "{}", created.text());
    assert_eq!(created.header("content-location"), Some("/api/posts/42"));
    assert_eq!(created.json().unwrap()["id"], 42);
    assert_eq!(tag(&api.get("/api/posts/42").await), tag(&created));

    let again = problem(&api.send(&create).await, 412, "precondition_failed");
    assert_eq!(
        (&again["reason"], &again["failed_condition"]),
        (&json!("exists"), &json!("If-None-Match"))
    );
    assert_eq!(again["current_etag"], tag(&created));
}

async fn patch_merges(api: Api) {
    let (target, held) = api
        .post(r#"{"title":"a","content":"old","author":"ada"}"#)
        .await;
    let patched = api
        .send(&patch(&target, r#"{"content":"new","author":"bob"}"#).field("If-Match", &held))
        .await;
    assert_eq!(patched.status(), 200, "{}", patched.text());
    assert_eq!(patched.header("content-location"), Some(&*target));
    let post = patched.json().unwrap();
    assert_eq!(
        (&post["title"], &post["content"], &post["author"]),
        (&json!("a"), &json!("new"), &json!("bob"))
    );
    assert_eq!(tag(&api.get(&target).await), tag(&patched));

    let unsigned = api
        .send(&patch(&target, r#"{"content":null}"#).field("If-Match", "*"))
        .await;
    let post = unsigned.json().unwrap();
    assert_eq!(
        (&post["title"], &post["content"]),
        (&json!("a"), &json!(""))
    );
    assert_eq!(
        post["author"], "anonymous",
        "who edits without a name is not the last author"
    );
}

async fn delete_removes(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let deleted = api
        .send(&Request::new("DELETE", &*target).field("If-Match", held))
        .await;
    assert_eq!((deleted.status(), deleted.header("etag")), (204, None));
    assert_eq!(api.get(&target).await.status(), 404);
    assert_eq!(api.get("/api/posts").await.json().unwrap(), json!([]));
}

async fn every_write_makes_its_own_tag(api: Api) {
    let (target, mut held) = api.post(r#"{"title":"a"}"#).await;
    let mut seen = vec![held.clone()];
    for _ in 0..5 {
        // The same content each time: it is the version that a tag names.
        held = api.put(&target, &held, r#"{"title":"a"}"#).await;
        assert!(!seen.contains(&held), "{held} twice");
        seen.push(held.clone());
    }
    for old in &seen[..5] {
        let refused = api
            .send(&put(&target, r#"{"title":"b"}"#).field("If-Match", old))
            .await;
        assert_eq!(refused.status(), 412);
    }
}

async fn what_was_read_can_be_sent_back(api: Api) {
    let (target, held) = api
        .post(r#"{"title":"a","content":"é \" \\ \u0001"}"#)
        .await;
    let read = api.get(&target).await.json().unwrap();
    api.put(&target, &held, &read.to_string()).await;
    let again = api.get(&target).await.json().unwrap();
    for member in ["id", "title", "content", "author"] {
        assert_eq!(again[member], read[member]);
    }
}

async fn of_many_that_create_one_post_one_does(api: Api) {
    for post in 40..45 {
        let target = format!("/api/posts/{post}");
        let create = |writer: u8| {
            let json = format!(r#"{{"title":"{writer}"}}"#);
            put(&target, &json).field("If-None-Match", "*")
        };
        let sent: Vec<_> = (0..8).map(create).collect();
        let answers = futures_util::future::join_all(sent.iter().map(|one| api.send(one))).await;
        let (created, refused): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .partition(|answer| answer.status() == 201);
        assert_eq!(created.len(), 1);
        let read = api.get(&target).await;
        assert_eq!(
            (tag(&read), read.body()),
            (tag(&created[0]), created[0].body())
        );
        for refused in refused {
            let refused = problem(&refused, 412, "precondition_failed");
            assert_eq!(refused["reason"], "exists");
            assert_eq!(refused["current_etag"], tag(&read));
        }
    }
}

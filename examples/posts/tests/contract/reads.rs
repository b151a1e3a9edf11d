//! GET and HEAD, and what they say about conditions.

use serde_json::json;
use wire::Request;

use crate::api::{Api, problem, tag};

on_every_store!(
    a_post_is_read_with_its_validators,
    what_the_client_has_is_not_sent_again,
    a_failed_precondition_of_a_read_is_412,
    head_is_get_without_content,
    the_list_has_the_tag_of_each_post,
    all_spellings_of_an_id_are_one_post,
    what_surrounds_the_posts_is_there,
);

async fn a_post_is_read_with_its_validators(api: Api) {
    let (target, created) = api
        .post(r#"{"title":"Draft","content":"text","author":"ada"}"#)
        .await;
    let read = api.get(&target).await;
    assert_eq!(read.status(), 200);
    assert_eq!(tag(&read), created);
    assert_eq!(read.header("cache-control"), Some("no-cache"));
    assert_eq!(read.header("content-type"), Some("application/json"));
    assert!(read.header("last-modified").unwrap().ends_with(" GMT"));

    let mut post = read.json().unwrap();
    let updated_at = post["updated_at"].take();
    assert_eq!(
        updated_at.as_str().unwrap().len(),
        "2026-11-20T09:31:00Z".len()
    );
    let written = json!({"id": 1, "title": "Draft", "content": "text", "author": "ada",
                         "updated_at": null});
    assert_eq!(post, written);
}

async fn what_the_client_has_is_not_sent_again(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let conditional = |value: &str| Request::new("GET", &*target).field("If-None-Match", value);
    for value in [
        held.clone(),
        format!("W/{held}"),
        format!("\"x\", {held}"),
        "*".to_owned(),
    ] {
        let read = api.send(&conditional(&value)).await;
        assert_eq!((read.status(), read.body()), (304, &b""[..]), "{value}");
        assert_eq!(tag(&read), held);
        assert_eq!(read.header("cache-control"), Some("no-cache"));
    }
    assert_eq!(api.send(&conditional("\"x\"")).await.status(), 200);

    let date = api
        .get(&target)
        .await
        .header("last-modified")
        .unwrap()
        .to_owned();
    let since = Request::new("GET", &*target).field("If-Modified-Since", date);
    assert_eq!(api.send(&since).await.status(), 304);

    api.put(&target, &held, r#"{"title":"b"}"#).await;
    assert_eq!(api.send(&conditional(&held)).await.status(), 200);
    assert_eq!(
        api.send(&since).await.status(),
        200,
        "the stored date has advanced"
    );
}

async fn a_failed_precondition_of_a_read_is_412(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let fits = Request::new("GET", &*target).field("If-Match", &held);
    assert_eq!(api.send(&fits).await.status(), 200);
    let stale = Request::new("GET", &*target).field("If-Match", "\"x\"");
    let refused = api.send(&stale).await;
    assert_eq!(
        problem(&refused, 412, "precondition_failed")["current_etag"],
        held
    );
}

async fn head_is_get_without_content(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    let get = api.get(&target).await;
    // On one connection, so that a body after a response would be taken for the next one.
    let mut connection = api.connect().await;
    let head = connection
        .send(&Request::new("HEAD", &*target))
        .await
        .unwrap();
    assert_eq!((head.status(), head.body()), (200, &b""[..]));
    for name in [
        "etag",
        "last-modified",
        "cache-control",
        "content-type",
        "content-length",
    ] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    for target in ["/api/posts/99", "/api/posts/x", "/nowhere"] {
        let absent = connection
            .send(&Request::new("HEAD", target))
            .await
            .unwrap();
        assert_eq!(
            (absent.status(), absent.body()),
            (404, &b""[..]),
            "{target}"
        );
    }
    let list = connection
        .send(&Request::new("HEAD", "/api/posts"))
        .await
        .unwrap();
    assert_eq!((list.status(), list.body()), (200, &b""[..]));
}

async fn the_list_has_the_tag_of_each_post(api: Api) {
    assert_eq!(api.get("/api/posts").await.json().unwrap(), json!([]));
    let (first, held) = api.post(r#"{"title":"a"}"#).await;
    api.post(r#"{"title":"b"}"#).await;
    api.put(&first, &held, r#"{"title":"c"}"#).await;

    let list = api.get("/api/posts").await;
    assert_eq!(list.status(), 200);
    let items = list.json().unwrap();
    let ids: Vec<_> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["id"])
        .collect();
    assert_eq!(ids, [1, 2]);
    for item in items.as_array().unwrap() {
        let read = api.get(&format!("/api/posts/{}", item["id"])).await;
        let mut post = read.json().unwrap();
        post["etag"] = json!(tag(&read));
        assert_eq!(*item, post);
    }
}

async fn all_spellings_of_an_id_are_one_post(api: Api) {
    let (_, held) = api.post(r#"{"title":"a"}"#).await;
    for target in [
        "/api/posts/1",
        "/api/posts/01",
        "/api/posts/%31",
        "/api/posts/+1",
    ] {
        assert_eq!(tag(&api.get(target).await), held, "{target}");
    }
    api.put("/api/posts/01", &held, r#"{"title":"b"}"#).await;
    let stale = Request::new("DELETE", "/api/posts/%31").field("If-Match", held);
    assert_eq!(api.send(&stale).await.status(), 412);
}

async fn what_surrounds_the_posts_is_there(api: Api) {
    assert_eq!(api.get("/healthz").await.status(), 200);

    let metrics = api.get("/metrics").await;
    assert!(
        metrics
            .header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    assert!(
        metrics.text().contains("\nposts_build_info{"),
        "{}",
        metrics.text()
    );

    let openapi = api.get("/openapi.json").await;
    assert_eq!(openapi.header("content-type"), Some("application/json"));
    let document = openapi.json().unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/posts/{id}"]["put"]["responses"]["428"].is_object());

    let page = api.get("/").await;
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
}

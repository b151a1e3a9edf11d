//! Several resources in one write, by compare and swap.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::routing::{get, patch};
use axum::{Extension, Json, Router};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_if_match::bulk::{BulkLayer, ExpectedItems, InvalidItems, Item, ItemTags};
use tower_if_match::{
    Expected, IfMatchLayer, Lost, MemoryStore, PathKey, Policy, Refusal, Refusals, TagMint,
    Version, Versioned,
};

use crate::posts::{Answer, request, send};

type Posts = MemoryStore<u64, String>;

/// An entry of the content: `[id, etag or null, text]`, or `[id, null, text, "create"]`.
pub(crate) fn items(_: &Parts, content: &[u8]) -> Result<Vec<Item<u64>>, InvalidItems> {
    let Ok(Value::Array(entries)) = serde_json::from_slice(content) else {
        return Err(InvalidItems::new("The content is an array."));
    };
    let item = |entry: Value| {
        let id = entry[0].as_u64();
        let item = Item::new(id.ok_or_else(|| InvalidItems::new("An entry begins with an id."))?);
        Ok(match (entry[1].as_str(), entry[3].as_str()) {
            (Some(etag), _) => item.with_if_match(etag),
            (None, Some(_)) => item.with_if_none_match("*").with_method(Method::PUT),
            (None, None) => item,
        })
    };
    entries.into_iter().map(item).collect()
}

pub(crate) fn texts(Json(entries): Json<Vec<Value>>) -> Vec<String> {
    let text = |entry: &Value| entry[2].as_str().unwrap().to_owned();
    entries.iter().map(text).collect()
}

async fn write_all(
    State(posts): State<Posts>,
    expected: ExpectedItems<Posts>,
    content: Json<Vec<Value>>,
) -> Result<ItemTags, Lost> {
    posts.put_all(texts(content), expected)?;
    Ok(ItemTags)
}

async fn read(
    State(posts): State<Posts>,
    Path(id): Path<u64>,
) -> Result<Versioned<String>, StatusCode> {
    posts.get(&id).ok_or(StatusCode::NOT_FOUND)
}

async fn replace(
    State(posts): State<Posts>,
    expected: Expected<Posts>,
    text: String,
) -> Result<(), Lost> {
    posts.put(text, expected)?;
    Ok(())
}

/// Posts 1 to 4, and what stands in front of them.
struct Api {
    posts: Posts,
    tags: TagMint<u64>,
    app: Router,
}

fn layer(posts: &Posts) -> BulkLayer<Posts> {
    BulkLayer::new("posts", posts.clone(), items)
}

fn posts() -> Posts {
    let posts = Posts::new();
    for id in 1..=4 {
        posts.create(id, format!("first {id}"));
    }
    posts
}

fn api() -> Api {
    let posts = posts();
    let bulk = layer(&posts);
    with(&posts, patch(write_all), bulk)
}

fn with(posts: &Posts, methods: axum::routing::MethodRouter<Posts>, bulk: BulkLayer<Posts>) -> Api {
    let tags = bulk.tags();
    let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
    let app = Router::new()
        .route("/posts", methods.route_layer(bulk))
        .route("/posts/{id}", get(read).put(replace).route_layer(guard))
        .with_state(posts.clone());
    Api {
        posts: posts.clone(),
        tags,
        app,
    }
}

impl Api {
    fn version(&self, id: u64) -> Version {
        self.posts.get(&id).unwrap().version().clone()
    }

    fn tag(&self, id: u64) -> String {
        let tag = self.tags.tag(&id, &self.version(id)).unwrap();
        tag.to_string()
    }

    fn text(&self, id: u64) -> Option<String> {
        self.posts.get(&id).map(Versioned::into_body)
    }

    async fn send(&self, content: &Value) -> Answer {
        bulk(&self.app, content).await
    }

    /// Someone is faster.
    async fn overtake(&self, id: u64) {
        let request = request("PUT", &format!("/posts/{id}")).header(IF_MATCH, self.tag(id));
        let answer = send(&self.app, request.body(Body::from("faster")).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

pub(crate) async fn bulk(app: &Router, content: &Value) -> Answer {
    let request = request("PATCH", "/posts").header(CONTENT_TYPE, "application/json");
    let body = Body::from(content.to_string());
    send(app, request.body(body).unwrap()).await
}

/// What an answer tells of its items, each as `[status, reason]`, or null where nothing is told.
pub(crate) fn told(answer: &Answer) -> Value {
    let problem = answer.problem();
    let items = problem["items"].as_array().unwrap().iter().enumerate();
    let told = items.map(|(place, item)| {
        assert_eq!(item["index"], place);
        if let Some(status) = item.get("status") {
            return json!([status, item["reason"]]);
        }
        assert_eq!(item.as_object().unwrap().len(), 1);
        Value::Null
    });
    told.collect()
}

#[tokio::test]
async fn every_item_is_written_and_its_new_tag_told() {
    let api = api();
    let (three, one) = (api.tag(3), api.tag(1));
    let content = json!([[3, three, "c"], [1, one, "a"], [9, null, "new", "create"]]);
    let answer = api.send(&content).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.etag(), None);
    assert_eq!(answer.field(CONTENT_TYPE), Some("application/json"));
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    let expected = json!({"items": [
        {"index": 0, "etag": api.tag(3)},
        {"index": 1, "etag": api.tag(1)},
        {"index": 2, "etag": api.tag(9)},
    ]});
    assert_eq!(told, expected);
    assert_eq!(api.text(3).as_deref(), Some("c"));
    assert_eq!(api.text(1).as_deref(), Some("a"));
    assert_eq!(api.text(9).as_deref(), Some("new"));

    // Each of them guards the next write, of one or of several.
    let etag = |place: usize| told["items"][place]["etag"].as_str().unwrap().to_owned();
    let single = request("PUT", "/posts/3").header(IF_MATCH, etag(0));
    let single = send(&api.app, single.body(Body::from("again")).unwrap()).await;
    assert_eq!(single.status, StatusCode::OK);
    let again = json!([[9, etag(2), "again"], [1, etag(1), "again"]]);
    assert_eq!(api.send(&again).await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_stale_item_and_nothing_is_written() {
    let api = api();
    let content = json!([
        [1, api.tag(1), "a"],
        [2, api.tag(2), "b"],
        [3, api.tag(3), "c"]
    ]);
    api.overtake(2).await;
    let answer = api.send(&content).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(answer.etag(), None);
    assert_eq!(answer.field(CACHE_CONTROL), Some("no-store"));
    assert_eq!(
        answer.problem(),
        json!({
            "type": "https://docs.rs/tower-if-match/latest/tower_if_match/problems/#precondition-failed",
            "title": "Precondition Failed",
            "status": 412,
            "detail": "The resource changed since the version that If-Match names.",
            "instance": "/posts",
            "error": "precondition_failed",
            "reason": "stale_version",
            "items": [
                {"index": 0},
                {
                    "index": 1,
                    "status": 412,
                    "reason": "stale_version",
                    "failed_condition": "If-Match",
                    "current_etag": api.tag(2),
                },
                {"index": 2},
            ],
        })
    );
    assert_eq!(api.text(1).as_deref(), Some("first 1"));
    assert_eq!(api.text(2).as_deref(), Some("faster"));
    assert_eq!(api.text(3).as_deref(), Some("first 3"));
}

/// The reasons of items are those of single writes, because one code decides on both.
#[tokio::test]
async fn each_item_is_refused_as_a_single_write_would_be() {
    let api = api();
    let stale = api.tag(1);
    api.overtake(1).await;
    let weak = format!("W/{}", api.tag(1));
    let mangled = format!("{}x\"", api.tag(1).trim_end_matches('"'));
    let large = format!("\"{}\"", "x".repeat(8200));
    for sent in [
        &stale,
        &weak,
        &api.tag(2),
        &mangled,
        "\"zebra\"",
        "no tag",
        "",
        "\"a",
        &large,
    ] {
        let single = request("PUT", "/posts/1").header(IF_MATCH, sent);
        let single = send(&api.app, single.body(Body::empty()).unwrap()).await;
        let answer = api.send(&json!([[1, sent, "x"]])).await;
        assert_eq!(answer.status, single.status, "{sent}");
        let problem = single.problem();
        assert_eq!(
            told(&answer),
            json!([[problem["status"], problem["reason"]]])
        );
        let item = &answer.problem()["items"][0];
        assert_eq!(item["failed_condition"], problem["failed_condition"]);
        assert_eq!(item.get("current_etag"), problem.get("current_etag"));
        let body = String::from_utf8(answer.body).unwrap();
        let text = sent.trim_matches('"');
        // What is current is told in any case, and a letter is in every text.
        let echoed = text.len() > 3 && *sent != weak && body.contains(text);
        assert!(!echoed, "the sent tag is in {body}");
    }
    assert_eq!(api.text(1).as_deref(), Some("faster"));
}

#[tokio::test]
async fn the_status_is_the_common_one_or_the_most_telling() {
    let api = api();
    let stale = "\"v0-0123456789abcdef\"";
    let fits = api.tag(4);
    let missing = json!([428, "missing_condition"]);
    let unknown = json!([412, "unknown_tag"]);
    let malformed = json!([400, "malformed_condition"]);
    let absent = json!([404, "absent"]);
    let exists = json!([412, "exists"]);
    for (content, status, expected) in [
        (
            json!([[1, null, ""], [2, null, ""]]),
            428,
            json!([missing, missing]),
        ),
        (
            json!([[1, "bad", ""], [4, fits, ""]]),
            400,
            json!([malformed, null]),
        ),
        (json!([[9, "\"a\"", ""]]), 404, json!([absent])),
        (
            json!([[1, stale, ""], [2, null, ""]]),
            428,
            json!([unknown, missing]),
        ),
        (
            json!([[1, "bad", ""], [2, null, ""], [3, stale, ""]]),
            428,
            json!([malformed, missing, unknown]),
        ),
        (
            json!([[1, stale, ""], [2, "bad", ""]]),
            400,
            json!([unknown, malformed]),
        ),
        (
            json!([[9, "\"a\"", ""], [1, stale, ""]]),
            412,
            json!([absent, unknown]),
        ),
        (json!([[1, null, "", "create"]]), 412, json!([exists])),
    ] {
        let answer = api.send(&content).await;
        assert_eq!(answer.status.as_u16(), status, "{content}");
        assert_eq!(answer.problem()["status"], status);
        assert_eq!(told(&answer), expected, "{content}");
    }
}

#[tokio::test]
async fn what_cannot_be_decided_on_is_refused_as_a_whole() {
    let posts = posts();
    let bulk = layer(&posts).with_max_items(3).with_body_limit(200);
    let api = with(&posts, patch(write_all), bulk);
    let tag = api.tag(1);
    let many: Vec<Value> = (1..=4).map(|id| json!([id, "*", ""])).collect();
    for (content, status, detail) in [
        (
            json!([[1, tag, "a"], [2, "*", "b"], [1, tag, "c"]]),
            400,
            "The items 0 and 2 name",
        ),
        (json!(many), 413, "more than 3 items"),
        (json!([]), 400, "no items"),
        (json!("text"), 400, "The content is an array."),
        (json!([["x"]]), 400, "An entry begins with an id."),
        (
            json!([[1, tag, "x".repeat(200)]]),
            413,
            "larger than this service accepts",
        ),
    ] {
        let answer = api.send(&content).await;
        assert_eq!(answer.status.as_u16(), status, "{content}");
        let problem = answer.problem();
        assert!(
            problem["detail"].as_str().unwrap().contains(detail),
            "{problem}"
        );
        assert_eq!(problem["instance"], "/posts");
        assert_eq!(answer.field(CACHE_CONTROL), Some("no-store"));
    }
    assert_eq!(api.text(1).as_deref(), Some("first 1"));
}

#[tokio::test]
async fn conditions_of_the_request_itself_are_the_collections() {
    let api = api();
    for (value, status) in [("\"any\"", 412), ("*", 412), ("no tag", 400)] {
        let content = json!([[1, api.tag(1), "x"]]).to_string();
        let request = request("PATCH", "/posts").header(IF_MATCH, value);
        let answer = send(&api.app, request.body(Body::from(content)).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{value}");
    }
    assert_eq!(api.text(1).as_deref(), Some("first 1"));
}

/// What a handler does, and what becomes of its success.
#[tokio::test]
async fn a_handler_that_does_not_say_how_it_ended_is_an_error() {
    async fn ignores() {}
    async fn drops(_: ExpectedItems<Posts>) {}
    async fn settles_one(expected: ExpectedItems<Posts>) {
        expected.written(vec![Some(Version::new(1))]);
    }
    async fn asks_for_one(_: Expected<Posts>) {}
    async fn fails(_: ExpectedItems<Posts>) -> StatusCode {
        StatusCode::FORBIDDEN
    }
    async fn writes_nothing(expected: ExpectedItems<Posts>) -> StatusCode {
        assert_eq!(expected.len(), 2);
        expected.unchanged();
        StatusCode::NO_CONTENT
    }
    let unguarded = Some("unguarded_write");
    for (methods, status, reason) in [
        (patch(ignores), 500, unguarded),
        (patch(drops), 500, unguarded),
        (patch(settles_one), 500, unguarded),
        (patch(asks_for_one), 500, None),
        (patch(fails), 403, None),
        (patch(writes_nothing), 204, None),
    ] {
        let posts = posts();
        let api = with(&posts, methods, layer(&posts));
        let content = json!([[1, api.tag(1), "a"], [2, api.tag(2), "b"]]);
        let answer = api.send(&content).await;
        assert_eq!(answer.status.as_u16(), status);
        if let Some(reason) = reason {
            assert_eq!(answer.reason(), reason);
        }
    }
}

#[tokio::test]
async fn an_answer_has_no_single_tag() {
    async fn tags(
        State(posts): State<Posts>,
        expected: ExpectedItems<Posts>,
        content: Json<Vec<Value>>,
    ) -> Result<(HeaderMap, Versioned<&'static str>), Lost> {
        let made = posts.put_all(texts(content), expected)?;
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, "\"mine\"".parse().unwrap());
        Ok((headers, Versioned::new(made[0].clone(), "body")))
    }
    let posts = posts();
    let api = with(&posts, patch(tags), layer(&posts));
    let answer = api.send(&json!([[1, api.tag(1), "a"]])).await;
    assert_eq!((answer.status, answer.etag()), (StatusCode::OK, None));
    assert_eq!(answer.body, b"body");
}

/// A handler that looks away while someone else writes the second of its items.
async fn slow(
    State(posts): State<Posts>,
    expected: ExpectedItems<Posts>,
    content: Json<Vec<Value>>,
) -> Result<ItemTags, Lost> {
    let other = Posts::clone(&posts);
    let current = other.get(&2).unwrap().version().clone();
    let slot = tower_if_match::version_store::handover::Slot::new(
        2,
        tower_if_match::Demand::Version(current),
    );
    other.put("faster".to_owned(), slot.take().unwrap())?;
    posts.put_all(texts(content), expected)?;
    Ok(ItemTags)
}

#[tokio::test]
async fn what_lost_the_race_is_evaluated_afresh() {
    async fn gives_up(expected: ExpectedItems<Posts>) -> Lost {
        expected.lost()
    }
    let posts = posts();
    let api = with(&posts, patch(slow), layer(&posts));
    let answer = api
        .send(&json!([[1, api.tag(1), "a"], [2, api.tag(2), "b"]]))
        .await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(told(&answer), json!([null, [412, "stale_version"]]));
    assert_eq!(api.text(1).as_deref(), Some("first 1"));
    assert_eq!(api.text(2).as_deref(), Some("faster"));

    // Where every condition holds again, nobody knows whose it was.
    let api = with(&posts, patch(gives_up), layer(&posts));
    let answer = api.send(&json!([[1, "*", "a"], [2, "*", "b"]])).await;
    let lost = json!([412, "lost_race"]);
    assert_eq!(told(&answer), json!([lost, lost]));
    assert_eq!(answer.problem()["items"][1]["current_etag"], api.tag(2));
}

#[tokio::test]
async fn the_hook_is_asked_about_each_item_and_its_refusal_tells_nothing() {
    let posts = posts();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let bulk = layer(&posts).with_authorization(
        |head| head.method.clone(),
        move |method, key, version| {
            counted.fetch_add(1, Ordering::SeqCst);
            assert_eq!(
                *method,
                if *key == 9 {
                    Method::PUT
                } else {
                    Method::PATCH
                }
            );
            assert_eq!(version.is_some(), *key < 9);
            match key {
                3 => Err(StatusCode::FORBIDDEN.into()),
                _ => Ok(()),
            }
        },
    );
    let api = with(&posts, patch(write_all), bulk);
    let denied = api
        .send(&json!([[1, "\"stale\"", ""], [3, api.tag(3), ""]]))
        .await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    assert!(denied.body.is_empty());
    asked.store(0, Ordering::SeqCst);
    let content = json!([[1, api.tag(1), "a"], [9, null, "new", "create"]]);
    assert_eq!(api.send(&content).await.status, StatusCode::OK);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn options_reach_the_answer() {
    let posts = posts();
    let tags = TagMint::with_keys("posts", [[7; 32]]);
    let bulk = BulkLayer::new(tags, posts.clone(), items)
        .with_policy(
            Policy::new()
                .with_wildcard_refused()
                .with_creating_methods([Method::PATCH]),
        )
        .with_refusals(
            Refusals::new()
                .with_problem_types("https://example.com/problems")
                .with_noun("post"),
        );
    let api = with(&posts, patch(write_all), bulk);
    let stale = api.tag(1);
    api.posts.create(1, String::new());
    let answer = api.send(&json!([[1, "*", ""], [9, "\"gone\"", ""]])).await;
    let expected = json!([[428, "missing_condition"], [412, "absent"]]);
    assert_eq!(told(&answer), expected);
    let problem = answer.problem();
    let kind = "https://example.com/problems#precondition-required";
    assert_eq!(problem["type"], kind);
    assert_eq!(
        api.send(&json!([[1, stale, "a"]])).await.status,
        StatusCode::OK
    );
    let answer = api.send(&json!([[1, stale, "a"]])).await;
    let detail = "The post changed since the version that If-Match names.";
    assert_eq!(answer.problem()["detail"], detail);
}

#[tokio::test]
async fn a_read_of_the_collection_passes_and_a_second_layer_does_not() {
    let posts = posts();
    let both = get(async || "list").patch(write_all);
    let api = with(&posts, both, layer(&posts));
    let list = send(
        &api.app,
        request("GET", "/posts").body(Body::empty()).unwrap(),
    )
    .await;
    assert_eq!((list.status, list.body), (StatusCode::OK, b"list".to_vec()));

    let twice = patch(write_all).route_layer(layer(&posts));
    let api = with(&posts, twice, layer(&posts));
    let answer = api.send(&json!([[1, api.tag(1), ""]])).await;
    assert_eq!(answer.reason(), "unkeyed");
}

#[tokio::test]
async fn the_refusal_is_in_the_extensions_without_the_tag_of_an_item() {
    let api = api();
    let request = request("PATCH", "/posts").body(Body::from(r#"[[1, null, ""]]"#));
    let response = api.app.clone().oneshot(request.unwrap()).await.unwrap();
    let refusal = response.extensions().get::<Refusal>().unwrap();
    assert_eq!(refusal.reason().as_str(), "missing_condition");
    assert_eq!(refusal.current_tag(), None);
}

/// For an answer of another form than the layer's.
#[tokio::test]
async fn the_owner_writes_the_answer() {
    let posts = posts();
    let bulk = layer(&posts).with_refusals(Refusals::new().with_response(|answer| {
        let refusal = answer.refusal();
        assert_eq!(
            (refusal.current_tag(), refusal.failed_condition()),
            (None, None)
        );
        assert_eq!(refusal.scope(), "posts");
        let method = answer.method().to_string();
        answer.member("sent by", &method).into_response()
    }));
    let api = with(&posts, patch(write_all), bulk);
    let answer = api.send(&json!([[1, null, "x"]])).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_REQUIRED);
    let problem = answer.problem();
    assert_eq!(problem["sent by"], "PATCH");
    assert_eq!(problem["items"][0]["reason"], "missing_condition");

    let text = request("PATCH", "/posts").header("accept", "text/plain");
    let text = text.header(CONTENT_TYPE, "application/json");
    let text = send(&api.app, text.body(Body::from("[[1,null,\"x\"]]")).unwrap()).await;
    assert!(text.body.starts_with(b"428 Precondition Required: "));
}

/// Whose tag it is nobody could tell.
#[tokio::test]
async fn the_short_text_tells_no_tag_of_one_item() {
    let api = api();
    let stale = json!([[1, "\"stale\"", "x"], [2, null, "x"]]);
    let text = request("PATCH", "/posts").header("accept", "text/plain");
    let text = text.header(CONTENT_TYPE, "application/json");
    let answer = send(&api.app, text.body(Body::from(stale.to_string())).unwrap()).await;
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.starts_with("428 "), "{text}");
    assert!(!text.contains("etag") && !text.contains("failed"), "{text}");

    let stale = json!([[1, "\"stale\"", "x"]]);
    let answer = api.send(&stale).await;
    assert_eq!(
        (answer.status, answer.etag()),
        (StatusCode::PRECONDITION_FAILED, None)
    );
}

#[tokio::test]
async fn a_weakened_tag_of_an_item_writes_where_the_owner_accepts_it() {
    let posts = posts();
    let lenient = layer(&posts).with_policy(Policy::new().with_weakened_tags_accepted());
    for (bulk, status) in [
        (layer(&posts), StatusCode::PRECONDITION_FAILED),
        (lenient, StatusCode::OK),
    ] {
        let api = with(&posts, patch(write_all), bulk);
        let weakened = format!("W/{}", api.tag(1));
        let answer = api.send(&json!([[1, weakened, "x"]])).await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn a_handler_mints_the_tags_itself() {
    async fn minting(
        State(posts): State<Posts>,
        Extension(tags): Extension<TagMint<u64>>,
        expected: ExpectedItems<Posts>,
        content: Json<Vec<Value>>,
    ) -> Result<Json<Vec<String>>, Lost> {
        let keys: Vec<u64> = expected.keys().copied().collect();
        let made = posts.put_all(texts(content), expected)?;
        let minted = keys.iter().zip(&made).map(|(key, version)| {
            let tag = tags.tag(key, version).unwrap();
            tag.to_string()
        });
        Ok(Json(minted.collect()))
    }
    let posts = posts();
    let bulk = layer(&posts);
    let methods = patch(minting).layer(Extension(bulk.tags()));
    let api = with(&posts, methods, bulk);
    let answer = api
        .send(&json!([[2, api.tag(2), "b"], [1, api.tag(1), "a"]]))
        .await;
    let tags: Vec<String> = serde_json::from_slice(&answer.body).unwrap();
    for (id, tag) in [2, 1].into_iter().zip(tags) {
        let path = format!("/posts/{id}");
        let single = request("PUT", &path).header(IF_MATCH, tag);
        let single = send(&api.app, single.body(Body::from("again")).unwrap()).await;
        assert_eq!(single.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn any_tower_stack_will_do() {
    async fn handle(
        posts: Posts,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let expected = ExpectedItems::<Posts>::from_extensions(request.extensions()).unwrap();
        let content = request.into_body().collect().await.unwrap().to_bytes();
        assert!(content.starts_with(b"[["), "the content is still there");
        let mut response = Response::new(Full::default());
        if posts.put_all(vec!["second".to_owned()], expected).is_ok() {
            ItemTags::mark(&mut response);
        }
        Ok(response)
    }
    let posts = posts();
    let bulk = layer(&posts);
    let tag = |version: &Version| bulk.tags().tag(&1, version).unwrap().to_string();
    let first = tag(posts.get(&1).unwrap().version());
    let content = json!([[1, first, ""]]).to_string();
    let request = || {
        let body = Full::new(Bytes::from(content.clone()));
        Request::patch("/posts").body(body).unwrap()
    };
    let inner = posts.clone();
    let service = bulk.layer(service_fn(move |request| handle(inner.clone(), request)));
    let answer = Answer::of(service.clone().oneshot(request()).await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    let second = tag(posts.get(&1).unwrap().version());
    assert_eq!(told["items"][0]["etag"], second);
    let answer = Answer::of(service.oneshot(request()).await.unwrap()).await;
    assert_eq!(crate::bulk::told(&answer), json!([[412, "stale_version"]]));
}

/// Of two requests over the same two posts in opposite orders, how many were acknowledged, round by
/// round.
async fn acknowledged(careful: bool) -> Vec<usize> {
    async fn naive(
        State(posts): State<Posts>,
        expected: ExpectedItems<Posts>,
        content: Json<Vec<Value>>,
    ) {
        tokio::task::yield_now().await;
        // What it demands is not looked at: as if only the check in front had been made.
        let keys: Vec<u64> = expected.keys().copied().collect();
        let blind = keys.iter().map(|key| (*key, tower_if_match::Demand::Any));
        let slot = tower_if_match::version_store::handover::Slot::of_items(blind);
        let made = posts.put_all(texts(content), slot.take().unwrap()).unwrap();
        expected.written(made.into_iter().map(Some).collect());
    }
    async fn yields(
        posts: State<Posts>,
        expected: ExpectedItems<Posts>,
        content: Json<Vec<Value>>,
    ) -> Result<ItemTags, Lost> {
        tokio::task::yield_now().await;
        write_all(posts, expected, content).await
    }
    let posts = posts();
    let methods = if careful { patch(yields) } else { patch(naive) };
    let api = with(&posts, methods, layer(&posts));
    let mut acknowledged = Vec::new();
    for round in 0..100 {
        let one = json!([1, api.tag(1), round.to_string()]);
        let two = json!([2, api.tag(2), round.to_string()]);
        let writers = [json!([one, two]), json!([two, one])].map(|content| {
            let app = api.app.clone();
            tokio::spawn(async move { bulk(&app, &content).await })
        });
        let mut succeeded = 0;
        for writer in writers {
            let answer = writer.await.unwrap();
            if answer.status == StatusCode::OK {
                succeeded += 1;
            } else {
                let stale = json!([412, "stale_version"]);
                assert_eq!(told(&answer), json!([stale, stale]));
            }
        }
        acknowledged.push(succeeded);
    }
    acknowledged
}

#[tokio::test]
async fn of_two_in_opposite_orders_one_takes_effect() {
    assert_eq!(acknowledged(true).await, vec![1; 100]);
}

#[tokio::test]
async fn a_naive_handler_behind_the_same_check_acknowledges_both() {
    assert_eq!(acknowledged(false).await, vec![2; 100]);
}

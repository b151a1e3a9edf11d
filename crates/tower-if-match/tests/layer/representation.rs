//! A whole router of blind handlers, guarded from outside: what its writes get.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::{Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use tower::{Layer, Service, ServiceExt};
use tower_if_match::stack::Represented;
use tower_if_match::{Policy, RepresentationLayer};

use crate::posts::Answer;

/// What the blind handlers work on.
#[derive(Clone, Default)]
pub(crate) struct Texts(pub(crate) Arc<Mutex<BTreeMap<u64, String>>>);

impl Texts {
    pub(crate) fn text(&self, id: u64) -> Option<String> {
        self.0.lock().unwrap().get(&id).cloned()
    }

    pub(crate) fn write(&self, id: u64, text: &str) -> Option<String> {
        self.0.lock().unwrap().insert(id, text.to_owned())
    }
}

async fn read(State(texts): State<Texts>, Path(id): Path<u64>) -> Result<String, StatusCode> {
    texts.text(id).ok_or(StatusCode::NOT_FOUND)
}

async fn list(State(texts): State<Texts>) -> String {
    let texts = texts.0.lock().unwrap();
    texts.values().map(String::as_str).collect()
}

/// Reads, thinks, writes: what the layer is to make safe.
async fn replace(State(texts): State<Texts>, Path(id): Path<u64>, text: String) -> StatusCode {
    let _read = texts.text(id);
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    match texts.write(id, &text) {
        Some(_) => StatusCode::OK,
        None => StatusCode::CREATED,
    }
}

async fn append(
    State(texts): State<Texts>,
    Path(id): Path<u64>,
    text: String,
) -> Result<String, StatusCode> {
    let old = texts.text(id).ok_or(StatusCode::NOT_FOUND)?;
    tokio::task::yield_now().await;
    let new = old + &text;
    texts.write(id, &new);
    Ok(new)
}

async fn remove(State(texts): State<Texts>, Path(id): Path<u64>) -> StatusCode {
    match texts.0.lock().unwrap().remove(&id) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}

async fn add(State(texts): State<Texts>, text: String) -> impl IntoResponse {
    texts.write(8, &text);
    (StatusCode::CREATED, [(LOCATION, "/posts/8")])
}

/// The router as it was before anybody thought of versions, with post 7.
pub(crate) fn legacy() -> (Router, Texts) {
    let texts = Texts::default();
    texts.write(7, "first");
    let router = Router::new()
        .route("/posts", get(list).post(add))
        .route(
            "/posts/{id}",
            get(read).put(replace).patch(append).delete(remove),
        )
        .route("/publish", post(async || "published"))
        .with_state(texts.clone());
    (router, texts)
}

pub(crate) fn guard() -> RepresentationLayer {
    RepresentationLayer::new("posts-api")
}

pub(crate) fn guarded() -> (Represented<Router>, Texts) {
    let (router, texts) = legacy();
    (guard().layer(router), texts)
}

/// A request with these fields and this content, and what it was answered.
pub(crate) async fn ask<S>(
    service: &S,
    line: &str,
    fields: &[(&str, &str)],
    content: &str,
) -> Answer
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    let request = request(line, fields, content);
    Answer::of(service.clone().oneshot(request).await.unwrap()).await
}

/// Such as `PUT /posts/7`.
pub(crate) fn request(line: &str, fields: &[(&str, &str)], content: &str) -> Request<Body> {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Body::from(content.to_owned())).unwrap()
}

pub(crate) async fn tag_of<S>(service: &S, path: &str) -> String
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    let answer = ask(service, &format!("GET {path}"), &[], "").await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.etag().unwrap().to_owned()
}

#[tokio::test]
async fn a_write_needs_the_tag_of_what_is_read_and_is_told_the_new_one() {
    let (app, texts) = guarded();
    let first = tag_of(&app, "/posts/7").await;

    let without = ask(&app, "PUT /posts/7", &[], "second").await;
    assert_eq!(without.status, StatusCode::PRECONDITION_REQUIRED);
    let fitting = ask(&app, "PUT /posts/7", &[("if-match", &first)], "second").await;
    assert_eq!(fitting.status, StatusCode::OK);
    let second = tag_of(&app, "/posts/7").await;
    assert_eq!(fitting.etag(), Some(second.as_str()));

    let stale = ask(&app, "PUT /posts/7", &[("if-match", &first)], "third").await;
    assert_eq!(
        (stale.status, stale.reason().as_str(), stale.etag()),
        (
            StatusCode::PRECONDITION_FAILED,
            "stale_version",
            Some(second.as_str())
        )
    );
    assert_eq!(texts.text(7).as_deref(), Some("second"));

    let patched = ask(&app, "PATCH /posts/7", &[("if-match", &second)], "+").await;
    assert_eq!(patched.status, StatusCode::OK);
    assert_eq!(
        patched.etag(),
        Some(tag_of(&app, "/posts/7").await.as_str())
    );
    let malformed = ask(&app, "PUT /posts/7", &[("if-match", "x")], "third").await;
    assert_eq!(malformed.reason(), "malformed_condition");
    assert_eq!(texts.text(7).as_deref(), Some("second+"));
}

#[tokio::test]
async fn what_is_absent_is_created_once_and_removed_once() {
    let (app, texts) = guarded();
    let create = [("if-none-match", "*")];
    let created = ask(&app, "PUT /posts/9", &create, "ninth").await;
    assert_eq!(created.status, StatusCode::CREATED);
    let tag = tag_of(&app, "/posts/9").await;
    assert_eq!(created.etag(), Some(tag.as_str()));
    let again = ask(&app, "PUT /posts/9", &create, "tenth").await;
    assert_eq!(again.reason(), "exists");
    assert_eq!(texts.text(9).as_deref(), Some("ninth"));

    let removed = ask(&app, "DELETE /posts/9", &[("if-match", &tag)], "").await;
    assert_eq!(
        (removed.status, removed.etag()),
        (StatusCode::NO_CONTENT, None)
    );
    assert_eq!(texts.text(9), None);
}

/// Any blind handler may create what is absent, so none of them runs on a condition that is false.
#[tokio::test]
async fn the_check_comes_before_404_and_405() {
    let (app, _) = guarded();
    for method in ["PUT", "PATCH", "DELETE", "POST", "BREW"] {
        let line = format!("{method} /posts/9");
        let absent = ask(&app, &line, &[("if-match", "\"x\"")], "").await;
        assert_eq!(absent.reason(), "absent", "{method}");
        let without = ask(&app, &line, &[], "").await;
        assert_eq!(without.reason(), "missing_condition", "{method}");
    }
    let create = [("if-none-match", "*")];
    let none = ask(&app, "DELETE /posts/9", &create, "").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let tag = tag_of(&app, "/posts/7").await;
    let unknown = ask(&app, "BREW /posts/7", &[("if-match", &tag)], "").await;
    assert_eq!(unknown.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn equal_content_has_an_equal_tag_and_other_targets_have_others() {
    let (app, texts) = guarded();
    let first = tag_of(&app, "/posts/7").await;
    texts.write(7, "second");
    assert_ne!(tag_of(&app, "/posts/7").await, first);
    texts.write(7, "first");
    assert_eq!(tag_of(&app, "/posts/7").await, first);
    let same = ask(&app, "PUT /posts/7", &[("if-match", &first)], "first").await;
    assert_eq!(
        (same.status, same.etag()),
        (StatusCode::OK, Some(first.as_str()))
    );

    texts.write(8, "first");
    let foreign = ask(&app, "PUT /posts/8", &[("if-match", &first)], "x").await;
    assert_eq!(foreign.status, StatusCode::PRECONDITION_FAILED);
    for other in ["/posts/07", "/posts/7?full"] {
        assert_ne!(tag_of(&app, other).await, first, "{other}");
    }
}

#[tokio::test]
async fn a_collection_is_a_resource_and_its_201_has_no_tag_of_it() {
    let (app, _) = guarded();
    let without = ask(&app, "POST /posts", &[], "eighth").await;
    assert_eq!(without.status, StatusCode::PRECONDITION_REQUIRED);
    let tag = tag_of(&app, "/posts").await;
    let created = ask(&app, "POST /posts", &[("if-match", &tag)], "eighth").await;
    assert_eq!(
        (created.status, created.etag()),
        (StatusCode::CREATED, None)
    );
    assert_ne!(tag_of(&app, "/posts").await, tag);

    let (router, _) = legacy();
    let exempt = guard()
        .with_policy(Policy::new().with_condition_exempt(Method::POST))
        .layer(router);
    let created = ask(&exempt, "POST /posts", &[], "eighth").await;
    assert_eq!(
        (created.status, created.etag()),
        (StatusCode::CREATED, None)
    );
    let refused = ask(&exempt, "POST /posts", &[("if-match", &tag)], "").await;
    assert_eq!(refused.reason(), "stale_version", "what is sent is held to");
}

#[tokio::test]
async fn what_cannot_be_read_cannot_be_guarded() {
    let (app, _) = guarded();
    let blind = ask(&app, "POST /publish", &[("if-match", "*")], "").await;
    assert_eq!(
        (blind.status, blind.reason().as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "unkeyed")
    );
    assert_eq!(blind.field(RETRY_AFTER), None, "it will not get better");
    let neither = ask(&app, "PUT /publish", &[("if-match", "*")], "").await;
    assert_eq!(neither.status, StatusCode::METHOD_NOT_ALLOWED);

    let (router, _) = legacy();
    let exempt = guard()
        .with_policy(Policy::new().with_condition_exempt(Method::POST))
        .layer(router);
    let published = ask(&exempt, "POST /publish", &[], "").await;
    assert_eq!(published.body, b"published");
}

#[tokio::test]
async fn a_method_may_go_without_a_condition_and_is_told_the_tag_all_the_same() {
    let (router, _) = legacy();
    let app = guard()
        .with_policy(Policy::new().with_condition_optional(Method::PUT))
        .layer(router);
    let written = ask(&app, "PUT /posts/7", &[], "second").await;
    let tag = tag_of(&app, "/posts/7").await;
    assert_eq!(
        (written.status, written.etag()),
        (StatusCode::OK, Some(tag.as_str()))
    );
}

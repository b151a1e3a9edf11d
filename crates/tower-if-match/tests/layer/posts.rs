//! The smallest API that has everything, and requests to it.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use axum::routing::{MethodRouter, get};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_if_match::{Expected, IfMatchLayer, Lost, MemoryStore, PathKey, Versioned, WriteError};

pub(crate) type Posts = MemoryStore<u64, String>;
pub(crate) type Guard = IfMatchLayer<Posts, PathKey>;

pub(crate) async fn read(
    State(posts): State<Posts>,
    Path(id): Path<u64>,
) -> Result<Versioned<String>, StatusCode> {
    posts.get(&id).ok_or(StatusCode::NOT_FOUND)
}

pub(crate) async fn replace(
    State(posts): State<Posts>,
    expected: Expected<Posts>,
    text: String,
) -> Result<String, Lost> {
    posts.put(text.clone(), expected)?;
    Ok(text)
}

pub(crate) async fn remove(
    State(posts): State<Posts>,
    expected: Expected<Posts>,
) -> Result<StatusCode, WriteError> {
    posts.remove(expected)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Posts with one post, number 7, and a guard for them.
pub(crate) fn posts() -> (Posts, Guard) {
    let posts = Posts::new();
    posts.create(7, "first".to_owned());
    let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
    (posts, guard)
}

pub(crate) fn methods() -> MethodRouter<Posts> {
    get(read).put(replace).delete(remove)
}

pub(crate) fn app(posts: &Posts, guard: Guard) -> Router {
    with_methods(posts, guard, methods())
}

pub(crate) fn with_methods(posts: &Posts, guard: Guard, methods: MethodRouter<Posts>) -> Router {
    Router::new()
        .route("/posts/{id}", methods.route_layer(guard))
        .with_state(posts.clone())
}

/// An answer with its body read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn of<B: axum::body::HttpBody>(response: Response<B>) -> Self
    where
        B::Error: std::fmt::Debug,
    {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) fn field(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn etag(&self) -> Option<&str> {
        self.field(ETAG)
    }

    pub(crate) fn problem(&self) -> serde_json::Value {
        assert_eq!(
            self.field(axum::http::header::CONTENT_TYPE),
            Some("application/problem+json")
        );
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn reason(&self) -> String {
        self.problem()["reason"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    Answer::of(app.clone().oneshot(request).await.unwrap()).await
}

pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path)
}

pub(crate) async fn get_tag(app: &Router) -> String {
    let answer = send(app, request("GET", "/posts/7").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.etag().unwrap().to_owned()
}

pub(crate) async fn put(app: &Router, if_match: &str, text: &str) -> Answer {
    let request = request("PUT", "/posts/7").header(IF_MATCH, if_match);
    send(app, request.body(Body::from(text.to_owned())).unwrap()).await
}

pub(crate) async fn create(app: &Router, path: &str, text: &str) -> Answer {
    let request = request("PUT", path).header(IF_NONE_MATCH, "*");
    send(app, request.body(Body::from(text.to_owned())).unwrap()).await
}

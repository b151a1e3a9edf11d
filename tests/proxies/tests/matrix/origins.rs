//! What stands behind the proxies.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, routing::get};
use posts::store::MemoryPosts;
use serde_json::Value;
use tower_http::compression::CompressionLayer;
use tower_if_match::version_store::Put;
use tower_if_match::{
    Expected, IfMatchLayer, Lost, MemoryStore, PathKey, Policy, Refusals, VariantLayer, Version,
    VersionStore, Versioned,
};

/// A server whose posts are at `/api/posts/{id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Guarded by the layer, encodes nothing.
    Guarded,
    /// The same, and takes a weakened tag for what it was.
    TakesWeakened,
    /// Guarded, and encodes for clients that accept it, with tags of their own for coded bodies.
    Encodes,
    /// The example, which reads what is left of a refused request's body.
    Posts,
    /// Compares tags byte by byte in its handlers, as is done by hand.
    Naive,
}

impl Origin {
    /// Those that the document shows, with a title and a sentence.
    pub(crate) const SHOWN: [(Self, &str, &str); 4] = [
        (
            Self::Guarded,
            "The origin does not encode",
            "A tag that a proxy gave a suffix still names the state that was read, so it writes. A weakened \
             one is refused, because with RFC 9110 §13.1.1 no weak tag satisfies If-Match, and the reason \
             says so. Its client reads again with `Accept-Encoding: identity`, and gets `\"v\"` everywhere.",
        ),
        (
            Self::TakesWeakened,
            "The origin does not encode, and takes weakened tags",
            "`Policy::with_weakened_tags_accepted`, for services whose proxies cannot be changed.",
        ),
        (
            Self::Encodes,
            "The origin encodes",
            "`CompressionLayer` within `VariantLayer`. No proxy encodes again what is encoded, so none \
             touches a tag: where that is possible it is the best set-up.",
        ),
        (
            Self::Naive,
            "The origin compares bytes",
            "What handlers do by hand, without the layer. Nothing that a proxy changed ever writes, and the \
             client cannot tell that from a conflict.",
        ),
    ];

    /// Serves it until the test's runtime ends.
    pub(crate) async fn serve(self) -> SocketAddr {
        let app = match self {
            Self::Guarded => guarded(|guard| guard),
            Self::TakesWeakened => {
                guarded(|guard| guard.with_policy(Policy::new().with_weakened_tags_accepted()))
            }
            // The last one is the outermost.
            Self::Encodes => guarded(|guard| guard)
                .layer(CompressionLayer::new())
                .layer(VariantLayer::new()),
            Self::Posts => posts::app(MemoryPosts::new()),
            Self::Naive => naive(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, app).into_future());
        addr
    }
}

type Posts = MemoryStore<u64, Value>;
type Guard = IfMatchLayer<Posts, PathKey>;

fn guarded(change: impl FnOnce(Guard) -> Guard) -> Router {
    let posts = Posts::new();
    let guard = change(IfMatchLayer::new("posts", posts.clone(), PathKey));
    let away = IfMatchLayer::new("posts", Away, PathKey)
        .with_refusals(Refusals::new().with_retry_after(7));
    Router::new()
        .route("/api/posts/{id}", get(read).put(replace).route_layer(guard))
        .route(
            "/away/{id}",
            get(StatusCode::NO_CONTENT)
                .put(StatusCode::NO_CONTENT)
                .route_layer(away),
        )
        .with_state(posts)
}

async fn read(
    State(posts): State<Posts>,
    Path(id): Path<u64>,
) -> Result<Versioned<Json<Value>>, StatusCode> {
    let post = posts.get(&id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(post.map(Json))
}

async fn replace(
    State(posts): State<Posts>,
    expected: Expected<Posts>,
    Json(post): Json<Value>,
) -> Result<(StatusCode, Json<Value>), Lost> {
    let status = match posts.put(post.clone(), expected)? {
        Put::Created(_) => StatusCode::CREATED,
        Put::Replaced(_) => StatusCode::OK,
    };
    Ok((status, Json(post)))
}

/// A store that cannot be reached.
#[derive(Clone, Debug)]
struct Away;

impl VersionStore for Away {
    type Key = u64;
    type Revision = u64;
    type Error = std::io::Error;

    async fn current(&self, _key: &u64) -> Result<Option<Version>, std::io::Error> {
        Err(std::io::ErrorKind::ConnectionRefused.into())
    }
}

type Rows = Arc<Mutex<HashMap<u64, (u64, Value)>>>;

fn naive() -> Router {
    Router::new()
        .route("/api/posts/{id}", get(naive_read).put(naive_replace))
        .with_state(Rows::default())
}

fn naive_tag(version: u64) -> String {
    format!("\"v{version}\"")
}

async fn naive_read(
    State(rows): State<Rows>,
    Path(id): Path<u64>,
    fields: HeaderMap,
) -> Result<Response, StatusCode> {
    let rows = rows.lock().unwrap();
    let (version, post) = rows.get(&id).ok_or(StatusCode::NOT_FOUND)?;
    let tag = naive_tag(*version);
    let sent = fields.get(header::IF_NONE_MATCH);
    if sent.is_some_and(|sent| sent.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag)], Json(post)).into_response())
}

async fn naive_replace(
    State(rows): State<Rows>,
    Path(id): Path<u64>,
    fields: HeaderMap,
    Json(post): Json<Value>,
) -> Result<Response, StatusCode> {
    let mut rows = rows.lock().unwrap();
    let version = rows.get(&id).map(|(version, _)| *version);
    let wanted = version.map(naive_tag);
    let sent = fields.get(header::IF_MATCH).map(HeaderValue::as_bytes);
    if sent != wanted.as_deref().map(str::as_bytes) {
        return Err(StatusCode::PRECONDITION_FAILED);
    }
    let next = version.unwrap_or_default() + 1;
    rows.insert(id, (next, post.clone()));
    let status = match version {
        None => StatusCode::CREATED,
        Some(_) => StatusCode::OK,
    };
    Ok((status, [(header::ETAG, naive_tag(next))], Json(post)).into_response())
}

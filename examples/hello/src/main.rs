//! The smallest guarded resource: posts in memory, each read with its tag and written under it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing::get};
use serde::{Deserialize, Serialize};
use tower_if_match::version_store::Put;
use tower_if_match::{Expected, IfMatchLayer, Lost, MemoryStore, PathKey, Versioned};

#[derive(Clone, Serialize, Deserialize)]
struct Post {
    title: String,
}

type Posts = MemoryStore<u64, Post>;

async fn read(
    State(posts): State<Posts>,
    Path(id): Path<u64>,
) -> Result<Versioned<Json<Post>>, StatusCode> {
    let post = posts.get(&id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(post.map(Json)) // the layer makes the ETag of the version that came with the post
}

async fn replace(
    State(posts): State<Posts>,
    expected: Expected<Posts>, // what If-Match demands of the stored version
    Json(post): Json<Post>,
) -> Result<(StatusCode, Json<Post>), Lost> {
    // One atomic step; lost if someone was faster.
    let status = match posts.put(post.clone(), expected)? {
        Put::Created(_) => StatusCode::CREATED,
        Put::Replaced(_) => StatusCode::OK,
    };
    Ok((status, Json(post))) // the layer sets the new ETag
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let posts = Posts::new();
    let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
    let app = Router::new()
        .route("/posts/{id}", get(read).put(replace).route_layer(guard))
        .with_state(posts);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

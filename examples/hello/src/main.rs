//! The smallest guarded resource: notes in memory, each read with its tag and written under it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing::get};
use tower_if_match::{Expected, IfMatchLayer, Lost, MemoryStore, PathKey, Versioned};

type Notes = MemoryStore<u64, String>;

async fn read(
    State(notes): State<Notes>,
    Path(id): Path<u64>,
) -> Result<Versioned<Json<String>>, StatusCode> {
    let note = notes.get(&id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(note.map(Json)) // the layer makes the ETag of the note's version
}

async fn write(
    State(notes): State<Notes>,
    expected: Expected<Notes>, // what If-Match demands; hopeless requests never get here
    Json(text): Json<String>,
) -> Result<Json<String>, Lost> {
    notes.put(text.clone(), expected)?; // one atomic step; lost if someone was faster
    Ok(Json(text)) // the layer sets the new ETag
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let notes = Notes::new();
    let guard = IfMatchLayer::new("notes", notes.clone(), PathKey);
    let app = Router::new()
        .route("/notes/{id}", get(read).put(write).route_layer(guard))
        .with_state(notes);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

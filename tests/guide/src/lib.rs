//! The code in the guides under `docs`, run as it stands there. What their blocks share is here: a table
//! in a file that is thrown away, and requests to an app.

use axum::Router;
use axum::body::Body;
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderName, Request, StatusCode};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use tempfile::TempDir;
use tower::ServiceExt;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/closing-the-race.md")]
mod closing_the_race {}

/// A new SQLite file with the table `posts (id, title)` and no rows. It goes with the folder.
///
/// # Panics
///
/// Where there is no room for a file.
pub async fn posts_table() -> (SqlitePool, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("posts.db"))
        .journal_mode(SqliteJournalMode::Wal)
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.expect("a file");
    sqlx::query("CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL)")
        .execute(&pool)
        .await
        .expect("a table");
    (pool, folder)
}

/// The status of the answer, and its tag.
pub type Answer = (StatusCode, Option<String>);

/// Reads.
///
/// # Panics
///
/// Where the app does.
pub async fn get(app: &Router, path: &str) -> Answer {
    send(app, "GET", path, None, "").await
}

/// Creates what is absent.
///
/// # Panics
///
/// Where the app does.
pub async fn create(app: &Router, path: &str, content: &str) -> Answer {
    send(app, "PUT", path, Some((IF_NONE_MATCH, "*")), content).await
}

/// Replaces the version that this tag names.
///
/// # Panics
///
/// Where the app does.
pub async fn put(app: &Router, path: &str, tag: &str, content: &str) -> Answer {
    send(app, "PUT", path, Some((IF_MATCH, tag)), content).await
}

/// Lets sixteen clients replace one version at once, and asserts that one of them did.
///
/// # Panics
///
/// Where none did, or several.
pub async fn one_of_sixteen(app: &Router, path: &str, content: &str) {
    let (_, tag) = get(app, path).await;
    let tag = tag.expect("a tag to write with");
    let writers: Vec<_> = (0..16)
        .map(|_| {
            let (app, path, tag) = (app.clone(), path.to_owned(), tag.clone());
            let content = content.to_owned();
            tokio::spawn(async move { put(&app, &path, &tag, &content).await.0 })
        })
        .collect();
    let mut succeeded = 0;
    for writer in writers {
        let status = writer.await.expect("a writer does not panic");
        assert!(
            status.is_success() || status == StatusCode::PRECONDITION_FAILED,
            "{status}"
        );
        succeeded += usize::from(status.is_success());
    }
    assert_eq!(succeeded, 1, "of sixteen writes on one version");
}

async fn send(
    app: &Router,
    method: &str,
    path: &str,
    condition: Option<(HeaderName, &str)>,
    content: &str,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some((name, value)) = condition {
        request = request.header(name, value);
    }
    let request = request
        .body(Body::from(content.to_owned()))
        .expect("a request");
    let answer = app.clone().oneshot(request).await.expect("infallible");
    let tag = answer.headers().get(ETAG);
    let tag = tag.map(|tag| tag.to_str().expect("a tag of ASCII").to_owned());
    (answer.status(), tag)
}

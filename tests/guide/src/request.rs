//! Requests to an app, without a network.

use axum::Router;
use axum::body::Body;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// The status of the answer, and its tag.
pub type Answer = (StatusCode, Option<String>);

/// All of an answer.
#[derive(Debug)]
pub struct Told {
    /// Its status.
    pub status: u16,
    /// Its fields.
    pub fields: HeaderMap,
    /// Its body.
    pub content: String,
}

impl Told {
    /// The value of this field, or nothing.
    ///
    /// # Panics
    ///
    /// Where it is not ASCII.
    pub fn field(&self, name: &str) -> &str {
        let field = self.fields.get(name);
        field.map_or("", |field| field.to_str().expect("ASCII"))
    }

    /// The tag.
    pub fn tag(&self) -> &str {
        self.field("etag")
    }

    /// The body, where it is JSON, else null.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.content).unwrap_or_default()
    }

    /// The status, and behind it the reason where there is one: `412 stale_version`.
    pub fn in_short(&self) -> String {
        match self.json()["reason"].as_str() {
            Some(reason) => format!("{} {reason}", self.status),
            None => self.status.to_string(),
        }
    }
}

/// Sends `PUT /posts/7` with these fields and this body.
///
/// # Panics
///
/// Where the app does, or if this is no request.
pub async fn ask(app: &Router, line: &str, fields: &[(&str, &str)], content: &str) -> Told {
    let (method, path) = line.split_once(' ').expect("method and path");
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(
            *name,
            HeaderValue::from_bytes(value.as_bytes()).expect("a value"),
        );
    }
    let request = request
        .body(Body::from(content.to_owned()))
        .expect("a request");
    let answer = app.clone().oneshot(request).await.expect("infallible");
    let (head, body) = answer.into_parts();
    let content = body.collect().await.expect("a whole body").to_bytes();
    Told {
        status: head.status.as_u16(),
        fields: head.headers,
        content: String::from_utf8_lossy(&content).into_owned(),
    }
}

/// As [`ask`], and gives [`Told::in_short`].
///
/// # Panics
///
/// As [`ask`].
pub async fn says(app: &Router, line: &str, fields: &[(&str, &str)], content: &str) -> String {
    ask(app, line, fields, content).await.in_short()
}

/// Reads.
///
/// # Panics
///
/// Where the app does.
pub async fn get(app: &Router, path: &str) -> Answer {
    send(app, "GET", path, &[], "").await
}

/// Creates what is absent.
///
/// # Panics
///
/// Where the app does.
pub async fn create(app: &Router, path: &str, content: &str) -> Answer {
    send(app, "PUT", path, &[("If-None-Match", "*")], content).await
}

/// Replaces the version that this tag names.
///
/// # Panics
///
/// Where the app does.
pub async fn put(app: &Router, path: &str, tag: &str, content: &str) -> Answer {
    send(app, "PUT", path, &[("If-Match", tag)], content).await
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
    fields: &[(&str, &str)],
    content: &str,
) -> Answer {
    let told = ask(app, &format!("{method} {path}"), fields, content).await;
    let status = StatusCode::from_u16(told.status).expect("a status");
    let tag = told
        .fields
        .contains_key(ETAG)
        .then(|| told.tag().to_owned());
    (status, tag)
}

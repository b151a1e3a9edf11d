//! The program, started on a port and a store of its own, and what the tests send to it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;
use wire::{Body, Connection, Request, Response, Server};

pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";

const FILE: &str = "posts.db";

/// A running server, with the directory of its file if it has one.
pub(crate) struct Api {
    pub(crate) server: Server,
    directory: Option<TempDir>,
}

impl Api {
    pub(crate) async fn in_memory() -> Self {
        Self {
            server: spawn("memory:").await,
            directory: None,
        }
    }

    pub(crate) async fn on_sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = spawn(&url(directory.path())).await;
        Self {
            server,
            directory: Some(directory),
        }
    }

    /// The URL of the store on SQLite.
    pub(crate) fn store(&self) -> String {
        url(self.directory.as_ref().unwrap().path())
    }

    /// A connection of another writer to the file.
    pub(crate) async fn file(&self) -> SqliteConnection {
        SqliteConnectOptions::new()
            .filename(self.directory.as_ref().unwrap().path().join(FILE))
            .connect()
            .await
            .unwrap()
    }

    /// The same program on a new store, after the old one was deleted.
    pub(crate) async fn anew(mut self) -> Self {
        self.server.kill9().await.unwrap();
        match &mut self.directory {
            Some(directory) => {
                for file in std::fs::read_dir(directory.path()).unwrap() {
                    std::fs::remove_file(file.unwrap().path()).unwrap();
                }
                self.server = spawn(&url(directory.path())).await;
            }
            None => self.server = spawn("memory:").await,
        }
        self
    }

    /// The same store after a crash.
    pub(crate) async fn restarted(mut self) -> Self {
        self.server.kill9().await.unwrap();
        self.server = spawn(&self.store()).await;
        self
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.server.addr()).await.unwrap()
    }

    /// Sends a request on a connection of its own.
    pub(crate) async fn send(&self, request: &Request) -> Response {
        self.connect().await.send(request).await.unwrap()
    }

    pub(crate) async fn get(&self, target: &str) -> Response {
        self.send(&Request::new("GET", target)).await
    }

    /// Adds a post and returns its target and tag.
    pub(crate) async fn post(&self, json: &str) -> (String, String) {
        let created = self
            .send(&Request::new("POST", "/api/posts").json(json))
            .await;
        assert_eq!(created.status(), 201, "{}", created.text());
        (
            created.header("location").unwrap().to_owned(),
            tag(&created),
        )
    }

    /// Replaces a post and returns its new tag.
    pub(crate) async fn put(&self, target: &str, tag_held: &str, json: &str) -> String {
        let replaced = self
            .send(&put(target, json).field("If-Match", tag_held))
            .await;
        assert_eq!(replaced.status(), 200, "{}", replaced.text());
        tag(&replaced)
    }

    pub(crate) async fn delete(&self, target: &str) {
        let deleted = self
            .send(&Request::new("DELETE", target).field("If-Match", "*"))
            .await;
        assert_eq!(deleted.status(), 204, "{}", deleted.text());
    }

    /// Creates a post under an id of the client's choice and returns its tag.
    pub(crate) async fn create(&self, target: &str, json: &str) -> String {
        let created = self
            .send(&put(target, json).field("If-None-Match", "*"))
            .await;
        assert_eq!(created.status(), 201, "{}", created.text());
        tag(&created)
    }
}

pub(crate) async fn spawn(store: &str) -> Server {
    Server::spawn(command(["--listen", "127.0.0.1:0", "--store", store]))
        .await
        .unwrap()
}

pub(crate) fn command<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posts"));
    command.args(arguments).env_remove("RUST_LOG");
    command
}

fn url(directory: &Path) -> String {
    format!("sqlite:{}", directory.join(FILE).display())
}

pub(crate) fn put(target: &str, json: &str) -> Request {
    Request::new("PUT", target).json(json)
}

pub(crate) fn patch(target: &str, json: &str) -> Request {
    let content = Body::Sized(json.as_bytes().to_vec());
    Request::new("PATCH", target)
        .field("Content-Type", MERGE_PATCH)
        .body(content)
}

/// The strong tag of an answer.
pub(crate) fn tag(answer: &Response) -> String {
    let tag = answer.header("etag").expect("an entity tag").to_owned();
    assert!(
        tag.starts_with('"') && tag.ends_with('"'),
        "{tag} is no strong tag"
    );
    tag
}

/// The problem document of a refusal, after everything that all of them share was checked.
pub(crate) fn problem(answer: &Response, status: u16, error: &str) -> Value {
    assert_eq!(answer.status(), status, "{}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let problem = answer.json().unwrap();
    assert_eq!(problem["status"], status, "{problem}");
    assert_eq!(problem["error"], error, "{problem}");
    assert_eq!(
        problem["request_id"].as_str(),
        answer.header("x-request-id"),
        "{problem}"
    );
    for member in ["type", "title", "detail", "instance"] {
        assert!(
            problem[member].is_string(),
            "{member} is missing: {problem}"
        );
    }
    problem
}

//! The program, started on a port and a store of its own, and what the tests send to it.

use std::process::Command;

use serde_json::Value;
use services::Database;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection as _, PgConnection};
use tempfile::TempDir;
use wire::{Body, Connection, Request, Response, Server};

pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";

const FILE: &str = "posts.db";

/// A running server, with what its store is kept in.
pub(crate) struct Api {
    pub(crate) server: Server,
    kept: Kept,
    strategy: &'static str,
}

enum Kept {
    Nowhere,
    File(TempDir),
    Database(Database),
}

const COMPARE_AND_SWAP: &str = "compare-and-swap";
const TRANSACTION: &str = "transaction";

impl Api {
    pub(crate) async fn in_memory() -> Option<Self> {
        Some(Self::on(Kept::Nowhere, COMPARE_AND_SWAP).await)
    }

    pub(crate) async fn on_sqlite() -> Option<Self> {
        let kept = Kept::File(tempfile::tempdir().unwrap());
        Some(Self::on(kept, COMPARE_AND_SWAP).await)
    }

    pub(crate) async fn on_sqlite_in_transactions() -> Option<Self> {
        let kept = Kept::File(tempfile::tempdir().unwrap());
        Some(Self::on(kept, TRANSACTION).await)
    }

    /// `None` where PostgreSQL is not installed; that is printed.
    pub(crate) async fn on_postgres() -> Option<Self> {
        let kept = Kept::Database(services::postgres().await?);
        Some(Self::on(kept, COMPARE_AND_SWAP).await)
    }

    /// As [`on_postgres`](Self::on_postgres).
    pub(crate) async fn on_postgres_in_transactions() -> Option<Self> {
        let kept = Kept::Database(services::postgres().await?);
        Some(Self::on(kept, TRANSACTION).await)
    }

    /// On a database of the caller's own server.
    pub(crate) async fn on_database(database: Database, in_transactions: bool) -> Self {
        let strategy = if in_transactions {
            TRANSACTION
        } else {
            COMPARE_AND_SWAP
        };
        Self::on(Kept::Database(database), strategy).await
    }

    async fn on(kept: Kept, strategy: &'static str) -> Self {
        let server = spawn_with(&kept.url(), strategy).await;
        Self {
            server,
            kept,
            strategy,
        }
    }

    pub(crate) fn is_in_transactions(&self) -> bool {
        self.strategy == TRANSACTION
    }

    /// The URL of the store.
    pub(crate) fn store(&self) -> String {
        self.kept.url()
    }

    /// A connection of another writer to the file.
    pub(crate) async fn file(&self) -> SqliteConnection {
        let Kept::File(directory) = &self.kept else {
            panic!("the store is no file");
        };
        SqliteConnectOptions::new()
            .filename(directory.path().join(FILE))
            .connect()
            .await
            .unwrap()
    }

    /// A connection of another writer to the database.
    pub(crate) async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.store()).await.unwrap()
    }

    /// Another process on the same store.
    pub(crate) async fn another(&self) -> Server {
        spawn_with(&self.store(), self.strategy).await
    }

    /// The same program on a new store, after the old one was deleted.
    pub(crate) async fn anew(mut self) -> Self {
        self.server.kill9().await.unwrap();
        self.kept = match self.kept {
            Kept::Nowhere => Kept::Nowhere,
            Kept::File(_) => Kept::File(tempfile::tempdir().unwrap()),
            Kept::Database(_) => Kept::Database(services::postgres().await.unwrap()),
        };
        Self::on(self.kept, self.strategy).await
    }

    /// The same store after a crash.
    pub(crate) async fn restarted(mut self) -> Self {
        self.server.kill9().await.unwrap();
        self.server = self.another().await;
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

impl Kept {
    fn url(&self) -> String {
        match self {
            Self::Nowhere => "memory:".to_owned(),
            Self::File(directory) => format!("sqlite:{}", directory.path().join(FILE).display()),
            Self::Database(database) => database.url().to_owned(),
        }
    }
}

pub(crate) async fn spawn(store: &str) -> Server {
    spawn_with(store, COMPARE_AND_SWAP).await
}

async fn spawn_with(store: &str, strategy: &str) -> Server {
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--store",
        store,
        "--strategy",
        strategy,
    ];
    Server::spawn(command(arguments)).await.unwrap()
}

pub(crate) fn command<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posts"));
    command.args(arguments).env_remove("RUST_LOG");
    command
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

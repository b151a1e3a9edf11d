//! What the program counts, as it serves it at `/metrics`: that it is what `docs/observability` describes,
//! that every request is counted for what became of it, and that no client can make the number of
//! series grow.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bound;
mod counting;
mod documented;
mod recorder;

use std::process::Command;

use observability::Exposition;
use wire::{Body, Connection, Request, Response, Server};

/// The program, and a connection to it that is kept as long as it goes.
struct Api {
    server: Server,
    connection: Connection,
}

impl Api {
    async fn in_memory() -> Self {
        Self::on("memory:", "compare-and-swap").await
    }

    async fn on(store: &str, strategy: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_posts"));
        command
            .args([
                "--listen",
                "127.0.0.1:0",
                "--store",
                store,
                "--strategy",
                strategy,
            ])
            .env("RUST_LOG", "error");
        let server = Server::spawn(command).await.unwrap();
        let connection = Connection::open(server.addr()).await.unwrap();
        Self { server, connection }
    }

    async fn send(&mut self, request: &Request) -> Response {
        if !self.connection.is_reusable() {
            self.connection = Connection::open(self.server.addr()).await.unwrap();
        }
        self.connection.send(request).await.unwrap()
    }

    /// Adds a post; its target and its tag.
    async fn post(&mut self) -> (String, String) {
        let added = self
            .send(&Request::new("POST", "/api/posts").json(r#"{"title":"a"}"#))
            .await;
        assert_eq!(added.status(), 201, "{}", added.text());
        let field = |name| added.header(name).unwrap().to_owned();
        (field("location"), field("etag"))
    }

    /// What `/metrics` serves.
    async fn text(&mut self) -> String {
        let served = self.send(&Request::new("GET", "/metrics")).await;
        assert_eq!(served.status(), 200);
        served.text()
    }

    async fn exposition(&mut self) -> Exposition {
        Exposition::parse(&self.text().await)
    }
}

fn put(target: &str) -> Request {
    Request::new("PUT", target).json(r#"{"title":"b"}"#)
}

fn patch(target: &str) -> Request {
    Request::new("PATCH", target)
        .field("Content-Type", "application/merge-patch+json")
        .body(Body::Sized(br#"{"title":"c"}"#.to_vec()))
}

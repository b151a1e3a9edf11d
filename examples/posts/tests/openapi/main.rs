//! The API's description: whether it is valid, whether the page of it needs no network, and whether the program
//! keeps what it says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod document;
mod page;
mod run;
mod schemathesis;

use std::process::Command;

use wire::{Connection, Request, Response, Server};

/// The program on a store of its own, which makes each write conditional.
async fn serve(store: &str) -> Server {
    serve_by("compare-and-swap", store).await
}

/// The program on a store of its own, with this strategy.
async fn serve_by(strategy: &str, store: &str) -> Server {
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
    Server::spawn(command).await.unwrap()
}

async fn get(server: &Server, target: &str) -> Response {
    let mut connection = Connection::open(server.addr()).await.unwrap();
    let answer = connection.send(&Request::new("GET", target)).await;
    answer.unwrap()
}

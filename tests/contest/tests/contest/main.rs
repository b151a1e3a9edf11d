//! The campaign in its short form, and what else can go wrong between real clients, real servers and
//! real databases. Each test has its negative control.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod cells;
mod creators;
mod isolation;
mod pools;
mod slow_uploader;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use contest::campaign::{Campaign, Program};
use contest::rows::Posted;
use services::Database;
use sqlx::{MySql, Postgres, Sqlite};
use wire::{Connection, Request, Response};

/// The server that was built with these tests.
fn program() -> Program {
    Program {
        path: env!("CARGO_BIN_EXE_contest-server").into(),
        arguments: Vec::new(),
    }
}

fn campaign(attempts: u64, kills: u64) -> Campaign {
    Campaign {
        deadline: Duration::from_mins(2),
        ..Campaign::new(program(), attempts, kills)
    }
}

/// Serves in this process, so that a test can look inside.
async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    addr
}

/// A database with an empty table of posts, that ends with this value.
struct Prepared {
    url: String,
    _folder: Option<tempfile::TempDir>,
    _database: Option<Database>,
}

/// A kind of database, and how to get one of it.
trait Available: Posted {
    async fn fresh() -> Option<Prepared>;
}

impl Available for Sqlite {
    async fn fresh() -> Option<Prepared> {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("posts.db").display());
        Self::prepare(&url).await.unwrap();
        Some(Prepared {
            url,
            _folder: Some(folder),
            _database: None,
        })
    }
}

impl Available for Postgres {
    async fn fresh() -> Option<Prepared> {
        on_a_server::<Self>(services::postgres().await?).await
    }
}

impl Available for MySql {
    async fn fresh() -> Option<Prepared> {
        on_a_server::<Self>(services::mariadb().await?).await
    }
}

async fn on_a_server<D: Posted>(database: Database) -> Option<Prepared> {
    D::prepare(database.url()).await.unwrap();
    Some(Prepared {
        url: database.url().to_owned(),
        _folder: None,
        _database: Some(database),
    })
}

fn put(id: u64, text: &str) -> Request {
    Request::new("PUT", format!("/api/posts/{id}"))
        .json(format!(r#"{{"title":"{text}","content":"{text}"}}"#))
}

fn create(id: u64, text: &str) -> Request {
    put(id, text).field("If-None-Match", "*")
}

async fn send(addr: SocketAddr, request: &Request) -> Response {
    let mut connection = Connection::open(addr).await.unwrap();
    connection.send(request).await.unwrap()
}

/// The present tag of a post.
async fn tag(addr: SocketAddr, id: u64) -> String {
    let read = send(addr, &Request::new("GET", format!("/api/posts/{id}"))).await;
    assert_eq!(read.status(), 200, "{}", read.text());
    read.header("etag").unwrap().to_owned()
}

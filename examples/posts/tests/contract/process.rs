//! The program: how it starts, and how it ends.

use std::process::Output;
use std::time::Duration;

use wire::{Connection, Request, Server};

use crate::api::{Api, command, put, spawn};

on_every_store!(idle_connections_end_at_once, a_running_request_ends_first);

/// Of half of [`a_running_request_ends_first`]'s patience: what idles may not be waited for.
const AT_ONCE: Duration = Duration::from_secs(10);

async fn idle_connections_end_at_once(mut api: Api) {
    let mut silent = api.connect().await;
    let mut idle = api.connect().await;
    let read = idle.send(&Request::new("GET", "/healthz")).await.unwrap();
    assert!(read.status() == 200 && idle.is_reusable());

    api.server.terminate().unwrap();
    let ended = api.server.wait_within(AT_ONCE).await.unwrap();
    assert!(ended.success(), "{ended}");
    silent.closed().await.unwrap();
    idle.closed().await.unwrap();
}

async fn a_running_request_ends_first(mut api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let write = put(&target, r#"{"title":"b"}"#).field("If-Match", held);
    let bytes = write.bytes();
    let (most, rest) = bytes.split_at(bytes.len() - 1);
    let mut running = api.connect().await;
    running.write_bytes(most).await.unwrap();
    // The answer to a request that came later on another connection: the first has begun by now.
    assert_eq!(api.get("/healthz").await.status(), 200);

    let addr = api.server.addr();
    api.server.terminate().unwrap();
    refuses_connections(addr).await;
    running.write_bytes(rest).await.unwrap();
    let answer = running.read("PUT").await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert!(api.server.wait_within(AT_ONCE).await.unwrap().success());
}

/// Waits until the listener is closed.
async fn refuses_connections(addr: std::net::SocketAddr) {
    let refused = async { while Connection::open(addr).await.is_ok() {} };
    tokio::time::timeout(AT_ONCE, refused)
        .await
        .expect("the listener should be closed");
}

#[tokio::test]
async fn one_line_says_where_it_listens() {
    let mut server = spawn("memory:").await;
    assert!(server.addr().ip().is_loopback() && server.addr().port() != 0);
    server.terminate().unwrap();
    assert!(server.wait().await.unwrap().success());
    assert_eq!(server.stdout(), "", "nothing follows the announcement");
}

fn run<const N: usize>(arguments: [&str; N]) -> (Output, String) {
    let output = command(arguments).output().unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    (output, stderr)
}

#[test]
fn a_store_that_cannot_be_opened_is_one_line() {
    for (store, named) in [
        (
            "sqlite:/nonexistent/posts.db",
            "sqlite:/nonexistent/posts.db",
        ),
        ("sqlite:/", "sqlite:/"),
        ("sqlite:", "sqlite:"),
        (
            "postgres://ada:s3cret@localhost/posts",
            "postgres://ada:***@localhost/posts",
        ),
        ("redis://:s3cret@localhost", "redis://:***@localhost"),
        ("elsewhere:x", "elsewhere:x"),
        ("posts.db", "posts.db"),
    ] {
        let (output, stderr) = run(["--listen", "127.0.0.1:0", "--store", store]);
        assert_eq!(output.status.code(), Some(1), "{store}");
        assert_eq!(output.stdout, b"", "{store}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.contains(named) && !stderr.contains("s3cret"),
            "{stderr}"
        );
    }
}

#[test]
fn transactions_in_memory_are_one_line() {
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--store",
        "memory:",
        "--strategy",
        "transaction",
    ];
    let (output, stderr) = run(arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr.lines().count() == 1 && stderr.contains("memory:"),
        "{stderr}"
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_one_line() {
    let server = spawn("memory:").await;
    let addr = server.addr().to_string();
    let (output, stderr) = run(["--listen", &addr, "--store", "memory:"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr.lines().count() == 1 && stderr.contains(&addr),
        "{stderr}"
    );
}

#[test]
fn help_names_the_options() {
    let (output, _) = run(["--help"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for named in [
        "--listen",
        "127.0.0.1:3000",
        "--store",
        "sqlite:posts.db",
        "postgres://",
        "--strategy",
        "compare-and-swap",
        "transaction",
    ] {
        assert!(text.contains(named), "{text}");
    }
}

#[tokio::test]
async fn the_default_store_is_a_file_in_the_working_directory() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = command(["--listen", "127.0.0.1:0"]);
    command.current_dir(directory.path());
    let _server = Server::spawn(command).await.unwrap();
    assert!(directory.path().join("posts.db").is_file());
}

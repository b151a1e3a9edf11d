//! The origin as a tool: what its control takes, what it counts, and how it ends.

#![allow(clippy::unwrap_used)] // That is how a test fails.

use serde_json::{Value, json};
use tokio::process::Command;
use wire::{Body, Connection, Request, Response, Server};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_conformance-origin"))
}

async fn origin() -> Server {
    Server::spawn(program()).await.unwrap()
}

async fn send(origin: &Server, request: &Request) -> Response {
    Connection::open(origin.addr())
        .await
        .unwrap()
        .send(request)
        .await
        .unwrap()
}

async fn set(origin: &Server, state: &Value) {
    let request = Request::new("PUT", "/_control/a").json(state.to_string());
    let answer = send(origin, &request).await;
    assert_eq!(answer.status(), 204, "{}", answer.text());
}

/// Runs and reads since the state was set.
async fn counts(origin: &Server) -> (u64, u64) {
    let answer = send(origin, &Request::new("GET", "/_control/a")).await;
    let counts = answer.json().unwrap();
    (
        counts["runs"].as_u64().unwrap(),
        counts["polled"].as_u64().unwrap(),
    )
}

fn existing() -> Value {
    json!({"resource": {"exists": true, "etag": "\"v1\""}})
}

#[tokio::test]
async fn a_message_that_is_no_state_is_refused_and_the_state_stays() {
    let origin = origin().await;
    set(&origin, &existing()).await;
    for wrong in [
        "",
        "{",
        "{}",
        r#"{"resource": {"exists": true, "etag": "v2"}}"#,
    ] {
        let answer = send(&origin, &Request::new("PUT", "/_control/a").json(wrong)).await;
        assert_eq!(answer.status(), 400);
        assert!(!answer.text().trim().is_empty());
    }
    let read = send(&origin, &Request::new("GET", "/r/a")).await;
    assert_eq!((read.status(), read.header("etag")), (200, Some("\"v1\"")));
}

#[tokio::test]
async fn an_unknown_name_is_a_problem() {
    let origin = origin().await;
    for (method, target) in [
        ("GET", "/r/a"),
        ("PUT", "/r/a"),
        ("GET", "/_control/a"),
        ("GET", "/"),
        ("PUT", "/r/"),
    ] {
        let answer = send(&origin, &Request::new(method, target)).await;
        assert_eq!(answer.status(), 404, "{method} {target}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(answer.header("x-handler"), None);
    }
    let answer = send(&origin, &Request::new("DELETE", "/_control/a")).await;
    assert_eq!(
        (answer.status(), answer.header("allow")),
        (405, Some("GET, PUT"))
    );
}

#[tokio::test]
async fn a_new_state_counts_from_zero() {
    let origin = origin().await;
    set(&origin, &existing()).await;
    let write = Request::new("PUT", "/r/a")
        .field("If-Match", "\"v1\"")
        .json("{}");
    for count in 1..=2 {
        let answer = send(&origin, &write).await;
        assert_eq!(
            (answer.status(), answer.header("x-handler")),
            (204, Some("ran"))
        );
        assert_eq!(counts(&origin).await, (count, count));
    }
    set(&origin, &existing()).await;
    assert_eq!(counts(&origin).await, (0, 0));
}

#[tokio::test]
async fn the_rest_of_the_stack_answers_in_its_phase() {
    let origin = origin().await;
    let write = Request::new("PUT", "/r/a")
        .field("If-Match", "\"v1\"")
        .json("{}");
    for (phase, handler, counted) in [("head", None, (0, 0)), ("content", Some("ran"), (1, 1))] {
        let mut state = existing();
        state["inner"] = json!(403);
        state["inner_phase"] = json!(phase);
        set(&origin, &state).await;
        let answer = send(&origin, &write).await;
        assert_eq!(
            (answer.status(), answer.header("x-handler")),
            (403, handler)
        );
        assert_eq!(counts(&origin).await, counted, "{phase}");
    }
}

#[tokio::test]
async fn a_method_is_its_exact_token_and_may_create() {
    let origin = origin().await;
    let mut state = json!({"resource": {"exists": false}});
    let create = |method: &str| {
        Request::new(method, "/r/a")
            .field("If-None-Match", "*")
            .json("{}")
    };
    for (creates, method, status) in [
        (json!(null), "PUT", 201),
        (json!(null), "put", 404),
        (json!(true), "put", 201),
        (json!(true), "M-SEARCH", 201),
        (json!(false), "PUT", 404),
    ] {
        state["missing_creates"] = creates.clone();
        set(&origin, &state).await;
        let answer = send(&origin, &create(method)).await;
        let seen = (answer.status(), answer.header("x-handler"));
        assert_eq!(
            seen,
            (status, Some("ran")),
            "{method}, missing_creates {creates}"
        );
    }
}

#[tokio::test]
async fn the_clock_is_the_one_that_was_set() {
    let origin = origin().await;
    let mut state = existing();
    state["resource"]["last_modified"] = json!("Sun, 06 Nov 1994 08:49:37 GMT");
    // What is served is not later than the clock.
    state["clock"] = json!("1994-11-06T08:49:36Z");
    set(&origin, &state).await;
    let read = send(&origin, &Request::new("GET", "/r/a")).await;
    assert_eq!(
        read.header("last-modified"),
        Some("Sun, 06 Nov 1994 08:49:36 GMT")
    );

    // The same two digits are 1977 or 2077.
    let write = Request::new("PUT", "/r/a")
        .field("If-Unmodified-Since", "Sunday, 06-Nov-77 08:49:37 GMT")
        .json("{}");
    for (clock, status) in [("2026-08-22T00:00:00Z", 412), ("2028-08-22T00:00:00Z", 204)] {
        state["clock"] = json!(clock);
        set(&origin, &state).await;
        assert_eq!(send(&origin, &write).await.status(), status, "{clock}");
    }
}

#[tokio::test]
async fn a_refusal_arrives_though_nobody_reads_the_content() {
    let origin = origin().await;
    set(&origin, &existing()).await;
    let large = Request::new("PUT", "/r/a").body(Body::Sized(vec![b'x'; 4 << 20]));
    let answer = send(&origin, &large).await;
    assert_eq!(
        (answer.status(), answer.header("connection")),
        (428, Some("close"))
    );
    assert_eq!(counts(&origin).await, (0, 0));
    // Without a body nothing is left behind.
    let answer = send(&origin, &Request::new("PUT", "/r/a")).await;
    assert_eq!((answer.status(), answer.header("connection")), (428, None));

    let many = (0..500).fold(Request::new("PUT", "/r/a"), |request, number| {
        request.field("If-Match", format!("\"a{number}\""))
    });
    // Above what hyper takes by default; the layer's own limit answers.
    let answer = send(&origin, &many).await;
    assert_eq!(answer.json().unwrap()["reason"], "oversized_condition");
}

/// So that whoever reads a 400 knows whose it is: these bytes are no field value (RFC 9110 §5.5), and
/// the HTTP library answers, without a problem document.
#[tokio::test]
async fn what_is_no_http_never_reaches_the_layer() {
    let origin = origin().await;
    set(&origin, &existing()).await;
    for (method, value) in [
        ("PUT", b"\"\x00\"".as_slice()),
        ("PUT", b"\"\x7f\""),
        ("P(T", b"*"),
    ] {
        let answer = send(
            &origin,
            &Request::new(method, "/r/a").field("If-Match", value),
        )
        .await;
        assert_eq!((answer.status(), answer.body()), (400, b"".as_slice()));
    }
    assert_eq!(counts(&origin).await, (0, 0));
}

#[tokio::test]
async fn sigterm_ends_it_while_a_connection_is_open() {
    let mut origin = origin().await;
    let mut idle = Connection::open(origin.addr()).await.unwrap();
    assert_eq!(
        idle.send(&Request::new("GET", "/")).await.unwrap().status(),
        404
    );
    origin.terminate().unwrap();
    assert!(
        origin.wait().await.unwrap().success(),
        "{}",
        origin.stderr()
    );
    idle.closed().await.unwrap();
}

#[tokio::test]
async fn the_help_names_what_is_for_everybody() {
    let output = program().arg("--help").output().await.unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(
        help.contains("--listen") && !help.contains("--without-layer"),
        "{help}"
    );
}

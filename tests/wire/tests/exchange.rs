//! The client against servers that follow a script, byte by byte.
#![cfg(test)]

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use wire::{Body, Connection, ErrorKind, Request, Response};

/// Accepts one connection and runs the script on it.
async fn scripted<F, T>(
    script: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, JoinHandle<T>)
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { script(listener.accept().await.unwrap().0).await });
    (addr, server)
}

/// Reads until the bytes end as given.
async fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end) {
        bytes.push(stream.read_u8().await.unwrap());
    }
    bytes
}

/// What the client makes of these bytes as the answer to a request with this method; the server
/// closes after them.
async fn answer(method: &str, bytes: &'static [u8]) -> wire::Result<(Response, bool)> {
    let (addr, server) = scripted(move |mut stream| async move {
        read_until(&mut stream, b"\r\n\r\n").await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        // Held until the client is done, so that its view never depends on who closes first.
        let _ = stream.read_u8().await;
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    let result = connection.send(&Request::new(method, "/")).await;
    let reusable = connection.is_reusable();
    drop(connection);
    server.await.unwrap();
    result.map(|response| (response, reusable))
}

async fn kind(method: &str, bytes: &'static [u8]) -> ErrorKind {
    answer(method, bytes).await.unwrap_err().kind()
}

#[tokio::test]
async fn field_lines_arrive_byte_by_byte_in_order() {
    let (addr, server) = scripted(|mut stream| async move {
        let head = read_until(&mut stream, b"\r\n\r\n").await;
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .await
            .unwrap();
        head
    })
    .await;
    let request = Request::bare("P\x01T", b"/\xff")
        .field("if-MATCH", b"\"\xe9\"")
        .field("X", "  padded  ")
        .field("if-MATCH", "");
    assert_eq!(
        Connection::open(addr)
            .await
            .unwrap()
            .send(&request)
            .await
            .unwrap()
            .status(),
        204
    );
    let expected =
        b"P\x01T /\xff HTTP/1.1\r\nif-MATCH: \"\xe9\"\r\nX:   padded  \r\nif-MATCH: \r\n\r\n";
    assert_eq!(server.await.unwrap(), expected);
}

#[tokio::test]
async fn field_lines_of_the_answer_are_all_kept() {
    let bytes = b"HTTP/1.1 200 Fine\r\nVary: a\r\nETag: \"v1\"\r\nvary: b\r\nX: \xff\r\nContent-Length: 2\r\n\r\n{}";
    let (response, reusable) = answer("GET", bytes).await.unwrap();
    assert_eq!(response.head().reason_phrase(), "Fine");
    assert_eq!(response.header("etag"), Some("\"v1\""));
    assert_eq!(
        response.field_lines("VARY").collect::<Vec<_>>(),
        [b"a", b"b"]
    );
    assert_eq!(response.field_lines("x").next(), Some(&b"\xff"[..]));
    assert_eq!(response.fields()[0], ("vary".to_owned(), b"a".to_vec()));
    assert_eq!(response.json().unwrap(), serde_json::json!({}));
    assert!(response.request_written());
    assert!(reusable);
}

#[tokio::test]
async fn chunked_content_and_trailers() {
    let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n";
    let (response, reusable) = answer("GET", bytes).await.unwrap();
    assert_eq!(response.body(), b"abc0123456789");
    assert_eq!(response.trailers(), [("x-t".to_owned(), b"1".to_vec())]);
    assert!(reusable);
}

#[tokio::test]
async fn content_until_the_close() {
    let (response, reusable) = answer("GET", b"HTTP/1.1 200 OK\r\n\r\nall of it")
        .await
        .unwrap();
    assert_eq!(response.body(), b"all of it");
    assert!(!reusable);
}

#[tokio::test]
async fn answers_without_content() {
    for (method, bytes) in [
        ("HEAD", &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"[..]),
        (
            "GET",
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        ),
        ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ] {
        let (response, reusable) = answer(method, bytes).await.unwrap();
        assert!(response.body().is_empty() && reusable, "{method}");
    }
    for (method, bytes) in [
        ("CONNECT", &b"HTTP/1.1 200 OK\r\n\r\ntunnel"[..]),
        ("GET", b"HTTP/1.1 101 Switching Protocols\r\n\r\nother"),
    ] {
        let (response, reusable) = answer(method, bytes).await.unwrap();
        assert!(response.body().is_empty() && !reusable, "{method}");
    }
}

#[tokio::test]
async fn interim_answers_are_collected_apart() {
    let bytes = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    let (response, _) = answer("GET", bytes).await.unwrap();
    assert_eq!(response.status(), 200);
    let interim: Vec<_> = response.interim().iter().map(wire::Head::status).collect();
    assert_eq!(interim, [103, 102]);
    assert_eq!(response.interim()[0].header("link"), Some("a"));
}

#[tokio::test]
async fn an_answer_cut_short_is_lost() {
    for bytes in [
        &b""[..],
        b"HTTP/1.1 200 O",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        assert_eq!(
            kind("GET", bytes).await,
            ErrorKind::Lost,
            "{}",
            bytes.escape_ascii()
        );
    }
}

#[tokio::test]
async fn malformed_answers_are_told_apart_from_lost_ones() {
    for bytes in [
        &b"hello\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nA B: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
    ] {
        assert_eq!(
            kind("GET", bytes).await,
            ErrorKind::Malformed,
            "{}",
            bytes.escape_ascii()
        );
    }
    let (response, _) = answer("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{")
        .await
        .unwrap();
    assert_eq!(response.json().unwrap_err().kind(), ErrorKind::Malformed);
}

#[tokio::test]
async fn the_connection_is_reused_until_a_side_announces_to_close() {
    let (addr, server) = scripted(|mut stream| async move {
        for end in ["", "", "Connection: Close\r\n"] {
            read_until(&mut stream, b"\r\n\r\n").await;
            let answer = format!("HTTP/1.1 200 OK\r\n{end}Content-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        stream.read_u8().await.unwrap_err();
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    for reusable in [true, true, false] {
        connection.send(&Request::new("GET", "/")).await.unwrap();
        assert_eq!(connection.is_reusable(), reusable);
    }
    assert_eq!(
        connection
            .send(&Request::new("GET", "/"))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::NotSent
    );
    drop(connection);
    server.await.unwrap();
}

#[tokio::test]
async fn bytes_after_an_answer_are_not_taken_for_the_next_one() {
    let (addr, _server) = scripted(|mut stream| async move {
        read_until(&mut stream, b"\r\n\r\n").await;
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
            .await
            .unwrap();
        let _ = stream.read_u8().await;
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    connection.send(&Request::new("GET", "/")).await.unwrap();
    assert_eq!(
        connection
            .send(&Request::new("GET", "/"))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Malformed
    );
}

#[tokio::test]
async fn pipelined_answers_are_read_one_by_one() {
    let (addr, _server) = scripted(|mut stream| async move {
        read_until(&mut stream, b"/2 HTTP/1.1\r\n\r\n").await;
        let answers = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2";
        stream.write_all(answers).await.unwrap();
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    let both = [
        Request::bare("GET", "/1").bytes(),
        Request::bare("GET", "/2").bytes(),
    ]
    .concat();
    connection.write_bytes(&both).await.unwrap();
    assert_eq!(connection.read("GET").await.unwrap().body(), b"1");
    assert_eq!(connection.read("GET").await.unwrap().body(), b"2");
}

#[tokio::test]
async fn held_back_content_is_written_after_100() {
    let (addr, server) = scripted(|mut stream| async move {
        let head = read_until(&mut stream, b"\r\n\r\n").await;
        assert!(head.ends_with(b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
        stream
            .write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            .await
            .unwrap();
        stream
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .await
            .unwrap();
        read_until(&mut stream, b"abc").await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    let request = Request::new("PUT", "/").body(Body::ExpectContinue(b"abc".to_vec()));
    let answer = connection.send(&request).await.unwrap();
    assert_eq!((answer.status(), answer.interim().len()), (200, 2));
    assert!(answer.request_written() && connection.is_reusable());
    server.await.unwrap();
}

#[tokio::test]
async fn held_back_content_is_never_written_after_a_refusal() {
    let (addr, server) = scripted(|mut stream| async move {
        read_until(&mut stream, b"\r\n\r\n").await;
        stream
            .write_all(b"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        rest
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    let request = Request::new("PUT", "/").body(Body::ExpectContinue(b"abc".to_vec()));
    let answer = connection.send(&request).await.unwrap();
    assert_eq!(answer.status(), 412);
    assert!(!answer.request_written() && !connection.is_reusable());
    drop(connection);
    assert_eq!(server.await.unwrap(), b"");
}

/// More than the socket buffers of both sides hold.
const LARGE: usize = 64 << 20;

#[tokio::test]
async fn a_refusal_arrives_while_a_large_body_is_being_written() {
    let (addr, server) = scripted(|mut stream| async move {
        read_until(&mut stream, b"\r\n\r\n").await;
        stream
            .write_all(b"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 2\r\n\r\n")
            .await
            .unwrap();
        stream.write_all(b"{}").await.unwrap();
        stream
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    let request = Request::new("PUT", "/").body(Body::Sized(vec![0; LARGE]));
    let answer = connection.send(&request).await.unwrap();
    assert_eq!((answer.status(), answer.body()), (412, &b"{}"[..]));
    assert!(!answer.request_written() && !connection.is_reusable());
    drop(server.await.unwrap());
}

#[tokio::test]
async fn a_refusal_survives_the_reset_that_follows_it() {
    let (addr, server) = scripted(|mut stream| async move {
        read_until(&mut stream, b"\r\n\r\n").await;
        stream
            .write_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\n{}")
            .await
            .unwrap();
        // Dropped with unread bytes: the kernel answers with a reset.
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    let request = Request::new("PUT", "/").body(Body::Sized(vec![0; LARGE]));
    let answer = connection.send(&request).await.unwrap();
    assert_eq!((answer.status(), answer.body()), (413, &b"{}"[..]));
    server.await.unwrap();
}

#[tokio::test]
async fn a_large_body_and_a_large_answer_pass_each_other() {
    let (addr, server) = scripted(|stream| async move {
        let (mut source, mut sink) = stream.into_split();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
        sink.write_all(head.as_bytes()).await.unwrap();
        // Writes all before it reads anything: a client that does one after the other would wait
        // for ever.
        sink.write_all(&vec![1; LARGE]).await.unwrap();
        let mut rest = Vec::new();
        source.read_to_end(&mut rest).await.unwrap_or_default()
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    let request = Request::new("PUT", "/").body(Body::Sized(vec![0; LARGE]));
    assert_eq!(connection.send(&request).await.unwrap().body().len(), LARGE);
    drop(connection);
    server.await.unwrap();
}

#[tokio::test]
async fn a_part_of_the_declared_length_is_sent_and_the_answer_read() {
    let (addr, server) = scripted(|mut stream| async move {
        let head = read_until(&mut stream, b"Content-Length: 100\r\n\r\nabc").await;
        stream
            .write_all(b"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        head
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    let part = Body::Partial {
        declared: 100,
        sent: b"abc".to_vec(),
    };
    let answer = connection
        .send(&Request::new("PUT", "/").body(part))
        .await
        .unwrap();
    assert_eq!(answer.status(), 412);
    assert!(!connection.is_reusable());
    server.await.unwrap();
}

#[tokio::test]
async fn abort_resets_and_drop_closes() {
    let request = Request::new("PUT", "/").body(Body::Sized(b"abc".to_vec()));
    for abort in [true, false] {
        let (addr, server) = scripted(|mut stream| async move {
            read_until(&mut stream, b"abc").await;
            stream.read_u8().await.unwrap_err().kind()
        })
        .await;
        let mut connection = Connection::open(addr).await.unwrap();
        connection.write(&request).await.unwrap();
        let expected = if abort {
            connection.abort();
            std::io::ErrorKind::ConnectionReset
        } else {
            drop(connection);
            std::io::ErrorKind::UnexpectedEof
        };
        assert_eq!(server.await.unwrap(), expected);
    }
}

#[tokio::test]
async fn an_answer_is_noticed_without_being_read() {
    let (addr, _server) = scripted(|mut stream| async move {
        read_until(&mut stream, b"/2 HTTP/1.1\r\n\r\n").await;
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .await
            .unwrap();
        let _ = stream.read_u8().await;
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    connection.write(&Request::bare("GET", "/1")).await.unwrap();
    assert!(
        !connection
            .answer_begins_within(Duration::from_millis(1))
            .await
    );
    connection.write(&Request::bare("GET", "/2")).await.unwrap();
    assert!(connection.answer_begins_within(wire::DEADLINE).await);
    assert_eq!(connection.read("GET").await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_silent_server_meets_the_deadline() {
    let (addr, _server) = scripted(|mut stream| async move {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    })
    .await;
    let mut connection = Connection::open(addr)
        .await
        .unwrap()
        .with_deadline(Duration::from_millis(20));
    let error = connection
        .send(&Request::new("GET", "/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert!(!connection.is_reusable());
}

#[tokio::test]
async fn an_idle_connection_that_the_server_closed_sends_nothing() {
    let (addr, server) = scripted(|mut stream| async move {
        read_until(&mut stream, b"\r\n\r\n").await;
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .await
            .unwrap();
    })
    .await;
    let mut connection = Connection::open(addr).await.unwrap();
    connection.send(&Request::new("GET", "/")).await.unwrap();
    server.await.unwrap();
    connection.closed().await.unwrap();
    assert_eq!(
        connection
            .send(&Request::new("GET", "/"))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::NotSent
    );
}

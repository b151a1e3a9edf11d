//! That each variant answers as it should, and that the load counts what it is answered. No times.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::load::{Answered, Failed, Script, Until, drive};
use crate::plan::{GROUPS, Group, Kind, Place, Variant};
use crate::serve::{Served, listener, router, serve};

const CONNECTIONS: u16 = 4;
const REQUESTS: u32 = 25;

async fn answered(
    place: Place,
    database: &str,
    variant: Variant,
    script: Script,
) -> Result<Answered, Failed> {
    let served = Served {
        place,
        database: database.to_owned(),
        variant,
        connections: CONNECTIONS,
        core: None,
    };
    let router = router(&served).await?;
    let (listener, port) = listener().await?;
    let server = tokio::spawn(serve(listener, router));
    let answered = drive(port, CONNECTIONS, script, Until::Requests(REQUESTS)).await;
    server.abort();
    answered
}

async fn every_variant_answers_as_planned(group: &Group, database: &str) {
    for (variant, _) in group.variants {
        let script = Script {
            kind: group.kind,
            expected: variant.status(group.kind),
        };
        let answered = answered(group.place, database, *variant, script).await;
        let answered = answered.unwrap_or_else(|why| panic!("{} {variant:?}: {why}", group.name));
        let all = u32::from(CONNECTIONS) * REQUESTS;
        assert_eq!(answered.requests, all, "{} {variant:?}", group.name);
        if group.kind != Kind::OneRow {
            assert_eq!(answered.successes, all, "{} {variant:?}", group.name);
        }
    }
}

#[tokio::test]
async fn in_memory_every_variant_answers_as_planned() {
    for group in on(Place::Memory) {
        every_variant_answers_as_planned(group, "").await;
    }
}

#[tokio::test]
async fn on_sqlite_every_variant_answers_as_planned() {
    for group in on(Place::Sqlite) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("posts.db");
        every_variant_answers_as_planned(group, file.to_str().unwrap()).await;
    }
}

#[tokio::test]
async fn on_postgres_every_variant_answers_as_planned() {
    for group in on(Place::Postgres) {
        let Some(database) = services::postgres().await else {
            return; // it is not installed; this was printed
        };
        every_variant_answers_as_planned(group, database.url()).await;
    }
}

fn on(place: Place) -> impl Iterator<Item = &'static Group> {
    GROUPS.iter().filter(move |group| group.place == place)
}

/// The negative control: a guard that lets everything pass would be found.
#[tokio::test]
async fn control_a_guard_that_is_missing_is_found() {
    let script = Script {
        kind: Kind::Stale,
        expected: 412,
    };
    let failed = answered(Place::Memory, "", Variant::Bare, script).await;
    assert!(matches!(
        failed,
        Err(Failed::Status {
            expected: 412,
            got: 204
        })
    ));
}

/// Answers one connection with what is written here, whatever it is asked, and keeps the requests.
async fn scripted(
    answers: Vec<&'static str>,
) -> io::Result<(u16, tokio::task::JoinHandle<String>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let server = tokio::spawn(async move {
        let mut asked = String::new();
        let (mut stream, _) = listener.accept().await.unwrap();
        for answer in answers {
            let mut part = vec![0; 4096];
            let read = stream.read(&mut part).await.unwrap();
            asked.push_str(std::str::from_utf8(&part[..read]).unwrap());
            asked.push('\n');
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    });
    Ok((port, server))
}

const READ: &str = "HTTP/1.1 200 OK\r\netag: \"v1\"\r\ncontent-length: 2\r\n\r\n{}";
const FIRST: &str = "HTTP/1.1 204 No Content\r\netag: \"v2\"\r\n\r\n";
const SECOND: &str = "HTTP/1.1 204 No Content\r\netag: \"v3\"\r\n\r\n";
const LOST: &str =
    "HTTP/1.1 412 Precondition Failed\r\netag: \"v7\"\r\ncontent-length: 5\r\n\r\nstale";

#[tokio::test]
async fn each_put_names_the_tag_of_the_last_answer() {
    let (port, server) = scripted(vec![READ, FIRST, SECOND]).await.unwrap();
    let script = Script {
        kind: Kind::Put,
        expected: 204,
    };
    let answered = drive(port, 1, script, Until::Requests(2)).await.unwrap();
    let expected = Answered {
        requests: 2,
        successes: 2,
        sent: 2,
    };
    assert_eq!(answered, expected);
    let asked = server.await.unwrap();
    let tags = asked.lines().filter(|line| line.starts_with("if-match"));
    assert_eq!(
        tags.collect::<Vec<_>>(),
        ["if-match: \"v1\"", "if-match: \"v2\""]
    );
    // No two write the same.
    let bodies = asked.lines().filter(|line| line.starts_with('{'));
    let text = |number| format!(r#"{{"title":"Hello","text":"{number}"}}"#);
    assert_eq!(bodies.collect::<Vec<_>>(), [text("00001"), text("00002")]);
}

#[tokio::test]
async fn at_one_row_a_412_is_an_attempt_and_its_tag_the_next() {
    let (port, server) = scripted(vec![READ, LOST, SECOND]).await.unwrap();
    let script = Script {
        kind: Kind::OneRow,
        expected: 204,
    };
    let answered = drive(port, 1, script, Until::Requests(2)).await.unwrap();
    let expected = Answered {
        requests: 2,
        successes: 1,
        sent: 2,
    };
    assert_eq!(answered, expected);
    let asked = server.await.unwrap();
    assert!(asked.contains("if-match: \"v7\""), "{asked}");
}

/// The negative control: the same answer anywhere else ends the measurement.
#[tokio::test]
async fn control_an_unexpected_status_is_found() {
    let (port, _server) = scripted(vec![READ, FIRST, LOST]).await.unwrap();
    let script = Script {
        kind: Kind::Put,
        expected: 204,
    };
    let failed = drive(port, 1, script, Until::Requests(2)).await;
    assert!(matches!(
        failed,
        Err(Failed::Status {
            expected: 204,
            got: 412
        })
    ));
}

/// A connection that ends in the middle is not taken for an answer.
#[tokio::test]
async fn control_an_answer_that_breaks_off_is_found() {
    let (port, _server) = scripted(vec![READ, "HTTP/1.1 204 No"]).await.unwrap();
    let script = Script {
        kind: Kind::Put,
        expected: 204,
    };
    let failed = drive(port, 1, script, Until::Requests(1)).await;
    assert!(matches!(failed, Err(Failed::Connection(_))));
}

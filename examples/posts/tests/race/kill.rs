//! `kill -9` in the middle of the race.

use history::{Control, Ended, Race, Verify};
use wire::{Connection, Request};

use crate::{POSTS, assert_clean, race, spawn, sqlite_in};

/// After each kill the server is started again on the same file and the race goes on: every
/// acknowledged write stands, with the tag that it was acknowledged with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite_in(&folder);
    let control = Control::default();
    let mut server = spawn(&store).await;
    let mut history = None::<history::History>;
    for kill in 1..=5 {
        let race = Race {
            acknowledged: 100_000,
            ..race(&server)
        };
        let (run, ()) = tokio::join!(race.run_until(&control), async {
            assert!(control.reached(kill * 400).await);
            server.kill9().await.unwrap();
        });
        let run = run.unwrap();
        assert_eq!(run.ended, Ended::ServerGone);
        match &mut history {
            Some(history) => history.extend(run.history),
            None => history = Some(run.history),
        }
        server = spawn(&store).await;
    }
    let mut history = history.unwrap();
    let report = Verify {
        addr: server.addr(),
    }
    .run(&mut history)
    .await
    .unwrap();
    assert_clean(&report, &server);
}

/// The negative control: a server that is started again on an older copy of its file has forgotten
/// what it acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgot_what_it_acknowledged_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite_in(&folder);
    let mut server = spawn(&store).await;
    let history = Race {
        acknowledged: 300,
        ..race(&server)
    }
    .run()
    .await
    .unwrap();
    assert_clean(&history.check(), &server);
    let (snapshot, mut history) = (tempfile::tempdir().unwrap(), history);
    server.kill9().await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), snapshot.path().join(file.file_name())).unwrap();
    }
    let server = spawn(&store).await;
    history.extend(
        Race {
            acknowledged: 300,
            ..race(&server)
        }
        .run()
        .await
        .unwrap(),
    );
    drop(server);
    let server = spawn(&sqlite_in(&snapshot)).await;
    let report = Verify {
        addr: server.addr(),
    }
    .run(&mut history)
    .await
    .unwrap();
    assert!(!report.is_clean(), "{report}");
}

/// Tags are what they were after a restart, and no tag of an earlier incarnation ever fits.
#[tokio::test]
async fn tags_outlive_a_kill_and_lives_do_not_return() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite_in(&folder);
    let mut server = spawn(&store).await;
    let path = format!("/api/posts/{}", POSTS.start);
    let put = |name: &str, value: &str| {
        Request::new("PUT", path.as_str())
            .field(name, value)
            .json(r#"{"title":"a"}"#)
    };
    let mut earlier: Vec<String> = Vec::new();
    for _ in 0..3 {
        let mut connection = Connection::open(server.addr()).await.unwrap();
        let created = connection.send(&put("If-None-Match", "*")).await.unwrap();
        assert_eq!(created.status(), 201);
        let tag = created.header("etag").unwrap().to_owned();
        for old in &earlier {
            assert_ne!(old, &tag);
            let refused = connection.send(&put("If-Match", old)).await.unwrap();
            assert_eq!(refused.status(), 412);
            assert_eq!(refused.json().unwrap()["reason"], "foreign_tag");
        }
        server.kill9().await.unwrap();
        server = spawn(&store).await;
        let mut connection = Connection::open(server.addr()).await.unwrap();
        let read = connection
            .send(&Request::new("GET", path.as_str()))
            .await
            .unwrap();
        assert_eq!(read.header("etag"), Some(tag.as_str()));
        let delete = Request::new("DELETE", path.as_str()).field("If-Match", &tag);
        assert_eq!(connection.send(&delete).await.unwrap().status(), 204);
        earlier.push(tag);
    }
}

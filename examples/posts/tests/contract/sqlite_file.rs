//! What only a file can show: it outlives the process, others write to it, and it can be locked.

use std::time::Duration;

use sqlx::Connection;
use wire::Request;

use crate::api::{Api, patch, problem, put, spawn, tag};

#[tokio::test]
async fn what_was_acknowledged_outlives_a_crash() {
    let api = Api::on_sqlite().await.unwrap();
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let held = api.put(&target, &held, r#"{"title":"b"}"#).await;
    let before = api.get(&target).await;
    let api = api.restarted().await;
    let after = api.get(&target).await;
    assert_eq!((tag(&after), after.body()), (held.clone(), before.body()));
    api.put(&target, &held, r#"{"title":"c"}"#).await;
}

#[tokio::test]
async fn no_earlier_life_and_no_id_returns_after_a_restart() {
    let api = Api::on_sqlite().await.unwrap();
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    api.delete(&target).await;
    let api = api.restarted().await;
    let again = api.create(&target, r#"{"title":"a"}"#).await;
    assert_ne!(again, held);
    let stale = put(&target, r#"{"title":"b"}"#).field("If-Match", held);
    assert_eq!(
        problem(&api.send(&stale).await, 412, "precondition_failed")["reason"],
        "foreign_tag"
    );
    assert_eq!(api.post(r#"{"title":"c"}"#).await.0, "/api/posts/2");
}

#[tokio::test]
async fn two_processes_write_to_one_file() {
    let api = Api::on_sqlite().await.unwrap();
    let other = api.another().await;
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let mut elsewhere = wire::Connection::open(other.addr()).await.unwrap();
    let write = put(&target, r#"{"title":"b"}"#).field("If-Match", &held);
    assert_eq!(elsewhere.send(&write).await.unwrap().status(), 200);
    let stale = problem(&api.send(&write).await, 412, "precondition_failed");
    assert_eq!(stale["reason"], "stale_version");
}

#[tokio::test]
async fn processes_that_start_together_agree_on_a_new_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", directory.path().join("posts.db").display());
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { spawn(&store).await })
        })
        .collect();
    for start in starts {
        let server = start.await.unwrap();
        let mut connection = wire::Connection::open(server.addr()).await.unwrap();
        let health = connection
            .send(&Request::new("GET", "/healthz"))
            .await
            .unwrap();
        assert_eq!(health.status(), 200);
    }
}

/// Another process holds the write lock for longer than anybody waits.
#[tokio::test]
async fn a_lock_that_is_not_had_in_time_is_busy() {
    let api = Api::on_sqlite().await.unwrap();
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let mut file = api.file().await;
    let lock = file.begin_with("BEGIN IMMEDIATE").await.unwrap();

    let write = put(&target, r#"{"title":"b"}"#).field("If-Match", &held);
    let create = Request::new("POST", "/api/posts").json(r#"{"title":"b"}"#);
    let (written, created) = tokio::join!(api.send(&write), api.send(&create));
    for refused in [written, created] {
        let problem = problem(&refused, 503, "service_unavailable");
        assert_eq!(problem["reason"], "busy");
        assert!(
            refused
                .header("retry-after")
                .unwrap()
                .parse::<u32>()
                .is_ok()
        );
        assert!(
            !refused.text().contains("locked"),
            "what the store says is for the log"
        );
    }
    assert_eq!(api.get(&target).await.status(), 200, "readers do not wait");
    assert!(
        api.server.stderr().contains("locked"),
        "{}",
        api.server.stderr()
    );

    lock.rollback().await.unwrap();
    assert_eq!(tag(&api.get(&target).await), held, "nothing was written");
    assert_eq!(api.send(&write).await.status(), 200);
}

#[tokio::test]
async fn a_store_that_fails_is_unavailable() {
    let api = Api::on_sqlite().await.unwrap();
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let mut file = api.file().await;
    sqlx::query("ALTER TABLE posts RENAME TO elsewhere")
        .execute(&mut file)
        .await
        .unwrap();
    let requests = [
        Request::new("GET", &*target),
        Request::new("GET", "/api/posts"),
        Request::new("GET", "/healthz"),
        put(&target, r#"{"title":"b"}"#).field("If-Match", &held),
        Request::new("DELETE", &*target).field("If-Match", &held),
        Request::new("POST", "/api/posts").json(r#"{"title":"b"}"#),
    ];
    for request in requests {
        let refused = api.send(&request).await;
        let problem = problem(&refused, 503, "service_unavailable");
        assert_eq!(problem["reason"], "store_unavailable", "{request:?}");
        assert!(refused.header("retry-after").is_some());
        assert!(
            !refused.text().contains("no such table"),
            "{}",
            refused.text()
        );
    }
    assert!(api.server.stderr().contains("no such table"));
}

/// SQLite checks a deferred foreign key when the transaction ends: the statement succeeds, and COMMIT
/// fails.
#[tokio::test]
async fn a_commit_that_fails_has_an_unknown_outcome() {
    const FAILING: [&str; 5] = [
        "CREATE TABLE nowhere (id INTEGER PRIMARY KEY)",
        "CREATE TABLE failing (id INTEGER REFERENCES nowhere (id) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER fail_1 AFTER INSERT ON posts BEGIN INSERT INTO failing VALUES (1); END",
        "CREATE TRIGGER fail_2 AFTER UPDATE ON posts BEGIN INSERT INTO failing VALUES (1); END",
        "CREATE TRIGGER fail_3 AFTER DELETE ON posts BEGIN INSERT INTO failing VALUES (1); END",
    ];
    let api = Api::on_sqlite().await.unwrap();
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let mut file = api.file().await;
    for statement in FAILING {
        sqlx::query(statement).execute(&mut file).await.unwrap();
    }
    let writes = [
        put(&target, r#"{"title":"b"}"#).field("If-Match", &held),
        patch(&target, r#"{"title":"b"}"#).field("If-Match", "*"),
        put("/api/posts/9", r#"{"title":"b"}"#).field("If-None-Match", "*"),
        Request::new("DELETE", &*target).field("If-Match", &held),
        Request::new("POST", "/api/posts").json(r#"{"title":"b"}"#),
    ];
    for write in &writes {
        let refused = api.send(write).await;
        let problem = problem(&refused, 503, "service_unavailable");
        assert_eq!(problem["reason"], "outcome_unknown", "{write:?}");
        assert_eq!(
            problem["detail"],
            "Whether the write took place is not known. Read, then decide."
        );
        assert_eq!(refused.header("etag"), None);
        assert_eq!(refused.header("retry-after"), None, "that would repeat it");
        assert!(!refused.text().contains("FOREIGN"), "{}", refused.text());
    }
    assert!(api.server.stderr().contains("FOREIGN KEY"));
    assert_eq!(
        tag(&api.get(&target).await),
        held,
        "here nothing took place"
    );

    // The control: the same writes where COMMIT does not fail, on the connection where it did.
    for trigger in ["fail_1", "fail_2", "fail_3"] {
        let drop = sqlx::AssertSqlSafe(format!("DROP TRIGGER {trigger}"));
        sqlx::query(drop).execute(&mut file).await.unwrap();
    }
    let mut statuses = Vec::new();
    for write in &writes {
        statuses.push(api.send(write).await.status());
    }
    assert_eq!(statuses, [200, 200, 201, 412, 201]);
}

/// A client that vanishes in the middle leaves the whole write or nothing, and no lock.
#[tokio::test]
async fn a_vanished_client_leaves_no_lock_behind() {
    let api = Api::on_sqlite().await.unwrap();
    let (target, mut held) = api.post(r#"{"title":"a"}"#).await;
    for _ in 0..50 {
        let mut connection = api.connect().await;
        let write = put(&target, r#"{"title":"b"}"#).field("If-Match", &held);
        connection.write(&write).await.unwrap();
        connection.abort();
        held = tag(&api.get(&target).await);
    }
    let write = put(&target, r#"{"title":"c"}"#).field("If-Match", "*");
    let answered = tokio::time::timeout(Duration::from_secs(4), api.send(&write)).await;
    assert_eq!(answered.expect("the lock should be free").status(), 200);
}

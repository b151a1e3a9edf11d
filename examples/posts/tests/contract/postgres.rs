//! What only a database server can show: it outlives the process, others write to it, rows can be locked,
//! and it can be gone.

use std::time::Duration;

use futures_util::future::join_all;
use services::{Product, Server};
use sqlx::{AssertSqlSafe, PgConnection};
use wire::{Request, Response};

use crate::api::{Api, command, patch, problem, put, spawn, tag};

/// Runs each of these functions as a test under both strategies.
macro_rules! under_both_strategies {
    ($($test:ident),* $(,)?) => {
        mod compare_and_swap {
            $(#[tokio::test]
            async fn $test() {
                if let Some(api) = crate::api::Api::on_postgres().await {
                    super::$test(api).await;
                }
            })*
        }
        mod transaction {
            $(#[tokio::test]
            async fn $test() {
                if let Some(api) = crate::api::Api::on_postgres_in_transactions().await {
                    super::$test(api).await;
                }
            })*
        }
    };
}

under_both_strategies!(
    what_was_acknowledged_outlives_a_crash,
    two_processes_write_to_one_database,
    a_lock_that_is_not_had_in_time_is_busy,
    readers_do_not_wait_for_writers,
    a_store_that_fails_is_unavailable,
    a_commit_that_fails_is_no_success,
    a_vanished_client_leaves_no_lock_behind,
);

/// Waits until a statement waits for a lock.
pub(crate) async fn blocked(db: &mut PgConnection) {
    blocked_are(1, db).await;
}

async fn blocked_are(least: i64, db: &mut PgConnection) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    // Nobody tells when it begins to.
    loop {
        let found = sqlx::query_scalar(waiting).fetch_one(&mut *db).await;
        let found: i64 = found.unwrap();
        if found >= least {
            break;
        }
    }
}

async fn execute(db: &mut PgConnection, statement: &str) {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    statement.execute(db).await.unwrap();
}

async fn what_was_acknowledged_outlives_a_crash(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let held = api.put(&target, &held, r#"{"title":"b"}"#).await;
    let before = api.get(&target).await;
    let api = api.restarted().await;
    let after = api.get(&target).await;
    assert_eq!((tag(&after), after.body()), (held.clone(), before.body()));
    let stale = api.put(&target, &held, r#"{"title":"c"}"#).await;

    api.delete(&target).await;
    let api = api.restarted().await;
    api.create(&target, r#"{"title":"c"}"#).await;
    let write = put(&target, r#"{"title":"d"}"#).field("If-Match", stale);
    let refused = problem(&api.send(&write).await, 412, "precondition_failed");
    assert_eq!(refused["reason"], "foreign_tag");
    assert_eq!(api.post(r#"{"title":"e"}"#).await.0, "/api/posts/2");
}

async fn two_processes_write_to_one_database(api: Api) {
    let other = api.another().await;
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let mut elsewhere = wire::Connection::open(other.addr()).await.unwrap();
    let write = put(&target, r#"{"title":"b"}"#).field("If-Match", &held);
    assert_eq!(elsewhere.send(&write).await.unwrap().status(), 200);
    let stale = problem(&api.send(&write).await, 412, "precondition_failed");
    assert_eq!(stale["reason"], "stale_version");
}

fn is_busy(refused: &Response) {
    let problem = problem(refused, 503, "service_unavailable");
    assert_eq!(problem["reason"], "busy");
    let seconds = refused.header("retry-after").unwrap();
    assert!(seconds.parse::<u32>().is_ok(), "{seconds}");
    assert!(
        !refused.text().contains("lock timeout"),
        "what the store says is for the log"
    );
}

/// Somebody locks the table against writers for longer than anybody waits.
async fn a_lock_that_is_not_had_in_time_is_busy(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let mut db = api.database().await;
    execute(&mut db, "BEGIN; LOCK TABLE posts IN EXCLUSIVE MODE").await;

    let write = put(&target, r#"{"title":"b"}"#).field("If-Match", &held);
    let create = Request::new("POST", "/api/posts").json(r#"{"title":"b"}"#);
    let (written, created) = tokio::join!(api.send(&write), api.send(&create));
    is_busy(&written);
    is_busy(&created);
    assert_eq!(api.get(&target).await.status(), 200, "readers do not wait");
    let log = api.server.stderr();
    assert!(log.contains("lock timeout"), "{log}");

    execute(&mut db, "ROLLBACK").await;
    assert_eq!(tag(&api.get(&target).await), held, "nothing was written");
    assert_eq!(api.send(&write).await.status(), 200);
}

/// More writers wait for one post than the store has connections for.
async fn readers_do_not_wait_for_writers(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let mut db = api.database().await;
    execute(&mut db, "BEGIN; SELECT FROM posts FOR UPDATE").await;
    let write = put(&target, r#"{"title":"b"}"#).field("If-Match", &held);
    let writes = join_all((0..12).map(|_| api.send(&write)));
    let (answers, ()) = tokio::join!(writes, async {
        // In transactions one of this process waits in the database, and the others in front of it.
        let least = if api.is_in_transactions() { 1 } else { 8 };
        blocked_are(least, &mut api.database().await).await;
        assert_eq!(tag(&api.get(&target).await), held);
        execute(&mut db, "ROLLBACK").await;
    });
    let mut statuses: Vec<_> = answers.iter().map(Response::status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[412; 11][..]));
}

fn is_unavailable(refused: &Response) {
    let problem = problem(refused, 503, "service_unavailable");
    assert_eq!(problem["reason"], "store_unavailable");
    assert!(refused.header("retry-after").is_some());
    assert!(!refused.text().contains("nowhere"), "{}", refused.text());
}

async fn a_store_that_fails_is_unavailable(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let mut db = api.database().await;
    execute(&mut db, "ALTER TABLE posts RENAME TO nowhere").await;
    for request in [
        Request::new("GET", &*target),
        Request::new("GET", "/api/posts"),
        Request::new("GET", "/healthz"),
        put(&target, r#"{"title":"b"}"#).field("If-Match", &held),
        Request::new("DELETE", &*target).field("If-Match", &held),
        Request::new("POST", "/api/posts").json(r#"{"title":"b"}"#),
    ] {
        is_unavailable(&api.send(&request).await);
    }
    assert!(api.server.stderr().contains("does not exist"));
}

/// A deferred constraint: the statement succeeds, and the commit fails. The database says so, so that
/// nothing is left open.
async fn a_commit_that_fails_is_no_success(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let mut db = api.database().await;
    let fail = "CREATE TABLE nowhere (id int PRIMARY KEY);
        CREATE TABLE failing (id int REFERENCES nowhere DEFERRABLE INITIALLY DEFERRED);
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO failing VALUES (1); RETURN NULL; END $$;
        CREATE TRIGGER fail AFTER INSERT OR UPDATE OR DELETE ON posts
            FOR EACH ROW EXECUTE FUNCTION fail()";
    execute(&mut db, fail).await;
    let writes = [
        put(&target, r#"{"title":"b"}"#).field("If-Match", &held),
        patch(&target, r#"{"title":"b"}"#).field("If-Match", "*"),
        put("/api/posts/9", r#"{"title":"b"}"#).field("If-None-Match", "*"),
        Request::new("DELETE", &*target).field("If-Match", &held),
        Request::new("POST", "/api/posts").json(r#"{"title":"b"}"#),
    ];
    for write in &writes {
        let refused = api.send(write).await;
        is_unavailable(&refused);
        assert_eq!(refused.header("etag"), None);
    }
    assert_eq!(tag(&api.get(&target).await), held);
    assert_eq!(api.get("/api/posts/9").await.status(), 404);

    // The control: the same writes where the commit does not fail.
    execute(&mut db, "DROP TRIGGER fail ON posts").await;
    let mut statuses = Vec::new();
    for write in &writes {
        statuses.push(api.send(write).await.status());
    }
    assert_eq!(statuses, [200, 200, 201, 412, 201]);
}

/// A client that vanishes in the middle leaves the whole write or nothing, and no lock.
async fn a_vanished_client_leaves_no_lock_behind(api: Api) {
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

/// The server is killed while a write waits for a row, and started again later.
async fn while_the_server_is_gone(server: Server, in_transactions: bool) -> Response {
    let api = Api::on_database(server.database().await, in_transactions).await;
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let mut db = api.database().await;
    execute(&mut db, "BEGIN; SELECT FROM posts FOR UPDATE").await;
    let write = put(&target, r#"{"title":"b"}"#).field("If-Match", &held);
    let mut watching = api.database().await;
    let (cut_off, ()) = tokio::join!(api.send(&write), async {
        blocked(&mut watching).await;
        server.kill9().await;
    });

    let requests = [
        Request::new("GET", &*target),
        Request::new("GET", "/healthz"),
        write.clone(),
        Request::new("POST", "/api/posts").json(r#"{"title":"b"}"#),
    ];
    for refused in join_all(requests.iter().map(|request| api.send(request))).await {
        problem(&refused, 503, "service_unavailable");
        assert!(refused.header("retry-after").is_some());
    }

    server.start_again().await;
    assert_eq!(tag(&api.get(&target).await), held);
    assert_eq!(api.send(&write).await.status(), 200, "without a restart");
    cut_off
}

#[tokio::test]
async fn a_statement_that_is_cut_off_leaves_its_outcome_open() {
    let Some(server) = Product::Postgres.own().await else {
        return;
    };
    let cut_off = while_the_server_is_gone(server, false).await;
    let problem = problem(&cut_off, 503, "service_unavailable");
    assert_eq!(problem["reason"], "outcome_unknown");
    assert_eq!(cut_off.header("retry-after"), None, "that would repeat it");
}

/// What was not committed yet cannot have taken place.
#[tokio::test]
async fn a_transaction_that_is_cut_off_wrote_nothing() {
    let Some(server) = Product::Postgres.own().await else {
        return;
    };
    let cut_off = while_the_server_is_gone(server, true).await;
    is_unavailable(&cut_off);
}

#[tokio::test]
async fn processes_that_start_together_agree_on_a_new_database() {
    let Some(database) = services::postgres().await else {
        return;
    };
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let store = database.url().to_owned();
            tokio::spawn(async move { spawn(&store).await })
        })
        .collect();
    for start in starts {
        let server = start.await.unwrap();
        let mut connection = wire::Connection::open(server.addr()).await.unwrap();
        let health = Request::new("GET", "/healthz");
        assert_eq!(connection.send(&health).await.unwrap().status(), 200);
    }
}

/// The defaults of a database are its administrator's; what the statements rely on is not left to them.
#[tokio::test]
async fn the_settings_of_the_database_do_not_matter() {
    let Some(api) = Api::on_postgres().await else {
        return;
    };
    let mut db = api.database().await;
    let name: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(&mut db)
        .await
        .unwrap();
    let set = format!("ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'");
    execute(&mut db, &set).await;
    let api = api.restarted().await;
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    execute(&mut db, "BEGIN; UPDATE posts SET title = 'theirs'").await;
    let write = put(&target, r#"{"title":"b"}"#).field("If-Match", held);
    let (refused, ()) = tokio::join!(api.send(&write), async {
        blocked(&mut api.database().await).await;
        execute(&mut db, "COMMIT").await;
    });
    // Where it did not look again at the row that it waited for, it would be 503.
    let refused = problem(&refused, 412, "precondition_failed");
    assert_eq!(refused["reason"], "stale_version");
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_one_line_without_its_password() {
    let Some(database) = services::postgres().await else {
        return;
    };
    let url = database.url().replace("postgres@", "nobody:s3cret@");
    let output = command(["--listen", "127.0.0.1:0", "--store", &url]).output();
    let output = output.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), stderr.lines().count()),
        (Some(1), 1),
        "{stderr}"
    );
    assert!(
        stderr.contains("nobody:***@") && !stderr.contains("s3cret"),
        "{stderr}"
    );
}

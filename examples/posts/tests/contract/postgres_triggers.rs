//! What PostgreSQL itself sees to, whoever writes.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::api::{Api, problem, put, tag};
use crate::postgres::blocked;

async fn execute(db: &mut PgConnection, statement: &str) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(AssertSqlSafe(statement)).execute(db).await?;
    Ok(done.rows_affected())
}

/// The incarnation, version and date of the only post.
async fn version(db: &mut PgConnection) -> (i64, i64, i64) {
    let columns = sqlx::query_as("SELECT incarnation, version, modified_at FROM posts");
    columns.fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn a_writer_who_knows_nothing_of_versions_makes_one() {
    let Some(api) = Api::on_postgres().await else {
        return;
    };
    let (target, mut held) = api.post(r#"{"title":"a"}"#).await;
    let mut db = api.database().await;
    for statement in [
        "UPDATE posts SET title = title || 'b'",
        "UPDATE posts SET title = title || 'b', version = version",
        "UPDATE posts SET title = title || 'b', version = 1, modified_at = 0",
        "UPDATE posts SET title = title || 'b', incarnation = 1, version = 1000",
        "INSERT INTO posts VALUES (1, 'a', '', '', 0, 1, 1, 0)
         ON CONFLICT (id) DO UPDATE SET title = 'b', incarnation = excluded.incarnation, version = excluded.version",
    ] {
        let before = version(&mut db).await;
        assert_eq!(execute(&mut db, statement).await.unwrap(), 1);
        let after = version(&mut db).await;
        assert_eq!((after.0, after.1), (before.0, before.1 + 1), "{statement}");
        assert!(after.2 > before.2, "{statement}");

        let stale = put(&target, r#"{"title":"c"}"#).field("If-Match", &held);
        let stale = problem(&api.send(&stale).await, 412, "precondition_failed");
        assert_eq!(stale["conflict"]["changed"][0], "/title", "{statement}");
        held = tag(&api.get(&target).await);
    }

    // The control: without the trigger it is the lost update that it is elsewhere.
    for statement in [
        "ALTER TABLE posts DISABLE TRIGGER posts_advance",
        "ALTER TABLE posts DISABLE TRIGGER posts_replaced",
        "UPDATE posts SET title = 'lost'",
    ] {
        execute(&mut db, statement).await.unwrap();
    }
    api.put(&target, &held, r#"{"title":"c"}"#).await;
}

#[tokio::test]
async fn a_new_post_begins_another_life_whatever_it_claims() {
    let Some(api) = Api::on_postgres().await else {
        return;
    };
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let held = api.put(&target, &held, r#"{"title":"b"}"#).await;
    let mut db = api.database().await;
    let (incarnation, number, date) = version(&mut db).await;
    execute(&mut db, "DELETE FROM posts").await.unwrap();
    let again =
        format!("INSERT INTO posts VALUES (1, 'b', '', '', 0, {incarnation}, {number}, {date})");
    execute(&mut db, &again).await.unwrap();
    let after = version(&mut db).await;
    assert!(
        after.0 != incarnation && after.1 == 1 && after.2 > date,
        "{after:?}"
    );
    let stale = put(&target, r#"{"title":"c"}"#).field("If-Match", held);
    let stale = problem(&api.send(&stale).await, 412, "precondition_failed");
    assert_eq!(stale["reason"], "foreign_tag");
}

/// The rows of the table that outlives a post.
async fn incarnations(db: &mut PgConnection) -> Vec<(i64, i64, i64)> {
    let rows = sqlx::query_as("SELECT id, incarnation, modified_at FROM incarnations");
    rows.fetch_all(db).await.unwrap()
}

#[tokio::test]
async fn what_outlives_a_post_is_not_taken_back() {
    let Some(api) = Api::on_postgres().await else {
        return;
    };
    let (target, mut held) = api.post(r#"{"title":"a"}"#).await;
    // Its date runs ahead of the clock.
    for _ in 0..20 {
        held = api.put(&target, &held, r#"{"title":"a"}"#).await;
    }
    let mut db = api.database().await;
    let before = incarnations(&mut db).await;
    assert_eq!(before.len(), 1);
    for statement in [
        "UPDATE posts SET id = 2",
        "TRUNCATE posts CASCADE",
        "DELETE FROM incarnations",
        "TRUNCATE incarnations",
        "UPDATE incarnations SET incarnation = incarnation - 1",
        "UPDATE incarnations SET modified_at = modified_at - 1",
        "UPDATE incarnations SET id = 2",
        "INSERT INTO incarnations VALUES (1, 0, 0) ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation",
    ] {
        let refused = execute(&mut db, statement).await.expect_err(statement);
        let refused = refused.to_string();
        assert!(
            refused.contains("to stay") || refused.contains("have to"),
            "{statement}: {refused}"
        );
        assert_eq!(incarnations(&mut db).await, before, "{statement}");
    }
    assert_eq!(tag(&api.get(&target).await), held);

    let (_, _, last) = version(&mut db).await;
    api.delete(&target).await;
    assert!(incarnations(&mut db).await[0].2 >= last);
    // A sequence that was set back cannot be told in time, but its incarnations are refused.
    let set_back = "SELECT setval('post_incarnations', 1)";
    execute(&mut db, set_back).await.unwrap();
    let again = "INSERT INTO posts (id, title, content, author) VALUES (1, '', '', '')";
    let refused = execute(&mut db, again).await.unwrap_err().to_string();
    assert!(
        refused.contains("has to begin with a new incarnation"),
        "{refused}"
    );

    // The control: without the triggers a date returns.
    for statement in [
        "ALTER TABLE incarnations DISABLE TRIGGER incarnations_stay",
        "DELETE FROM incarnations",
        again,
    ] {
        execute(&mut db, statement).await.unwrap();
    }
    assert!(version(&mut db).await.2 < last);
}

/// Whether a post that is created while its predecessor is being deleted has a later date.
async fn date_advances_across_a_deletion_under_way(without: &[&str]) -> Option<bool> {
    let api = Api::on_postgres().await?;
    let (mut first, mut second) = (api.database().await, api.database().await);
    let insert = "INSERT INTO posts (id, title, content, author) VALUES (1, '', '', '')";
    execute(&mut first, insert).await.unwrap();
    for protection in without {
        execute(&mut first, protection).await.unwrap();
    }
    execute(&mut first, "BEGIN").await.unwrap();
    for _ in 0..50 {
        execute(&mut first, "UPDATE posts SET title = 'a'")
            .await
            .unwrap();
    }
    let (_, _, last) = version(&mut first).await;
    execute(&mut first, "DELETE FROM posts").await.unwrap();
    let waiting = tokio::spawn(async move {
        execute(&mut second, insert).await.unwrap();
        second
    });
    blocked(&mut api.database().await).await;
    execute(&mut first, "COMMIT").await.unwrap();
    let mut second = waiting.await.unwrap();
    Some(version(&mut second).await.2 > last)
}

#[tokio::test]
async fn a_post_that_waited_for_a_deletion_is_later() {
    let advances = date_advances_across_a_deletion_under_way(&[]).await;
    assert_ne!(advances, Some(false));
}

#[tokio::test]
async fn control_one_that_reads_its_predecessor_without_waiting_is_not() {
    // Either statement waits for whoever has the row of `incarnations`.
    let without_lock = "DO $$ BEGIN
        EXECUTE regexp_replace(
            pg_get_functiondef('begin_post'::regproc), 'INSERT INTO incarnations[^;]*;| FOR UPDATE', '', 'g'
        );
    END $$";
    let without_check = "ALTER TABLE posts DISABLE TRIGGER posts_born";
    let without = [without_lock, without_check];
    let advances = date_advances_across_a_deletion_under_way(&without).await;
    assert_ne!(advances, Some(true));
}

/// Somebody is about to use up the id that POST draws next.
#[tokio::test]
async fn post_waits_for_who_creates_its_id() {
    let Some(api) = Api::on_postgres().await else {
        return;
    };
    let mut db = api.database().await;
    execute(&mut db, "BEGIN").await.unwrap();
    let insert = "INSERT INTO posts (id, title, content, author) VALUES (1, '', '', '')";
    execute(&mut db, insert).await.unwrap();
    let post = async { api.post(r#"{"title":"a"}"#).await.0 };
    let (target, ()) = tokio::join!(post, async {
        blocked(&mut api.database().await).await;
        execute(&mut db, "DELETE FROM posts").await.unwrap();
        execute(&mut db, "COMMIT").await.unwrap();
    });
    assert_eq!(target, "/api/posts/2", "the first id was a post's");
}

//! What SQLite itself refuses, whoever writes.

use sqlx::SqliteConnection;

use crate::api::{Api, problem, put, tag};

#[tokio::test]
async fn the_database_refuses_a_write_that_makes_no_version() {
    let api = Api::on_sqlite().await.unwrap();
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let mut file = api.file().await;
    for statement in [
        "UPDATE posts SET title = 'lost'",
        "UPDATE posts SET title = 'lost', version = version + 2, modified_at = modified_at + 1",
        "UPDATE posts SET title = 'lost', version = version + 1",
        "UPDATE posts SET incarnation = incarnation + 1, version = version + 1, modified_at = modified_at + 1",
        "UPDATE posts SET id = 9, version = version + 1, modified_at = modified_at + 1",
        "INSERT OR REPLACE INTO posts SELECT * FROM posts",
        "INSERT INTO posts SELECT 2, title, content, author, updated_at, incarnation, 7, modified_at FROM posts",
    ] {
        let refused = sqlx::query(statement).execute(&mut file).await.unwrap_err();
        assert!(
            refused.to_string().contains("has to"),
            "{statement}: {refused}"
        );
    }
    assert_eq!(tag(&api.get(&target).await), held);

    // The control: a writer that keeps to it is let through, and the API sees its version.
    let kept = "UPDATE posts SET title = 'b', version = version + 1, modified_at = modified_at + 1";
    sqlx::query(kept).execute(&mut file).await.unwrap();
    let stale = problem(
        &api.send(&put(&target, r#"{"title":"c"}"#).field("If-Match", held))
            .await,
        412,
        "precondition_failed",
    );
    assert_eq!(stale["conflict"]["changed"][0], "/title");
}

#[tokio::test]
async fn an_earlier_life_cannot_be_inserted() {
    let api = Api::on_sqlite().await.unwrap();
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    api.delete(&target).await;
    let mut file = api.file().await;
    let insert = |incarnation: &str| {
        let date = u64::from(u32::MAX);
        let statement = format!(
            "INSERT INTO posts SELECT 1, 'b', '', '', {date}, {incarnation}, 1, {date} FROM incarnations"
        );
        sqlx::query(sqlx::AssertSqlSafe(statement))
    };
    for earlier in ["incarnation", "incarnation - 1", "1"] {
        assert!(insert(earlier).execute(&mut file).await.is_err());
    }
    insert("incarnation + 1").execute(&mut file).await.unwrap();
}

/// The rows of the tables that outlive a post.
async fn books(file: &mut SqliteConnection) -> Vec<(i64, i64, i64, i64, i64)> {
    let rows = "SELECT id, incarnations.incarnation, modified_at, next, epoch.incarnation FROM incarnations, sequence, epoch";
    sqlx::query_as(rows).fetch_all(file).await.unwrap()
}

/// Neither an earlier incarnation nor an id that was given returns by way of the tables that remember them.
#[tokio::test]
async fn what_outlives_a_post_is_not_taken_back() {
    let api = Api::on_sqlite().await.unwrap();
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    api.delete(&target).await;
    let mut file = api.file().await;
    let before = books(&mut file).await;
    assert_eq!(before.len(), 1);
    for statement in [
        "DELETE FROM incarnations",
        "UPDATE incarnations SET incarnation = incarnation - 1",
        "UPDATE incarnations SET modified_at = modified_at - 1",
        "UPDATE OR REPLACE incarnations SET id = 2",
        "INSERT OR REPLACE INTO incarnations SELECT id, incarnation - 1, modified_at FROM incarnations",
        "INSERT OR REPLACE INTO incarnations SELECT id, incarnation, modified_at - 1 FROM incarnations",
        "INSERT INTO incarnations SELECT 2, incarnation, 0 FROM epoch",
        "DELETE FROM sequence",
        "UPDATE sequence SET next = next - 1",
        "UPDATE OR REPLACE sequence SET next = NULL",
        "INSERT OR REPLACE INTO sequence (rowid, next) VALUES (1, 1)",
        "INSERT INTO sequence VALUES (1)",
        "DELETE FROM epoch",
        "UPDATE epoch SET incarnation = incarnation + 1",
        "INSERT OR REPLACE INTO epoch (rowid, incarnation) VALUES (1, 0)",
    ] {
        let refused = sqlx::query(statement).execute(&mut file).await;
        let refused = refused.expect_err(statement).to_string();
        let told = refused.contains("to stay")
            || refused.contains("has to")
            || refused.contains("NOT NULL constraint failed");
        assert!(told, "{statement}: {refused}");
        assert_eq!(books(&mut file).await, before, "{statement}");
    }

    // The control: without a trigger the first incarnation returns, and its tag with it.
    for statement in ["DROP TRIGGER incarnations_stay", "DELETE FROM incarnations"] {
        sqlx::query(statement).execute(&mut file).await.unwrap();
    }
    assert_eq!(api.create(&target, r#"{"title":"a"}"#).await, held);
}

/// What may rise by hand is respected, and nothing that the API does fails on it.
#[tokio::test]
async fn what_was_raised_by_hand_is_gone_on_from() {
    let api = Api::on_sqlite().await.unwrap();
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    let mut file = api.file().await;
    let later = u64::from(u32::MAX);
    for statement in [
        format!("UPDATE incarnations SET incarnation = incarnation + 5, modified_at = {later}"),
        "UPDATE sequence SET next = next + 5".to_owned(),
    ] {
        let statement = sqlx::AssertSqlSafe(statement);
        sqlx::query(statement).execute(&mut file).await.unwrap();
    }
    let raised = books(&mut file).await;
    api.delete(&target).await;
    assert_eq!(books(&mut file).await, raised);
    api.create(&target, r#"{"title":"a"}"#).await;
    let again = books(&mut file).await;
    assert!(again[0].1 > raised[0].1 && again[0].2 > raised[0].2);
    assert_eq!(api.post(r#"{"title":"b"}"#).await.0, "/api/posts/7");
}

/// A post that is there is not replaced by one that claims to be new and bears an earlier date.
#[tokio::test]
async fn replace_does_not_take_a_date_back() {
    let api = Api::on_sqlite().await.unwrap();
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let held = api.put(&target, &held, r#"{"title":"b"}"#).await;
    let mut file = api.file().await;
    let replace = |date: &str| {
        let statement = format!(
            "INSERT OR REPLACE INTO posts
             SELECT id, 'c', '', '', updated_at, incarnation + 1, 1, {date} FROM posts"
        );
        sqlx::query(sqlx::AssertSqlSafe(statement))
    };
    assert!(replace("modified_at").execute(&mut file).await.is_err());
    assert_eq!(tag(&api.get(&target).await), held);
    replace("modified_at + 1").execute(&mut file).await.unwrap();
    let stale = put(&target, r#"{"title":"d"}"#).field("If-Match", held);
    let refused = problem(&api.send(&stale).await, 412, "precondition_failed");
    assert_eq!(refused["reason"], "foreign_tag");
}

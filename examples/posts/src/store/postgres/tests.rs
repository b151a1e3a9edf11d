//! What the transactions' isolation is for, and which errors leave the outcome open.

use tower_if_match::Transactional;

use super::*;
use crate::store::TransactionalPosts;

fn draft(title: &str) -> Draft {
    Draft {
        title: title.to_owned(),
        content: String::new(),
        author: "ada".to_owned(),
    }
}

/// A PUT begins where there is no post, and before it writes, a POST gives out that very id. What
/// becomes of the PUT, and the title that stands in the end.
async fn put_behind_a_post(isolation: Isolation) -> Option<(Result<Put, StoreError>, String)> {
    let database = services::postgres().await?;
    let mut posts = PostgresPosts::open(database.url()).await.unwrap();
    let transactions = transactions().with_isolation(isolation);
    posts.versions = PgVersions::open_with(posts.read.clone(), table(), transactions)
        .await
        .unwrap();

    let id = PostId::MIN;
    let mut begun = posts.begin(&[id]).await.unwrap();
    assert!(begun.current[0].is_none());
    assert_eq!(posts.create(draft("theirs")).await.unwrap().body().id, id);
    let put = posts
        .put_in(&mut begun.transaction, id, draft("mine"))
        .await;
    if put.is_ok() {
        let made = posts
            .advance(&mut begun.transaction, &[id], &begun.current)
            .await;
        assert!(made.unwrap()[0].is_some());
        posts.commit(begun.transaction).await.unwrap();
    } else {
        posts.rollback(begun.transaction).await;
    }
    let stands = posts.read(id).await.unwrap().unwrap();
    Some((put, stands.into_body().title))
}

#[tokio::test]
async fn a_put_that_creates_does_not_write_over_what_appeared() {
    if let Some((put, stands)) = put_behind_a_post(Isolation::RepeatableRead).await {
        assert!(matches!(put, Err(StoreError::Busy(_))), "{put:?}");
        assert_eq!(stands, "theirs");
    }
}

#[tokio::test]
async fn control_where_statements_see_what_appeared_it_is_lost() {
    if let Some((put, stands)) = put_behind_a_post(Isolation::ReadCommitted).await {
        assert!(!put.unwrap().created);
        assert_eq!(stands, "mine");
    }
}

/// What a statement that raises this error comes to, for a write that commits by itself.
async fn raised(posts: &PostgresPosts, code: &str) -> StoreError {
    let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$");
    let raise = sqlx::raw_sql(sqlx::AssertSqlSafe(raise));
    unless_refused(raise.execute(&posts.write).await.unwrap_err())
}

#[tokio::test]
async fn only_an_error_of_the_statement_means_that_nothing_was_written() {
    let Some(database) = services::postgres().await else {
        return;
    };
    let posts = PostgresPosts::open(database.url()).await.unwrap();
    for code in ["55P03", "40001", "40P01"] {
        let error = raised(&posts, code).await;
        assert!(matches!(error, StoreError::Busy(_)), "{code}: {error:?}");
    }
    // Codes of SQLite's that mean "locked" are none here: 42501 ends in the same octet.
    for code in ["23505", "42501", "25006", "53100"] {
        let error = raised(&posts, code).await;
        assert!(matches!(error, StoreError::Failed(_)), "{code}: {error:?}");
    }
    for code in ["08006", "08P01", "57P01"] {
        let error = raised(&posts, code).await;
        assert!(
            matches!(error, StoreError::OutcomeUnknown(_)),
            "{code}: {error:?}"
        );
    }
    let broken = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
    assert!(matches!(
        unless_refused(broken),
        StoreError::OutcomeUnknown(_)
    ));
}

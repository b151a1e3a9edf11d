//! What is seen of an open transaction, and which errors leave the outcome open.

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

/// A PUT begins where there is no post, and writes; before it does, a POST may give out that very id.
/// What others see then, before its commit.
async fn seen_by_others(with_post: bool) -> Option<Option<Version>> {
    let database = services::postgres().await?;
    let posts = PostgresPosts::open(database.url()).await.unwrap();
    let id = PostId::MIN;
    let mut begun = posts.begin(&[id]).await.unwrap();
    assert!(begun.current[0].is_none());
    if with_post {
        let created = posts.create(draft("theirs")).await.unwrap();
        assert_eq!(created.body().id, id);
    }
    let put = posts.put_in(&mut begun.transaction, id, draft("mine"));
    assert_eq!(put.await.unwrap().created, !with_post);
    let seen = posts.current(&id).await.unwrap();
    posts.rollback(begun.transaction).await;
    Some(seen)
}

/// By this the layer finds out that an upsert has written over a post that it did not know of.
#[tokio::test]
async fn what_a_put_wrote_over_others_see_and_what_it_made_they_do_not() {
    if let Some(seen) = seen_by_others(true).await {
        assert!(seen.is_some());
        assert!(seen_by_others(false).await.unwrap().is_none());
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
    // Codes of SQLite's that mean "locked" are none here: 42501 ends in the same byte.
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

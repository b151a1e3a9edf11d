//! Transactions that a layer opens: what they hold, how they end, and what handlers may do to them.

use std::time::Duration;

use sqlx::Connection;
use version_store::{Begun, EndError, Transactional, VersionStore};
use version_store_sqlx::{ErrorKind, Isolation, SqlVersions, Transactions};

use crate::database::{Posts, TestDatabase, on_each_database};

on_each_database! {
    a_handler_that_ends_its_transaction_is_found
    a_nested_transaction_is_none_of_our_business
    a_key_is_held_whether_its_row_exists_or_not
    one_creates_under_each_isolation
    a_dropped_transaction_leaves_nothing
    each_may_take_another_connection
    several_keys_at_once
    a_created_and_a_removed_row
    a_row_that_the_handler_leaves_is_advanced
}

const ISOLATIONS: [Isolation; 3] = [
    Isolation::ReadCommitted,
    Isolation::RepeatableRead,
    Isolation::Serializable,
];

/// Long enough for what is free, short enough to wait for what is not.
fn impatient() -> Transactions {
    Transactions::new().with_wait_timeout(Duration::from_millis(1_500))
}

async fn a_handler_that_ends_its_transaction_is_found<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    let store = posts.store(impatient()).await;
    let write = "UPDATE posts SET marker = 2 WHERE id = 1";
    for (ended, stays) in [
        (format!("{write}; COMMIT"), true),
        (format!("{write}; ROLLBACK"), false),
        (format!("{write}; COMMIT; BEGIN"), true),
        (format!("{write}; ROLLBACK; BEGIN; {write}"), false),
        (
            format!("{write}; RELEASE SAVEPOINT version_store_opened; COMMIT; BEGIN; {write}"),
            true,
        ),
    ] {
        for after_advance in [false, true] {
            posts.run("DELETE FROM posts").await.unwrap();
            posts
                .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
                .await
                .unwrap();
            let Begun {
                mut transaction,
                current,
            } = store.begin(&[1]).await.unwrap();
            if after_advance {
                store
                    .advance(&mut transaction, &[1], &current)
                    .await
                    .unwrap();
            }
            D::run(&mut transaction, ended.clone()).await.unwrap();
            let end = if after_advance {
                store.commit(transaction).await
            } else {
                let end = store
                    .advance(&mut transaction, &[1], &current)
                    .await
                    .map(drop);
                drop(transaction);
                end
            };
            assert!(
                matches!(end, Err(EndError::EndedByHandler)),
                "{ended}: {end:?}"
            );
            // Whatever was open is gone, and the next one begins as ever.
            let next = store.begin(&[1]).await.unwrap();
            store.rollback(next.transaction).await;
            let marker = posts.one("SELECT marker FROM posts").await;
            assert_eq!(marker, if stays { 2 } else { 1 }, "{ended}");
        }
    }
}

async fn a_nested_transaction_is_none_of_our_business<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    let store = posts.store(impatient()).await;
    let insert = |id: u32| format!("INSERT INTO posts (id, marker) VALUES ({id}, 1)");

    let Begun {
        mut transaction,
        current,
    } = store.begin(&[1]).await.unwrap();
    let mut nested = transaction.begin().await.unwrap();
    D::run(&mut nested, insert(1)).await.unwrap();
    nested.commit().await.unwrap();
    let mut nested = transaction.begin().await.unwrap();
    D::run(&mut nested, insert(2)).await.unwrap();
    nested.rollback().await.unwrap();
    store
        .advance(&mut transaction, &[1], &current)
        .await
        .unwrap();
    store.commit(transaction).await.unwrap();
    assert_eq!(posts.one("SELECT count(*) FROM posts").await, 1);

    // One that is forgotten would swallow the commit.
    let Begun {
        mut transaction,
        current,
    } = store.begin(&[3]).await.unwrap();
    std::mem::forget(transaction.begin().await.unwrap());
    D::run(&mut transaction, insert(3)).await.unwrap();
    let end = store.advance(&mut transaction, &[3], &current).await;
    assert!(matches!(end, Err(EndError::EndedByHandler)), "{end:?}");
    drop(transaction);
    let next = store.begin(&[3]).await.unwrap();
    assert!(next.current[0].is_none());
}

async fn a_key_is_held_whether_its_row_exists_or_not<D: TestDatabase>() {
    for isolation in ISOLATIONS {
        let Some(posts) = Posts::<D>::migrated().await else {
            return;
        };
        posts
            .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
            .await
            .unwrap();
        let here = posts.store(impatient().with_isolation(isolation)).await;
        let there = posts.store(impatient().with_isolation(isolation)).await;
        for key in [1, 2] {
            let held = here.begin(&[key]).await.unwrap();
            let waited = there.begin(&[key]).await.map(drop).unwrap_err();
            assert_eq!(
                waited.kind(),
                ErrorKind::Busy,
                "{isolation:?} {key}: {waited:?}"
            );
            assert!(SqlVersions::<D, u64>::is_busy(&waited));
            if D::DIALECT != version_store_sqlx::Dialect::Sqlite {
                // The control: another key is free meanwhile.
                let other = there.begin(&[3]).await.unwrap();
                there.rollback(other.transaction).await;
            }
            here.rollback(held.transaction).await;
            let free = there.begin(&[key]).await.unwrap();
            assert_eq!(free.current[0].is_some(), key == 1);
            there.rollback(free.transaction).await;
        }
    }
}

/// What a handler does that creates or replaces.
async fn put<D: TestDatabase>(
    store: &SqlVersions<D, u64>,
    marker: usize,
) -> Result<bool, EndError<version_store_sqlx::Error>> {
    let begun = store.begin(&[1]).await.map_err(EndError::RolledBack)?;
    let Begun {
        mut transaction,
        current,
    } = begun;
    let created = current[0].is_none();
    let sql = if created {
        format!("INSERT INTO posts (id, marker) VALUES (1, {marker})")
    } else {
        "UPDATE posts SET marker = marker + 100 WHERE id = 1".to_owned()
    };
    D::run(&mut transaction, sql)
        .await
        .expect("the key is held");
    store.advance(&mut transaction, &[1], &current).await?;
    store.commit(transaction).await?;
    Ok(created)
}

async fn one_creates_under_each_isolation<D: TestDatabase>() {
    for isolation in ISOLATIONS {
        let Some(posts) = Posts::<D>::migrated().await else {
            return;
        };
        let store = posts
            .store(Transactions::new().with_isolation(isolation))
            .await;
        let racing: Vec<_> = (0..8)
            .map(|marker| {
                let store = store.clone();
                tokio::spawn(async move { put(&store, marker).await })
            })
            .collect();
        let (mut created, mut updated) = (0, 0);
        for one in racing {
            match one.await.unwrap() {
                Ok(true) => created += 1,
                Ok(false) => updated += 1,
                // A serialization failure, which is told as one.
                Err(EndError::RolledBack(error)) => assert!(error.is_busy(), "{error:?}"),
                Err(end) => panic!("{end:?}"),
            }
        }
        assert_eq!(created, 1, "{isolation:?}");
        let marker = posts.one("SELECT marker FROM posts").await;
        assert_eq!(marker / 100, updated, "{isolation:?}");
    }
}

/// Why above READ COMMITTED the lock has to be had before the transaction begins: had within it, the one
/// that waited goes on with a snapshot of before.
#[tokio::test]
async fn a_lock_within_the_snapshot_would_be_too_late() {
    use sqlx::Postgres;
    let Some(posts) = Posts::<Postgres>::migrated().await else {
        return;
    };
    let mut first = posts.pool.acquire().await.unwrap();
    let mut second = posts.pool.acquire().await.unwrap();
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_advisory_xact_lock(1)";
    let insert = "INSERT INTO posts (id, marker) VALUES (1, 1)";
    Postgres::run(&mut first, begin.to_owned()).await.unwrap();
    let waiting = tokio::spawn(async move {
        Postgres::run(&mut second, begin.to_owned()).await.unwrap();
        let seen = Postgres::row(&mut second, "SELECT marker FROM posts".to_owned()).await;
        let written = Postgres::run(&mut second, insert.to_owned()).await;
        (seen.unwrap(), written)
    });
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    while posts.one(waits).await == 0 {
        tokio::task::yield_now().await;
    }
    Postgres::run(&mut first, format!("{insert}; COMMIT"))
        .await
        .unwrap();
    let (seen, written) = waiting.await.unwrap();
    assert_eq!(seen, None, "it sees no row, and would create it");
    assert!(written.is_err());
}

async fn a_dropped_transaction_leaves_nothing<D: TestDatabase>() {
    for isolation in ISOLATIONS {
        let Some(posts) = Posts::<D>::migrated().await else {
            return;
        };
        posts
            .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
            .await
            .unwrap();
        let transactions = Transactions::new()
            .with_isolation(isolation)
            .with_connections(1);
        let store = posts.store(transactions).await;
        for key in [1, 2, 1, 2] {
            let Begun {
                mut transaction,
                current,
            } = store.begin(&[key]).await.unwrap();
            assert_eq!(current[0].is_some(), key == 1);
            let sql = "UPDATE posts SET marker = 2; INSERT INTO posts (id, marker) VALUES (2, 2)";
            D::run(&mut transaction, sql.to_owned()).await.unwrap();
            if key == 1 {
                store
                    .advance(&mut transaction, &[key], &current)
                    .await
                    .unwrap();
            }
            drop(transaction);
        }
        // On a thread where no runtime is that could take the connection back.
        let Begun { transaction, .. } = store.begin(&[1]).await.unwrap();
        std::thread::spawn(|| drop(transaction)).join().unwrap();
        let begun = store.begin(&[1, 2]).await.unwrap();
        assert!(begun.current[0].is_some() && begun.current[1].is_none());
        store.rollback(begun.transaction).await;
        assert_eq!(
            posts
                .one("SELECT count(*) FROM posts WHERE marker = 1")
                .await,
            1
        );
    }
}

async fn each_may_take_another_connection<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    // SQLite has one transaction at a time.
    let as_many: u64 = if D::DIALECT == version_store_sqlx::Dialect::Sqlite {
        1
    } else {
        4
    };
    let pool = D::pool(&posts.place, 1).await;
    let transactions = impatient().with_connections(4);
    let open = SqlVersions::<D, u64>::open_with(pool.clone(), posts.table.clone(), transactions);
    let store = open.await.unwrap();
    let mut held = Vec::new();
    for key in 1..=as_many {
        held.push(store.begin(&[key]).await.unwrap());
    }
    let waited = store.begin(&[9]).await.map(drop).unwrap_err();
    assert_eq!(waited.kind(), ErrorKind::Busy);
    for begun in held {
        let mut another = pool.acquire().await.unwrap();
        D::row(&mut another, "SELECT count(*) FROM posts".to_owned())
            .await
            .unwrap();
        assert!(pool.try_acquire().is_none(), "the pool has one");
        drop(another);
        assert!(store.current(&1).await.unwrap().is_none());
        store.rollback(begun.transaction).await;
    }
}

async fn several_keys_at_once<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    posts
        .run("INSERT INTO posts (id, marker) VALUES (1, 1), (2, 1)")
        .await
        .unwrap();
    let store = posts.store(Transactions::new()).await;
    let keys = [1, 2, 3];
    let Begun {
        mut transaction,
        current,
    } = store.begin(&keys).await.unwrap();
    let sql = "UPDATE posts SET marker = 2 WHERE id = 1; DELETE FROM posts WHERE id = 2;
        INSERT INTO posts (id, marker) VALUES (3, 3)";
    D::run(&mut transaction, sql.to_owned()).await.unwrap();
    let made = store
        .advance(&mut transaction, &keys, &current)
        .await
        .unwrap();
    store.commit(transaction).await.unwrap();
    for (key, made) in keys.iter().zip(&made) {
        let now = store.current(key).await.unwrap();
        assert_eq!(
            now.map(|now| *now.revision()),
            made.as_ref().map(|made| *made.revision())
        );
    }
    assert!(made[0].as_ref().unwrap().revision() > current[0].as_ref().unwrap().revision());
    assert!(made[1].is_none() && made[2].is_some());
}

async fn a_created_and_a_removed_row<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    let store = posts.store(Transactions::new()).await;
    let mut highest = 0;
    for _ in 0..3 {
        for sql in [
            "INSERT INTO posts (id, marker) VALUES (1, 1)",
            "DELETE FROM posts WHERE id = 1",
        ] {
            let Begun {
                mut transaction,
                current,
            } = store.begin(&[1]).await.unwrap();
            D::run(&mut transaction, sql.to_owned()).await.unwrap();
            let made = store
                .advance(&mut transaction, &[1], &current)
                .await
                .unwrap()
                .remove(0);
            store.commit(transaction).await.unwrap();
            assert_eq!(made.is_none(), current[0].is_some());
            if let Some(made) = made {
                assert!(*made.revision() > highest, "no version comes back");
                highest = *made.revision();
            }
        }
    }
}

async fn a_row_that_the_handler_leaves_is_advanced<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    posts
        .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
        .await
        .unwrap();
    let store = posts.store(Transactions::new()).await;
    let Begun {
        mut transaction,
        current,
    } = store.begin(&[1]).await.unwrap();
    let made = store
        .advance(&mut transaction, &[1], &current)
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    store.commit(transaction).await.unwrap();
    assert!(made.revision() > current[0].as_ref().unwrap().revision());
    assert!(store.current(&1).await.unwrap().unwrap().same_state(&made));
}

/// PostgreSQL answers COMMIT of an aborted transaction without an error, and writes nothing.
#[tokio::test]
async fn an_aborted_transaction_is_no_success() {
    use sqlx::Postgres;
    let Some(posts) = Posts::<Postgres>::migrated().await else {
        return;
    };
    posts
        .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
        .await
        .unwrap();
    let store = posts.store(Transactions::new()).await;
    for after_advance in [false, true] {
        let Begun {
            mut transaction,
            current,
        } = store.begin(&[1]).await.unwrap();
        if after_advance {
            store
                .advance(&mut transaction, &[1], &current)
                .await
                .unwrap();
        }
        let twice = "INSERT INTO posts (id, marker) VALUES (1, 2)";
        Postgres::run(&mut transaction, twice.to_owned())
            .await
            .unwrap_err();
        let end = if after_advance {
            store.commit(transaction).await
        } else {
            store
                .advance(&mut transaction, &[1], &current)
                .await
                .map(drop)
        };
        assert!(matches!(end, Err(EndError::RolledBack(_))), "{end:?}");
    }
    // The control: the database itself says nothing.
    let mut connection = posts.pool.acquire().await.unwrap();
    let aborted = "BEGIN; INSERT INTO posts (id, marker) VALUES (1, 2)";
    Postgres::run(&mut connection, aborted.to_owned())
        .await
        .unwrap_err();
    Postgres::run(&mut connection, "COMMIT".to_owned())
        .await
        .unwrap();
}

/// A deadlock ends the transaction in MariaDB, and so does a change of a table.
#[tokio::test]
async fn a_transaction_that_mariadb_ended_is_no_success() {
    use sqlx::MySql;
    let Some(posts) = Posts::<MySql>::migrated().await else {
        return;
    };
    posts
        .run("INSERT INTO posts (id, marker) VALUES (1, 1), (2, 1)")
        .await
        .unwrap();
    let store = posts.store(Transactions::new()).await;
    let Begun {
        mut transaction,
        current,
    } = store.begin(&[1]).await.unwrap();
    MySql::run(&mut transaction, "CREATE TABLE another (id INT)".to_owned())
        .await
        .unwrap();
    let end = store.advance(&mut transaction, &[1], &current).await;
    assert!(matches!(end, Err(EndError::EndedByHandler)), "{end:?}");
    store.rollback(transaction).await;

    let Begun {
        mut transaction,
        current,
    } = store.begin(&[1]).await.unwrap();
    let mut beside = posts.pool.acquire().await.unwrap();
    // It has written more, so that it is not the one that the deadlock ends.
    let holds = "BEGIN; INSERT INTO posts (id, marker) VALUES (3, 1), (4, 1), (5, 1), (6, 1);
        UPDATE posts SET marker = 7 WHERE id = 2";
    MySql::run(&mut beside, holds.to_owned()).await.unwrap();
    let waiting = tokio::spawn(async move {
        let update = "UPDATE posts SET marker = 8 WHERE id = 1; ROLLBACK";
        MySql::run(&mut beside, update.to_owned()).await.map(drop)
    });
    let sql = "UPDATE posts SET marker = 9 WHERE id = 2";
    let deadlock = MySql::run(&mut transaction, sql.to_owned()).await;
    waiting.await.unwrap().unwrap();
    assert!(deadlock.is_err(), "the control: it is ended");
    // A handler that does not care goes on, in a transaction that is another one.
    let sql = "UPDATE posts SET marker = 10 WHERE id = 1";
    MySql::run(&mut transaction, sql.to_owned()).await.unwrap();
    let end = store.advance(&mut transaction, &[1], &current).await;
    assert!(matches!(end, Err(EndError::EndedByHandler)), "{end:?}");
    drop(transaction);
    let next = store.begin(&[1]).await.unwrap();
    store.rollback(next.transaction).await;
    assert_eq!(posts.one("SELECT marker FROM posts WHERE id = 1").await, 1);
}

async fn a_row_is_held_against_writers_beside_the_store<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    let insert = "INSERT INTO posts (id, marker) VALUES (1, 1)";
    posts.run(insert).await.unwrap();
    let store = posts.store(impatient()).await;
    let held = store.begin(&[1]).await.unwrap();
    let beside = "SELECT marker FROM posts WHERE id = 1 FOR UPDATE NOWAIT";
    posts.run(beside).await.unwrap_err();
    store.rollback(held.transaction).await;
    posts.run(beside).await.unwrap();
}

#[tokio::test]
async fn postgres_row_is_held() {
    a_row_is_held_against_writers_beside_the_store::<sqlx::Postgres>().await;
}

#[tokio::test]
async fn mariadb_row_is_held() {
    a_row_is_held_against_writers_beside_the_store::<sqlx::MySql>().await;
}

async fn isolated_as_asked<D: TestDatabase>() {
    for (isolation, seen) in [
        (Isolation::ReadCommitted, 2),
        (Isolation::RepeatableRead, 1),
    ] {
        let Some(posts) = Posts::<D>::migrated().await else {
            return;
        };
        posts
            .run("INSERT INTO posts (id, marker) VALUES (2, 1)")
            .await
            .unwrap();
        let store = posts.store(impatient().with_isolation(isolation)).await;
        let mut transaction = store.begin(&[1]).await.unwrap().transaction;
        let look = || "SELECT marker FROM posts WHERE id = 2".to_owned();
        D::row(&mut transaction, look()).await.unwrap();
        posts.run("UPDATE posts SET marker = 2").await.unwrap();
        let again = D::row(&mut transaction, look()).await.unwrap();
        assert_eq!(again, Some(vec![seen]), "{isolation:?}");
    }
}

async fn idle<D: TestDatabase>(ask: &str) {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    let idle = impatient().with_idle_limit(Duration::from_secs(77));
    let store = posts.store(idle).await;
    let mut transaction = store.begin(&[1]).await.unwrap().transaction;
    let limit = D::row(&mut transaction, ask.to_owned()).await.unwrap();
    assert_eq!(limit, Some(vec![77]));
}

#[tokio::test]
async fn my_isolated() {
    isolated_as_asked::<sqlx::MySql>().await;
}
#[tokio::test]
async fn pg_isolated() {
    isolated_as_asked::<sqlx::Postgres>().await;
}
#[tokio::test]
async fn my_idle() {
    idle::<sqlx::MySql>("SELECT CAST(@@idle_transaction_timeout AS SIGNED)").await;
}
#[tokio::test]
async fn pg_idle() {
    idle::<sqlx::Postgres>("SELECT extract(epoch FROM current_setting('idle_in_transaction_session_timeout')::interval)::bigint").await;
}

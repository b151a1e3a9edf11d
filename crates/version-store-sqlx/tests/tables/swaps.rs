//! `compare_and_swap`, and the same by hand.

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{MySql, Postgres, Sqlite, SqlitePool};
use version_store::handover::{Ending, Made, Slot};
use version_store::{Demand, Expected, Version, VersionStore};
use version_store_sqlx::{Dialect, ErrorKind, SqlVersions, SwapError, Table, Transactions};

use crate::database::{Posts, TestDatabase, on_each_database};

on_each_database! {
    statements_that_fail_write_nothing
    a_key_that_is_taken_is_a_lost_race
    an_upsert_over_what_appeared_has_lost
    a_key_that_no_column_holds_is_written_by_nobody
    by_hand
    without_the_comparison_by_hand
}

async fn statements_that_fail_write_nothing<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    posts
        .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
        .await
        .unwrap();
    let store = posts.store(Transactions::new()).await;
    let slot: Slot<Expected<SqlVersions<D, u64>>> = Slot::new(1, Demand::Exists);
    let swap = store.compare_and_swap(slot.take().unwrap(), async |connection, _| {
        let update = "UPDATE posts SET marker = 2 WHERE id = 1";
        D::run(connection, update.to_owned()).await.unwrap();
        Err::<(), _>("a title is missing")
    });
    assert!(matches!(
        swap.await,
        Err(SwapError::Statements("a title is missing"))
    ));
    assert!(matches!(slot.close(), Ending::Unsettled));
    assert_eq!(posts.one("SELECT marker FROM posts").await, 1);
}

/// An upsert finds a row where the transaction found none.
async fn an_upsert_over_what_appeared_has_lost<D: TestDatabase>() {
    // In SQLite nobody can create it meanwhile.
    if D::DIALECT == Dialect::Sqlite {
        return;
    }
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    let store = posts.store(Transactions::new()).await;
    let upsert = match D::DIALECT {
        Dialect::MariaDb => "ON DUPLICATE KEY UPDATE marker = 2",
        _ => "ON CONFLICT (id) DO UPDATE SET marker = 2",
    };
    let upsert = format!("INSERT INTO posts (id, marker) VALUES (1, 2) {upsert}");
    for (demand, lost, stands) in [(Demand::NotExists, true, 1), (Demand::Any, false, 2)] {
        posts.run("DELETE FROM posts").await.unwrap();
        let slot: Slot<Expected<SqlVersions<D, u64>>> = Slot::new(1, demand);
        let swap = store.compare_and_swap(slot.take().unwrap(), async |connection, _| {
            let beside = "INSERT INTO posts (id, marker) VALUES (1, 1)";
            posts.run(beside).await.unwrap();
            D::run(connection, upsert.clone()).await
        });
        let swap = swap.await;
        assert_eq!(matches!(swap, Err(SwapError::Lost(_))), lost, "{swap:?}");
        assert_eq!(posts.one("SELECT marker FROM posts").await, stands);
    }
}

/// Such a row cannot be. A handler that creates it all the same would write another one.
async fn a_key_that_no_column_holds_is_written_by_nobody<D: TestDatabase>() {
    // A column of MariaDB may hold it.
    if D::DIALECT == Dialect::MariaDb {
        return;
    }
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    let store = posts.store(Transactions::new()).await;
    let slot: Slot<Expected<SqlVersions<D, u64>>> = Slot::new(u64::MAX, Demand::NotExists);
    let swap = store.compare_and_swap(slot.take().unwrap(), async |connection, _| {
        let wrapped = "INSERT INTO posts (id, marker) VALUES (-1, 1)";
        D::run(connection, wrapped.to_owned()).await
    });
    let Err(SwapError::Store(error)) = swap.await else {
        panic!("written");
    };
    assert_eq!(error.kind(), ErrorKind::NoSuchKey);
    assert_eq!(posts.one("SELECT COUNT(*) FROM posts").await, 0);
}

/// One writer at a time holds the place of an absent row, too. A second look, on another connection,
/// would wait for the writer that it is made for: in a shared cache for ever, in a journal once its
/// pages no longer fit the cache.
#[tokio::test]
async fn a_creation_in_sqlite_needs_no_second_look() {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteConnectOptions::new()
        .filename(folder.path().join("journal.db"))
        .journal_mode(SqliteJournalMode::Delete)
        .create_if_missing(true);
    let memory: SqliteConnectOptions = "sqlite::memory:".parse().unwrap();
    for options in [file, memory] {
        let pool = SqlitePool::connect_with(options).await.unwrap();
        sqlx::raw_sql("CREATE TABLE posts (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
            .execute(&pool)
            .await
            .unwrap();
        let table = Table::new("posts");
        table.apply(&pool).await.unwrap();
        let store = SqlVersions::<Sqlite, i64>::open(pool, table).await.unwrap();
        let slot: Slot<Expected<SqlVersions<Sqlite, i64>>> = Slot::new(1, Demand::NotExists);
        let text = "x".repeat(4 << 20);
        store
            .compare_and_swap(slot.take().unwrap(), async |connection, _| {
                let insert = sqlx::query("INSERT INTO posts (id, text) VALUES (1, ?)");
                insert.bind(&text).execute(connection).await
            })
            .await
            .unwrap();
        assert!(matches!(
            slot.close(),
            Ending::Written(Made {
                version: Some(_),
                ..
            })
        ));
    }
}

/// Somebody who does not go through the store creates the row after it was looked for.
async fn a_key_that_is_taken_is_a_lost_race<D: TestDatabase>() {
    // In SQLite nobody can.
    if D::DIALECT == Dialect::Sqlite {
        return;
    }
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    let store = posts.store(Transactions::new()).await;
    let insert = "INSERT INTO posts (id, marker) VALUES (1, 1)";
    for (demand, lost) in [(Demand::NotExists, true), (Demand::Any, false)] {
        posts.run("DELETE FROM posts").await.unwrap();
        let slot: Slot<Expected<SqlVersions<D, u64>>> = Slot::new(1, demand);
        let swap = store.compare_and_swap(slot.take().unwrap(), async |connection, was| {
            assert!(was.is_none());
            posts.run(insert).await.unwrap();
            D::run(connection, insert.to_owned()).await
        });
        let swap = swap.await;
        assert_eq!(matches!(swap, Err(SwapError::Lost(_))), lost, "{swap:?}");
        assert_eq!(matches!(slot.close(), Ending::Lost), lost);
    }
}

/// The statements of the crate's documentation: conditional in themselves, without the store's help.
async fn by_hand<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    let store = posts.store(Transactions::new()).await;
    let mut connection = posts.pool.acquire().await.unwrap();
    let create = match D::DIALECT {
        // A version above every one that was, because RETURNING shows what the statement wrote.
        Dialect::Sqlite => {
            "INSERT INTO posts (id, marker, version) SELECT 1, 1, value + 1 FROM posts_version_store \
             WHERE true ON CONFLICT (id) DO NOTHING RETURNING version"
        }
        Dialect::Postgres => {
            "INSERT INTO posts (id, marker) VALUES (1, 1) ON CONFLICT (id) DO NOTHING \
             RETURNING version"
        }
        _ => "INSERT INTO posts (id, marker) VALUES (1, 1) RETURNING version",
    };
    let mut create = async || match D::row(&mut connection, create.to_owned()).await {
        // MariaDB says so by an error.
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => None,
        row => row.unwrap(),
    };
    let first = create().await.expect("it is created")[0];
    assert_eq!(create().await, None, "lost: it exists");
    let current = async || store.current(&1).await.unwrap();
    let is = |version: Option<Version>, revision: i64| {
        version.is_some_and(|version| *version.revision() == revision.cast_unsigned())
    };
    assert!(is(current().await, first));

    let mut replaced = first;
    for expected in [first, first] {
        let update = format!(
            "UPDATE posts SET marker = marker + 1, version = version + 1 WHERE id = 1 AND version = {expected}"
        );
        let made = if D::DIALECT == Dialect::MariaDb {
            // It has no UPDATE … RETURNING: the version is read in the same transaction.
            let mut connection = posts.pool.acquire().await.unwrap();
            D::run(&mut connection, "BEGIN".to_owned()).await.unwrap();
            let written = D::run(&mut connection, update).await.unwrap();
            let read = "SELECT version FROM posts WHERE id = 1".to_owned();
            let read = D::row(&mut connection, read).await.unwrap();
            D::run(&mut connection, "COMMIT".to_owned()).await.unwrap();
            read.filter(|_| written == 1)
        } else {
            posts
                .row(&format!("{update} RETURNING version"))
                .await
                .unwrap()
        };
        match made {
            Some(made) => {
                assert_eq!((expected, replaced), (first, first), "the first one only");
                replaced = made[0];
                assert!(is(current().await, replaced));
            }
            None => assert_ne!(replaced, first, "the second one has lost"),
        }
    }
    assert_eq!(posts.one("SELECT marker FROM posts").await, 2);
    let delete = |version: i64| format!("DELETE FROM posts WHERE id = 1 AND version = {version}");
    assert_eq!(posts.run(&delete(first)).await.unwrap(), 0);
    assert_eq!(posts.run(&delete(replaced)).await.unwrap(), 1);
    let again = create().await.expect("it is created again")[0];
    assert!(again > replaced, "no version comes back");
}

/// The control: a write that names no version takes place on any.
async fn without_the_comparison_by_hand<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    posts
        .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
        .await
        .unwrap();
    for marker in [2, 3] {
        let update = format!("UPDATE posts SET marker = {marker} WHERE id = 1");
        assert_eq!(posts.run(&update).await.unwrap(), 1);
    }
}

/// A handler of axum demands that its future is `Send`.
#[allow(dead_code, reason = "it only has to compile")]
fn is_send(
    store: &SqlVersions<Sqlite, u64>,
    pg: &SqlVersions<Postgres, u64>,
    my: &SqlVersions<MySql, u64>,
) {
    fn send<T: Send>(_: T) {}
    let slot: Slot<Expected<SqlVersions<Sqlite, u64>>> = Slot::new(1, Demand::Exists);
    let title = String::new();
    send(
        store.compare_and_swap(slot.take().unwrap(), async |connection, _| {
            let update = sqlx::query("UPDATE posts SET title = ? WHERE id = 1").bind(&title);
            update.execute(connection).await.map(drop)
        }),
    );
    let slot: Slot<Expected<SqlVersions<Postgres, u64>>> = Slot::new(1, Demand::Exists);
    send(
        pg.compare_and_swap(slot.take().unwrap(), async |connection, _| {
            sqlx::query("UPDATE posts SET title = $1")
                .bind(&title)
                .execute(&mut *connection)
                .await?;
            sqlx::query("UPDATE posts SET title = $1")
                .bind(&title)
                .execute(connection)
                .await
                .map(drop)
        }),
    );
    let slot: Slot<Expected<SqlVersions<MySql, u64>>> = Slot::new(1, Demand::Exists);
    send(
        my.compare_and_swap(slot.take().unwrap(), async |connection, _| {
            sqlx::query("UPDATE posts SET title = ?")
                .bind(&title)
                .execute(connection)
                .await
                .map(drop)
        }),
    );
}

//! What the triggers mend and refuse, whoever writes; each with the control that without them it goes
//! through.

use std::collections::HashSet;

use version_store::{Begun, Transactional, VersionStore};
use version_store_sqlx::{Dialect, SqlVersions, Table, Transactions, Unversioned};

use crate::database::{Posts, TestDatabase, on_each_database};

on_each_database! {
    no_statement_brings_a_version_back
    without_triggers_versions_come_back
    who_leaves_the_version_is_refused
    a_migration_can_be_applied_twice
    versions_of_before_are_gone_on_from
    the_text_is_what_is_applied
    any_name_will_do
}

/// Statements that write row 1, each as somebody sends it who knows nothing of versions, or too much.
fn writes(dialect: Dialect) -> Vec<&'static str> {
    let mut writes = vec![
        "INSERT INTO posts (id, marker) VALUES (1, 1)",
        "UPDATE posts SET marker = 2 WHERE id = 1",
        "UPDATE posts SET marker = 3, version = version + 1 WHERE id = 1",
        "UPDATE posts SET marker = 3, version = version WHERE id = 1",
        "DELETE FROM posts WHERE id = 1",
        "INSERT INTO posts (id, marker, version) VALUES (1, 1, 1)",
        "DELETE FROM posts WHERE id = 1",
        "INSERT INTO posts (id, marker, version) VALUES (1, 1, 2)",
        "UPDATE posts SET id = 9 WHERE id = 1",
        "UPDATE posts SET id = 1 WHERE id = 9",
        "UPDATE posts SET id = 9 WHERE id = 1",
        "UPDATE posts SET id = 1, version = version + 1 WHERE id = 9",
        "DELETE FROM posts WHERE id = 1",
        "INSERT INTO posts (id, marker, version) VALUES (1, 1, -7)",
    ];
    writes.extend_from_slice(match dialect {
        Dialect::Sqlite => &[
            "REPLACE INTO posts (id, marker) VALUES (1, 4)",
            "INSERT OR REPLACE INTO posts (id, marker, version) VALUES (1, 5, 3)",
            "INSERT INTO posts (id, marker) VALUES (1, 6) ON CONFLICT (id) DO UPDATE SET marker = 6",
            "INSERT INTO posts (id, marker) VALUES (1, 6)
                ON CONFLICT (id) DO UPDATE SET marker = excluded.marker, version = version + 1",
            "INSERT INTO posts (id, marker) VALUES (9, 6); UPDATE OR REPLACE posts SET id = 1 WHERE id = 9",
            "PRAGMA recursive_triggers = on; UPDATE posts SET marker = 7;
             PRAGMA recursive_triggers = off",
            "PRAGMA recursive_triggers = on; REPLACE INTO posts (id, marker) VALUES (1, 8);
             PRAGMA recursive_triggers = off",
        ] as &[_],
        Dialect::Postgres => &[
            "INSERT INTO posts (id, marker) VALUES (1, 6) ON CONFLICT (id) DO UPDATE SET marker = 6",
            "INSERT INTO posts (id, marker) VALUES (1, 6)
                ON CONFLICT (id) DO UPDATE SET marker = 6, version = excluded.version",
            "TRUNCATE posts RESTART IDENTITY; INSERT INTO posts (id, marker) VALUES (1, 7)",
            "MERGE INTO posts USING (SELECT 1 AS id) AS new ON posts.id = new.id
                WHEN MATCHED THEN UPDATE SET marker = 8",
            "WITH moved AS (DELETE FROM posts WHERE id = 1 RETURNING marker)
                INSERT INTO posts (id, marker) SELECT 2, marker FROM moved;
             UPDATE posts SET id = 1 WHERE id = 2",
        ],
        _ => &[
            "REPLACE INTO posts (id, marker) VALUES (1, 4)",
            "REPLACE INTO posts (id, marker, version) VALUES (1, 5, 3)",
            "INSERT INTO posts (id, marker) VALUES (1, 6) ON DUPLICATE KEY UPDATE marker = 6",
            "INSERT INTO posts (id, marker) VALUES (1, 6)
                ON DUPLICATE KEY UPDATE marker = 6, version = VALUES(version)",
            "TRUNCATE posts; INSERT INTO posts (id, marker) VALUES (1, 7)",
        ],
    });
    writes
}

/// The versions that row 1 had, one after each write, and those that came twice.
async fn versions<D: TestDatabase>(posts: &Posts<D>) -> (Vec<i64>, usize) {
    let mut seen = Vec::new();
    for write in writes(D::DIALECT) {
        if let Err(error) = posts.run(write).await {
            panic!("{write}: {error}");
        }
        let row = posts
            .row("SELECT version FROM posts WHERE id = 1")
            .await
            .unwrap();
        seen.extend(row.map(|row| row[0]));
    }
    let different: HashSet<_> = seen.iter().collect();
    let twice = seen.len() - different.len();
    (seen, twice)
}

async fn no_statement_brings_a_version_back<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    let (seen, _) = versions(&posts).await;
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
    // Downwards it does not go.
    for lower in ["version - 1", "0", "NULL", "-1"] {
        let update = format!("UPDATE posts SET version = {lower} WHERE id = 1");
        assert!(posts.run(&update).await.is_err(), "{update}");
    }
    let now = posts.one("SELECT version FROM posts WHERE id = 1").await;
    assert_eq!(Some(&now), seen.last());
    if D::DIALECT == Dialect::Sqlite {
        for refused in [
            "UPDATE posts SET version = 'abc'",
            "UPDATE posts SET version = version + 0.5",
            "INSERT OR IGNORE INTO posts (id, marker, version) VALUES (3, 1, 'abc')",
            "INSERT OR IGNORE INTO posts (id, marker, version) VALUES (3, 1, 1e30)",
            "UPDATE OR REPLACE posts SET version = NULL",
            "UPDATE posts_version_store SET value = 1",
            "UPDATE OR REPLACE posts_version_store SET value = NULL",
            "UPDATE posts_version_store SET value = 'abc'",
            "DELETE FROM posts_version_store",
            "INSERT INTO posts_version_store VALUES (1)",
            "INSERT OR REPLACE INTO posts_version_store (rowid, value) VALUES (1, 1)",
        ] {
            assert!(posts.run(refused).await.is_err(), "{refused}");
        }
    }
    // The sequence that somebody sets back is found out, not followed.
    let back = match D::DIALECT {
        Dialect::Postgres => "SELECT setval('posts_version_store', 1)",
        Dialect::MariaDb => "ALTER SEQUENCE posts_version_store RESTART 1",
        _ => return,
    };
    posts.run(back).await.unwrap();
    let behind = posts
        .run("UPDATE posts SET marker = 9 WHERE id = 1")
        .await
        .unwrap_err();
    assert!(behind.to_string().contains("behind"), "{behind}");
    posts.table.apply(&posts.pool).await.unwrap();
    posts
        .run("UPDATE posts SET marker = 9 WHERE id = 1")
        .await
        .unwrap();
}

async fn without_triggers_versions_come_back<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::bare(Table::new("posts")).await else {
        return;
    };
    posts
        .run("ALTER TABLE posts ADD COLUMN version BIGINT NOT NULL DEFAULT 0")
        .await
        .unwrap();
    let (seen, twice) = versions(&posts).await;
    assert!(twice > 8, "{seen:?}");
    posts
        .run("UPDATE posts SET version = version - 1 WHERE id = 1")
        .await
        .unwrap();
}

async fn who_leaves_the_version_is_refused<D: TestDatabase>() {
    let table = Table::new("posts").with_unversioned(Unversioned::Refuse);
    let Some(posts) = Posts::<D>::bare(table).await else {
        return;
    };
    posts.table.apply(&posts.pool).await.unwrap();
    let insert = if D::DIALECT == Dialect::Sqlite {
        let stale = "INSERT INTO posts (id, marker) VALUES (1, 1)";
        let refused = posts.run(stale).await.unwrap_err().to_string();
        assert!(
            refused.contains("has to bring a version above every one that was"),
            "{refused}"
        );
        "INSERT INTO posts (id, marker, version) SELECT 1, 1, value + 1 FROM posts_version_store"
    } else {
        "INSERT INTO posts (id, marker) VALUES (1, 1)"
    };
    posts.run(insert).await.unwrap();
    for left in [
        "UPDATE posts SET marker = 2",
        "UPDATE posts SET marker = 2, version = version",
        "UPDATE posts SET marker = 2, version = version - 1",
    ] {
        let refused = posts.run(left).await.unwrap_err().to_string();
        assert!(
            refused.contains("a write of posts has to raise version"),
            "{refused}"
        );
    }
    posts
        .run("UPDATE posts SET marker = 2, version = version + 1")
        .await
        .unwrap();
    assert_eq!(posts.one("SELECT marker FROM posts").await, 2);

    // The store advances what a handler leaves, unless it is refused.
    let store = posts.store(Transactions::new()).await;
    let Begun {
        mut transaction,
        current,
    } = store.begin(&[1]).await.unwrap();
    let made = store
        .advance(&mut transaction, &[1], &current)
        .await
        .unwrap();
    assert!(made[0].as_ref().unwrap().revision() > current[0].as_ref().unwrap().revision());

    // Another description is another migration.
    drop(transaction);
    let advance = posts.table.clone().with_unversioned(Unversioned::Advance);
    let refused = SqlVersions::<D, u64>::open(posts.pool.clone(), advance.clone()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("its version triggers are not those of this table's description"));
    advance.apply(&posts.pool).await.unwrap();
    SqlVersions::<D, u64>::open(posts.pool.clone(), advance)
        .await
        .unwrap();
    posts.run("UPDATE posts SET marker = 3").await.unwrap();
}

async fn a_migration_can_be_applied_twice<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::migrated().await else {
        return;
    };
    posts
        .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
        .await
        .unwrap();
    let before = posts.one("SELECT version FROM posts").await;
    posts.run("DELETE FROM posts").await.unwrap();
    posts.table.apply(&posts.pool).await.unwrap();
    posts.table.apply(&posts.pool).await.unwrap();
    posts
        .run("INSERT INTO posts (id, marker) VALUES (1, 1)")
        .await
        .unwrap();
    let after = posts.one("SELECT version FROM posts").await;
    assert!(after > before);
    posts.store(Transactions::new()).await;
}

async fn versions_of_before_are_gone_on_from<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::bare(Table::new("posts")).await else {
        return;
    };
    posts
        .run("ALTER TABLE posts ADD COLUMN version BIGINT NOT NULL DEFAULT 0")
        .await
        .unwrap();
    posts
        .run("INSERT INTO posts (id, marker, version) VALUES (1, 1, 500)")
        .await
        .unwrap();
    posts.table.apply(&posts.pool).await.unwrap();
    assert_eq!(posts.one("SELECT version FROM posts").await, 500);
    posts.run("UPDATE posts SET marker = 2").await.unwrap();
    assert!(posts.one("SELECT version FROM posts").await > 500);
    posts
        .run("INSERT INTO posts (id, marker) VALUES (2, 1)")
        .await
        .unwrap();
    assert!(posts.one("SELECT version FROM posts WHERE id = 2").await > 500);
}

async fn the_text_is_what_is_applied<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::bare(Table::new("posts")).await else {
        return;
    };
    let text = posts.table.migration(D::DIALECT);
    // SQLite's line for the column is a comment.
    let text = text.replace("-- ALTER", "ALTER");
    posts.run(&text).await.unwrap();
    posts.store(Transactions::new()).await;
    posts.run(&posts.table.migration(D::DIALECT)).await.unwrap();
    posts.store(Transactions::new()).await;
}

async fn any_name_will_do<D: TestDatabase>() {
    let quote = if D::DIALECT == Dialect::MariaDb {
        '`'
    } else {
        '"'
    };
    let quoted = |name: &str| {
        format!(
            "{quote}{}{quote}",
            name.replace(quote, &format!("{quote}{quote}"))
        )
    };
    let name = "we\"ird ta`ble'; $version_store$ \\ %I";
    let (id, version) = ("i\"d `'", "ver\"sion`'s");
    let table = Table::new(name).with_key(id).with_version(version);
    let Some(posts) = Posts::<D>::bare(table).await else {
        return;
    };
    let (table, key) = (quoted(name), quoted(id));
    posts
        .run(&format!(
            "CREATE TABLE {table} ({key} BIGINT NOT NULL PRIMARY KEY, marker BIGINT NOT NULL)"
        ))
        .await
        .unwrap();
    posts.table.apply(&posts.pool).await.unwrap();
    posts.table.apply(&posts.pool).await.unwrap();
    let store = posts.store(Transactions::new()).await;
    let Begun {
        mut transaction,
        current,
    } = store.begin(&[1]).await.unwrap();
    let insert = format!("INSERT INTO {table} ({key}, marker) VALUES (1, 1)");
    D::run(&mut transaction, insert).await.unwrap();
    let made = store
        .advance(&mut transaction, &[1], &current)
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    store.commit(transaction).await.unwrap();
    assert!(store.current(&1).await.unwrap().unwrap().same_state(&made));
    let lower = format!("UPDATE {table} SET {} = 0", quoted(version));
    let refused = posts.run(&lower).await.unwrap_err().to_string();
    assert!(
        refused.contains("a write of we\"ird ta`ble'; $version_store$"),
        "{refused}"
    );
}

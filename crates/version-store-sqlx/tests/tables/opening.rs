//! The check at the start: each thing that a table lacks is told, in one line.

use sqlx::{MySql, Postgres, Sqlite};
use version_store::{Version, VersionStore};
use version_store_sqlx::{Dialect, SqlKey, SqlVersions, Table};

use crate::database::{Posts, TestDatabase, on_each_database};

on_each_database! {
    each_missing_thing_is_told
    keys_of_several_columns
    what_else_a_version_has
}

async fn opened<D: TestDatabase, K: SqlKey>(
    posts: &Posts<D>,
    table: Table,
) -> Result<SqlVersions<D, K>, String> {
    let opened = SqlVersions::open(posts.pool.clone(), table).await;
    opened.map_err(|error| {
        assert!(error.is_about_the_table(), "{error}");
        let line = error.to_string();
        assert!(!line.contains('\n') && line.starts_with("table "), "{line}");
        line
    })
}

/// Makes a table, describes it, and expects this in the line; nothing where it is fit.
async fn told<D: TestDatabase, K: SqlKey>(
    posts: &Posts<D>,
    create: &str,
    table: Table,
    line: &str,
) {
    posts
        .run(&format!("DROP TABLE IF EXISTS fit; {create}"))
        .await
        .unwrap();
    match opened::<D, K>(posts, table).await {
        Ok(_) => assert_eq!(line, "", "it was opened: {create}"),
        Err(told) => assert!(!line.is_empty() && told.contains(line), "{create}: {told}"),
    }
}

#[allow(clippy::too_many_lines, reason = "it is a table")]
async fn each_missing_thing_is_told<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::bare(Table::new("posts")).await else {
        return;
    };
    let fit = || Table::new("fit").asserting_that_revisions_never_repeat();
    let whole = "CREATE TABLE fit (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)";
    told::<D, u64>(&posts, whole, fit(), "").await;

    let none = opened::<D, u64>(&posts, Table::new("none"))
        .await
        .unwrap_err();
    assert_eq!(none, "table \"none\": there is no such table");
    let none = Table::new("none").apply(&posts.pool).await.unwrap_err();
    assert_eq!(none.to_string(), "table \"none\": there is no such table");
    let name = opened::<D, u64>(&posts, Table::new("n\0"))
        .await
        .unwrap_err();
    assert!(name.contains("cannot be the name"), "{name}");
    let version = opened::<D, u64>(&posts, Table::new("posts"))
        .await
        .unwrap_err();
    let dialect = D::DIALECT;
    assert_eq!(
        version,
        format!(
            "table \"posts\": column \"version\" is missing; Table::migration(Dialect::{dialect:?}) has the \
             statements"
        )
    );
    for (create, table, line) in [
        (whole, Table::new("fit"), "has the statements"),
        (
            whole,
            fit().with_key("number"),
            "column \"number\" is missing",
        ),
        (
            whole,
            fit().with_incarnation("incarnation"),
            "column \"incarnation\" is missing",
        ),
        (
            whole,
            fit().with_modified_at("at"),
            "column \"at\" is missing",
        ),
        (
            whole,
            fit().with_modified_by("by"),
            "column \"by\" is missing",
        ),
        (
            whole,
            fit().with_key("id").with_key("version"),
            "the key has 2 columns (id, version), but the key type fills 1",
        ),
        (
            "CREATE TABLE fit (id BIGINT NOT NULL PRIMARY KEY, version BIGINT)",
            fit(),
            "column \"version\" may be null",
        ),
        (
            "CREATE TABLE fit (id BIGINT NOT NULL PRIMARY KEY, version VARCHAR(9) NOT NULL)",
            fit(),
            "it has to be an integer of 64 bits",
        ),
        (
            "CREATE TABLE fit (id BIGINT NOT NULL, version BIGINT NOT NULL)",
            fit(),
            "nothing keeps the key (id) unique",
        ),
        (
            "CREATE TABLE fit (id BIGINT NOT NULL, of BIGINT NOT NULL, version BIGINT NOT NULL, UNIQUE (id, of))",
            fit(),
            "nothing keeps the key (id) unique",
        ),
        (
            "CREATE TABLE fit (id VARCHAR(9) NOT NULL PRIMARY KEY, version BIGINT NOT NULL)",
            fit(),
            "but the key type has an integer there",
        ),
        (
            "CREATE TABLE fit (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, at VARCHAR(9))",
            fit().with_modified_at("at"),
            "it has to be seconds since 1970",
        ),
        (
            "CREATE TABLE fit (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, by_id BIGINT)",
            fit().with_modified_by("by_id"),
            "it has to be text",
        ),
        (
            "CREATE TABLE fit (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, incarnation BIGINT NOT NULL)",
            Table::new("fit").with_incarnation("incarnation"),
            "",
        ),
    ] {
        told::<D, u64>(&posts, create, table, line).await;
    }
    told::<D, String>(&posts, whole, fit(), "but the key type has text there").await;
    posts
        .run("CREATE VIEW shown AS SELECT * FROM fit")
        .await
        .unwrap();
    let view = opened::<D, u64>(&posts, Table::new("shown"))
        .await
        .unwrap_err();
    assert!(view.contains("it has to be"), "{view}");
}

#[tokio::test]
async fn what_only_sqlite_has() {
    let posts = Posts::<Sqlite>::bare(Table::new("posts")).await.unwrap();
    let fit = || Table::new("fit").asserting_that_revisions_never_repeat();
    let text = |collation: &str| {
        format!(
            "CREATE TABLE fit (id TEXT NOT NULL {collation} PRIMARY KEY, version INTEGER NOT NULL)"
        )
    };
    told::<Sqlite, String>(&posts, &text(""), fit(), "").await;
    for folds in ["COLLATE NOCASE", "COLLATE RTRIM"] {
        told::<Sqlite, String>(
            &posts,
            &text(folds),
            fit(),
            "takes different texts for equal",
        )
        .await;
        let asserted = fit().asserting_that_keys_fold_as_the_column_does();
        told::<Sqlite, String>(&posts, &text(folds), asserted, "").await;
    }
    // Here '7' and '07' would be one row.
    let number = "CREATE TABLE fit (id NUMERIC NOT NULL PRIMARY KEY, version INTEGER NOT NULL)";
    told::<Sqlite, String>(&posts, number, fit(), "but the key type has text there").await;
    let partial = "CREATE TABLE fit (id INTEGER NOT NULL, version INTEGER NOT NULL);
        CREATE UNIQUE INDEX some ON fit (id) WHERE version > 7";
    told::<Sqlite, u64>(&posts, partial, fit(), "nothing keeps the key (id) unique").await;
    let random = "CREATE TABLE fit (id INTEGER PRIMARY KEY, version INTEGER NOT NULL DEFAULT (random() & 0xffff))";
    told::<Sqlite, u64>(&posts, random, Table::new("fit"), "").await;
    // An id is not given twice by itself, but who creates by PUT chooses it.
    let ids = "CREATE TABLE fit (id INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL)";
    told::<Sqlite, u64>(&posts, ids, Table::new("fit"), "has the statements").await;

    // A database that only its own connection sees.
    let memory = sqlx::pool::PoolOptions::new().max_connections(1);
    let memory: sqlx::SqlitePool = memory
        .connect_with(sqlx::sqlite::SqliteConnectOptions::new())
        .await
        .unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(text("")))
        .execute(&memory)
        .await
        .unwrap();
    let refused = SqlVersions::<Sqlite, String>::open(memory, fit())
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("a second connection"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_only_postgres_has() {
    let Some(posts) = Posts::<Postgres>::bare(Table::new("posts")).await else {
        return;
    };
    let fit = || Table::new("fit").asserting_that_revisions_never_repeat();
    let of = |id: &str| format!("CREATE TABLE fit (id {id} PRIMARY KEY, version bigint NOT NULL)");
    for (id, line) in [
        ("text", ""),
        ("varchar(40)", ""),
        ("char(9)", "but the key type has text there"),
        ("uuid", "but the key type has text there"),
    ] {
        told::<Postgres, String>(&posts, &of(id), fit(), line).await;
    }
    told::<Postgres, [u8; 16]>(&posts, &of("uuid"), fit(), "").await;
    told::<Postgres, [u8; 16]>(&posts, &of("bytea"), fit(), "").await;
    told::<Postgres, u64>(&posts, &of("integer"), fit(), "").await;
    let small = "CREATE TABLE fit (id bigint PRIMARY KEY, version integer NOT NULL)";
    told::<Postgres, u64>(
        &posts,
        small,
        fit(),
        "is integer; it has to be an integer of 64 bits",
    )
    .await;
    let serial = "CREATE TABLE fit (id bigint PRIMARY KEY, version bigserial NOT NULL)";
    told::<Postgres, u64>(&posts, serial, Table::new("fit"), "").await;
    let local = "CREATE TABLE fit (id bigint PRIMARY KEY, version bigint NOT NULL, at timestamp)";
    told::<Postgres, u64>(
        &posts,
        local,
        fit().with_modified_at("at"),
        "it has to be seconds",
    )
    .await;
    let partial = "CREATE TABLE fit (id bigint NOT NULL, version bigint NOT NULL);
        CREATE UNIQUE INDEX ON fit (id) WHERE version > 7";
    told::<Postgres, u64>(&posts, partial, fit(), "nothing keeps the key (id) unique").await;
    let ignores_case = "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
    if posts.run(ignores_case).await.is_ok() {
        let folds = "takes different texts for equal";
        told::<Postgres, String>(&posts, &of("text COLLATE nocase"), fit(), folds).await;
    }
    // A trigger that is switched off is as good as none.
    posts.table.apply(&posts.pool).await.unwrap();
    opened::<Postgres, u64>(&posts, Table::new("posts"))
        .await
        .unwrap();
    posts
        .run("ALTER TABLE posts DISABLE TRIGGER zz_version_store")
        .await
        .unwrap();
    let off = opened::<Postgres, u64>(&posts, Table::new("posts"))
        .await
        .unwrap_err();
    assert!(off.contains("its version triggers are not"), "{off}");
    // In a schema of its own, and partitioned.
    posts
        .run("CREATE SCHEMA \"app s\"; CREATE TABLE \"app s\".fit (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
            CREATE TABLE \"app s\".low PARTITION OF \"app s\".fit FOR VALUES FROM (0) TO (1000)")
        .await
        .unwrap();
    let table = Table::new("fit").in_schema("app s");
    table.apply(&posts.pool).await.unwrap();
    let store = opened::<Postgres, u64>(&posts, table).await.unwrap();
    posts
        .run("INSERT INTO \"app s\".fit VALUES (7)")
        .await
        .unwrap();
    assert!(store.current(&7).await.unwrap().is_some());
}

#[tokio::test]
async fn what_only_mariadb_has() {
    let Some(posts) = Posts::<MySql>::bare(Table::new("posts")).await else {
        return;
    };
    let fit = || Table::new("fit").asserting_that_revisions_never_repeat();
    let of = |id: &str| format!("CREATE TABLE fit (id {id} PRIMARY KEY, version BIGINT NOT NULL)");
    for (id, line) in [
        (
            "VARCHAR(40)",
            "takes different texts for equal (utf8mb4_nopad_bin does not)",
        ),
        (
            "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "takes different texts for equal",
        ),
        (
            "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
            "",
        ),
    ] {
        told::<MySql, String>(&posts, &of(id), fit(), line).await;
    }
    let asserted = fit().asserting_that_keys_fold_as_the_column_does();
    told::<MySql, String>(&posts, &of("VARCHAR(40)"), asserted, "").await;
    told::<MySql, [u8; 16]>(&posts, &of("BINARY(16)"), fit(), "").await;
    let engine = of("BIGINT") + " ENGINE = MyISAM";
    told::<MySql, u64>(
        &posts,
        &engine,
        fit(),
        "its engine is MyISAM; it has to be InnoDB",
    )
    .await;
    let local = "CREATE TABLE fit (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, at DATETIME)";
    told::<MySql, u64>(
        &posts,
        local,
        fit().with_modified_at("at"),
        "it has to be seconds",
    )
    .await;
    let authors = "CREATE TABLE authors (id BIGINT PRIMARY KEY)";
    posts.run(authors).await.unwrap();
    for (rule, line) in [
        ("SET NULL", "changes rows without calling triggers"),
        ("CASCADE", "has the statements"),
    ] {
        let cascade = format!(
            "CREATE TABLE fit (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, author BIGINT,
             FOREIGN KEY (author) REFERENCES authors (id) ON DELETE {rule})"
        );
        told::<MySql, u64>(&posts, &cascade, Table::new("fit"), line).await;
    }
    // A key beyond `i64` has a row here.
    told::<MySql, u64>(&posts, &of("BIGINT UNSIGNED"), fit(), "").await;
    posts
        .run("INSERT INTO fit VALUES (18446744073709551615, 7)")
        .await
        .unwrap();
    let store = opened::<MySql, u64>(&posts, fit()).await.unwrap();
    assert!(store.current(&u64::MAX).await.unwrap().is_some());
    assert!(store.current(&(u64::MAX - 1)).await.unwrap().is_none());
}

async fn keys_of_several_columns<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::bare(Table::new("posts")).await else {
        return;
    };
    let text = match D::DIALECT {
        Dialect::MariaDb => "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
        _ => "TEXT",
    };
    let create = format!(
        "CREATE TABLE pages (wiki {text} NOT NULL, number BIGINT NOT NULL, body BIGINT NOT NULL,
         PRIMARY KEY (wiki, number))"
    );
    posts.run(&create).await.unwrap();
    let pages = Table::new("pages").with_key("wiki").with_key("number");
    pages.apply(&posts.pool).await.unwrap();
    let store = opened::<D, (String, i32)>(&posts, pages).await.unwrap();
    posts
        .run("INSERT INTO pages (wiki, number, body) VALUES ('a', 1, 1), ('A', 1, 1), ('a', 2, 1)")
        .await
        .unwrap();
    let mut seen = Vec::new();
    for (wiki, number) in [("a", 1), ("A", 1), ("a", 2)] {
        let version = store
            .current(&(wiki.to_owned(), number))
            .await
            .unwrap()
            .unwrap();
        seen.push(*version.revision());
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
    for (wiki, number) in [("a ", 1), ("b", 1), ("a", 3), ("a\0", 1)] {
        assert!(
            store
                .current(&(wiki.to_owned(), number))
                .await
                .unwrap()
                .is_none()
        );
    }
    // A key that no column of 64 bits can hold has no row, and is no failure.
    posts.table.apply(&posts.pool).await.unwrap();
    let store = opened::<D, u64>(&posts, Table::new("posts")).await.unwrap();
    assert!(store.current(&u64::MAX).await.unwrap().is_none());
}

async fn what_else_a_version_has<D: TestDatabase>() {
    let Some(posts) = Posts::<D>::bare(Table::new("posts")).await else {
        return;
    };
    let (time, at) = match D::DIALECT {
        Dialect::Postgres => ("timestamptz", "'2026-11-20T09:31:00.9+01:00'"),
        Dialect::MariaDb => ("TIMESTAMP(6) NULL", "FROM_UNIXTIME(1795163460.9)"),
        _ => ("INTEGER", "1795163460"),
    };
    let create = format!(
        "CREATE TABLE whole (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, incarnation BIGINT NOT NULL,
         changed {time}, author VARCHAR(80))"
    );
    posts.run(&create).await.unwrap();
    let whole = Table::new("whole")
        .with_incarnation("incarnation")
        .with_modified_at("changed")
        .with_modified_by("author");
    let store = opened::<D, u64>(&posts, whole).await.unwrap();
    posts
        .run(&format!(
            "INSERT INTO whole VALUES (1, 6, 2, {at}, 'ada'), (2, 6, 2, NULL, NULL)"
        ))
        .await
        .unwrap();
    let version = store.current(&1).await.unwrap().unwrap();
    assert!(version.same_state(&Version::new(6).with_incarnation(2)));
    let seconds = version
        .modified_at()
        .unwrap()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    assert_eq!(seconds.as_secs(), 1_795_163_460);
    assert_eq!(version.modified_by(), Some("ada"));
    let version = store.current(&2).await.unwrap().unwrap();
    assert!(version.modified_at().is_none() && version.modified_by().is_none());

    // A version that is none is an error, and nobody's panic.
    posts
        .run("UPDATE whole SET version = -1 WHERE id = 1")
        .await
        .unwrap();
    let error = store.current(&1).await.unwrap_err();
    assert_eq!(error.kind(), version_store_sqlx::ErrorKind::NoVersion);
}

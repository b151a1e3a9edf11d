use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{Arguments, Sqlite};
use sqlx_core::sql_str::SqlSafeStr;
use sqlx_core::transaction::TransactionManager;

use crate::check::{Column, ColumnKind, Found, Triggers};
use crate::driver::{Driver, LockId, OPENED, Plan, code, statements, texts};
use crate::key::KeyValue;
use crate::quote::identifier;
use crate::store::{Backend, busy_or_failed};
use crate::{Dialect, Error, Table};

impl Backend for Sqlite {}

impl Driver for Sqlite {
    const DIALECT: Dialect = Dialect::Sqlite;
    const ONE_WRITER: bool = true;
    const RECOVERS: bool = true;
    const RELEASE: &'static str = "SELECT 1";

    statements!();

    fn bind(to: &mut SqliteArguments, value: &KeyValue) -> Result<bool, sqlx::Error> {
        let added = match value {
            KeyValue::Integer(value) => to.add(*value),
            KeyValue::Text(value) => to.add(value.clone()),
            KeyValue::Octets(value) => to.add(value.clone()),
            KeyValue::Large(_) => return Ok(false),
        };
        added.map(|()| true).map_err(sqlx::Error::Encode)
    }

    /// The one lock that SQLite has, and it is had from the first statement: a transaction that reads
    /// first fails on its first write if someone else wrote meanwhile.
    async fn begin(
        connection: &mut SqliteConnection,
        _plan: Plan,
        _locks: &[LockId],
    ) -> Result<(), Error> {
        let begun = <Self as sqlx::Database>::TransactionManager::begin(
            connection,
            Some("BEGIN IMMEDIATE".into_sql_str()),
        )
        .await;
        begun.map_err(busy_or_failed::<Self>)?;
        let opened = Self::send(connection, format!("SAVEPOINT {OPENED}")).await;
        opened.map(drop).map_err(busy_or_failed::<Self>)
    }

    fn bounded(options: SqliteConnectOptions, patience: Duration) -> SqliteConnectOptions {
        options.busy_timeout(patience)
    }

    /// `SQLITE_BUSY` and `SQLITE_LOCKED`; the low octet is the primary code.
    fn is_busy(error: &sqlx::Error) -> bool {
        primary(error).is_some_and(|code| matches!(code, 5 | 6))
    }

    /// Busy, full, or a constraint that was deferred until now. After any other error, such as one of
    /// the disk, only the file knows.
    fn refused_commit(error: &sqlx::Error) -> bool {
        primary(error).is_some_and(|code| matches!(code, 5 | 6 | 13 | 19))
    }

    fn has_no_savepoint(error: &sqlx::Error) -> bool {
        let message = error
            .as_database_error()
            .map(|error| error.message().to_owned());
        message.is_some_and(|message| message.contains("no such savepoint"))
    }

    async fn inspect(
        connection: &mut SqliteConnection,
        table: &Table,
    ) -> Result<Found, sqlx::Error> {
        let schema = table.schema.as_deref().unwrap_or("main");
        let master = format!("{}.sqlite_schema", identifier(Dialect::Sqlite, schema));
        let sql = format!("SELECT type FROM {master} WHERE name = ? AND type IN ('table', 'view')");
        let kind = Self::query(connection, sql.into(), texts::<Self>(&[&table.name])?).await?;
        let Some(kind) = kind.first() else {
            return Ok(Found::default());
        };
        let mut found = Found {
            identity: Some(format!("{schema}.{}", table.name).into_bytes()),
            names_fold: true,
            ..Found::default()
        };
        if Self::text(kind, 0)?.as_deref() == Some("view") {
            found.unfit = Some("it is a view; it has to be a table".to_owned());
        }
        columns(connection, table, schema, &mut found).await?;
        indexes(connection, table, schema, &mut found).await?;
        triggers(connection, table, &master, &mut found).await?;
        Ok(found)
    }
}

fn primary(error: &sqlx::Error) -> Option<u32> {
    Some(code(error)?.parse::<u32>().ok()? & 0xff)
}

async fn columns(
    connection: &mut SqliteConnection,
    table: &Table,
    schema: &str,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    let sql: Arc<str> =
        "SELECT name, type, \"notnull\", pk, dflt_value FROM pragma_table_xinfo(?, ?)".into();
    let rows = Sqlite::query(connection, sql, texts::<Sqlite>(&[&table.name, schema])?).await?;
    let mut primary_key = Vec::new();
    for row in &rows {
        let name = Sqlite::text(row, 0)?.unwrap_or_default();
        let type_name = Sqlite::text(row, 1)?.unwrap_or_default();
        let in_key = Sqlite::integer(row, 3)? > Some(0);
        let kind = affinity(&type_name);
        let folds = match kind {
            ColumnKind::Text => collation(connection, table, &name).await?,
            _ => None,
        };
        if in_key {
            primary_key.push(name.clone());
        }
        found.columns.push(Column {
            name,
            kind,
            type_name,
            nullable: Sqlite::integer(row, 2)? == Some(0),
            default: Sqlite::text(row, 4)?,
            folds,
        });
    }
    if !primary_key.is_empty() {
        found.unique.push(primary_key);
    }
    Ok(())
}

/// What a column of this declared type makes of its values (SQLite's rules for affinity).
fn affinity(type_name: &str) -> ColumnKind {
    let type_name = type_name.to_ascii_uppercase();
    let has = |part: &str| type_name.contains(part);
    if has("INT") {
        ColumnKind::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        ColumnKind::Text
    } else if has("BLOB") || type_name.is_empty() {
        ColumnKind::Octets
    } else {
        ColumnKind::Other
    }
}

/// Which texts a column takes for equal. No pragma tells a column's collation, so it is tried out.
async fn collation(
    connection: &mut SqliteConnection,
    table: &Table,
    column: &str,
) -> Result<Option<String>, sqlx::Error> {
    let sql = format!(
        "SELECT x = 'A' OR x = 'a ' FROM (SELECT {} AS x FROM {} WHERE 0 UNION ALL SELECT 'a')",
        identifier(Dialect::Sqlite, column),
        table.quoted(Dialect::Sqlite),
    );
    let rows = Sqlite::send(connection, sql).await?;
    let equal = rows
        .first()
        .map(|row: &SqliteRow| Sqlite::integer(row, 0))
        .transpose()?;
    let folds = equal.flatten() == Some(1);
    Ok(folds.then(|| "has a collation that takes different texts for equal".to_owned()))
}

async fn indexes(
    connection: &mut SqliteConnection,
    table: &Table,
    schema: &str,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    // An expression has no name, and makes its index useless here.
    let sql: Arc<str> = "SELECT list.name, info.name
        FROM pragma_index_list(?, ?) AS list, pragma_index_xinfo(list.name, ?) AS info
        WHERE list.\"unique\" AND NOT list.partial AND info.key ORDER BY list.name, info.seqno"
        .into();
    let asked = texts::<Sqlite>(&[&table.name, schema, schema])?;
    let mut last = None;
    for row in Sqlite::query(connection, sql, asked).await? {
        let index = Sqlite::text(&row, 0)?;
        if last != index {
            found.unique.push(Vec::new());
            last = index;
        }
        let column = Sqlite::text(&row, 1)?.unwrap_or_default();
        found
            .unique
            .last_mut()
            .expect("one was pushed")
            .push(column);
    }
    Ok(())
}

async fn triggers(
    connection: &mut SqliteConnection,
    table: &Table,
    master: &str,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    let made = table.made(Dialect::Sqlite);
    let mut there = 0;
    let mut as_made = 0;
    for trigger in &made {
        let sql = format!("SELECT sql FROM {master} WHERE type = 'trigger' AND name = ?");
        let rows =
            Sqlite::query(connection, sql.into(), texts::<Sqlite>(&[&trigger.name])?).await?;
        let text = rows
            .first()
            .map(|row| Sqlite::text(row, 0))
            .transpose()?
            .flatten();
        there += usize::from(text.is_some());
        as_made += usize::from(text.as_ref() == Some(&trigger.text));
    }
    found.triggers = match (there, as_made) {
        (0, _) => Triggers::Missing,
        (_, as_made) if as_made == made.len() => Triggers::AsMigrated,
        _ => Triggers::Others,
    };
    Ok(())
}

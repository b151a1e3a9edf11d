use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlDatabaseError};
use sqlx::{Arguments, MySql};
use sqlx_core::sql_str::SqlSafeStr;
use sqlx_core::transaction::TransactionManager;

use crate::check::{Column, ColumnKind, Found, Triggers};
use crate::driver::{Driver, LockId, OPENED, Plan, statements, texts};
use crate::key::KeyValue;
use crate::store::{Backend, busy_or_failed};
use crate::{Dialect, Error, ErrorKind, Table};

impl Backend for MySql {}

impl Driver for MySql {
    const DIALECT: Dialect = Dialect::MariaDb;
    /// It takes the answer to a PREPARE that nobody waited for, for the answer to a statement.
    const ONE_WRITER: bool = false;
    const RECOVERS: bool = false;
    const RELEASE: &'static str = "DO RELEASE_ALL_LOCKS()";

    statements!();

    fn bind(to: &mut MySqlArguments, value: &KeyValue) -> Result<bool, sqlx::Error> {
        let added = match value {
            KeyValue::Integer(value) => to.add(*value),
            KeyValue::Large(value) => to.add(*value),
            KeyValue::Text(value) => to.add(value.clone()),
            KeyValue::Octets(value) => to.add(value.clone()),
        };
        added.map(|()| true).map_err(sqlx::Error::Encode)
    }

    /// The session locks the keys by name before the transaction begins: two that looked for a missing
    /// row in one gap would each hold the gap, and neither could fill it.
    ///
    /// Autocommit is off, so that a statement after one that ended the transaction (a deadlock does) is
    /// not committed by itself.
    async fn begin(
        connection: &mut MySqlConnection,
        plan: Plan,
        locks: &[LockId],
    ) -> Result<(), Error> {
        for lock in locks {
            lock_by_name(connection, lock, plan.patience).await?;
        }
        let patience = seconds(plan.patience);
        let begin = format!(
            "ROLLBACK; SET SESSION innodb_lock_wait_timeout = {patience}, SESSION lock_wait_timeout = {patience}, \
             SESSION idle_transaction_timeout = {}, SESSION autocommit = 0; \
             SET TRANSACTION ISOLATION LEVEL {}; START TRANSACTION READ WRITE; SAVEPOINT {OPENED}",
            seconds(plan.idle),
            plan.isolation.sql()
        );
        let begin = sqlx::AssertSqlSafe(begin).into_sql_str();
        let begun =
            <Self as sqlx::Database>::TransactionManager::begin(connection, Some(begin)).await;
        begun.map_err(busy_or_failed::<Self>)
    }

    fn bounded(options: MySqlConnectOptions, _patience: Duration) -> MySqlConnectOptions {
        options
    }

    /// Lock wait timeout, deadlock, a row that changed since the snapshot, NOWAIT, too many connections.
    fn is_busy(error: &sqlx::Error) -> bool {
        number(error)
            .is_some_and(|number| matches!(number, 1205 | 1213 | 1020 | 3572 | 1040 | 1203))
    }

    /// The transaction lost against another one. Whatever else answers COMMIT may have come after it.
    fn refused_commit(error: &sqlx::Error) -> bool {
        number(error).is_some_and(|number| matches!(number, 1205 | 1213 | 1020))
    }

    fn has_no_savepoint(error: &sqlx::Error) -> bool {
        number(error) == Some(1305)
    }

    async fn inspect(
        connection: &mut MySqlConnection,
        table: &Table,
    ) -> Result<Found, sqlx::Error> {
        let sql: Arc<str> =
            "SELECT CAST(TABLE_SCHEMA AS CHAR), CAST(TABLE_NAME AS CHAR), CAST(TABLE_TYPE AS CHAR),
                CAST(ENGINE AS CHAR)
            FROM information_schema.TABLES
            WHERE TABLE_NAME = ? AND TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE())"
                .into();
        let schema = table.schema.as_deref().unwrap_or_default();
        let rows = Self::query(connection, sql, texts::<Self>(&[&table.name, schema])?).await?;
        let Some(row) = rows.first() else {
            return Ok(Found::default());
        };
        let schema = Self::text(row, 0)?.unwrap_or_default();
        let name = Self::text(row, 1)?.unwrap_or_default();
        let mut found = Found {
            identity: Some(format!("{schema}.{name}").into_bytes()),
            names_fold: true,
            ..Found::default()
        };
        let engine = Self::text(row, 3)?.unwrap_or_default();
        if Self::text(row, 2)?.as_deref() != Some("BASE TABLE") {
            found.unfit = Some("it is a view; it has to be a table".to_owned());
        } else if engine != "InnoDB" {
            found.unfit = Some(format!(
                "its engine is {engine}; it has to be InnoDB, for transactions"
            ));
        }
        let here = Here {
            schema: &schema,
            name: &name,
        };
        cascades(connection, here, &mut found).await?;
        columns(connection, here, &mut found).await?;
        indexes(connection, here, &mut found).await?;
        triggers(connection, here, table, &mut found).await?;
        Ok(found)
    }
}

/// A table as the catalogue has it.
#[derive(Clone, Copy)]
struct Here<'a> {
    schema: &'a str,
    name: &'a str,
}

impl Here<'_> {
    fn arguments(self) -> Result<MySqlArguments, sqlx::Error> {
        texts::<MySql>(&[self.schema, self.name])
    }
}

fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error
        .as_database_error()?
        .try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

fn seconds(duration: Duration) -> u64 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    whole.clamp(1, 1_000_000)
}

async fn lock_by_name(
    connection: &mut MySqlConnection,
    LockId(id): &LockId,
    patience: Duration,
) -> Result<(), Error> {
    let name = format!("version-store {:032x}", u128::from_be_bytes(*id));
    let sql = format!(
        "SELECT CAST(GET_LOCK('{name}', {}) AS SIGNED)",
        patience.as_secs_f64()
    );
    let rows = MySql::send(connection, sql)
        .await
        .map_err(busy_or_failed::<MySql>)?;
    let locked = rows.first().map(|row| MySql::integer(row, 0)).transpose();
    match locked.map_err(busy_or_failed::<MySql>)?.flatten() {
        Some(1) => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::Busy,
            "the lock of a key was not had in time",
        )),
        None => Err(Error::new(
            ErrorKind::Failed,
            "the lock of a key could not be asked for",
        )),
    }
}

/// What foreign keys do to rows passes the triggers by.
async fn cascades(
    connection: &mut MySqlConnection,
    here: Here<'_>,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    let sql: Arc<str> =
        "SELECT CAST(CONSTRAINT_NAME AS CHAR) FROM information_schema.REFERENTIAL_CONSTRAINTS
        WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ?
            AND (DELETE_RULE LIKE 'SET%' OR UPDATE_RULE LIKE 'SET%' OR UPDATE_RULE = 'CASCADE')"
            .into();
    let rows = MySql::query(connection, sql, here.arguments()?).await?;
    if let Some(name) = rows
        .first()
        .map(|row| MySql::text(row, 0))
        .transpose()?
        .flatten()
    {
        found.cascade = Some(name);
    }
    Ok(())
}

async fn columns(
    connection: &mut MySqlConnection,
    here: Here<'_>,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    let sql: Arc<str> = "SELECT CAST(COLUMN_NAME AS CHAR), CAST(DATA_TYPE AS CHAR), CAST(COLLATION_NAME AS CHAR),
            CAST(IS_NULLABLE = 'YES' AS SIGNED), CAST(COLUMN_DEFAULT AS CHAR), CAST(COLUMN_TYPE AS CHAR)
        FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?"
        .into();
    for row in MySql::query(connection, sql, here.arguments()?).await? {
        let kind = kind(&MySql::text(&row, 1)?.unwrap_or_default());
        let collation = MySql::text(&row, 2)?;
        // Other collations fold case, or ignore spaces at the end.
        let folds = collation
            .filter(|collation| kind == ColumnKind::Text && !collation.ends_with("_nopad_bin"))
            .map(|collation| {
                format!(
                    "has the collation {collation}, which takes different texts for equal (utf8mb4_nopad_bin \
                     does not)"
                )
            });
        found.columns.push(Column {
            name: MySql::text(&row, 0)?.unwrap_or_default(),
            kind,
            type_name: MySql::text(&row, 5)?.unwrap_or_default(),
            nullable: MySql::integer(&row, 3)? == Some(1),
            default: MySql::text(&row, 4)?,
            folds,
        });
    }
    Ok(())
}

/// `BINARY` is padded, but what it was padded with is part of the value.
fn kind(data_type: &str) -> ColumnKind {
    match data_type {
        "bigint" => ColumnKind::Integer,
        "int" | "mediumint" | "smallint" | "tinyint" => ColumnKind::SmallInteger,
        "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => ColumnKind::Text,
        "binary" | "varbinary" => ColumnKind::Octets,
        "timestamp" => ColumnKind::Time,
        _ => ColumnKind::Other,
    }
}

async fn indexes(
    connection: &mut MySqlConnection,
    here: Here<'_>,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    let sql: Arc<str> = "SELECT CAST(INDEX_NAME AS CHAR), CAST(COLUMN_NAME AS CHAR) FROM information_schema.STATISTICS
        WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0
        ORDER BY INDEX_NAME, SEQ_IN_INDEX"
        .into();
    let mut last = None;
    for row in MySql::query(connection, sql, here.arguments()?).await? {
        let index = MySql::text(&row, 0)?;
        if last != index {
            found.unique.push(Vec::new());
            last = index;
        }
        let column = MySql::text(&row, 1)?.unwrap_or_default();
        found
            .unique
            .last_mut()
            .expect("one was pushed")
            .push(column);
    }
    Ok(())
}

async fn triggers(
    connection: &mut MySqlConnection,
    here: Here<'_>,
    table: &Table,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    let sql: Arc<str> = "SELECT CAST(TRIGGER_NAME AS CHAR), CAST(ACTION_STATEMENT AS CHAR) FROM information_schema.TRIGGERS
        WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? AND ACTION_TIMING = 'BEFORE'"
        .into();
    let rows = MySql::query(connection, sql, here.arguments()?).await?;
    let made = table.made(Dialect::MariaDb);
    let (mut there, mut as_made) = (0, 0);
    for row in &rows {
        let name = MySql::text(row, 0)?;
        let text = MySql::text(row, 1)?;
        let trigger = made.iter().find(|made| Some(&made.name) == name.as_ref());
        there += usize::from(trigger.is_some());
        as_made += usize::from(trigger.is_some_and(|made| {
            let begins = made.text.lines().next().unwrap_or_default();
            text.as_ref().is_some_and(|text| text.starts_with(begins))
        }));
    }
    found.triggers = match (there, as_made) {
        (0, _) => Triggers::Missing,
        (_, as_made) if as_made == made.len() => Triggers::AsMigrated,
        _ => Triggers::Others,
    };
    Ok(())
}

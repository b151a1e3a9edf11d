use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgDatabaseError, PgSeverity};
use sqlx::{Arguments, Postgres};
use sqlx_core::sql_str::SqlSafeStr;
use sqlx_core::transaction::TransactionManager;

use crate::check::{Column, ColumnKind, Found, Triggers};
use crate::driver::{Driver, Isolation, LockId, OPENED, Plan, code, statements, texts};
use crate::key::KeyValue;
use crate::migration::TRIGGER;
use crate::store::{Backend, busy_or_failed};
use crate::{Dialect, Error, Table};

impl Backend for Postgres {}

impl Driver for Postgres {
    const DIALECT: Dialect = Dialect::Postgres;
    const ONE_WRITER: bool = false;
    const RECOVERS: bool = true;
    const RELEASE: &'static str = "SELECT pg_advisory_unlock_all()";

    statements!();

    fn bind(to: &mut PgArguments, value: &KeyValue) -> Result<bool, sqlx::Error> {
        let added = match value {
            KeyValue::Integer(value) => to.add(*value),
            KeyValue::Text(value) => to.add(value.clone()),
            KeyValue::Octets(value) => to.add(value.clone()),
            KeyValue::Large(_) => return Ok(false),
        };
        added.map(|()| true).map_err(sqlx::Error::Encode)
    }

    /// The key is locked first, by an advisory lock, because a row that does not exist cannot be.
    ///
    /// Under READ COMMITTED the lock is the first thing in the transaction and ends with it. Above that, a
    /// lock within the transaction is too late: the statement that waits for it already has its
    /// snapshot, which does not show what the one before has committed. There the session has it, before
    /// the transaction begins, until the connection returns to the pool.
    async fn begin(
        connection: &mut PgConnection,
        plan: Plan,
        locks: &[LockId],
    ) -> Result<(), Error> {
        let within = plan.isolation == Isolation::ReadCommitted;
        let patience = milliseconds(plan.patience);
        if !within {
            let bound = format!("SET lock_timeout = {patience}");
            Self::send(connection, bound)
                .await
                .map_err(busy_or_failed::<Self>)?;
            lock(connection, "SELECT pg_advisory_lock($1)", locks).await?;
        }
        let begin = format!(
            "BEGIN ISOLATION LEVEL {} READ WRITE; SET LOCAL lock_timeout = {patience}; \
             SET LOCAL idle_in_transaction_session_timeout = {}; SAVEPOINT {OPENED}",
            plan.isolation.sql(),
            milliseconds(plan.idle)
        );
        let begin = sqlx::AssertSqlSafe(begin).into_sql_str();
        let begun =
            <Self as sqlx::Database>::TransactionManager::begin(connection, Some(begin)).await;
        begun.map_err(busy_or_failed::<Self>)?;
        if within {
            lock(connection, "SELECT pg_advisory_xact_lock($1)", locks).await?;
        }
        Ok(())
    }

    fn bounded(options: PgConnectOptions, _patience: Duration) -> PgConnectOptions {
        options
    }

    /// Serialization failure, deadlock, lock not available (by its timeout too), too many connections,
    /// a server that is starting.
    fn is_busy(error: &sqlx::Error) -> bool {
        let code = code(error);
        matches!(
            code.as_deref(),
            Some("40001" | "40P01" | "55P03" | "53300" | "57P03")
        )
    }

    /// An error of the transaction, such as a constraint that was deferred until now. One that ends the
    /// session may have come after the commit; and 40003 says itself that it does not know.
    fn refused_commit(error: &sqlx::Error) -> bool {
        let database = error.as_database_error();
        let database = database.and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        database.is_some_and(|error| {
            let doubtful = ["08", "57", "58", "XX"];
            error.severity() == PgSeverity::Error
                && error.code() != "40003"
                && !doubtful.iter().any(|class| error.code().starts_with(class))
        })
    }

    /// There is no transaction, or another one.
    fn has_no_savepoint(error: &sqlx::Error) -> bool {
        matches!(code(error).as_deref(), Some("25P01" | "3B001"))
    }

    async fn inspect(connection: &mut PgConnection, table: &Table) -> Result<Found, sqlx::Error> {
        // `to_regclass` finds the name as a statement would: in the schema, or on the search path.
        let sql: Arc<str> =
            "SELECT to_regclass($1)::oid::bigint, relkind::text, relhassubclass::int::bigint
            FROM pg_class WHERE oid = to_regclass($1)"
                .into();
        let asked = texts::<Self>(&[&table.quoted(Dialect::Postgres)])?;
        let rows = Self::query(connection, sql, asked).await?;
        let Some(row) = rows.first() else {
            return Ok(Found::default());
        };
        let oid = Self::integer(row, 0)?.unwrap_or_default();
        let kind = Self::text(row, 1)?.unwrap_or_default();
        let unfit = match kind.as_str() {
            "p" => None,
            "r" if Self::integer(row, 2)? == Some(0) => None,
            "r" => Some("other tables inherit from it, so that its key is not unique"),
            _ => Some("it is no table of this database; it has to be one"),
        };
        let mut found = Found {
            identity: Some(oid.to_be_bytes().to_vec()),
            unfit: unfit.map(str::to_owned),
            ..Found::default()
        };
        columns(connection, oid, &mut found).await?;
        indexes(connection, oid, &mut found).await?;
        triggers(connection, oid, table, &mut found).await?;
        Ok(found)
    }
}

fn milliseconds(duration: Duration) -> u128 {
    // 0 would mean without end.
    duration.as_millis().clamp(1, 2_147_483_647)
}

async fn lock(
    connection: &mut PgConnection,
    sql: &'static str,
    locks: &[LockId],
) -> Result<(), Error> {
    for LockId(id) in locks {
        let mut octets = [0; 8];
        octets.copy_from_slice(&id[..8]);
        let id = KeyValue::Integer(i64::from_be_bytes(octets));
        let mut arguments = PgArguments::default();
        Postgres::bind(&mut arguments, &id).map_err(busy_or_failed::<Postgres>)?;
        let locked = Postgres::query(connection, sql.into(), arguments).await;
        locked.map_err(busy_or_failed::<Postgres>)?;
    }
    Ok(())
}

fn of(oid: i64) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    Postgres::bind(&mut arguments, &KeyValue::Integer(oid))?;
    Ok(arguments)
}

async fn columns(
    connection: &mut PgConnection,
    oid: i64,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    let sql: Arc<str> =
        "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull::int::bigint,
            CASE WHEN attidentity <> '' THEN 'nextval of its identity'
                ELSE pg_get_expr(adbin, adrelid) END,
            coalesce(collisdeterministic, true)::int::bigint
        FROM pg_attribute
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            LEFT JOIN pg_collation ON pg_collation.oid = attcollation
        WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped"
            .into();
    for row in Postgres::query(connection, sql, of(oid)?).await? {
        let type_name = Postgres::text(&row, 1)?.unwrap_or_default();
        let kind = kind(&type_name);
        let deterministic = Postgres::integer(&row, 4)? == Some(1);
        let folds = (kind == ColumnKind::Text && !deterministic)
            .then(|| "has a collation that takes different texts for equal".to_owned());
        found.columns.push(Column {
            name: Postgres::text(&row, 0)?.unwrap_or_default(),
            kind,
            type_name,
            nullable: Postgres::integer(&row, 2)? == Some(0),
            default: Postgres::text(&row, 3)?,
            folds,
        });
    }
    Ok(())
}

/// `character` and `citext` are no text here: the one ignores spaces at the end, the other case.
fn kind(type_name: &str) -> ColumnKind {
    match type_name {
        "bigint" => ColumnKind::Integer,
        "integer" | "smallint" => ColumnKind::SmallInteger,
        "bytea" => ColumnKind::Octets,
        "uuid" => ColumnKind::Uuid,
        "text" => ColumnKind::Text,
        _ if type_name.starts_with("character varying") => ColumnKind::Text,
        _ if type_name.starts_with("timestamp") && type_name.ends_with("with time zone") => {
            ColumnKind::Time
        }
        _ => ColumnKind::Other,
    }
}

async fn indexes(
    connection: &mut PgConnection,
    oid: i64,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    // Without those that hold only for some rows, on expressions, only at the commit, or not yet.
    let sql: Arc<str> = "SELECT indexrelid::bigint, attname::text
        FROM pg_index
            CROSS JOIN LATERAL unnest(indkey) WITH ORDINALITY AS part(attnum, place)
            JOIN pg_attribute ON attrelid = indrelid AND pg_attribute.attnum = part.attnum
        WHERE indrelid = $1::oid AND indisunique AND indisvalid AND indimmediate
            AND indpred IS NULL AND indexprs IS NULL AND place <= indnkeyatts
        ORDER BY indexrelid, place"
        .into();
    let mut last = None;
    for row in Postgres::query(connection, sql, of(oid)?).await? {
        let index = Postgres::integer(&row, 0)?;
        if last != index {
            found.unique.push(Vec::new());
            last = index;
        }
        let column = Postgres::text(&row, 1)?.unwrap_or_default();
        found
            .unique
            .last_mut()
            .expect("one was pushed")
            .push(column);
    }
    Ok(())
}

async fn triggers(
    connection: &mut PgConnection,
    oid: i64,
    table: &Table,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    // 7: BEFORE, ROW, INSERT; 16: UPDATE; without columns and without a condition.
    let sql: Arc<str> = "SELECT proname::text, prosrc,
            (tgenabled IN ('O', 'A') AND tgtype = 23 AND tgqual IS NULL AND tgattr = ''
                AND EXISTS (
                    SELECT 1 FROM pg_class AS sequence
                    WHERE relkind = 'S' AND relname = proname AND relnamespace = (
                        SELECT relnamespace FROM pg_class WHERE pg_class.oid = tgrelid
                    )
                ))::int::bigint
        FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE tgrelid = $1::oid AND tgname = $2"
        .into();
    let mut asked = of(oid)?;
    Postgres::bind(&mut asked, &KeyValue::Text(TRIGGER.to_owned()))?;
    let rows = Postgres::query(connection, sql, asked).await?;
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let as_made = table
        .made(Dialect::Postgres)
        .into_iter()
        .next()
        .is_some_and(|function| {
            Postgres::text(row, 0).ok().flatten() == Some(function.name)
                && Postgres::text(row, 1).ok().flatten() == Some(function.text)
        });
    let in_force = Postgres::integer(row, 2)? == Some(1);
    found.triggers = if as_made && in_force {
        Triggers::AsMigrated
    } else {
        Triggers::Others
    };
    Ok(())
}

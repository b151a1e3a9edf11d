//! The statements that the store sends itself, put together once, and how a row becomes a version.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use version_store::Version;

use crate::check::{ColumnKind, Found};
use crate::driver::Driver;
use crate::key::{KeyValue, KeyValues};
use crate::quote::identifier;
use crate::{Dialect, Error, ErrorKind, SqlKey, Table};

#[derive(Clone, Debug)]
pub(crate) struct Statements {
    /// The version's columns of one row.
    pub(crate) current: Arc<str>,
    /// The same, and holds the row.
    pub(crate) hold: Arc<str>,
    /// Gives one row its next version.
    pub(crate) advance: Arc<str>,
    has_incarnation: bool,
    has_modified_at: bool,
    has_modified_by: bool,
}

impl Statements {
    /// For a table that was checked.
    pub(crate) fn new(
        dialect: Dialect,
        table: &Table,
        found: &Found,
        next_is_default: bool,
    ) -> Self {
        let name = table.quoted(dialect);
        let kind = |column: &str| found.column(column).map(|column| column.kind);
        let mut columns = Vec::new();
        let integers = [Some(&table.version), table.incarnation.as_ref()];
        columns.extend(
            integers
                .into_iter()
                .flatten()
                .map(|column| integer(dialect, column)),
        );
        columns.extend(table.modified_at.as_ref().map(|column| match kind(column) {
            Ok(ColumnKind::Time) => seconds(dialect, column),
            _ => integer(dialect, column),
        }));
        columns.extend(
            table
                .modified_by
                .as_ref()
                .map(|column| text(dialect, column)),
        );
        let keys = table
            .key_columns()
            .into_iter()
            .enumerate()
            .map(|(index, column)| {
                let uuid = kind(column) == Ok(ColumnKind::Uuid);
                let value = placeholder(dialect, index, uuid);
                format!("{} = {value}", identifier(dialect, column))
            });
        let this_row = keys.collect::<Vec<_>>().join(" AND ");
        let current = format!("SELECT {} FROM {name} WHERE {this_row}", columns.join(", "));
        let hold = match dialect {
            // The transaction has the only lock there is.
            Dialect::Sqlite => current.clone(),
            Dialect::Postgres | Dialect::MariaDb => format!("{current} FOR UPDATE"),
        };
        let version = identifier(dialect, &table.version);
        let next = if next_is_default {
            "DEFAULT".to_owned()
        } else {
            format!("{version} + 1")
        };
        let advance = format!("UPDATE {name} SET {version} = {next} WHERE {this_row}");
        Self {
            current: current.into(),
            hold: hold.into(),
            advance: advance.into(),
            has_incarnation: table.incarnation.is_some(),
            has_modified_at: table.modified_at.is_some(),
            has_modified_by: table.modified_by.is_some(),
        }
    }

    /// The version in a row that [`current`](Self::current) gave.
    pub(crate) fn version<D: Driver>(&self, row: &D::Row) -> Result<Version, Error> {
        let unreadable = |error: sqlx::Error| Error::new(ErrorKind::NoVersion, error);
        let mut column = 0;
        let mut integer = || {
            let value = D::integer(row, column).map_err(unreadable);
            column += 1;
            value
        };
        let mut version = Version::new(not_negative(integer()?, "version")?);
        if self.has_incarnation {
            version = version.with_incarnation(not_negative(integer()?, "incarnation")?);
        }
        if self.has_modified_at {
            let seconds = integer()?.and_then(|seconds| u64::try_from(seconds).ok());
            let at = seconds.and_then(|seconds| {
                SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
            });
            if let Some(at) = at {
                version = version.with_modified_at(at);
            }
        }
        if self.has_modified_by
            && let Some(by) = D::text(row, column).map_err(unreadable)?
        {
            version = version.with_modified_by(by);
        }
        Ok(version)
    }
}

fn not_negative(value: Option<i64>, what: &str) -> Result<u64, Error> {
    let value = value.and_then(|value| u64::try_from(value).ok());
    value.ok_or_else(|| {
        Error::new(
            ErrorKind::NoVersion,
            format!("the {what} is negative or null"),
        )
    })
}

/// The values of a key as arguments; `None` where the database has no column that could hold them, and
/// so no such row.
pub(crate) fn arguments<D: Driver>(key: &impl SqlKey) -> Result<Option<D::Arguments>, sqlx::Error> {
    let mut arguments = D::Arguments::default();
    for value in KeyValues::of(key) {
        // PostgreSQL has no text with a NUL, and answers it with an error.
        let has_nul = matches!(&value, KeyValue::Text(text) if text.contains('\0'));
        if (has_nul && D::DIALECT == Dialect::Postgres) || !D::bind(&mut arguments, &value)? {
            return Ok(None);
        }
    }
    Ok(Some(arguments))
}

fn integer(dialect: Dialect, column: &str) -> String {
    let column = identifier(dialect, column);
    match dialect {
        Dialect::Sqlite => column,
        Dialect::Postgres => format!("{column}::bigint"),
        Dialect::MariaDb => format!("CAST({column} AS SIGNED)"),
    }
}

fn text(dialect: Dialect, column: &str) -> String {
    let column = identifier(dialect, column);
    match dialect {
        Dialect::Sqlite => column,
        Dialect::Postgres => format!("{column}::text"),
        Dialect::MariaDb => format!("CAST({column} AS CHAR)"),
    }
}

/// A time as seconds since 1970.
fn seconds(dialect: Dialect, column: &str) -> String {
    let column = identifier(dialect, column);
    match dialect {
        // It has no type for times.
        Dialect::Sqlite => column,
        Dialect::Postgres => format!("floor(extract(epoch FROM {column}))::bigint"),
        Dialect::MariaDb => format!("CAST(FLOOR(UNIX_TIMESTAMP({column})) AS SIGNED)"),
    }
}

fn placeholder(dialect: Dialect, index: usize, uuid: bool) -> String {
    match dialect {
        Dialect::Sqlite | Dialect::MariaDb => "?".to_owned(),
        Dialect::Postgres if uuid => format!("encode(${}, 'hex')::uuid", index + 1),
        Dialect::Postgres => format!("${}", index + 1),
    }
}

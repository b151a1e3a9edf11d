//! Whether a table is fit to be written conditionally, and how what is missing is told: in one line.

use crate::key::KeyColumn;
use crate::{Dialect, Table};

/// What a database knows about a table.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// `None` where there is no such table.
    pub(crate) identity: Option<Vec<u8>>,
    /// What makes a table of this kind unfit as a whole.
    pub(crate) unfit: Option<String>,
    pub(crate) columns: Vec<Column>,
    /// Sets of columns of which no two rows have the same.
    pub(crate) unique: Vec<Vec<String>>,
    pub(crate) triggers: Triggers,
    /// A foreign key that changes rows of this table without its triggers.
    pub(crate) cascade: Option<String>,
    /// Whether upper and lower case are one in the names of columns.
    pub(crate) names_fold: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    /// As the database calls its type.
    pub(crate) type_name: String,
    pub(crate) nullable: bool,
    pub(crate) default: Option<String>,
    /// Which texts it takes for equal though they are not, and what to do about it.
    pub(crate) folds: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// 64 bits.
    Integer,
    /// Fewer than 64 bits.
    SmallInteger,
    Text,
    Octets,
    Uuid,
    /// A point of time, whatever the time zone of the session.
    Time,
    Other,
}

/// The state of what the migration makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Triggers {
    #[default]
    Missing,
    /// There, but not as this version of the migration makes them for this table.
    Others,
    AsMigrated,
}

/// What keeps revisions from coming back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Triggers,
    /// The version column's default never gives the same twice.
    Default,
    Incarnation,
    OwnersWord,
}

/// What `table` needs and `found` lacks, in one line without the table's name; otherwise where its
/// revisions come from.
pub(crate) fn check(
    dialect: Dialect,
    table: &Table,
    key: &[KeyColumn],
    found: &Found,
) -> Result<Source, String> {
    if found.identity.is_none() {
        return Err("there is no such table".to_owned());
    }
    if let Some(unfit) = &found.unfit {
        return Err(unfit.clone());
    }
    if let Some(name) = &found.cascade
        && !table.owner_keeps_revisions_apart
    {
        return Err(format!(
            "its foreign key {name:?} changes rows without calling triggers; make its rules RESTRICT, or \
             DELETE CASCADE"
        ));
    }
    version_columns(dialect, table, found)?;
    key_columns(table, key, found)?;
    source(dialect, table, found)
}

fn version_columns(dialect: Dialect, table: &Table, found: &Found) -> Result<(), String> {
    found.column(&table.version).map_err(|missing| {
        format!("{missing}; Table::migration(Dialect::{dialect:?}) has the statements")
    })?;
    for name in [Some(&table.version), table.incarnation.as_ref()]
        .into_iter()
        .flatten()
    {
        let column = found.column(name)?;
        if column.kind != ColumnKind::Integer {
            return Err(format!(
                "column {name:?} is {}; it has to be an integer of 64 bits",
                column.type_name
            ));
        }
        if column.nullable {
            return Err(format!(
                "column {name:?} may be null; it has to be NOT NULL"
            ));
        }
    }
    if let Some(name) = &table.modified_at {
        let column = found.column(name)?;
        if !column.kind.tells_time() {
            return Err(format!(
                "column {name:?} is {}; it has to be seconds since 1970, or a time that does not depend \
                 on the session's time zone",
                column.type_name
            ));
        }
    }
    if let Some(name) = &table.modified_by {
        let column = found.column(name)?;
        if column.kind != ColumnKind::Text {
            return Err(format!(
                "column {name:?} is {}; it has to be text",
                column.type_name
            ));
        }
    }
    Ok(())
}

fn key_columns(table: &Table, key: &[KeyColumn], found: &Found) -> Result<(), String> {
    let names = table.key_columns();
    if names.len() != key.len() {
        return Err(format!(
            "the key has {} columns ({}), but the key type fills {}",
            names.len(),
            names.join(", "),
            key.len()
        ));
    }
    for (name, wanted) in names.iter().zip(key) {
        let column = found.column(name)?;
        if !wanted.fits(column.kind) {
            return Err(format!(
                "key column {name:?} is {}, but the key type has {} there",
                column.type_name,
                wanted.shown()
            ));
        }
        if let (Some(folds), false) = (&column.folds, table.keys_fold) {
            return Err(format!(
                "key column {name:?} {folds}, so that several keys would name one row; change it, or let \
                 the key type fold them and say so with \
                 Table::asserting_that_keys_fold_as_the_column_does()"
            ));
        }
    }
    let of_the_key = |column: &String| names.iter().any(|name| found.same_name(name, column));
    if !found
        .unique
        .iter()
        .any(|set| !set.is_empty() && set.iter().all(of_the_key))
    {
        return Err(format!(
            "nothing keeps the key ({}) unique; it needs a primary key or a unique index of its columns",
            names.join(", ")
        ));
    }
    Ok(())
}

fn source(dialect: Dialect, table: &Table, found: &Found) -> Result<Source, String> {
    match found.triggers {
        Triggers::AsMigrated => return Ok(Source::Triggers),
        Triggers::Others => {
            return Err(format!(
                "its version triggers are not those of this table's description; \
                 Table::migration(Dialect::{dialect:?}) has the statements"
            ));
        }
        Triggers::Missing => {}
    }
    if table.owner_keeps_revisions_apart {
        return Ok(Source::OwnersWord);
    }
    if table.incarnation.is_some() {
        return Ok(Source::Incarnation);
    }
    let default = found.column(&table.version)?.default.as_deref();
    let never_twice = ["nextval", "rand", "uuid_short"];
    let default = default.unwrap_or_default().to_ascii_lowercase();
    if never_twice.iter().any(|source| default.contains(source)) {
        return Ok(Source::Default);
    }
    Err(format!(
        "nothing keeps the versions of a row that is deleted and created again from coming back; \
         Table::migration(Dialect::{dialect:?}) has the statements"
    ))
}

impl Found {
    pub(crate) fn column(&self, name: &str) -> Result<&Column, String> {
        let found = self
            .columns
            .iter()
            .find(|column| self.same_name(&column.name, name));
        found.ok_or_else(|| format!("column {name:?} is missing"))
    }

    fn same_name(&self, a: &str, b: &str) -> bool {
        a == b || (self.names_fold && a.eq_ignore_ascii_case(b))
    }
}

impl ColumnKind {
    fn tells_time(self) -> bool {
        matches!(self, Self::Integer | Self::SmallInteger | Self::Time)
    }
}

impl KeyColumn {
    fn fits(self, kind: ColumnKind) -> bool {
        match self {
            Self::Integer => matches!(kind, ColumnKind::Integer | ColumnKind::SmallInteger),
            Self::Text => kind == ColumnKind::Text,
            Self::Octets => matches!(kind, ColumnKind::Octets | ColumnKind::Uuid),
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::Integer => "an integer",
            Self::Text => "text",
            Self::Octets => "octets",
        }
    }
}

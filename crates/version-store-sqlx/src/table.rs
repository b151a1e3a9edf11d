use crate::quote::identifier;

/// A table of your own, and which of its columns tell a row's version.
///
/// | column | type | |
/// | --- | --- | --- |
/// | [key](Self::with_key), one or several | integers, text or octets, as the [`SqlKey`](crate::SqlKey) says | unique together |
/// | [version](Self::with_version) | `BIGINT NOT NULL`, in SQLite `INTEGER NOT NULL` | rises with every write of the row |
/// | [incarnation](Self::with_incarnation) | as the version | optional |
/// | [modified at](Self::with_modified_at) | seconds since 1970 as an integer, or `TIMESTAMP WITH TIME ZONE` in PostgreSQL, `TIMESTAMP` in MariaDB | optional |
/// | [modified by](Self::with_modified_by) | text | optional |
///
/// A [`migration`](Self::migration) adds the version column and what makes the database itself see to
/// it.
///
/// ```
/// use version_store_sqlx::{Dialect, Table};
///
/// let posts = Table::new("posts").with_key("id").with_version("version");
/// println!("{}", posts.migration(Dialect::Postgres));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    pub(crate) key: Vec<String>,
    pub(crate) version: String,
    pub(crate) incarnation: Option<String>,
    pub(crate) modified_at: Option<String>,
    pub(crate) modified_by: Option<String>,
    pub(crate) unversioned: Unversioned,
    pub(crate) owner_keeps_revisions_apart: bool,
    pub(crate) keys_fold: bool,
}

/// What the [migration](Table::migration)'s triggers do with a statement that changes a row and leaves
/// its version as it is.
///
/// Default: [`Advance`](Self::Advance), because then statements that know nothing of versions stay
/// right as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unversioned {
    /// The row gets the next version.
    #[default]
    Advance,
    /// The statement fails.
    Refuse,
}

/// A database's kind of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    MariaDb,
}

impl Table {
    /// The table of this name, with a key column `id` and a version column `version` unless told
    /// otherwise. The name is taken as it is: quoted, with nothing in it that means anything.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            schema: None,
            name: name.into(),
            key: Vec::new(),
            version: "version".to_owned(),
            incarnation: None,
            modified_at: None,
            modified_by: None,
            unversioned: Unversioned::default(),
            owner_keeps_revisions_apart: false,
            keys_fold: false,
        }
    }

    /// The schema (in MariaDB: the database; in SQLite: the name of an attached file) that the table is
    /// in.
    ///
    /// Default: where the connection finds it.
    #[must_use]
    pub fn in_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// A key column. Call it once for each column of a key of several, in the order of the tuple.
    ///
    /// Default: `id`.
    #[must_use]
    pub fn with_key(mut self, column: impl Into<String>) -> Self {
        self.key.push(column.into());
        self
    }

    /// The column of the version. Default: `version`.
    #[must_use]
    pub fn with_version(mut self, column: impl Into<String>) -> Self {
        self.version = column.into();
        self
    }

    /// A column that counts the incarnations of a key: whoever inserts a row gives it an incarnation that the key never
    /// had. Not needed with the [migration](Self::migration)'s triggers.
    #[must_use]
    pub fn with_incarnation(mut self, column: impl Into<String>) -> Self {
        self.incarnation = Some(column.into());
        self
    }

    /// A column that tells when the version was made. It becomes `Last-Modified`.
    #[must_use]
    pub fn with_modified_at(mut self, column: impl Into<String>) -> Self {
        self.modified_at = Some(column.into());
        self
    }

    /// A column that tells by whom the version was made.
    #[must_use]
    pub fn with_modified_by(mut self, column: impl Into<String>) -> Self {
        self.modified_by = Some(column.into());
        self
    }

    /// What the triggers of the [migration](Self::migration) do with a statement that leaves the version
    /// as it is. Default: [`Unversioned::Advance`].
    #[must_use]
    pub fn with_unversioned(mut self, unversioned: Unversioned) -> Self {
        self.unversioned = unversioned;
        self
    }

    /// The owner's word, where the check at the start finds nothing that keeps revisions apart: that
    /// every write of a row changes its version, and that no version of a key ever comes back, whoever
    /// writes, after a row was deleted and created again too. If that is not so, a stale write can take
    /// effect.
    #[must_use]
    pub fn asserting_that_revisions_never_repeat(mut self) -> Self {
        self.owner_keeps_revisions_apart = true;
        self
    }

    /// The owner's word, where the check at the start refuses a text key column because it takes
    /// different texts for equal: that the key type folds them, so that keys which the column takes for
    /// equal are equal. If that is not so, one row has several tags.
    #[must_use]
    pub fn asserting_that_keys_fold_as_the_column_does(mut self) -> Self {
        self.keys_fold = true;
        self
    }

    /// The key columns.
    pub(crate) fn key_columns(&self) -> Vec<&str> {
        if self.key.is_empty() {
            return vec!["id"];
        }
        self.key.iter().map(String::as_str).collect()
    }

    /// The columns in a query's order, without the key's.
    pub(crate) fn other_columns(&self) -> impl Iterator<Item = &str> {
        let optional = [&self.incarnation, &self.modified_at, &self.modified_by];
        std::iter::once(self.version.as_str())
            .chain(optional.into_iter().flatten().map(String::as_str))
    }

    /// The quoted name, with the schema where one was given.
    pub(crate) fn quoted(&self, dialect: Dialect) -> String {
        self.beside(dialect, &self.name)
    }

    /// The quoted name of something in the same schema.
    pub(crate) fn beside(&self, dialect: Dialect, name: &str) -> String {
        let name = identifier(dialect, name);
        match &self.schema {
            Some(schema) => format!("{}.{name}", identifier(dialect, schema)),
            None => name,
        }
    }

    /// The name of what the migration makes for this table. Long ones are cut, and told apart by a
    /// digest: PostgreSQL would cut them silently after 63 octets.
    pub(crate) fn companion(&self, suffix: &str) -> String {
        let whole = format!("{}{suffix}", self.name);
        if whole.len() <= 63 {
            return whole;
        }
        let digest = blake3::hash(self.name.as_bytes()).to_hex();
        let end = self.name.floor_char_boundary(63 - suffix.len() - 9);
        format!("{}_{}{suffix}", &self.name[..end], &digest[..8])
    }

    /// Names that no database can have, told in one line.
    pub(crate) fn unusable_name(&self) -> Option<String> {
        let names = self.schema.iter().map(String::as_str);
        let names = names.chain([self.name.as_str()]).chain(self.key_columns());
        let bad = names
            .chain(self.other_columns())
            .find(|name| name.is_empty() || name.contains('\0'));
        bad.map(|name| format!("{name:?} cannot be the name of a table or column"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_companions_are_short_and_differ() {
        assert_eq!(
            Table::new("posts").companion("_version_store"),
            "posts_version_store"
        );
        let long = |end: &str| Table::new("ä".repeat(40) + end).companion("_version_store");
        assert!(long("a").len() <= 63);
        assert_ne!(long("a"), long("b"));
    }

    #[test]
    fn no_name_is_empty_or_has_a_nul() {
        assert_eq!(Table::new("posts").unusable_name(), None);
        for bad in [
            Table::new(""),
            Table::new("po\0sts"),
            Table::new("posts").with_key(""),
            Table::new("posts").with_incarnation("\0"),
            Table::new("posts").in_schema(""),
        ] {
            assert!(
                bad.unusable_name()
                    .unwrap()
                    .ends_with("cannot be the name of a table or column")
            );
        }
    }
}

//! What makes the database itself see to it that every write has a version of its own: a source of
//! revisions that outlives rows, and triggers.
//!
//! | | where revisions come from | what a statement's own value counts for |
//! | --- | --- | --- |
//! | PostgreSQL, MariaDB | a sequence beside the table | nothing: the sequence's takes its place |
//! | SQLite | a table of one row, which stays at or above every version that ever was | kept where it rises, because a trigger there cannot change what `RETURNING` shows |

use crate::{Dialect, Table};

mod mariadb;
mod postgres;

#[cfg(feature = "postgres")]
pub(crate) use postgres::TRIGGER;
mod sqlite;

/// The end of the name of all that a migration makes beside the table.
const SUFFIX: &str = "_version_store";

/// A trigger or function by its name, with the text by which the database keeps it.
pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Table {
    /// SQL that gives the table a version column, where it has none, and triggers that advance it
    /// whoever writes, so that no version of a key ever comes back. Text for a file of migrations; it
    /// can be applied twice.
    ///
    /// What the database then refuses or mends, whatever is sent:
    ///
    /// | statement | what becomes of it |
    /// | --- | --- |
    /// | `UPDATE` that leaves the version | the next version; under [`Unversioned::Refuse`] it fails |
    /// | `UPDATE` that lowers the version | it fails |
    /// | `UPDATE` that raises the version, or changes the key | a version that the key never had |
    /// | `INSERT`, `REPLACE`, the insert of an upsert | a version that the key never had; in SQLite under `Refuse` it has to bring one |
    ///
    /// Out of reach is who drops a trigger, sets the sequence, or restores a backup.
    ///
    /// SQLite cannot add a column only where it is missing, so there the line that adds it is a
    /// comment: take it where it is needed ([`apply`](Self::apply) looks by itself). In MariaDB
    /// the statements are not one transaction, and the program `mariadb` needs a `DELIMITER` around
    /// the triggers.
    ///
    /// [`Unversioned::Refuse`]: crate::Unversioned::Refuse
    pub fn migration(&self, dialect: Dialect) -> String {
        let mut text = String::new();
        if dialect == Dialect::Sqlite {
            text.push_str("-- Where the table has no such column yet:\n-- ");
            text.push_str(&sqlite::add_column(self));
            text.push_str(";\n\n");
        }
        for statement in self.statements(dialect) {
            text.push_str(&statement);
            text.push_str(";\n\n");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    /// The migration, one statement each. SQLite's without the column.
    pub(crate) fn statements(&self, dialect: Dialect) -> Vec<String> {
        match dialect {
            Dialect::Sqlite => sqlite::statements(self),
            Dialect::Postgres => postgres::statements(self),
            Dialect::MariaDb => mariadb::statements(self),
        }
    }

    /// What adds the version column, where the database cannot look by itself whether it is there.
    pub(crate) fn add_column(&self) -> String {
        sqlite::add_column(self)
    }

    /// What the migration makes, as it is to be found again.
    pub(crate) fn made(&self, dialect: Dialect) -> Vec<Made> {
        match dialect {
            Dialect::Sqlite => sqlite::triggers(self),
            Dialect::Postgres => vec![postgres::function(self)],
            Dialect::MariaDb => mariadb::triggers(self),
        }
    }
}

//! Names and texts as each database writes them into its statements.

use crate::Dialect;

/// An identifier, whatever is in it.
pub(crate) fn identifier(dialect: Dialect, name: &str) -> String {
    let quote = match dialect {
        Dialect::Sqlite | Dialect::Postgres => '"',
        Dialect::MariaDb => '`',
    };
    surrounded(quote, name)
}

/// A text.
pub(crate) fn literal(dialect: Dialect, text: &str) -> String {
    match dialect {
        // Unless its mode says otherwise, MariaDB takes a backslash for an escape.
        Dialect::MariaDb => surrounded('\'', &text.replace('\\', "\\\\")),
        Dialect::Sqlite | Dialect::Postgres => surrounded('\'', text),
    }
}

fn surrounded(quote: char, text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for character in text.chars() {
        if character == quote {
            quoted.push(quote);
        }
        quoted.push(character);
    }
    quoted.push(quote);
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_in_a_name_stays_in_it() {
        let name = "we\"ird ta`ble'; DROP TABLE x; --\\";
        assert_eq!(
            identifier(Dialect::Postgres, name),
            "\"we\"\"ird ta`ble'; DROP TABLE x; --\\\""
        );
        assert_eq!(
            identifier(Dialect::MariaDb, name),
            "`we\"ird ta``ble'; DROP TABLE x; --\\`"
        );
        assert_eq!(literal(Dialect::Sqlite, "it's \\"), "'it''s \\'");
        assert_eq!(literal(Dialect::MariaDb, "it's \\"), "'it''s \\\\'");
    }
}

use super::{Made, SUFFIX};
use crate::quote::{identifier, literal};
use crate::{Dialect, Table, Unversioned};

const SQL: Dialect = Dialect::MariaDb;

/// Where the sequence is raised while others write, their rows may pass it by until the triggers are
/// there. So it is raised once more afterwards; and a row that is ahead of it cannot be written.
pub(super) fn statements(table: &Table) -> Vec<String> {
    let (quoted, version) = (table.quoted(SQL), identifier(SQL, &table.version));
    let sequence = table.beside(SQL, &table.companion(SUFFIX));
    // SETVAL takes a number and no expression; it never lowers.
    let raise = format!(
        "SET @version_store = (SELECT GREATEST(COALESCE(MAX({version}), 0), 1) FROM {quoted});\n\
         EXECUTE IMMEDIATE CONCAT({}, @version_store, ')')",
        literal(SQL, &format!("SELECT SETVAL({sequence}, "))
    );
    let mut statements = vec![
        format!(
            "ALTER TABLE {quoted} ADD COLUMN IF NOT EXISTS {version} BIGINT NOT NULL DEFAULT 0"
        ),
        format!("CREATE SEQUENCE IF NOT EXISTS {sequence} ENGINE = InnoDB"),
        raise.clone(),
    ];
    for (trigger, event) in triggers(table).into_iter().zip(["INSERT", "UPDATE"]) {
        statements.push(format!(
            "CREATE OR REPLACE TRIGGER {} BEFORE {event} ON {quoted} FOR EACH ROW\n{}",
            table.beside(SQL, &trigger.name),
            trigger.text
        ));
    }
    statements.push(raise);
    statements
}

/// The triggers, with their bodies as the text.
pub(super) fn triggers(table: &Table) -> Vec<Made> {
    let sequence = identifier(SQL, &table.companion(SUFFIX));
    let sequence = match &table.schema {
        Some(schema) => format!("{}.{sequence}", identifier(SQL, schema)),
        None => sequence,
    };
    let version = identifier(SQL, &table.version);
    let next = format!("SET NEW.{version} = NEXTVAL({sequence});");
    let told = literal(
        SQL,
        &cut(format!(
            "a write of {} has to raise {}",
            table.name, table.version
        )),
    );
    let stale = match table.unversioned {
        Unversioned::Advance => "<",
        Unversioned::Refuse => "<=",
    };
    let behind = literal(
        SQL,
        &cut(format!(
            "the sequence of {} is behind it; migrate again",
            table.name
        )),
    );
    let refused = |told: &str| format!("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = {told};");
    let made = |event: &str, body: String| Made {
        name: table.companion(&format!("{SUFFIX}_{event}")),
        text: format!("BEGIN {}\n{body}\nEND", mark(&body)),
    };
    vec![
        made("insert", format!("    {next}")),
        made(
            "update",
            format!(
                "    IF NEW.{version} IS NULL OR NEW.{version} {stale} OLD.{version} THEN\n        \
                 {}\n    END IF;\n    {next}\n    IF NEW.{version} <= OLD.{version} THEN\n        {}\n    \
                 END IF;",
                refused(&told),
                refused(&behind)
            ),
        ),
    ]
}

/// A comment by which a body is known again: the catalogue does not give back every text as it was.
fn mark(body: &str) -> String {
    format!(
        "/* version-store {} */",
        &blake3::hash(body.as_bytes()).to_hex()[..32]
    )
}

/// A message has room for 128 characters.
fn cut(mut told: String) -> String {
    if let Some((end, _)) = told.char_indices().nth(128) {
        told.truncate(end);
    }
    told
}

use super::{Made, SUFFIX};
use crate::quote::{identifier, literal};
use crate::{Dialect, Table, Unversioned};

const SQL: Dialect = Dialect::Sqlite;

pub(super) fn add_column(table: &Table) -> String {
    let (quoted, version) = (table.quoted(SQL), identifier(SQL, &table.version));
    format!("ALTER TABLE {quoted} ADD COLUMN {version} INTEGER NOT NULL DEFAULT 0")
}

pub(super) fn statements(table: &Table) -> Vec<String> {
    let counter = table.beside(SQL, &table.companion(SUFFIX));
    let (quoted, version) = (table.quoted(SQL), identifier(SQL, &table.version));
    let mut statements = vec![
        format!("CREATE TABLE IF NOT EXISTS {counter} (value INTEGER NOT NULL)"),
        format!(
            "INSERT INTO {counter} (value) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM {counter})"
        ),
        format!(
            "UPDATE {counter} SET value = max(value, (SELECT coalesce(max({version}), 0) FROM {quoted}))"
        ),
    ];
    for trigger in triggers(table) {
        let name = table.beside(SQL, &trigger.name);
        statements.push(format!("DROP TRIGGER IF EXISTS {name}"));
        statements.push(trigger.text);
    }
    statements
}

/// They run after the write, because in SQLite nothing can change a row before it is stored. What was
/// there before is not looked up: REPLACE removes rows without a word to triggers.
///
/// The statements inside fire the triggers again, all of them where `recursive_triggers` is on. Each
/// then finds a version that rises, and only keeps the counter, which changes nothing any more.
pub(super) fn triggers(table: &Table) -> Vec<Made> {
    let counter_name = table.companion(SUFFIX);
    let counter = identifier(SQL, &counter_name);
    // Within a trigger names cannot have a schema; they are looked up in the trigger's.
    let name = identifier(SQL, &table.name);
    let version = identifier(SQL, &table.version);
    let keys: Vec<_> = table
        .key_columns()
        .iter()
        .map(|key| identifier(SQL, key))
        .collect();
    let all = |joined: &str, term: &dyn Fn(&String) -> String| {
        keys.iter().map(term).collect::<Vec<_>>().join(joined)
    };
    let this_row = all(" AND ", &|key| format!("{key} IS NEW.{key}"));
    let key_changed = all(" OR ", &|key| format!("NEW.{key} IS NOT OLD.{key}"));
    let highest = format!("(SELECT value FROM {counter})");

    let no_integer = fails(
        &format!("typeof(NEW.{version}) IS NOT 'integer'"),
        &format!("{}.{} has to be an integer", table.name, table.version),
    );
    let keep = format!(
        "UPDATE {counter} SET value = max(value, (SELECT {version} FROM {name} WHERE {this_row}))"
    );
    let unless_fresh = |stale: &str, told: &str| match table.unversioned {
        Unversioned::Advance => {
            format!("UPDATE {name} SET {version} = {highest} + 1 WHERE {this_row} AND ({stale})")
        }
        Unversioned::Refuse => fails(stale, told),
    };

    let fresh_insert = unless_fresh(
        &format!("NEW.{version} <= {highest}"),
        &format!(
            "a new row of {} has to bring a {} above every one that was",
            table.name, table.version
        ),
    );
    let lowered = fails(
        &format!("NEW.{version} < OLD.{version}"),
        &format!("a write of {} has to raise {}", table.name, table.version),
    );
    let fresh_update = unless_fresh(
        &format!(
            "NEW.{version} = OLD.{version} OR (({key_changed}) AND NEW.{version} <= {highest})"
        ),
        &format!("a write of {} has to raise {}", table.name, table.version),
    );
    let trigger = |suffix: &str, when: &str, on: &str, body: &[&str]| {
        let name = table.companion(&format!("{SUFFIX}_{suffix}"));
        let body = body.join(";\n    ");
        let text = format!(
            "CREATE TRIGGER {} {when} ON {}\nBEGIN\n    {body};\nEND",
            table.beside(SQL, &name),
            identifier(SQL, on)
        );
        Made { name, text }
    };
    let stays = |told: &str| format!("SELECT RAISE(ABORT, {})", literal(SQL, told));
    let one_row = stays(&format!("{counter_name} has to stay one row"));
    let rises = fails(
        "NEW.value IS NULL OR NEW.value < OLD.value OR typeof(NEW.value) IS NOT 'integer'",
        &format!("{counter_name} has to stay or rise"),
    );
    vec![
        trigger(
            "insert",
            "AFTER INSERT",
            &table.name,
            &[&no_integer, &fresh_insert, &keep],
        ),
        trigger(
            "update",
            "AFTER UPDATE",
            &table.name,
            &[&no_integer, &lowered, &fresh_update, &keep],
        ),
        trigger("rises", "BEFORE UPDATE", &counter_name, &[&rises]),
        trigger("is_one", "BEFORE INSERT", &counter_name, &[&one_row]),
        trigger("stays", "BEFORE DELETE", &counter_name, &[&one_row]),
    ]
}

fn fails(when: &str, told: &str) -> String {
    format!("SELECT RAISE(ABORT, {}) WHERE {when}", literal(SQL, told))
}

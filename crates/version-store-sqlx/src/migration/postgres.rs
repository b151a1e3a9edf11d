use super::{Made, SUFFIX};
use crate::quote::{identifier, literal};
use crate::{Dialect, Table, Unversioned};

const SQL: Dialect = Dialect::Postgres;

/// Triggers fire in the order of their names: this one after the table's others, so that it has the last
/// word.
pub(crate) const TRIGGER: &str = "zz_version_store";

pub(super) fn statements(table: &Table) -> Vec<String> {
    let (quoted, version) = (table.quoted(SQL), identifier(SQL, &table.version));
    let made = table.beside(SQL, &table.companion(SUFFIX));
    let sequence = literal(SQL, &made);
    let function = function(table).text;
    let quote = dollar_quote(&function);
    vec![
        // It locks the table for the rest of the transaction, also where the column is there.
        format!(
            "ALTER TABLE {quoted} ADD COLUMN IF NOT EXISTS {version} bigint NOT NULL DEFAULT 0"
        ),
        // Not owned by the column: TRUNCATE … RESTART IDENTITY would start it anew.
        format!("CREATE SEQUENCE IF NOT EXISTS {made} AS bigint"),
        format!(
            "SELECT setval({sequence}, greatest(last_value, (SELECT coalesce(max({version}), 0) FROM {quoted}), 1)) \
             FROM {made}"
        ),
        // With its owner's rights, so that who may write the table need not be let to the sequence.
        format!(
            "CREATE OR REPLACE FUNCTION {made}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
             SET search_path = pg_catalog, pg_temp AS {quote}{function}{quote}"
        ),
        format!("DROP TRIGGER IF EXISTS {TRIGGER} ON {quoted}"),
        format!(
            "CREATE TRIGGER {TRIGGER} BEFORE INSERT OR UPDATE ON {quoted}\n\
             FOR EACH ROW EXECUTE FUNCTION {made}()"
        ),
    ]
}

/// The trigger function, with its body as the text. The sequence stands in the table's schema, which
/// the function asks for when it runs: the description may leave it open.
pub(super) fn function(table: &Table) -> Made {
    let name = table.companion(SUFFIX);
    let version = identifier(SQL, &table.version);
    let told = literal(
        SQL,
        &format!("a write of {} has to raise {}", table.name, table.version),
    );
    let stale = match table.unversioned {
        Unversioned::Advance => format!("NEW.{version} < OLD.{version}"),
        Unversioned::Refuse => format!("NEW.{version} <= OLD.{version}"),
    };
    let behind = literal(
        SQL,
        &format!("the sequence {name} is behind its table; apply its migration again"),
    );
    let sequence = literal(SQL, &name);
    let text = format!(
        "
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.{version} IS NULL OR {stale}) THEN
        RAISE EXCEPTION USING MESSAGE = {told}, ERRCODE = 'check_violation';
    END IF;
    NEW.{version} := nextval(format('%I.%I', TG_TABLE_SCHEMA, {sequence})::regclass);
    IF TG_OP = 'UPDATE' AND NEW.{version} <= OLD.{version} THEN
        RAISE EXCEPTION USING MESSAGE = {behind}, ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
"
    );
    Made { name, text }
}

/// A dollar quote that does not stand in the text.
fn dollar_quote(text: &str) -> String {
    let mut quote = "$version_store$".to_owned();
    while text.contains(&quote) {
        quote.insert(1, 'x');
    }
    quote
}

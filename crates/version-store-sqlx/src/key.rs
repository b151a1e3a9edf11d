use version_store::Key;

/// How a key stands in the key columns of a table.
///
/// Implemented for the integers up to 64 bits, `String`, `[u8; N]`, and tuples of up to four of them:
/// one column each, in the order of [`Table::with_key`](crate::Table::with_key). A newtype passes on
/// what it holds:
///
/// ```
/// use version_store::{KeyEncoder, Key};
/// use version_store_sqlx::{KeyColumns, KeyValues, SqlKey};
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct PostId(u64);
///
/// impl Key for PostId {
///     fn encode(&self, to: &mut KeyEncoder) {
///         self.0.encode(to);
///     }
/// }
///
/// impl SqlKey for PostId {
///     fn columns(to: &mut KeyColumns) {
///         u64::columns(to);
///     }
///     fn values(&self, to: &mut KeyValues) {
///         self.0.values(to);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot name a row",
    note = "implement `version_store_sqlx::SqlKey` for it, as its example shows for a newtype"
)]
pub trait SqlKey: Key {
    /// What columns such a key fills. The check at the start compares them with the table's.
    fn columns(to: &mut KeyColumns);

    /// What it fills them with, in the same order.
    fn values(&self, to: &mut KeyValues);
}

/// The columns that a key type fills, in order.
#[derive(Debug, Default)]
pub struct KeyColumns(pub(crate) Vec<KeyColumn>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyColumn {
    Integer,
    Text,
    Octets,
}

impl KeyColumns {
    /// A column of integers.
    pub fn integer(&mut self) {
        self.0.push(KeyColumn::Integer);
    }

    /// A column of text.
    pub fn text(&mut self) {
        self.0.push(KeyColumn::Text);
    }

    /// A column of octets: `BLOB`, `BYTEA`, `BINARY`, and PostgreSQL's `UUID` for 16 of them.
    pub fn octets(&mut self) {
        self.0.push(KeyColumn::Octets);
    }

    pub(crate) fn of<K: SqlKey>() -> Vec<KeyColumn> {
        let mut columns = Self::default();
        K::columns(&mut columns);
        columns.0
    }
}

/// The values of one key, in the order of its columns.
#[derive(Debug, Default)]
pub struct KeyValues(pub(crate) Vec<KeyValue>);

#[derive(Clone, Debug, PartialEq)]
pub enum KeyValue {
    Integer(i64),
    /// More than an `i64` holds. Only MariaDB has columns for it; elsewhere there is no such row.
    Large(u64),
    Text(String),
    Octets(Vec<u8>),
}

impl KeyValues {
    /// An integer.
    pub fn integer(&mut self, value: i64) {
        self.0.push(KeyValue::Integer(value));
    }

    /// An integer that is not negative. One beyond `i64` is no row's, except in a column of MariaDB that
    /// is `UNSIGNED`.
    pub fn unsigned(&mut self, value: u64) {
        self.0.push(match i64::try_from(value) {
            Ok(value) => KeyValue::Integer(value),
            Err(_) => KeyValue::Large(value),
        });
    }

    /// Text.
    pub fn text(&mut self, value: &str) {
        self.0.push(KeyValue::Text(value.to_owned()));
    }

    /// Octets.
    pub fn octets(&mut self, value: &[u8]) {
        self.0.push(KeyValue::Octets(value.to_vec()));
    }

    pub(crate) fn of(key: &impl SqlKey) -> Vec<KeyValue> {
        let mut values = Self::default();
        key.values(&mut values);
        values.0
    }
}

macro_rules! integer_key {
    ($($integer:ty),*) => {$(
        impl SqlKey for $integer {
            fn columns(to: &mut KeyColumns) {
                to.integer();
            }

            fn values(&self, to: &mut KeyValues) {
                to.integer(i64::from(*self));
            }
        }
    )*};
}

integer_key!(u8, u16, u32, i8, i16, i32, i64);

impl SqlKey for u64 {
    fn columns(to: &mut KeyColumns) {
        to.integer();
    }

    fn values(&self, to: &mut KeyValues) {
        to.unsigned(*self);
    }
}

impl SqlKey for String {
    fn columns(to: &mut KeyColumns) {
        to.text();
    }

    fn values(&self, to: &mut KeyValues) {
        to.text(self);
    }
}

impl<const N: usize> SqlKey for [u8; N] {
    fn columns(to: &mut KeyColumns) {
        to.octets();
    }

    fn values(&self, to: &mut KeyValues) {
        to.octets(self);
    }
}

macro_rules! tuple_key {
    ($($name:ident)*) => {
        impl<$($name: SqlKey),*> SqlKey for ($($name,)*) {
            fn columns(to: &mut KeyColumns) {
                $($name::columns(to);)*
            }

            #[allow(non_snake_case, reason = "the members are named as their types")]
            fn values(&self, to: &mut KeyValues) {
                let ($($name,)*) = self;
                $($name.values(to);)*
            }
        }
    };
}

tuple_key!(A);
tuple_key!(A B);
tuple_key!(A B C);
tuple_key!(A B C D);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tuple_fills_its_columns_in_order() {
        let key = (7_u64, "ada".to_owned(), [1_u8, 2]);
        assert_eq!(
            KeyColumns::of::<(u64, String, [u8; 2])>(),
            [KeyColumn::Integer, KeyColumn::Text, KeyColumn::Octets]
        );
        assert_eq!(
            KeyValues::of(&key),
            [
                KeyValue::Integer(7),
                KeyValue::Text("ada".to_owned()),
                KeyValue::Octets(vec![1, 2])
            ]
        );
    }

    #[test]
    fn what_no_column_of_64_bits_holds_is_told_apart() {
        assert_eq!(KeyValues::of(&(1_u64 << 63)), [KeyValue::Large(1 << 63)]);
        assert_eq!(
            KeyValues::of(&((1_u64 << 63) - 1)),
            [KeyValue::Integer(i64::MAX)]
        );
    }
}

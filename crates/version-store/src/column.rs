//! Versions in signed columns: no unsigned type is common to all databases.

use thiserror::Error;

use crate::version::Version;

/// A negative number in a column that should hold a revision or an incarnation.
///
/// No store writes one, so the row is damaged. It is an error, not a version: a cast would turn it into
/// a large number, which would then be served and compared.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the column holds {0}; neither a revision nor an incarnation is negative")]
pub struct NegativeColumn(i64);

/// For columns, also by way of `#[sqlx(try_from = "i64")]` on a field.
///
/// ```
/// use version_store::Version;
///
/// let version = Version::try_from(6_i64)?;
/// assert_eq!(*version.revision(), 6);
/// assert!(Version::try_from(-6_i64).is_err());
/// # Ok::<(), version_store::NegativeColumn>(())
/// ```
impl TryFrom<i64> for Version<u64> {
    type Error = NegativeColumn;

    fn try_from(revision: i64) -> Result<Self, NegativeColumn> {
        not_negative(revision).map(Self::new)
    }
}

impl TryFrom<i32> for Version<u64> {
    type Error = NegativeColumn;

    fn try_from(revision: i32) -> Result<Self, NegativeColumn> {
        i64::from(revision).try_into()
    }
}

impl Version<u64> {
    /// The version of a row with a column for the revision and one for the incarnation.
    ///
    /// # Errors
    ///
    /// [`NegativeColumn`] if one of them is negative.
    pub fn from_columns(revision: i64, incarnation: i64) -> Result<Self, NegativeColumn> {
        let incarnation = not_negative(incarnation)?;
        Ok(Self::try_from(revision)?.with_incarnation(incarnation))
    }

    /// The revision as a statement's argument. `None` if it does not fit a signed column: bound as
    /// NULL, it equals nothing.
    ///
    /// In a handler, for `… WHERE id = $1 AND version = $2`:
    ///
    /// ```
    /// # use version_store::{Expected, MemoryStore, Version};
    /// # type Posts = MemoryStore<i64, String>;
    /// fn arguments(expected: &Expected<Posts>) -> (i64, Option<i64>) {
    ///     (*expected.key(), expected.version().and_then(Version::column))
    /// }
    /// ```
    pub fn column(&self) -> Option<i64> {
        i64::try_from(*self.revision()).ok()
    }

    /// The incarnation as a statement's argument, like [`column`](Self::column).
    pub fn incarnation_column(&self) -> Option<i64> {
        i64::try_from(self.incarnation()).ok()
    }
}

fn not_negative(value: i64) -> Result<u64, NegativeColumn> {
    u64::try_from(value).map_err(|_| NegativeColumn(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for value in [0, 1, i64::MAX] {
            let version = Version::from_columns(value, value).unwrap();
            assert_eq!(version.column(), Some(value));
            assert_eq!(version.incarnation_column(), Some(value));
        }
        assert_eq!(Version::try_from(7_i32).unwrap().column(), Some(7));
    }

    /// A cast would turn it into 2^64 - 6.
    #[test]
    fn no_version_is_made_of_a_negative_column() {
        assert_eq!(Version::try_from(-6_i64).unwrap_err(), NegativeColumn(-6));
        Version::try_from(-6_i32).unwrap_err();
        Version::from_columns(-1, 1).unwrap_err();
        let error = Version::from_columns(1, i64::MIN).unwrap_err();
        assert!(error.to_string().contains("-9223372036854775808"));
    }

    /// A cast would turn it into a negative number, which a damaged row may hold.
    #[test]
    fn what_no_column_can_hold_equals_none() {
        let version = Version::new(1 << 63).with_incarnation(u64::MAX);
        assert_eq!(version.column(), None);
        assert_eq!(version.incarnation_column(), None);
    }
}

use std::fmt;

use thiserror::Error;
use version_store::Lost;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the store did not answer. Its text is for the log, never for a client.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    source: Source,
}

/// What kind of failure an [`Error`](struct@Error) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A wait for a connection, a lock or a row took too long, or the database chose this transaction as
    /// the one that has to be tried again. Nothing was written.
    Busy,
    /// The database failed, or could not be reached. Nothing was written.
    Failed,
    /// What stands in the version's columns is no version, or a write made none. Nothing was written.
    NoVersion,
    /// No column of such a database can hold the key: there is no such row, and there cannot be one.
    /// Nothing was written. (In MariaDB, which has unsigned columns, a number beyond `i64` is looked for
    /// whatever the column; do not cast it in the handler's statements.)
    NoSuchKey,
    /// The acknowledgement of a commit was lost: whether it took place is not known.
    OutcomeUnknown,
    /// Who was lent the transaction ended it. What it wrote may have been committed.
    TransactionEnded,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, source: impl Into<Source>) -> Self {
        Self {
            kind,
            source: source.into(),
        }
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether a later attempt is likely to fare better, and nothing was written by this one.
    pub fn is_busy(&self) -> bool {
        self.kind == ErrorKind::Busy
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ErrorKind::Busy => "the database is busy",
            ErrorKind::Failed => "the database failed",
            ErrorKind::NoVersion => "a row has no usable version",
            ErrorKind::NoSuchKey => "no column can hold the key",
            ErrorKind::OutcomeUnknown => "whether the commit took place is not known",
            ErrorKind::TransactionEnded => "the transaction was ended by who was lent it",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// Why a store was not opened. Its text is one line.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct OpenError(#[from] OpenFailure);

#[derive(Debug, Error)]
enum OpenFailure {
    #[error("table {table:?}: {what}")]
    Unfit { table: String, what: String },
    #[error("table {table:?}: the database failed: {source}")]
    Failed { table: String, source: sqlx::Error },
}

impl OpenError {
    pub(crate) fn unfit(table: &str, what: impl Into<String>) -> Self {
        let (table, what) = (table.to_owned(), what.into());
        Self(OpenFailure::Unfit { table, what })
    }

    pub(crate) fn failed(table: &str, source: sqlx::Error) -> Self {
        let table = table.to_owned();
        Self(OpenFailure::Failed { table, source })
    }

    /// Whether the table is not as it has to be, in distinction to a database that did not answer.
    pub fn is_about_the_table(&self) -> bool {
        matches!(self.0, OpenFailure::Unfit { .. })
    }
}

/// Why [`compare_and_swap`](crate::SqlVersions::compare_and_swap) did not write.
#[derive(Debug, Error)]
pub enum SwapError<E> {
    /// Someone was faster. Nothing was written.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The statements failed, with this error of theirs. Nothing was written.
    #[error("the statements of the write failed")]
    Statements(#[source] E),
    /// The store failed; its kind tells whether something may have been written.
    #[error("the store failed")]
    Store(#[source] Error),
}

//! What the server under test keeps its registers in.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tower_if_match::http_precondition::Problem;
use tower_if_match::{
    Demand, Expected, MemoryStore, Reason, Version, VersionStore, Versioned, WriteError,
};

/// A store of texts that a handler can read and conditionally write.
pub trait Registers: VersionStore<Key = u64, Revision = u64> {
    /// The text with its version.
    fn read(
        &self,
        key: u64,
    ) -> impl Future<Output = Result<Option<Versioned<String>>, Failure>> + Send;

    /// Writes the text, or removes the register where there is none, and settles `expected`.
    fn write(
        &self,
        text: Option<String>,
        expected: Expected<Self>,
    ) -> impl Future<Output = Result<(), WriteError<Failure>>> + Send;
}

/// Why a store has no answer.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was written.
    #[error("the store cannot be reached")]
    Unavailable,
    /// The write was sent, and what became of it is not known.
    #[error("whether the write took place is not known")]
    OutcomeUnknown,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let reason = match self {
            Self::Unavailable => Reason::StoreUnavailable,
            Self::OutcomeUnknown => Reason::OutcomeUnknown,
        };
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Problem::new(status, "Service Unavailable");
        let problem = problem.string_member("reason", reason.as_str());
        (status, problem.into_json()).into_response()
    }
}

/// The store that the project ships.
impl Registers for MemoryStore<u64, String> {
    async fn read(&self, key: u64) -> Result<Option<Versioned<String>>, Failure> {
        Ok(self.get(&key))
    }

    async fn write(
        &self,
        text: Option<String>,
        expected: Expected<Self>,
    ) -> Result<(), WriteError<Failure>> {
        match text {
            Some(text) => {
                self.put(text, expected)?;
                Ok(())
            }
            None => self.remove(expected).map_err(|error| match error {
                WriteError::Lost(lost) => WriteError::Lost(lost),
                WriteError::Absent => WriteError::Absent,
                WriteError::Backend(never) => match never {},
            }),
        }
    }
}

/// Rows that can be read, and written by compare and swap.
pub trait Rows: Clone + Send + Sync + 'static {
    /// The revision and the text of a row.
    fn row(&self, key: u64) -> impl Future<Output = Result<Option<(u64, String)>, Failure>> + Send;

    /// Writes a row, or removes it, if it is at the expected revision, or absent where none is
    /// expected.
    fn swap(
        &self,
        key: u64,
        expected: Option<u64>,
        text: Option<String>,
    ) -> impl Future<Output = Result<Swap, Failure>> + Send;
}

/// How a compare and swap ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// It was written and has this revision now, or was removed by this write.
    Done(u64),
    /// It was not as expected.
    Lost,
}

/// A store on [`Rows`].
#[derive(Clone, Debug)]
pub struct OnRows<R>(pub R);

impl<R: Rows> VersionStore for OnRows<R> {
    type Key = u64;
    type Revision = u64;
    type Error = Failure;

    async fn current(&self, key: &u64) -> Result<Option<Version>, Failure> {
        let row = self.0.row(*key).await?;
        Ok(row.map(|(revision, _)| Version::new(revision)))
    }
}

impl<R: Rows> Registers for OnRows<R> {
    async fn read(&self, key: u64) -> Result<Option<Versioned<String>>, Failure> {
        let row = self.0.row(key).await?;
        Ok(row.map(|(revision, text)| Versioned::new(Version::new(revision), text)))
    }

    async fn write(
        &self,
        text: Option<String>,
        expected: Expected<Self>,
    ) -> Result<(), WriteError<Failure>> {
        let revision = match expected.demand() {
            Demand::Version(version) => Some(*version.revision()),
            Demand::NotExists => None,
            Demand::Never => {
                expected.unchanged();
                return Err(WriteError::Absent);
            }
            Demand::Exists | Demand::Any => {
                unreachable!("the clients name a version, or that there is none")
            }
        };
        let removes = text.is_none();
        let swapped = self.0.swap(*expected.key(), revision, text).await;
        match swapped.map_err(WriteError::Backend)? {
            Swap::Done(_) if removes => expected.removed(),
            Swap::Done(revision) => expected.written(Version::new(revision)),
            Swap::Lost => return Err(expected.lost().into()),
        }
        Ok(())
    }
}

use std::convert::Infallible;

use thiserror::Error;

/// A conditional write that came too late: the stored version was not the expected one, and nothing was
/// written.
///
/// Only settling an `Expected` or `ExpectedItems` as lost makes one, so the layer already knows. The
/// status that a handler maps it to does not matter: the layer evaluates the request again and responds
/// as it would to a later request.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the stored version is not the expected one; nothing was written")]
pub struct Lost(());

impl Lost {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// Why a conditional write failed: a conflict, a missing resource or the store.
#[derive(Debug, Error)]
pub enum WriteError<E = Infallible> {
    /// Someone else wrote first.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// There is nothing to change or remove, as the layer saw too. The handler responds with 404.
    #[error("the resource does not exist")]
    Absent,
    /// The store failed.
    #[error("the store failed")]
    Backend(#[source] E),
}

impl<E> WriteError<E> {
    /// Maps the store's error.
    pub fn map_backend<F>(self, f: impl FnOnce(E) -> F) -> WriteError<F> {
        match self {
            Self::Lost(lost) => WriteError::Lost(lost),
            Self::Absent => WriteError::Absent,
            Self::Backend(error) => WriteError::Backend(f(error)),
        }
    }
}

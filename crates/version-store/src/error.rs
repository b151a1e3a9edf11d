use std::convert::Infallible;

use thiserror::Error;

/// A conditional write that came too late: the stored version was not the expected one, and nothing
/// was written.
///
/// Only [`Expected::lost`](crate::Expected::lost) makes one, so whoever holds it has told the layer.
/// What status a handler makes of it does not matter: the layer evaluates the request afresh and
/// gives the answer that a later request would have got.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the stored version is not the expected one; nothing was written")]
pub struct Lost(());

impl Lost {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// How a conditional write failed, told apart: the conflict, the missing resource, the store.
#[derive(Debug, Error)]
pub enum WriteError<E = Infallible> {
    /// Someone was faster.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// There is nothing to change or to remove, as the layer saw too. The answer is the handler's
    /// 404.
    #[error("the resource does not exist")]
    Absent,
    /// The store failed.
    #[error("the store failed")]
    Backend(#[source] E),
}

impl<E> WriteError<E> {
    /// The same with another error of the store.
    pub fn map_backend<F>(self, f: impl FnOnce(E) -> F) -> WriteError<F> {
        match self {
            Self::Lost(lost) => WriteError::Lost(lost),
            Self::Absent => WriteError::Absent,
            Self::Backend(error) => WriteError::Backend(f(error)),
        }
    }
}

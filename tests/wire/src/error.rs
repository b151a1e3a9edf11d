//! What can go wrong between a test and the server, told apart where a test must act differently.

use std::{io, time::Duration};

/// Why a step on the wire failed; [`kind`](Error::kind) is what a test decides by, the text is for
/// people.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // Nothing listens on a port that was taken and given back.
/// let addr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
/// let error = wire::Connection::open(addr).await.unwrap_err();
/// assert_eq!(error.kind(), wire::ErrorKind::Connect);
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct Error {
    kind: ErrorKind,
    context: String,
    source: Option<io::Error>,
}

/// The cases of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No connection came about.
    Connect,
    /// The connection had ended before a request was written: the server has seen nothing of it.
    NotSent,
    /// The connection ended before the whole answer had arrived: whether the request took effect is
    /// unknown.
    Lost,
    /// The answer breaks RFC 9112, or its body is not what was asked for (such as JSON).
    Malformed,
    /// The wait took longer than allowed: whether the request took effect is unknown.
    Deadline,
    /// The server's process could not be started, or ended when it should not.
    Process,
}

impl Error {
    /// Which case this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self {
            kind,
            context: context.into(),
            source: None,
        }
    }

    pub(crate) fn io(kind: ErrorKind, context: &str, source: io::Error) -> Self {
        Self {
            kind,
            context: format!("{context}: {source}"),
            source: Some(source),
        }
    }

    pub(crate) fn malformed(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed, context)
    }
}

/// Runs one step within `limit`; `what` names the step in the error.
pub(crate) async fn within<T>(
    limit: Duration,
    what: &str,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, step).await.unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::Deadline,
            format!("{what} took longer than {limit:?}"),
        ))
    })
}

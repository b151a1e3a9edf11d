use std::any::type_name;
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

/// A handler asked for `Expected` or `Tx` where none was to be had.
///
/// The answer is 404 where the resource's id cannot be read, which is the client's doing, and 500
/// otherwise, which is a mistake in how the service is put together.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", self.text())]
pub struct NotLent {
    store: &'static str,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    NoLayer,
    Twice,
    InvalidKey,
    OtherStrategy,
    NoTransaction,
    TransactionTwice,
    NoItems,
    ItemsTwice,
}

impl NotLent {
    pub(crate) fn no_layer<S>() -> Self {
        Self {
            store: type_name::<S>(),
            why: Why::NoLayer,
        }
    }

    pub(crate) fn twice<S>() -> Self {
        Self {
            store: type_name::<S>(),
            why: Why::Twice,
        }
    }

    pub(crate) fn invalid_key<S>() -> Self {
        Self {
            store: type_name::<S>(),
            why: Why::InvalidKey,
        }
    }

    pub(crate) fn other_strategy<S>() -> Self {
        Self {
            store: type_name::<S>(),
            why: Why::OtherStrategy,
        }
    }

    pub(crate) fn no_transaction<S>() -> Self {
        Self {
            store: type_name::<S>(),
            why: Why::NoTransaction,
        }
    }

    pub(crate) fn transaction_twice<S>() -> Self {
        Self {
            store: type_name::<S>(),
            why: Why::TransactionTwice,
        }
    }

    pub(crate) fn no_items<S>() -> Self {
        Self {
            store: type_name::<S>(),
            why: Why::NoItems,
        }
    }

    pub(crate) fn items_twice<S>() -> Self {
        Self {
            store: type_name::<S>(),
            why: Why::ItemsTwice,
        }
    }

    /// Whether the reason is that the id of the resource cannot be read.
    pub fn is_invalid_key(&self) -> bool {
        self.why == Why::InvalidKey
    }

    fn text(&self) -> String {
        let store = self.store;
        match self.why {
            Why::NoLayer => {
                format!(
                    "no `Expected<{store}>` was lent to this handler: no layer for that store stands \
                     in front of it, or its key finder says that this is not a resource of the store"
                )
            }
            Why::Twice => format!("`Expected<{store}>` was taken twice in one request"),
            Why::OtherStrategy => {
                format!(
                    "no `Expected<{store}>` was lent to this handler: the layer in front of it closes the \
                     race in another way than by compare and swap"
                )
            }
            Why::NoTransaction => {
                format!(
                    "no `Tx<{store}>` was lent to this handler: no layer for that store that closes the \
                     race by transactions stands in front of it"
                )
            }
            Why::TransactionTwice => {
                format!("`Tx<{store}>` was taken while somebody still had it")
            }
            Why::NoItems => {
                format!(
                    "no `ExpectedItems<{store}>` were lent to this handler: no layer for bulk writes to \
                     that store that closes the race by compare and swap stands in front of it"
                )
            }
            Why::ItemsTwice => format!("`ExpectedItems<{store}>` were taken twice in one request"),
            Why::InvalidKey => "the id of the resource cannot be read".to_owned(),
        }
    }
}

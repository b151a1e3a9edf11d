use std::any::type_name;
use std::fmt;

use thiserror::Error;

/// A handler extracted `Expected`, `ExpectedItems` or `Tx`, but there was none to give it.
///
/// The response is 404 if the id of the resource is invalid, which is the client's mistake, and 500
/// otherwise: the service is put together wrongly. The text names the store and says what to change.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", Told(.why, .store))]
pub struct NotLent {
    why: Why,
    store: &'static str,
}

/// Why nothing was lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    InvalidKey,
    NoLayer,
    OtherStrategy,
    Twice,
    #[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "an extractor's"))]
    NotEvaluated,
    NoItems,
    ItemsTwice,
    NoTransaction,
    TransactionTwice,
}

impl NotLent {
    pub(crate) fn because<S>(why: Why) -> Self {
        Self {
            why,
            store: type_name::<S>(),
        }
    }

    /// Whether the id of the resource is invalid.
    pub fn is_invalid_key(&self) -> bool {
        self.why == Why::InvalidKey
    }

    #[cfg(feature = "axum")]
    pub(crate) fn why(&self) -> Why {
        self.why
    }
}

/// What the log and the response say.
struct Told<'a>(&'a Why, &'static str);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(why, store) = self;
        match why {
            Why::InvalidKey => write!(
                f,
                "the id in the request is no key of `{store}`: answer 404, as this rejection does"
            ),
            Why::NoLayer => write!(
                f,
                "`Expected<{store}>` was extracted, but no layer provided one: put an `IfMatchLayer` for this \
                 store in front of this handler, or let its key finder give a key on this route"
            ),
            Why::OtherStrategy => write!(
                f,
                "`Expected<{store}>` was extracted, but the layer uses another strategy than compare and \
                 swap: extract `Tx` under `Transaction`, `ExpectedItems` under `BulkLayer`, and nothing \
                 under `SingleProcess`"
            ),
            Why::Twice => write!(
                f,
                "`Expected<{store}>` was extracted twice in one request: extract it once and pass it on"
            ),
            Why::NotEvaluated => write!(
                f,
                "`Option<Expected<{store}>>` was extracted, but no layer evaluated the condition of this \
                 write: put an `IfMatchLayer` for this store in front of this handler"
            ),
            Why::NoItems => write!(
                f,
                "`ExpectedItems<{store}>` was extracted, but no layer provided one: put a `BulkLayer` for \
                 this store with its default strategy in front of this handler"
            ),
            Why::ItemsTwice => write!(
                f,
                "`ExpectedItems<{store}>` was extracted twice in one request: extract it once and pass it on"
            ),
            Why::NoTransaction => write!(
                f,
                "`Tx<{store}>` was extracted, but no layer provided one: give the layer for this store the \
                 strategy `Transaction`"
            ),
            Why::TransactionTwice => write!(
                f,
                "`Tx<{store}>` was extracted while it was still held: drop the first before extracting the \
                 next"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Posts;

    #[test]
    fn each_text_names_the_store_and_a_cure() {
        for why in [
            Why::InvalidKey,
            Why::NoLayer,
            Why::OtherStrategy,
            Why::Twice,
            Why::NotEvaluated,
            Why::NoItems,
            Why::ItemsTwice,
            Why::NoTransaction,
            Why::TransactionTwice,
        ] {
            let text = NotLent::because::<Posts>(why).to_string();
            let (what, cure) = text.split_once(": ").unwrap_or_default();
            assert!(what.contains("Posts") || cure.contains("Posts"), "{text}");
            assert!(!cure.is_empty(), "{text}");
        }
        let text = NotLent::because::<Posts>(Why::NoLayer).to_string();
        assert!(text.contains("was extracted, but no layer provided one"));
    }
}

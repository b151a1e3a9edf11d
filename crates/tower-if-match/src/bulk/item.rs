use std::fmt;

use http::Method;
use http_precondition::{Conditions, TagCondition};

/// One item of a bulk write: which resource it writes, and under which conditions.
///
/// ```
/// use http::Method;
/// use tower_if_match::bulk::Item;
///
/// let changed = Item::new(7_u64).with_if_match(r#""v6-9f1c2ab04d77e310""#);
/// let removed = Item::new(8_u64).with_if_match("*").with_method(Method::DELETE);
/// let created = Item::new(9_u64).with_if_none_match("*").with_method(Method::PUT);
/// ```
#[derive(Clone, Debug)]
#[must_use = "an item guards nothing until it is returned to the layer"]
pub struct Item<K> {
    pub(super) key: K,
    pub(super) method: Option<Method>,
    pub(super) conditions: Conditions,
}

impl<K> Item<K> {
    /// An item that writes this resource, without a condition. It is refused with 428 unless you add one, or the
    /// policy requires none of its method.
    pub fn new(key: K) -> Self {
        Self {
            key,
            method: None,
            conditions: Conditions::default(),
        }
    }

    /// Sets what `If-Match` would be in a single write, byte by byte: a tag with its quotes, several separated
    /// by commas, or `*`. It is parsed like that field, so a value that does not match its grammar is 400.
    pub fn with_if_match(mut self, value: impl AsRef<[u8]>) -> Self {
        self.conditions.if_match = TagCondition::parse([value.as_ref()]);
        self
    }

    /// Sets what `If-None-Match` would be in a single write: `*` for an item that creates.
    pub fn with_if_none_match(mut self, value: impl AsRef<[u8]>) -> Self {
        self.conditions.if_none_match = TagCondition::parse([value.as_ref()]);
        self
    }

    /// Sets the method of the single write that this item stands for. It decides whether the item would create
    /// an absent resource, or is refused with 404; see
    /// [`Policy::with_creating_methods`](crate::Policy::with_creating_methods). It also decides which rule of
    /// the [`Policy`](crate::Policy) applies: never take it unchecked from the body.
    ///
    /// Default: the method of the request.
    pub fn with_method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }
}

/// A body that cannot be read as items. The response is 400 with this text.
///
/// The text is for the client. Do not pass on a parser's message, which may quote its input: a
/// `serde_json::Error` can contain a tag that was sent, which a response should not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidItems(pub(super) String);

impl InvalidItems {
    /// An error with this text.
    pub fn new(detail: impl Into<String>) -> Self {
        Self(detail.into())
    }
}

impl fmt::Display for InvalidItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidItems {}

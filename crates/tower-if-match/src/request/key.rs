use http::request::Parts;

/// What a key finder found in a request's head.
///
/// There are four cases rather than an `Option`, because "no key" would fail open: an id that cannot be
/// parsed and a request without an id must not look the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<K> {
    /// The id of the resource, as the store uses it.
    Key(K),
    /// Not a resource of the store, such as a collection. The request needs no condition; an If-Match on it
    /// is 412, because no version can match.
    NoResource,
    /// An id that cannot be parsed. The handler should refuse it; if it succeeds instead, the response to an
    /// unsafe method becomes 500.
    Invalid,
    /// The route does not fit the finder. Unsafe methods get 500; the text goes to the log.
    Misrouted(String),
}

/// Finds the key of the resource that a request is for, from the request's head.
///
/// With axum, use [`PathKey`](crate::PathKey); on other stacks, use a closure:
///
/// ```
/// use http::request::Parts;
/// use tower_if_match::Found;
///
/// let by_query = |head: &Parts| match head.uri.query().map(str::parse::<u64>) {
///     None => Found::NoResource,
///     Some(Ok(id)) => Found::Key(id),
///     Some(Err(_)) => Found::Invalid,
/// };
/// # fn takes(_: impl tower_if_match::FindKey<u64>) {}
/// # takes(by_query);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not find keys of type `{K}`",
    note = "`PathKey` needs a key that implements `serde::Deserialize`; a closure is \
            `|head: &http::request::Parts| -> Found<{K}>`"
)]
pub trait FindKey<K>: Clone + Send + Sync + 'static {
    /// The key of the resource that the request is for.
    ///
    /// All spellings of a URI that reach the same row must give the same key, so derive it from the decoded
    /// and typed id, not from the text of the path.
    fn find(&self, head: &mut Parts) -> Found<K>;
}

impl<K, F> FindKey<K> for F
where
    F: Fn(&Parts) -> Found<K> + Clone + Send + Sync + 'static,
{
    fn find(&self, head: &mut Parts) -> Found<K> {
        self(head)
    }
}

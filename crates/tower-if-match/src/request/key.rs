use http::request::Parts;

/// What a key finder found in a request's head.
///
/// Four cases and not an `Option`, because "no key" would fail open: whoever cannot read the id and
/// whoever has none must not look alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<K> {
    /// The id of the resource, as the store uses it.
    Key(K),
    /// Not a resource of the store, such as a collection. Nothing is required of the request; an
    /// If-Match on it is 412, because no version can match.
    NoResource,
    /// An id that cannot be read. The handler will refuse it; if it does not, the answer is 500.
    Invalid,
    /// The route does not fit the finder. The answer to an unsafe method is 500; the text goes to the
    /// log.
    Misrouted(String),
}

/// Finds the key of the resource that a request is for, from the request's head.
///
/// With axum that is [`PathKey`](crate::PathKey); on other stacks a closure does:
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
    /// All spellings of a URI that reach one row must give one key, so the decoded and typed id is
    /// what counts, not the text of the path.
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

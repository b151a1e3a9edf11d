use std::error::Error;
use std::fmt;
use std::pin::Pin;

use crate::key::Key;
use crate::revision::Revision;
use crate::store::VersionStore;
use crate::sync::Arc;
use crate::version::Version;

/// Makes a [`VersionStore`] from a function that looks up the current version.
///
/// The function must keep what an implementer of [`VersionStore`] promises, above all that an error
/// means "I do not know", and `None` that the resource does not exist.
///
/// It takes the key by value. A closure that captures something clones it before its `async` block, as
/// below. If nothing is captured, an `async` closure or an `async fn` will do.
///
/// # Example
///
/// ```
/// use std::{collections::HashMap, convert::Infallible, sync::{Arc, Mutex}};
/// use version_store::{Expected, StoreFn, Version, VersionStore, store_fn};
///
/// // What handlers ask for: `Expected<Posts>`.
/// type Posts = StoreFn<u64>;
///
/// let rows = Arc::new(Mutex::new(HashMap::from([(7, 3)])));
/// let posts: Posts = store_fn(move |id: u64| {
///     let rows = Arc::clone(&rows);
///     async move { Ok(rows.lock().unwrap().get(&id).copied().map(Version::new)) }
/// });
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(*posts.current(&7).await?.unwrap().revision(), 3);
/// assert!(posts.current(&8).await?.is_none());
/// # Ok::<(), Infallible>(())
/// # }).unwrap();
/// ```
pub fn store_fn<K, R, E, F, Fut>(look_up: F) -> StoreFn<K, R, E>
where
    K: Key,
    R: Revision,
    E: Error + Send + Sync + 'static,
    F: Fn(K) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Option<Version<R>>, E>> + Send + 'static,
{
    StoreFn(Arc::new(move |key| Box::pin(look_up(key))))
}

/// The [`VersionStore`] that [`store_fn`] makes.
///
/// Its type names key, revision and error, but not the function, so that a handler can extract
/// `Expected<StoreFn<u64>>`. The price is one allocation per lookup. Only their types tell two such
/// stores apart: give each kind of resource its own key type.
pub struct StoreFn<K, R = u64, E = std::convert::Infallible>(Arc<LookUp<K, R, E>>);

type LookUp<K, R, E> = dyn Fn(K) -> LookingUp<R, E> + Send + Sync;
type LookingUp<R, E> = Pin<Box<dyn Future<Output = Result<Option<Version<R>>, E>> + Send>>;

impl<K, R, E> VersionStore for StoreFn<K, R, E>
where
    K: Key,
    R: Revision,
    E: Error + Send + Sync + 'static,
{
    type Key = K;
    type Revision = R;
    type Error = E;

    fn current(&self, key: &K) -> impl Future<Output = Result<Option<Version<R>>, E>> + Send {
        (self.0)(key.clone())
    }
}

/// Another handle to the same function.
impl<K, R, E> Clone for StoreFn<K, R, E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, R, E> fmt::Debug for StoreFn<K, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreFn").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error, PartialEq)]
    #[error("the disk is full")]
    struct Full;

    async fn by_name(id: i64) -> Result<Option<Version>, Full> {
        match id {
            0 => Err(Full),
            1..9 => Ok(Some(Version::new(6))),
            _ => Ok(None),
        }
    }

    #[tokio::test]
    async fn functions_and_closures_are_stores() {
        let named = store_fn(by_name);
        assert_eq!(named.current(&0).await.unwrap_err(), Full);
        assert!(named.current(&1).await.unwrap().is_some());
        assert!(named.clone().current(&9).await.unwrap().is_none());

        let six = String::from("six");
        let captures = store_fn(move |key: (u64, String)| {
            let known = key.1 == six;
            async move { Ok::<_, Full>(known.then(|| Version::new(key.0))) }
        });
        let found = captures.current(&(6, "six".to_owned())).await.unwrap();
        assert_eq!(*found.unwrap().revision(), 6);

        let captures_nothing = store_fn(async |id: u64| by_name(id.cast_signed()).await);
        assert!(captures_nothing.current(&1).await.unwrap().is_some());
    }
}

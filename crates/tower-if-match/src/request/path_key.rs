use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::key::{FindKey, Found};

/// Finds the key in the path, decoded and typed like `axum::extract::Path`.
///
/// The key's type decides which parameters are read: `u64` for `/posts/{id}`, a tuple for
/// `/users/{user}/posts/{id}`, a struct by the names of its fields. So `/posts/7`, `/posts/07` and
/// `/posts/%37` are the same resource.
///
/// Parameters of an outer router count, too. On `/tenants/{tenant}/posts/{id}` the key is `(tenant, id)`, and
/// a collection under `/tenants/{tenant}` has a parameter: find keys there with a closure, which can return
/// [`Found::NoResource`]. A struct reads the parameters that it names and ignores all others, so it must name
/// every parameter that distinguishes two resources. A resource without a parameter in its path, such as
/// `/settings`, needs a closure that returns its only key.
///
/// | the path | result |
/// | --- | --- |
/// | yields a key | [`Found::Key`] |
/// | has no parameters: a collection | [`Found::NoResource`] |
/// | has a parameter that does not parse as the key's type | [`Found::Invalid`] |
/// | has a different number of parameters, or lacks one that the struct names | [`Found::Misrouted`] |
/// | is unknown, because the layer is outside the router | [`Found::Misrouted`] |
#[derive(Clone, Copy, Debug, Default)]
pub struct PathKey;

impl<K: DeserializeOwned + Send> FindKey<K> for PathKey {
    fn find(&self, head: &mut Parts) -> Found<K> {
        // The extractor is asynchronous only because its trait is: it has nothing to wait for.
        let mut path = pin!(Path::<K>::from_request_parts(head, &()));
        match path.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(Path(key))) => Found::Key(key),
            Poll::Ready(Err(rejection)) => not_found(rejection),
            Poll::Pending => Found::Misrouted("the path parameters are not ready".to_owned()),
        }
    }
}

fn not_found<K>(rejection: PathRejection) -> Found<K> {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return Found::Misrouted(
            "there are no path parameters here; add the layer to a route, inside the router"
                .to_owned(),
        );
    };
    match failed.into_kind() {
        ErrorKind::WrongNumberOfParameters { got: 0, .. } => Found::NoResource,
        kind @ (ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. }) => {
            Found::Misrouted(kind.to_string())
        }
        // The route has no parameter for a field of the struct. Only Serde's message says so.
        ErrorKind::Message(message) if message.starts_with("missing field") => {
            Found::Misrouted(message)
        }
        _ => Found::Invalid,
    }
}

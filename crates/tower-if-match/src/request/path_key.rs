use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::key::{FindKey, Found};

/// Finds the key in the path, typed and decoded as `axum::extract::Path` does it.
///
/// The key's type decides: `u64` for `/posts/{id}`, a tuple for `/users/{user}/posts/{id}`, a struct
/// by the names of the parameters. So `/posts/7`, `/posts/07` and `/posts/%37` are one resource.
///
/// Parameters of an outer router count. On `/tenants/{tenant}/posts/{id}` the key is `(tenant, id)`, and
/// a collection under `/tenants/{tenant}` has a parameter: find keys there with a closure, which can
/// answer [`Found::NoResource`]. A struct takes the parameters that it names and leaves out the others, so
/// it names all that tell two resources apart. A resource without a parameter in its path, such as
/// `/settings`, needs a closure that gives its one key.
///
/// | the path | found |
/// | --- | --- |
/// | gives a key | [`Found::Key`] |
/// | has no parameters: a collection | [`Found::NoResource`] |
/// | has one that is not of the key's type | [`Found::Invalid`] |
/// | has another number of parameters, or lacks one that a struct names | [`Found::Misrouted`] |
/// | is not known, because the layer stands outside the router | [`Found::Misrouted`] |
#[derive(Clone, Copy, Debug, Default)]
pub struct PathKey;

impl<K: DeserializeOwned + Send> FindKey<K> for PathKey {
    fn find(&self, head: &mut Parts) -> Found<K> {
        // The extractor is asynchronous by its trait only: it has nothing to wait for.
        let mut path = pin!(Path::<K>::from_request_parts(head, &()));
        match path.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(Path(key))) => Found::Key(key),
            Poll::Ready(Err(rejection)) => not_found(rejection),
            Poll::Pending => Found::Misrouted("the path cannot be read at once".to_owned()),
        }
    }
}

fn not_found<K>(rejection: PathRejection) -> Found<K> {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return Found::Misrouted(
            "no path parameters are known here; add the layer to a route, inside the router"
                .to_owned(),
        );
    };
    match failed.into_kind() {
        ErrorKind::WrongNumberOfParameters { got: 0, .. } => Found::NoResource,
        kind @ (ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. }) => {
            Found::Misrouted(kind.to_string())
        }
        // A struct's field that the route has no parameter for. Serde has no other way to say so.
        ErrorKind::Message(message) if message.starts_with("missing field") => {
            Found::Misrouted(message)
        }
        _ => Found::Invalid,
    }
}

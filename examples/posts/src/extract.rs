//! What the handlers take out of a request: the post that it is about, and its body.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde_json::Value;

use crate::answer::Refused;
use crate::declared_size::too_large;
use crate::post::PostId;

/// The post that the path names. An id that no post can have is 404 like any other absent post.
pub(crate) struct Target(pub(crate) PostId);

impl<T: Send + Sync> FromRequestParts<T> for Target {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Refused> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id)).map_err(|_| Refused::absent())
    }
}

/// The body, as JSON. Its media type was checked further out.
pub(crate) struct Content(pub(crate) Value);

impl<T: Send + Sync> FromRequest<T> for Content {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &T) -> Result<Self, Refused> {
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|rejection| match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => too_large(),
                    status => Refused::new(status, "The body could not be read to its end."),
                })?;
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            // Where, and not what: an answer does not repeat what was sent.
            let (line, column) = (error.line(), error.column());
            let detail = format!("The body is not JSON: see line {line}, column {column}.");
            Refused::new(StatusCode::BAD_REQUEST, detail)
        })?;
        Ok(Self(value))
    }
}

use bytes::Bytes;
use http::{Response, StatusCode};

/// The response of an authorization hook that denies a request. A status below 300 becomes 500, because nothing was
/// written.
///
/// ```
/// use http::StatusCode;
/// use tower_if_match::Denied;
///
/// let denied: Denied = StatusCode::FORBIDDEN.into();
/// ```
#[derive(Debug)]
pub struct Denied(Box<Response<Bytes>>);

impl Denied {
    pub(crate) fn into_response(self) -> Response<Bytes> {
        *self.0
    }
}

impl From<StatusCode> for Denied {
    fn from(status: StatusCode) -> Self {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        Self(Box::new(response))
    }
}

impl From<Response<Bytes>> for Denied {
    fn from(response: Response<Bytes>) -> Self {
        Self(Box::new(response))
    }
}

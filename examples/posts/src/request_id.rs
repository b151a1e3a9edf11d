//! `x-request-id`: on every request that a layer further in sees, and on every response.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// The field's name.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a caller.
const MAX_LENGTH: usize = 128;

/// Takes the caller's id over if it is fit for logs and answers, and makes one otherwise. The
/// precondition layer finds it in the request and puts it into its problem documents.
pub(crate) async fn assign(mut request: Request, next: Next) -> Response {
    let id = callers(request.headers()).cloned().unwrap_or_else(fresh);
    request.headers_mut().insert(X_REQUEST_ID, id.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(X_REQUEST_ID, id);
    response
}

/// The id of a request that passed [`assign`].
pub(crate) fn of(fields: &HeaderMap) -> Option<&str> {
    fields.get(X_REQUEST_ID)?.to_str().ok()
}

fn callers(fields: &HeaderMap) -> Option<&HeaderValue> {
    let mut lines = fields.get_all(X_REQUEST_ID).iter();
    let id = lines.next()?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let fit = (1..=MAX_LENGTH).contains(&id.len()) && id.as_bytes().iter().all(plain);
    // Two ids are none: the log and the caller would each follow another.
    (fit && lines.next().is_none()).then_some(id)
}

fn fresh() -> HeaderValue {
    // Without randomness from the operating system nothing in here is safe to go on.
    let random = getrandom::u64().expect("the operating system gives random bytes");
    HeaderValue::from_str(&format!("{random:016x}")).expect("hexadecimal digits")
}

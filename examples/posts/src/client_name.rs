//! `x-client-name`: who sends a request, for the log and for metrics.

use axum::http::request::Parts;

/// The field's name.
const X_CLIENT_NAME: &str = "x-client-name";

/// The longest name that is taken over.
const MAX_LENGTH: usize = 40;

/// What the client calls itself, where that is fit for logs and labels. It is no more than a courtesy: there
/// are no accounts here, so anybody may call itself anything. The precondition layer tells 64 names
/// apart, so nobody can make more series than that; a service with accounts names those instead.
pub(crate) fn of(head: &Parts) -> Option<String> {
    let mut lines = head.headers.get_all(X_CLIENT_NAME).iter();
    let name = lines.next()?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let fit = (1..=MAX_LENGTH).contains(&name.len()) && name.bytes().all(plain);
    // Two names are none.
    (fit && lines.next().is_none()).then(|| name.to_owned())
}

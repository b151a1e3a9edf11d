//! What the head says of the body that is written: range, media type, coding.

use axum::extract::Request;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::answer::Refused;

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const IDENTITY: &str = "identity";

/// RFC 5789 §3.1.
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Refuses a body that the method does not take.
///
/// It stands outside the precondition layer, so that 400 and 415 do not depend on conditions.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    match refusal(request.method(), request.headers()) {
        Some(refused) => refused.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(method: &Method, fields: &HeaderMap) -> Option<Refused> {
    let (taken, told_in) = match *method {
        Method::POST | Method::PUT => (JSON, ACCEPT),
        Method::PATCH => (MERGE_PATCH, ACCEPT_PATCH),
        _ => return None,
    };
    if *method == Method::PUT && fields.contains_key(CONTENT_RANGE) {
        // Stored as it is, a part would replace the whole (RFC 9110 §14.5).
        return Some(Refused::new(
            StatusCode::BAD_REQUEST,
            "A PUT replaces the whole post: Content-Range has no place in it.",
        ));
    }
    let told = (told_in, HeaderValue::from_static(taken));
    if !is_of(fields, taken) {
        return Some(unsupported(format!("The body has to be {taken}."), [told]));
    }
    if !is_plain(fields) {
        let detail = "The body has to come without a content coding.".to_owned();
        let coding = (ACCEPT_ENCODING, HeaderValue::from_static(IDENTITY));
        // Accept-Encoding alone says that it was the coding (RFC 9110 §12.5.3); RFC 5789 §2.2 wants
        // Accept-Patch with every 415 to a PATCH.
        return Some(if *method == Method::PATCH {
            unsupported(detail, [coding, told])
        } else {
            unsupported(detail, [coding])
        });
    }
    None
}

fn unsupported<const N: usize>(detail: String, told: [(HeaderName, HeaderValue); N]) -> Refused {
    let refused = Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
    told.into_iter().fold(refused, |refused, (name, value)| {
        refused.with_field(name, value)
    })
}

/// Whether the one Content-Type names this type, with whatever parameters: JSON has none that could
/// change its meaning.
fn is_of(fields: &HeaderMap, media_type: &str) -> bool {
    let mut lines = fields.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let essence = line
        .as_bytes()
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default();
    essence
        .trim_ascii()
        .eq_ignore_ascii_case(media_type.as_bytes())
}

/// Whether no Content-Encoding names a coding. Empty members of a list are none (RFC 9110 §5.6.1).
fn is_plain(fields: &HeaderMap) -> bool {
    let lines = fields.get_all(CONTENT_ENCODING).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(IDENTITY.as_bytes()))
}

use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, LAST_MODIFIED, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_precondition::{EntityTag, EntityTagRef, Verdict};
use smallvec::SmallVec;

use super::deferred::Deferred;
use crate::drop_fields::remove_body_fields;
use crate::tag::{CodingNamed, Codings, MAX_VARIANT, codings, sole_tag, split_variant};

/// Tags the response to a read, and evaluates the deferred conditions on that tag.
pub(super) fn conclude<B: Default>(
    deferred: Option<&Deferred>,
    mut response: Response<B>,
) -> Response<B> {
    let status = response.status();
    let not_modified = status == StatusCode::NOT_MODIFIED;
    if !status.is_success() && !not_modified {
        return response;
    }
    let named = response.extensions_mut().remove::<CodingNamed>();
    let fields = response.headers_mut();
    let Some(tag) = sole_tag(fields) else {
        return response;
    };
    if not_modified {
        let weakened = deferred.is_some_and(|deferred| deferred.named_weakly(tag));
        let weakened = weakened.then(|| weak(tag)).flatten();
        replace_tag(fields, weakened.as_ref());
        vary(fields);
        return response;
    }
    let coded = coded_tag(tag, fields, named.as_ref());
    // Copy the tag only if a condition has to be evaluated on it.
    let mut sent = deferred.map(|deferred| {
        let sent = coded.clone().unwrap_or_else(|| tag.to_owned());
        deferred.evaluate(sent)
    });
    // A client that holds the plain body, and accepts it, is told that it is current: the server may choose
    // any representation that the client accepts (RFC 9110 §12.1).
    let plain = deferred.filter(|deferred| coded.is_some() && deferred.accepts_plain);
    let plain = plain.map(|deferred| deferred.evaluate(tag.to_owned()));
    if let (Some(Verdict::Proceed(_)), Some(Verdict::NotModified(_))) = (&sent, &plain) {
        sent = plain;
    } else {
        replace_tag(fields, coded.as_ref());
    }
    vary(fields);
    match sent {
        Some(Verdict::NotModified(_)) => emptied(response),
        _ => response,
    }
}

fn replace_tag(fields: &mut HeaderMap, tag: Option<&EntityTag>) {
    if let Some(tag) = tag {
        fields.insert(ETAG, tag.to_header_value());
    }
}

fn weak(tag: EntityTagRef<'_>) -> Option<EntityTag> {
    EntityTag::weak(tag.opaque()).ok()
}

/// The tag of an encoded body whose strong tag was made before it was encoded.
fn coded_tag(
    tag: EntityTagRef<'_>,
    fields: &HeaderMap,
    named: Option<&CodingNamed>,
) -> Option<EntityTag> {
    if tag.is_weak() || !fields.contains_key(CONTENT_ENCODING) {
        return None;
    }
    let codings = codings(fields);
    if codings.is_empty() || named.is_some_and(|named| named.names(&codings)) {
        return None;
    }
    with_codings(tag.opaque(), &codings).or_else(|| weak(tag))
}

/// The tag with the codings in its variant, if both have a suitable form.
fn with_codings(opaque: &[u8], codings: &Codings) -> Option<EntityTag> {
    let (state, _) = split_variant(opaque)?;
    let mut tagged: SmallVec<[u8; 64]> = SmallVec::from_slice(opaque);
    for coding in codings {
        let word = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-');
        if !coding.iter().all(word) {
            return None;
        }
        tagged.push(b'.');
        tagged.extend_from_slice(coding);
    }
    let variant = tagged.len() - state.len() - 1;
    (variant <= MAX_VARIANT).then(|| EntityTag::strong(&tagged).ok())?
}

/// Adds `Accept-Encoding` to `Vary`, unless it is there already.
fn vary(fields: &mut HeaderMap) {
    let lines = fields.get_all(VARY).iter();
    let mut members = lines.flat_map(|line| line.as_bytes().split(|octet| *octet == b','));
    let said = members.any(|member| {
        let member = member.trim_ascii();
        member == b"*" || member.eq_ignore_ascii_case(ACCEPT_ENCODING.as_str().as_bytes())
    });
    if !said {
        fields.append(VARY, HeaderValue::from_name(ACCEPT_ENCODING));
    }
}

/// Turns the response into a 304, without reading its body.
fn emptied<B: Default>(response: Response<B>) -> Response<B> {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    remove_body_fields(&mut parts.headers);
    // The tag is more precise (RFC 9110 §15.4.5).
    parts.headers.remove(LAST_MODIFIED);
    Response::from_parts(parts, B::default())
}

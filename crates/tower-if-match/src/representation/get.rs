//! The GET that reads a resource's state, derived from the request that needs to know it.

use http::header::{
    ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, CONNECTION, COOKIE,
    EXPECT, HOST, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use crate::body::RefusalBody;
use crate::request::target;

/// The fields that negotiate a body. The state is the body that the fixed fields select.
const NEGOTIATES: [HeaderName; 5] = [
    ACCEPT,
    ACCEPT_CHARSET,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    HeaderName::from_static("prefer"),
];

/// The fields that belong to one connection (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
];

/// The fields that override the method, in services that honour them: the GET would run the write.
const OVERRIDES_METHOD: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];

/// The fields that the layer evaluates in place of the service.
const CONDITIONS: [HeaderName; 5] = [
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
    IF_RANGE,
];

/// The GET that reads the state of a request's target, as seen by the client that sent the request.
#[derive(Clone, Debug)]
pub(super) struct StateGet {
    uri: Uri,
    version: Version,
    fields: HeaderMap,
    /// They identify the client, if a layer outside has authenticated it.
    extensions: Extensions,
}

impl StateGet {
    pub(super) fn of(parts: &Parts, accept: &HeaderValue) -> Self {
        let mut fields = parts.headers.clone();
        let dropped: Vec<_> = fields
            .keys()
            .filter(|name| is_dropped(name))
            .cloned()
            .collect();
        for name in dropped
            .into_iter()
            .chain(named_by_connection(&parts.headers))
        {
            fields.remove(name);
        }
        fields.insert(ACCEPT, accept.clone());
        fields.insert(ACCEPT_ENCODING, IDENTITY);
        Self {
            uri: parts.uri.clone(),
            version: parts.version,
            fields,
            extensions: parts.extensions.clone(),
        }
    }

    pub(super) fn request<B: RefusalBody>(&self) -> Request<B> {
        let mut request = Request::new(B::from_text(bytes::Bytes::new()));
        *request.method_mut() = Method::GET;
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.fields.clone();
        *request.extensions_mut() = self.extensions.clone();
        request
    }

    /// Identifies the target and the client, by a hash.
    pub(super) fn id(&self, key: &str) -> [u8; 32] {
        let mut id = blake3::Hasher::new();
        let lines = [HOST, AUTHORIZATION, COOKIE].map(|name| self.fields.get_all(name));
        let values = lines.iter().flatten().map(HeaderValue::as_bytes);
        for text in std::iter::once(key.as_bytes()).chain(values) {
            id.update(&text.len().to_be_bytes());
            id.update(text);
        }
        id.finalize().into()
    }
}

const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// The text of a request's target, path and query, as the client sent it.
pub(super) fn target_text(parts: &Parts) -> String {
    target(parts).map_or("", PathAndQuery::as_str).to_owned()
}

/// Whether a read asks for no other representation than the state. An absent field leaves the choice to the
/// server (RFC 9110 §12.5).
pub(super) fn asks_for_state(parts: &Parts, accept: &HeaderValue) -> bool {
    NEGOTIATES.iter().all(|name| {
        let fixed = match *name {
            ACCEPT => Some(accept),
            ACCEPT_ENCODING => Some(&IDENTITY),
            _ => None,
        };
        let mut lines = parts.headers.get_all(name).iter();
        lines.all(|line| Some(line) == fixed)
    })
}

/// Removes from a client's read what the layer handles itself: conditions and ranges.
pub(super) fn strip_read(fields: &mut HeaderMap) {
    for name in CONDITIONS {
        fields.remove(name);
    }
    fields.remove(RANGE);
}

/// Removes the fields that ask for another method: an override inside would turn a request that is guarded
/// by its own method into an unguarded write.
pub(super) fn strip_overrides(fields: &mut HeaderMap) {
    for name in &OVERRIDES_METHOD {
        fields.remove(name);
    }
}

/// Removes from a write the conditions that the layer has evaluated. The service may have tags of its own,
/// which clients no longer see.
pub(super) fn strip_write(fields: &mut HeaderMap) {
    // Next to If-Match the date is ignored (RFC 9110 §13.1.4), and alone it is left to the service: the
    // layer knows no dates.
    if fields.remove(IF_MATCH).is_some() {
        fields.remove(IF_UNMODIFIED_SINCE);
    }
    fields.remove(IF_NONE_MATCH);
}

fn is_dropped(name: &HeaderName) -> bool {
    let text = name.as_str();
    text.starts_with("if-")
        || text.starts_with("content-")
        || [RANGE, EXPECT].contains(name)
        || ["idempotency-key", "digest", "repr-digest"].contains(&text)
        || NEGOTIATES.contains(name)
        || HOP_BY_HOP.contains(name)
        || OVERRIDES_METHOD.contains(name)
}

fn named_by_connection(fields: &HeaderMap) -> Vec<HeaderName> {
    let lines = fields.get_all(CONNECTION).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect()
}

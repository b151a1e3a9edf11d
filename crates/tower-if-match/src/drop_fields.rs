//! Groups of header fields that are removed together.

use http::header::{
    CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName};

/// Removes the fields that describe a body, for a response that has none.
pub(crate) fn remove_body_fields(fields: &mut HeaderMap) {
    const OF_THE_BODY: [HeaderName; 6] = [
        CONTENT_ENCODING,
        CONTENT_LANGUAGE,
        CONTENT_LENGTH,
        CONTENT_RANGE,
        CONTENT_TYPE,
        TRANSFER_ENCODING,
    ];
    for name in OF_THE_BODY {
        fields.remove(name);
    }
}

/// Removes the framing fields of a response that someone else wrote: they would be wrong here, and the next response
/// on the connection would begin inside this one.
pub(crate) fn remove_framing(fields: &mut HeaderMap) {
    for name in [CONTENT_LENGTH, TRANSFER_ENCODING] {
        fields.remove(name);
    }
}

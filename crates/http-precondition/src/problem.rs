//! Problem documents (RFC 9457).

use std::borrow::Cow;
use std::fmt::{self, Write};

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

use crate::entity_tag::EntityTagRef;

#[cfg(test)]
mod tests;

/// The media type of what [`Problem`] writes.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Room for a refusal with a sentence of detail and a handful of members.
const CAPACITY: usize = 512;

/// A problem document (RFC 9457), written into one buffer as it is built.
///
/// `type`, `title` and `status` come first, then the members in the order of the calls. Without
/// [`type_uri`](Self::type_uri) the type is `about:blank`, which is what its absence means
/// (§3.1.1).
///
/// Whatever the strings hold, the result is one JSON object. Names of extension members are the
/// caller's to keep apart: one given twice comes out twice.
///
/// ```
/// use http::StatusCode;
/// use http_precondition::Problem;
///
/// let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "The post has changed")
///     .type_uri("https://example.com/problems/stale-version")
///     .detail("Read it again and apply your change to what you find.")
///     .member("current_version", &7);
/// assert_eq!(
///     problem.into_json(),
///     concat!(
///         r#"{"type":"https://example.com/problems/stale-version","#,
///         r#""title":"The post has changed","status":412,"#,
///         r#""detail":"Read it again and apply your change to what you find.","#,
///         r#""current_version":7}"#,
///     ),
/// );
/// ```
#[must_use = "a problem document does nothing until it is sent"]
pub struct Problem {
    // Invariant: a JSON object with at least two members that lacks only its closing brace.
    json: Vec<u8>,
    status: StatusCode,
    has_type: bool,
    has_detail: bool,
    has_instance: bool,
}

impl Problem {
    /// A document with this status and title. The title is a short summary that does not change
    /// from one occurrence to the next (§3.1.3).
    pub fn new(status: StatusCode, title: &str) -> Self {
        let mut json = Vec::with_capacity(CAPACITY);
        json.extend_from_slice(b"{\"title\":");
        write_string(&mut json, title);
        json.extend_from_slice(b",\"status\":");
        json.extend_from_slice(status.as_str().as_bytes());
        Self {
            json,
            status,
            has_type: false,
            has_detail: false,
            has_instance: false,
        }
    }

    /// The URI reference that identifies the kind of problem (§3.1.1). A second one is a mistake: a
    /// debug build panics, a release build leaves it out.
    pub fn type_uri(mut self, uri: &str) -> Self {
        if first_time(&mut self.has_type) {
            let end = self.json.len();
            self.json.extend_from_slice(b"\"type\":");
            write_string(&mut self.json, uri);
            self.json.push(b',');
            // To the front: behind the opening brace. There is little to move when this is called
            // first.
            let written = self.json.len() - end;
            self.json[1..].rotate_right(written);
        }
        self
    }

    /// What is to be said about this occurrence, for people (§3.1.4). A second one is as for
    /// [`type_uri`](Self::type_uri).
    pub fn detail(mut self, detail: &str) -> Self {
        if first_time(&mut self.has_detail) {
            self.json.extend_from_slice(b",\"detail\":");
            write_string(&mut self.json, detail);
        }
        self
    }

    /// The URI reference that identifies this occurrence (§3.1.5). What no URI has in it (RFC 3986 §2), such
    /// as the raw octets of a target that a server took all the same, is percent-encoded. A second one is
    /// as for [`type_uri`](Self::type_uri).
    pub fn instance(mut self, uri: &str) -> Self {
        if first_time(&mut self.has_instance) {
            self.json.extend_from_slice(b",\"instance\":");
            write_string(&mut self.json, &percent_encoded(uri));
        }
        self
    }

    /// An extension member (§3.2) with any value that serialises to JSON.
    ///
    /// A value whose serialisation fails is left out, name and all: a refusal that lacks one member
    /// still tells the client more than none. The names of §3.1 (`type`, `title`, `status`,
    /// `detail`, `instance`) are not extensions: a debug build panics, a release build leaves the
    /// member out.
    ///
    /// ```
    /// use http::StatusCode;
    /// use http_precondition::{EntityTag, Problem};
    ///
    /// let current = EntityTag::strong("v2").unwrap();
    /// let json = Problem::new(StatusCode::PRECONDITION_FAILED, "Changed")
    ///     .member("current_etag", &current)
    ///     .into_json();
    /// assert_eq!(json, r#"{"title":"Changed","status":412,"current_etag":"\"v2\""}"#);
    /// ```
    pub fn member(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Self {
        let before = self.json.len();
        if self.begin_extension(name) && serde_json::to_writer(&mut self.json, value).is_err() {
            self.json.truncate(before);
        }
        self
    }

    /// As [`member`](Self::member) for a string, which is cheaper.
    ///
    /// ```
    /// use http::StatusCode;
    /// use http_precondition::Problem;
    ///
    /// let json = Problem::new(StatusCode::BAD_REQUEST, "Bad")
    ///     .string_member("reason", "malformed_condition")
    ///     .into_json();
    /// assert_eq!(json, r#"{"title":"Bad","status":400,"reason":"malformed_condition"}"#);
    /// ```
    pub fn string_member(mut self, name: &str, value: &str) -> Self {
        if self.begin_extension(name) {
            write_string(&mut self.json, value);
        }
        self
    }

    /// As [`member`](Self::member) for an entity tag, which is cheaper. The text is that of its
    /// `Display`.
    ///
    /// ```
    /// use http::StatusCode;
    /// use http_precondition::{EntityTag, Problem};
    ///
    /// let current = EntityTag::weak("v2").unwrap();
    /// let json = Problem::new(StatusCode::PRECONDITION_FAILED, "Changed")
    ///     .entity_tag_member("current_etag", &current)
    ///     .into_json();
    /// assert_eq!(json, r#"{"title":"Changed","status":412,"current_etag":"W/\"v2\""}"#);
    /// ```
    pub fn entity_tag_member<'a>(self, name: &str, tag: impl Into<EntityTagRef<'a>>) -> Self {
        let tag = tag.into();
        let opaque = tag.opaque();
        if !opaque.is_ascii() || needs_escape(opaque) {
            return self.member(name, &tag);
        }
        let mut problem = self;
        if problem.begin_extension(name) {
            let open = if tag.is_weak() { "\"W/\\\"" } else { "\"\\\"" };
            problem.json.extend_from_slice(open.as_bytes());
            problem.json.extend_from_slice(opaque);
            problem.json.extend_from_slice(b"\\\"\"");
        }
        problem
    }

    /// The status that the document names, and that its response must have (§3.1.2).
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The finished document.
    pub fn into_json(mut self) -> Bytes {
        self.json.push(b'}');
        Bytes::from(self.json)
    }

    /// Writes the name, or says that it must not be one.
    fn begin_extension(&mut self, name: &str) -> bool {
        let standard = matches!(name, "type" | "title" | "status" | "detail" | "instance");
        debug_assert!(!standard, "{name:?} is a member of RFC 9457 §3.1");
        if !standard {
            self.json.push(b',');
            write_string(&mut self.json, name);
            self.json.push(b':');
        }
        !standard
    }
}

/// A copy of what is written so far, with as much room to go on as a new document has: what all
/// documents of a kind share can be written once.
impl Clone for Problem {
    fn clone(&self) -> Self {
        let mut json = Vec::with_capacity(self.json.len() + CAPACITY / 2);
        json.extend_from_slice(&self.json);
        Self { json, ..*self }
    }
}

/// The document as far as it is written.
impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Problem({}}})", String::from_utf8_lossy(&self.json))
    }
}

/// A URI reference with nothing in it that is not allowed there.
fn percent_encoded(uri: &str) -> Cow<'_, str> {
    let allowed =
        |octet: u8| octet.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&octet);
    if uri.bytes().all(allowed) {
        return Cow::Borrowed(uri);
    }
    let mut encoded = String::with_capacity(uri.len() + 16);
    for octet in uri.bytes() {
        if allowed(octet) {
            encoded.push(char::from(octet));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{octet:02X}");
        }
    }
    Cow::Owned(encoded)
}

fn first_time(seen: &mut bool) -> bool {
    debug_assert!(!*seen, "a member of RFC 9457 §3.1 was given twice");
    !std::mem::replace(seen, true)
}

fn write_string(json: &mut Vec<u8>, text: &str) {
    // Most strings need no escape and are then copied whole instead of octet by octet.
    if needs_escape(text.as_bytes()) {
        serde_json::to_writer(json, text).expect("a string always has a JSON form");
    } else {
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
    }
}

fn needs_escape(text: &[u8]) -> bool {
    // No early exit within a block, so that the compiler looks at its octets all at once. The last
    // block overlaps the one before it.
    fn block<const N: usize>(block: &[u8; N]) -> bool {
        let escaped = |octet: u8| octet < b' ' || octet == b'"' || octet == b'\\';
        block
            .iter()
            .fold(false, |found, &octet| found | escaped(octet))
    }
    if let Some(last) = text.last_chunk::<16>() {
        let (blocks, _) = text.as_chunks();
        return block(last) || blocks.iter().any(block::<16>);
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        return block(first) || block(last);
    }
    text.iter().any(|&octet| block(&[octet]))
}

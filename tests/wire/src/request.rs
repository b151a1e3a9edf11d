//! A request as bytes.

/// A request, sent exactly as it is put together: no field line is added, merged, reordered or
/// checked, except that [`new`](Request::new) starts with `Host` and that a [`Body`] appends the
/// field lines which frame it.
///
/// ```
/// use wire::Request;
///
/// let request = Request::bare("GET", "/a b").field("IF-match", b"\"\xff\"").field("if-Match", " *");
/// assert_eq!(request.bytes(), b"GET /a b HTTP/1.1\r\nIF-match: \"\xff\"\r\nif-Match:  *\r\n\r\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method's bytes; the reading of the answer depends on `HEAD` and `CONNECT`,
    /// case-sensitively.
    pub method: Vec<u8>,
    /// The request target's bytes.
    pub target: Vec<u8>,
    /// The field lines in the order in which they are sent, without those that the body appends.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body and how it is framed.
    pub body: Body,
}

/// How a request's body is framed and when it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// No body and no field line about it.
    #[default]
    None,
    /// `Content-Length` with the whole body.
    Sized(Vec<u8>),
    /// `Transfer-Encoding: chunked`, one chunk for each element (RFC 9112 §7.1). An empty element
    /// is left out, because an empty chunk would end the body.
    Chunked(Vec<Vec<u8>>),
    /// `Content-Length` and `Expect: 100-continue` (RFC 9110 §10.1.1): the body is held back
    /// until 100 arrives. If a final answer arrives instead it is never written.
    ExpectContinue(Vec<u8>),
    /// `Content-Length` of `declared` bytes, of which only `sent` are written.
    Partial {
        /// The length that the field line tells.
        declared: u64,
        /// The bytes that are written.
        sent: Vec<u8>,
    },
    /// Bytes after the head, without any field line: the framing is the caller's.
    Raw(Vec<u8>),
}

impl Request {
    /// A request with the field line `Host: localhost`, which RFC 9112 §3.2 demands, and no
    /// body.
    pub fn new(method: impl Into<Vec<u8>>, target: impl Into<Vec<u8>>) -> Self {
        Self::bare(method, target).field("Host", "localhost")
    }

    /// A request without any field line.
    pub fn bare(method: impl Into<Vec<u8>>, target: impl Into<Vec<u8>>) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            fields: Vec::new(),
            body: Body::None,
        }
    }

    /// Appends a field line.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.fields.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Replaces the body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Sets the body with its length and appends `Content-Type: application/json`.
    #[must_use]
    pub fn json(self, content: impl Into<Vec<u8>>) -> Self {
        self.field("Content-Type", "application/json")
            .body(Body::Sized(content.into()))
    }

    /// Everything that this request would write if nothing held its body back.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head_bytes();
        self.write_body_bytes(&mut bytes);
        bytes
    }

    /// The request line, the field lines with those of the framing, and the empty line.
    pub(crate) fn head_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&self.method);
        bytes.push(b' ');
        bytes.extend_from_slice(&self.target);
        bytes.extend_from_slice(b" HTTP/1.1\r\n");
        for (name, value) in &self.fields {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        let framing = match &self.body {
            Body::None | Body::Raw(_) => String::new(),
            Body::Sized(content) => format!("Content-Length: {}\r\n", content.len()),
            Body::Chunked(_) => "Transfer-Encoding: chunked\r\n".to_owned(),
            Body::ExpectContinue(content) => {
                format!(
                    "Content-Length: {}\r\nExpect: 100-continue\r\n",
                    content.len()
                )
            }
            Body::Partial { declared, .. } => format!("Content-Length: {declared}\r\n"),
        };
        bytes.extend_from_slice(framing.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    pub(crate) fn write_body_bytes(&self, bytes: &mut Vec<u8>) {
        match &self.body {
            Body::None => {}
            Body::Sized(content)
            | Body::ExpectContinue(content)
            | Body::Partial { sent: content, .. }
            | Body::Raw(content) => bytes.extend_from_slice(content),
            Body::Chunked(chunks) => {
                for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
                    bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
        }
    }

    pub(crate) fn holds_back_content(&self) -> bool {
        matches!(self.body, Body::ExpectContinue(_))
    }

    /// Whether another request may follow on the connection once everything was written.
    pub(crate) fn leaves_connection_usable(&self) -> bool {
        let whole = match &self.body {
            Body::Partial { declared, sent } => *declared == sent.len() as u64,
            _ => true,
        };
        let closes = self.fields.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("connection") && names_option(value, b"close")
        });
        whole && !closes
    }
}

/// Whether a `Connection` field value names `option` (RFC 9110 §7.6.1).
pub(crate) fn names_option(value: &[u8], option: &[u8]) -> bool {
    value
        .split(|byte| *byte == b',')
        .any(|part| part.trim_ascii().eq_ignore_ascii_case(option))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_fields_follow_the_given_ones() {
        let request = Request::new("PUT", "/1")
            .field("X", "y")
            .body(Body::Sized(b"abc".to_vec()));
        assert_eq!(
            request.bytes(),
            b"PUT /1 HTTP/1.1\r\nHost: localhost\r\nX: y\r\nContent-Length: 3\r\n\r\nabc"
        );
    }

    #[test]
    fn chunks_are_framed_and_an_empty_one_does_not_end_the_content() {
        let chunks = vec![b"0123456789".to_vec(), Vec::new(), b"z".to_vec()];
        let request = Request::bare("PUT", "/1").body(Body::Chunked(chunks));
        assert_eq!(
            request.bytes(),
            b"PUT /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n1\r\nz\r\n0\r\n\r\n"
        );
    }

    #[test]
    fn raw_bytes_get_no_framing() {
        let request = Request::bare("PUT", "/1").body(Body::Raw(b"abc".to_vec()));
        assert_eq!(request.bytes(), b"PUT /1 HTTP/1.1\r\n\r\nabc");
    }

    #[test]
    fn a_part_of_the_content_or_close_ends_the_connection() {
        let part = Body::Partial {
            declared: 9,
            sent: b"a".to_vec(),
        };
        assert!(
            !Request::new("PUT", "/")
                .body(part)
                .leaves_connection_usable()
        );
        let close = Request::new("PUT", "/").field("connection", "te, Close");
        assert!(!close.leaves_connection_usable());
        assert!(Request::new("PUT", "/").leaves_connection_usable());
    }
}

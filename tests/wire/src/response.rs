//! An answer, with every field line that arrived.

use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// A field line: the name in lower case, for look-up, and the value's bytes as they arrived.
pub type FieldLine = (String, Vec<u8>);

/// A status line and its field lines: the beginning of a [`Response`], and the whole of an interim
/// answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub(crate) status: u16,
    pub(crate) reason_phrase: String,
    pub(crate) is_http_1_1: bool,
    pub(crate) fields: Vec<FieldLine>,
}

impl Head {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase; may be empty.
    pub fn reason_phrase(&self) -> &str {
        &self.reason_phrase
    }

    /// All field lines in the order in which they arrived.
    pub fn fields(&self) -> &[FieldLine] {
        &self.fields
    }

    /// The values of all field lines called `name`, in order; `name` in any case.
    pub fn field_lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields
            .iter()
            .filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// The value of the first field line called `name`.
    ///
    /// # Panics
    /// If the value is not UTF-8: a silent `None` would let a test of absence pass. Use
    /// [`field_lines`](Self::field_lines) for such bytes.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.field_lines(name).next()?;
        Some(std::str::from_utf8(value).expect("the field value should be UTF-8"))
    }
}

/// A final answer.
///
/// ```no_run
/// # async fn example(mut connection: wire::Connection) -> wire::Result<()> {
/// let answer = connection.send(&wire::Request::new("GET", "/api/posts/1")).await?;
/// assert_eq!((answer.status(), answer.header("etag")), (200, Some("\"v1\"")));
/// assert_eq!(answer.json()?["id"], 1);
/// assert!(answer.interim().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<FieldLine>,
    pub(crate) interim: Vec<Head>,
    pub(crate) request_written: bool,
}

impl Response {
    /// The status line and the field lines.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// All field lines in the order in which they arrived.
    pub fn fields(&self) -> &[FieldLine] {
        &self.head.fields
    }

    /// The values of all field lines called `name`; see [`Head::field_lines`].
    pub fn field_lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.head.field_lines(name)
    }

    /// The value of the first field line called `name`; see [`Head::header`].
    ///
    /// # Panics
    /// If the value is not UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// The body, without chunk framing; any content coding is still on it.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text, with replacement characters where it is not UTF-8; for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`Malformed`](crate::ErrorKind::Malformed) with status and body in the text, if it is not
    /// JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        self.json_as()
    }

    /// The body as a value of the caller's type.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub fn json_as<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let text = self.text();
            Error::malformed(format!(
                "the content of this {} is no such JSON ({error}): {text}",
                self.status()
            ))
        })
    }

    /// The trailer field lines of a chunked answer.
    pub fn trailers(&self) -> &[FieldLine] {
        &self.trailers
    }

    /// The interim answers (1xx) that came first, in order.
    pub fn interim(&self) -> &[Head] {
        &self.interim
    }

    /// Whether the whole request had been handed to the network when the answer was complete: false
    /// for a [`Partial`](crate::Body::Partial) body, one that was held back and never asked for,
    /// and a large one that the server refused early.
    pub fn request_written(&self) -> bool {
        self.request_written
    }
}

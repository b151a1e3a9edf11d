//! The client's side of one connection: as little HTTP/1.1 as the measured servers speak.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is kept alive, and the tag that the last response bore.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    tag: Vec<u8>,
}

/// What is read at once; no answer of the measured servers is longer.
const ROOM: usize = 4096;

impl Connection {
    pub(crate) async fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(ROOM),
            tag: Vec::new(),
        })
    }

    /// The tag of the last response that had one.
    pub(crate) fn tag(&self) -> Option<&[u8]> {
        (!self.tag.is_empty()).then_some(&self.tag)
    }

    /// Sends a request and reads the whole response; its status.
    ///
    /// # Errors
    ///
    /// What the connection gives, an end in the middle, and what this client does not speak.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.received.clear();
        loop {
            if let Some(head) = Head::parse(&self.received)? {
                if self.received.len() > head.end {
                    return Err(invalid("more than one response"));
                }
                if self.received.len() == head.end {
                    if let Some(tag) = head.tag {
                        self.tag.clear();
                        self.tag.extend_from_slice(tag);
                    }
                    return Ok(head.status);
                }
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// What the load needs to know of a response.
#[derive(Debug, PartialEq, Eq)]
struct Head<'a> {
    status: u16,
    tag: Option<&'a [u8]>,
    /// Where the body ends.
    end: usize,
}

impl<'a> Head<'a> {
    /// `None` while the head is incomplete.
    fn parse(received: &'a [u8]) -> io::Result<Option<Self>> {
        let Some(length) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let mut lines = received[..length].split(|byte| *byte == b'\n');
        let status = lines.next().and_then(status_of);
        let status = status.ok_or_else(|| invalid("no status line of HTTP/1.1"))?;
        let (mut tag, mut body) = (None, None);
        for line in lines {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                return Err(invalid("a line without a colon"));
            };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"etag") {
                tag = Some(value);
            } else if name.eq_ignore_ascii_case(b"content-length") {
                let digits = std::str::from_utf8(value).ok();
                let digits = digits.and_then(|digits| digits.parse::<usize>().ok());
                body = Some(digits.ok_or_else(|| invalid("a length that is no number"))?);
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                return Err(invalid("a body in chunks"));
            }
        }
        let body = match (status, body) {
            // Whatever length they tell is of the body that they do not have.
            (204 | 304, _) => 0,
            (_, Some(length)) => length,
            (_, None) => return Err(invalid("a body without a length")),
        };
        Ok(Some(Self {
            status,
            tag,
            end: length + 4 + body,
        }))
    }
}

/// `HTTP/1.1 204 No Content`
fn status_of(line: &[u8]) -> Option<u16> {
    let digits = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_status_tag_and_where_the_body_ends() {
        let text =
            b"HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 5\r\n\r\nstale";
        let head = Head::parse(text).unwrap().unwrap();
        assert_eq!((head.status, head.tag), (412, Some(&b"\"v2\""[..])));
        assert_eq!(head.end, text.len());
    }

    #[test]
    fn a_head_that_has_not_arrived_is_none_yet() {
        for part in [&b""[..], b"HTTP/1.1 204 No Content\r\netag: \"v2\"\r\n"] {
            assert_eq!(Head::parse(part).unwrap(), None);
        }
    }

    #[test]
    fn a_304_has_no_body_whatever_length_it_tells() {
        let text = b"HTTP/1.1 304 Not Modified\r\ncontent-length: 33\r\n\r\n";
        assert_eq!(Head::parse(text).unwrap().unwrap().end, text.len());
    }

    #[test]
    fn what_it_does_not_speak_is_an_error() {
        for text in [
            &b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\nno colon\r\n\r\n",
        ] {
            assert!(Head::parse(text).is_err(), "{text:?}");
        }
    }
}

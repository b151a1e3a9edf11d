//! Reading answers: heads by `httparse`, message bodies by RFC 9112 §6.3.

use std::str;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::{Error, ErrorKind, FieldLine, Head, Response, Result, request::names_option};

/// No answer of a server under test has more; beyond it something is wrong.
const MAX_HEAD: usize = 256 * 1024;
const MAX_FIELD_LINES: usize = 128;

/// The bytes that have arrived and not been consumed, and where more come from.
pub(crate) struct Incoming<'a, R> {
    pub(crate) source: R,
    pub(crate) buffer: &'a mut BytesMut,
}

/// A whole answer and whether the connection may carry another one.
pub(crate) struct Answer {
    pub(crate) response: Response,
    pub(crate) persists: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Nothing,
    Length(u64),
    Chunked,
    UntilClose,
}

impl<R: AsyncRead + Unpin> Incoming<'_, R> {
    /// Reads one final answer to a request with this method; `on_head` sees the status of every
    /// head on the way.
    pub(crate) async fn answer(
        &mut self,
        method: &[u8],
        mut on_head: impl FnMut(u16),
    ) -> Result<Answer> {
        let mut interim = Vec::new();
        let head = loop {
            let head = self.head().await?;
            on_head(head.status);
            // 101 is final: what follows is not HTTP any more.
            if matches!(head.status, 100 | 102..=199) {
                interim.push(head);
            } else {
                break head;
            }
        };
        let framing = framing(method, &head)?;
        let mut trailers = Vec::new();
        let body = match framing {
            Framing::Nothing => Vec::new(),
            Framing::Length(length) => self.exactly(length).await?,
            Framing::Chunked => self.chunked(&mut trailers).await?,
            Framing::UntilClose => self.until_close().await?,
        };
        let switches = head.status == 101 || (method == b"CONNECT" && head.status / 100 == 2);
        let closes = head
            .field_lines("connection")
            .any(|value| names_option(value, b"close"));
        let persists = head.is_http_1_1 && framing != Framing::UntilClose && !switches && !closes;
        let response = Response {
            head,
            body,
            trailers,
            interim,
            request_written: false,
        };
        Ok(Answer { response, persists })
    }

    async fn head(&mut self) -> Result<Head> {
        loop {
            if !self.buffer.is_empty() {
                let mut slots = [httparse::EMPTY_HEADER; MAX_FIELD_LINES];
                let mut parsed = httparse::Response::new(&mut slots);
                match parsed.parse(self.buffer) {
                    Ok(httparse::Status::Complete(length)) => {
                        let head = Head {
                            status: parsed.code.unwrap_or_default(),
                            reason_phrase: parsed.reason.unwrap_or_default().to_owned(),
                            is_http_1_1: parsed.version == Some(1),
                            fields: field_lines(parsed.headers),
                        };
                        self.buffer.advance(length);
                        return Ok(head);
                    }
                    Ok(httparse::Status::Partial) if self.buffer.len() > MAX_HEAD => {
                        return Err(Error::malformed("the answer's head has no end"));
                    }
                    Ok(httparse::Status::Partial) => {}
                    Err(error) => {
                        let bytes = self.buffer.escape_ascii();
                        return Err(Error::malformed(format!(
                            "the answer's head: {error}: {bytes}"
                        )));
                    }
                }
            }
            self.more().await?;
        }
    }

    async fn exactly(&mut self, length: u64) -> Result<Vec<u8>> {
        let length = usize::try_from(length).map_err(|_| {
            Error::malformed("the answer's Content-Length does not fit into memory")
        })?;
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(self.buffer.split_to(length).to_vec())
    }

    async fn chunked(&mut self, trailers: &mut Vec<FieldLine>) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let digits = line
                .split(|byte| *byte == b';')
                .next()
                .unwrap_or_default()
                .trim_ascii_end();
            let size = str::from_utf8(digits)
                .ok()
                .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                .and_then(|digits| u64::from_str_radix(digits, 16).ok())
                .ok_or_else(|| {
                    Error::malformed(format!(
                        "the chunk size {:?}",
                        line.escape_ascii().to_string()
                    ))
                })?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&self.exactly(size).await?);
            if !self.line().await?.is_empty() {
                return Err(Error::malformed("a chunk is longer than its size tells"));
            }
        }
        let mut section = Vec::new();
        loop {
            let line = self.line().await?;
            section.extend_from_slice(&line);
            section.extend_from_slice(b"\r\n");
            if line.is_empty() {
                break;
            }
        }
        let mut slots = [httparse::EMPTY_HEADER; MAX_FIELD_LINES];
        match httparse::parse_headers(&section, &mut slots) {
            Ok(httparse::Status::Complete((_, parsed))) => trailers.extend(field_lines(parsed)),
            _ => return Err(Error::malformed("the trailer section")),
        }
        Ok(body)
    }

    /// A line without its CRLF.
    async fn line(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let mut line = self.buffer.split_to(end + 2).to_vec();
                line.truncate(end);
                return Ok(line);
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(Error::malformed("a line of the chunked answer has no end"));
            }
            self.more().await?;
        }
    }

    async fn until_close(&mut self) -> Result<Vec<u8>> {
        while self.read().await? > 0 {}
        Ok(self.buffer.split().to_vec())
    }

    async fn more(&mut self) -> Result<()> {
        match self.read().await? {
            0 => Err(Error::new(
                ErrorKind::Lost,
                "the connection was closed before the whole answer had arrived",
            )),
            _ => Ok(()),
        }
    }

    async fn read(&mut self) -> Result<usize> {
        self.source.read_buf(self.buffer).await.map_err(|error| {
            Error::io(
                ErrorKind::Lost,
                "the connection broke before the whole answer had arrived",
                error,
            )
        })
    }
}

fn field_lines(parsed: &[httparse::Header<'_>]) -> Vec<FieldLine> {
    parsed
        .iter()
        .map(|line| (line.name.to_ascii_lowercase(), line.value.to_vec()))
        .collect()
}

/// How the body of this answer is delimited (RFC 9112 §6.3).
fn framing(method: &[u8], head: &Head) -> Result<Framing> {
    if method == b"HEAD" || matches!(head.status, 100..=199 | 204 | 304) {
        return Ok(Framing::Nothing);
    }
    if method == b"CONNECT" && head.status / 100 == 2 {
        return Ok(Framing::Nothing);
    }
    let codings: Vec<&[u8]> = head.field_lines("transfer-encoding").collect();
    let lengths: Vec<&[u8]> = head.field_lines("content-length").collect();
    match (codings.as_slice(), lengths.as_slice()) {
        ([], []) => Ok(Framing::UntilClose),
        ([coding], []) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        ([], [length]) => str::from_utf8(length)
            .ok()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .map(Framing::Length)
            .ok_or_else(|| Error::malformed(format!("Content-Length: {}", length.escape_ascii()))),
        // A recipient may repair some of these; a server under test has no business sending any.
        _ => Err(Error::malformed(
            "the answer's framing fields contradict each other",
        )),
    }
}

//! One TCP connection to the server under test.

use std::{fmt, io, net::SocketAddr, pin::pin, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};

use crate::{
    DEADLINE, Error, ErrorKind, Request, Response, Result,
    error::within,
    incoming::{Answer, Incoming},
};

/// A connection that carries one request after the other and is never reopened behind the test's
/// back.
///
/// ```no_run
/// use wire::{Connection, Request};
///
/// # async fn example(addr: std::net::SocketAddr) -> wire::Result<()> {
/// let mut connection = Connection::open(addr).await?;
/// let read = connection.send(&Request::new("GET", "/api/posts/1")).await?;
/// let tag = read.header("etag").unwrap_or_default();
/// let write = Request::new("DELETE", "/api/posts/1").field("If-Match", tag);
/// assert_eq!(connection.send(&write).await?.status(), 204);
///
/// // A client that vanishes after it sent its request:
/// connection.write(&write).await?;
/// connection.abort();
/// # Ok(())
/// # }
/// ```
pub struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
    deadline: Duration,
    reusable: bool,
}

impl Connection {
    /// Connects, with [`DEADLINE`] for this and every later step.
    ///
    /// # Errors
    /// [`Connect`](ErrorKind::Connect) or [`Deadline`](ErrorKind::Deadline).
    pub async fn open(addr: SocketAddr) -> Result<Self> {
        within(DEADLINE, "connecting", async {
            let failed =
                |error| Error::io(ErrorKind::Connect, &format!("connecting to {addr}"), error);
            let stream = TcpStream::connect(addr).await.map_err(failed)?;
            stream.set_nodelay(true).map_err(failed)?;
            Ok(Self {
                stream,
                buffer: BytesMut::new(),
                deadline: DEADLINE,
                reusable: true,
            })
        })
        .await
    }

    /// Allows every later step this long, in place of [`DEADLINE`].
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Writes the request and reads its answer, both at once: a server that refuses early and stops
    /// reading a large body can neither lose its answer nor bring the exchange to a halt. A failed
    /// write is no error if the answer arrives whole.
    ///
    /// If the answer is complete first, the rest of the body is not written and the connection is
    /// not reusable.
    ///
    /// # Errors
    /// [`NotSent`](ErrorKind::NotSent) if the connection had already ended;
    /// [`Lost`](ErrorKind::Lost) and [`Deadline`](ErrorKind::Deadline) leave it unknown whether the
    /// request took effect; [`Malformed`](ErrorKind::Malformed) also if bytes had arrived that no
    /// request asked for.
    pub async fn send(&mut self, request: &Request) -> Result<Response> {
        self.check_usable()?;
        // Stays so if the exchange fails or its future is dropped half-way.
        self.reusable = false;
        let exchange = exchange(&mut self.stream, &mut self.buffer, request);
        let (answer, written) = within(self.deadline, "the exchange", exchange).await?;
        self.reusable = answer.persists && written && request.leaves_connection_usable();
        Ok(Response {
            request_written: written,
            ..answer.response
        })
    }

    /// Writes the request and reads nothing; a body that
    /// [`ExpectContinue`](crate::Body::ExpectContinue) holds back is written, too.
    ///
    /// # Errors
    /// [`Lost`](ErrorKind::Lost) or [`Deadline`](ErrorKind::Deadline).
    pub async fn write(&mut self, request: &Request) -> Result<()> {
        self.write_bytes(&request.bytes()).await
    }

    /// Writes bytes as they are: half a request, several at once, or something that is no HTTP.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        within(self.deadline, "writing", async {
            let failed = |error| Error::io(ErrorKind::Lost, "writing", error);
            self.stream.write_all(bytes).await.map_err(failed)
        })
        .await
    }

    /// Reads the next answer, taking it for one to a request with `method`, after
    /// [`write`](Self::write) or [`write_bytes`](Self::write_bytes); bytes beyond it stay for
    /// the next call, so pipelining works.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn read(&mut self, method: &str) -> Result<Response> {
        self.reusable = false;
        let mut incoming = Incoming {
            source: &mut self.stream,
            buffer: &mut self.buffer,
        };
        let answer = within(
            self.deadline,
            "reading",
            incoming.answer(method.as_bytes(), |_| ()),
        )
        .await?;
        self.reusable = answer.persists;
        Ok(Response {
            request_written: true,
            ..answer.response
        })
    }

    /// Waits until the first byte of an answer has arrived, or so long, and reads nothing; tells
    /// whether one has. A client that hangs up then vanishes while its request is being worked on,
    /// or when its effect has happened.
    pub async fn answer_begins_within(&self, patience: Duration) -> bool {
        if !self.buffer.is_empty() {
            return true;
        }
        let mut byte = [0];
        let first = self.stream.peek(&mut byte);
        tokio::time::timeout(patience, first)
            .await
            .is_ok_and(|peeked| matches!(peeked, Ok(1..)))
    }

    /// Waits until the server closes the connection, and fails if it sends anything.
    ///
    /// # Errors
    /// [`Malformed`](ErrorKind::Malformed) with the bytes that arrived, or
    /// [`Deadline`](ErrorKind::Deadline). A reset counts as a close.
    pub async fn closed(&mut self) -> Result<()> {
        within(self.deadline, "waiting for the close", async {
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) if self.buffer.is_empty() => Ok(()),
                _ => Err(unasked(&self.buffer)),
            }
        })
        .await
    }

    /// Closes the sending half (FIN) and still reads.
    ///
    /// # Errors
    /// [`Lost`](ErrorKind::Lost).
    pub async fn finish_writing(&mut self) -> Result<()> {
        self.stream
            .shutdown()
            .await
            .map_err(|error| Error::io(ErrorKind::Lost, "closing the sending half", error))
    }

    /// Hangs up with a reset (RST), which a server sees at once even while it only writes. Merely
    /// dropping the connection closes it in order (FIN).
    pub fn abort(self) {
        // It can only fail on a socket that is gone already.
        let _ = self.stream.set_zero_linger();
    }

    /// Whether [`send`](Self::send) may use the connection again (RFC 9112 §9.3): the last request
    /// was written whole, its answer read whole, and neither side announced to close.
    pub fn is_reusable(&self) -> bool {
        self.reusable
    }

    /// The local address; tells connections apart in a server's log.
    ///
    /// # Errors
    /// [`Lost`](ErrorKind::Lost) if the socket has none any more.
    pub fn local_addr(&self) -> Result<SocketAddr> {
        self.stream
            .local_addr()
            .map_err(|error| Error::io(ErrorKind::Lost, "the local address", error))
    }

    fn check_usable(&mut self) -> Result<()> {
        let ended = || {
            Error::new(
                ErrorKind::NotSent,
                "the connection had ended before the request was written",
            )
        };
        if !self.reusable {
            return Err(ended());
        }
        if self.buffer.is_empty() {
            match self.stream.try_read_buf(&mut self.buffer) {
                Ok(0) => return Err(ended()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    return Err(Error::io(
                        ErrorKind::NotSent,
                        "the idle connection broke",
                        error,
                    ));
                }
            }
        }
        // Such as a body after an answer to HEAD: taken for the next answer, it would hide the
        // fault.
        if self.buffer.is_empty() {
            Ok(())
        } else {
            Err(unasked(&self.buffer))
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("stream", &self.stream)
            .field("unread", &self.buffer.len())
            .field("reusable", &self.reusable)
            .finish_non_exhaustive()
    }
}

/// The answer, and whether the whole request was written by then.
async fn exchange(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
    request: &Request,
) -> Result<(Answer, bool)> {
    let (source, mut sink) = stream.split();
    let (permit, permitted) = oneshot::channel();
    let mut permit = Some(permit);

    let mut write = pin!(async move {
        let mut bytes = request.head_bytes();
        if request.holds_back_content() {
            sink.write_all(&bytes).await?;
            if !permitted.await.unwrap_or(false) {
                return Ok::<_, io::Error>(false);
            }
            bytes.clear();
        }
        request.write_body_bytes(&mut bytes);
        sink.write_all(&bytes).await?;
        Ok(true)
    });
    let mut incoming = Incoming { source, buffer };
    let mut read = pin!(incoming.answer(&request.method, |status| {
        // Other interim answers, such as 103, say nothing about the body.
        if (status == 100 || status >= 200)
            && let Some(permit) = permit.take()
        {
            let _ = permit.send(status == 100);
        }
    }));

    let mut written = None;
    loop {
        tokio::select! {
            biased;
            outcome = &mut write, if written.is_none() => written = Some(outcome),
            answer = &mut read => return Ok((answer?, matches!(written, Some(Ok(true))))),
        }
    }
}

fn unasked(bytes: &[u8]) -> Error {
    Error::malformed(format!(
        "bytes arrived that no request asked for: {}",
        bytes.escape_ascii()
    ))
}

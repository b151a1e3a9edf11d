//! The load: connections that each send the next request as soon as the last one is answered.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connection::Connection;
use crate::plan::Kind;

/// What the PUTs send, each with another number at [`NUMBER`].
pub(crate) const TEXT: &str = r#"{"title":"Hello","text":"00000"}"#;

/// Where the number stands, from the end. SQLite does not write what stands there already, and so would
/// not have to wait for the disk.
const NUMBER: (usize, usize) = (7, 2);

/// What is sent where no tag was ever given, so that all requests have the same length.
const NO_TAG: &[u8] = b"\"v1-9f1c2ab04d77e310\"";

/// What a connection that is not answered is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is sent, and what has to come back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) kind: Kind,
    pub(crate) expected: u16,
}

/// When a connection stops.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After so many requests, all of them counted.
    Requests(u32),
    /// After this time, of which the first part is not counted.
    Time {
        warm_up: Duration,
        counted: Duration,
    },
}

/// What was answered while it counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) requests: u32,
    /// Those of them that were answered as expected, and not with 412 because someone was faster.
    pub(crate) successes: u32,
    /// All requests, those too that did not count.
    pub(crate) sent: u32,
}

/// Why a figure would be none.
#[derive(Debug)]
pub(crate) enum Failed {
    Connection(io::Error),
    /// A status that the script does not expect.
    Status {
        expected: u16,
        got: u16,
    },
    /// No answer for too long.
    Late,
    Task,
}

/// Drives so many connections at the server, and adds up what they counted.
pub(crate) async fn drive(
    port: u16,
    connections: u16,
    script: Script,
    until: Until,
) -> Result<Answered, Failed> {
    let mut prepared = Vec::new();
    for number in 0..connections {
        prepared.push(Client::prepare(port, number, script).await?);
    }
    let started = Instant::now();
    let mut running = JoinSet::new();
    for client in prepared {
        running.spawn(client.run(until, started));
    }
    let patience = match until {
        Until::Requests(_) => PATIENCE,
        Until::Time { warm_up, counted } => PATIENCE + warm_up + counted,
    };
    let all = async {
        let mut answered = Answered::default();
        while let Some(ended) = running.join_next().await {
            let counted = ended.map_err(|_| Failed::Task)??;
            answered.requests += counted.requests;
            answered.successes += counted.successes;
            answered.sent += counted.sent;
        }
        Ok(answered)
    };
    timeout(patience, all).await.map_err(|_| Failed::Late)?
}

struct Client {
    connection: Connection,
    script: Script,
    /// The request up to its tag, and from there.
    start: Vec<u8>,
    end: Vec<u8>,
    request: Vec<u8>,
    /// Of the last PUT.
    number: usize,
    /// Instead of the tag of the last response.
    tag: Option<Vec<u8>>,
}

impl Client {
    /// Connects, and reads the resource for its tag.
    async fn prepare(port: u16, number: u16, script: Script) -> Result<Self, Failed> {
        let mut connection = Connection::open(port).await?;
        let id = match script.kind {
            Kind::OneRow => 0,
            _ => number,
        };
        let path = format!("/posts/{id} HTTP/1.1\r\nhost: api.example.com\r\n");
        let get = format!("GET {path}\r\n");
        expect(200, exchange(&mut connection, get.as_bytes()).await?)?;
        let put = format!("PUT {path}content-type: application/json\r\nif-match: ");
        let body = format!("\r\ncontent-length: {}\r\n\r\n{TEXT}", TEXT.len());
        let (start, end) = match script.kind {
            Kind::Put | Kind::Stale | Kind::OneRow => (put, body),
            Kind::Get => (get, String::new()),
            Kind::NotModified => (format!("GET {path}if-none-match: "), "\r\n\r\n".to_owned()),
        };
        let mut client = Self {
            connection,
            script,
            start: start.into_bytes(),
            end: end.into_bytes(),
            request: Vec::new(),
            number: 0,
            tag: None,
        };
        if script.kind == Kind::Stale {
            // One write makes the tag of before it stale.
            let stale = client.connection.tag().unwrap_or(NO_TAG).to_vec();
            expect(204, client.send().await?)?;
            client.tag = Some(stale);
        }
        Ok(client)
    }

    async fn run(mut self, until: Until, started: Instant) -> Result<Answered, Failed> {
        let mut answered = Answered::default();
        loop {
            let status = self.send().await?;
            answered.sent += 1;
            // Of the connections at one row all but the fastest come too late.
            let lost = self.script.kind == Kind::OneRow && status == 412;
            if !lost {
                expect(self.script.expected, status)?;
            }
            let (counts, over) = match until {
                Until::Requests(all) => (true, answered.sent == all),
                Until::Time { warm_up, counted } => {
                    let elapsed = started.elapsed();
                    let over = elapsed >= warm_up + counted;
                    (elapsed >= warm_up && !over, over)
                }
            };
            if counts {
                answered.requests += 1;
                answered.successes += u32::from(!lost);
            }
            if over {
                return Ok(answered);
            }
        }
    }

    async fn send(&mut self) -> Result<u16, Failed> {
        self.request.clear();
        self.request.extend_from_slice(&self.start);
        if self.script.kind != Kind::Get {
            let tag = self.tag.as_deref().or(self.connection.tag());
            self.request.extend_from_slice(tag.unwrap_or(NO_TAG));
        }
        self.request.extend_from_slice(&self.end);
        if !self.script.kind.reads() {
            self.number += 1;
            let (start, end) = (self.request.len() - NUMBER.0, self.request.len() - NUMBER.1);
            let mut rest = self.number;
            for digit in self.request[start..end].iter_mut().rev() {
                *digit = b"0123456789"[rest % 10];
                rest /= 10;
            }
        }
        exchange(&mut self.connection, &self.request).await
    }
}

async fn exchange(connection: &mut Connection, request: &[u8]) -> Result<u16, Failed> {
    Ok(connection.exchange(request).await?)
}

fn expect(expected: u16, got: u16) -> Result<(), Failed> {
    if got == expected {
        Ok(())
    } else {
        Err(Failed::Status { expected, got })
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Connection(error)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(f, "the connection failed: {error}"),
            Self::Status { expected, got } => write!(f, "{got} in place of {expected}"),
            Self::Late => f.write_str("no answer in time"),
            Self::Task => f.write_str("a connection's task ended early"),
        }
    }
}

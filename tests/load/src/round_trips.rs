//! How often a request asks PostgreSQL and waits: a proxy between the server and the database counts. These
//! figures do not jitter.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::plan::Variant;

/// What went through the proxy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    /// Answers that the server has to wait for before it can send more.
    pub(crate) round_trips: u32,
    /// Messages that were sent, by what they are.
    pub(crate) sent: BTreeMap<String, u32>,
}

/// One variant's figures for each request.
#[derive(Debug)]
pub(crate) struct PerRequest {
    pub(crate) variant: Variant,
    pub(crate) round_trips: f64,
    /// Statements, those within one message each for itself.
    pub(crate) statements: f64,
    /// What was sent, and how often.
    pub(crate) sent: Vec<(String, f64)>,
}

/// Counts what goes to a PostgreSQL server and comes back, as long as its runtime lives.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    counted: Arc<Mutex<Counted>>,
    port: u16,
}

impl Proxy {
    pub(crate) async fn start(database: &str) -> io::Result<Self> {
        let options: PgConnectOptions = database.parse().map_err(io::Error::other)?;
        let server = (options.get_host().to_owned(), options.get_port());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let counted = Arc::<Mutex<Counted>>::default();
        let proxy = Self { counted, port };
        let counting = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else {
                    return;
                };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(counting.clone().sent(from_client, to_server));
                tokio::spawn(counting.clone().answered(from_server, to_client));
            }
        });
        Ok(proxy)
    }

    /// The same database, by way of this.
    pub(crate) fn url(&self, database: &str) -> io::Result<String> {
        let mut url = url::Url::parse(database).map_err(io::Error::other)?;
        url.set_host(Some("127.0.0.1")).map_err(io::Error::other)?;
        let by_this = url.set_port(Some(self.port));
        by_this.map_err(|()| io::Error::other("a URL without a port"))?;
        url.set_query(Some("sslmode=disable"));
        Ok(url.into())
    }

    pub(crate) fn counted(&self) -> Counted {
        self.lock(|counted| counted.clone())
    }

    fn lock<T>(&self, act: impl FnOnce(&mut Counted) -> T) -> T {
        act(&mut self.counted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn sent(self, from: OwnedReadHalf, to: OwnedWriteHalf) -> io::Result<()> {
        let mut pipe = Pipe::new(from, to);
        // The first message has no type.
        pipe.message(0).await?;
        let mut prepared = BTreeMap::new();
        let mut next = None;
        loop {
            let (kind, body) = pipe.message(1).await?;
            let text = |body: &[u8]| {
                let end = body.iter().position(|byte| *byte == 0);
                String::from_utf8_lossy(&body[..end.unwrap_or(body.len())]).into_owned()
            };
            let what = match kind {
                b'Q' => Some(text(&body)),
                // Parse: a name and a text.
                b'P' => {
                    let name = text(&body);
                    let of = text(&body[name.len() + 1..]);
                    prepared.insert(name, of.clone());
                    Some(format!("prepare {of}"))
                }
                // Bind: a portal, and the name of what was prepared.
                b'B' => {
                    let portal = text(&body);
                    next = prepared.get(&text(&body[portal.len() + 1..])).cloned();
                    None
                }
                b'E' => next.take(),
                b'S' => Some("sync".to_owned()),
                _ => None,
            };
            if let Some(what) = what {
                self.lock(|counted| *counted.sent.entry(without_digits(&what)).or_default() += 1);
            }
        }
    }

    async fn answered(self, from: OwnedReadHalf, to: OwnedWriteHalf) -> io::Result<()> {
        let mut pipe = Pipe::new(from, to);
        loop {
            // Ready for the next query.
            if pipe.message(1).await?.0 == b'Z' {
                self.lock(|counted| counted.round_trips += 1);
            }
        }
    }
}

/// Echoes are told apart by their numbers, and are the same here.
fn without_digits(what: &str) -> String {
    let Some((before, echo)) = what.split_once("'in step ") else {
        return what.to_owned();
    };
    let after = echo.trim_start_matches(|byte: char| byte.is_ascii_digit());
    format!("{before}'in step …{after}")
}

/// One direction of a connection, message by message.
struct Pipe {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
}

impl Pipe {
    fn new(from: OwnedReadHalf, to: OwnedWriteHalf) -> Self {
        Self { from, to }
    }

    /// Passes on one message that has so many bytes before its length; the first of them, and its body.
    async fn message(&mut self, before: usize) -> io::Result<(u8, Vec<u8>)> {
        let mut head = vec![0; before + 4];
        self.from.read_exact(&mut head).await?;
        let mut length = [0; 4];
        length.copy_from_slice(&head[before..]);
        // It counts itself.
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let mut body = vec![0; length.saturating_sub(4)];
        self.from.read_exact(&mut body).await?;
        self.to.write_all(&[&head[..], &body].concat()).await?;
        Ok((head[0], body))
    }
}

impl PerRequest {
    /// What so many requests took: the difference of two counts.
    pub(crate) fn new(variant: Variant, before: &Counted, after: &Counted, requests: u32) -> Self {
        let each = |count: u32| f64::from(count) / f64::from(requests);
        let mut statements = 0;
        let mut sent = Vec::new();
        for (what, count) in &after.sent {
            let count = count - before.sent.get(what).copied().unwrap_or_default();
            // What was prepared once is no part of a request, nor is the rest of a connection's start.
            if count < requests / 2 {
                continue;
            }
            if what != "sync" {
                let several = u32::try_from(what.split(';').count()).unwrap_or(1);
                statements += count * several;
            }
            sent.push((what.clone(), each(count)));
        }
        Self {
            variant,
            round_trips: each(after.round_trips - before.round_trips),
            statements: each(statements),
            sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_once_is_no_part_of_a_request() {
        let counted = |select, prepare| Counted {
            round_trips: 2 * select,
            sent: [
                ("SELECT".to_owned(), select),
                ("prepare".to_owned(), prepare),
            ]
            .into(),
        };
        let figures = PerRequest::new(Variant::Blind, &counted(1, 0), &counted(11, 1), 10);
        assert_eq!(figures.sent, [("SELECT".to_owned(), 1.0)]);
        assert!((figures.round_trips - 2.0).abs() < f64::EPSILON);
        assert!((figures.statements - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn echoes_are_the_same_but_for_their_numbers() {
        let what = "RELEASE SAVEPOINT a; SELECT 'in step 17'";
        let same = "RELEASE SAVEPOINT a; SELECT 'in step …'";
        assert_eq!(without_digits(what), same);
        assert_eq!(without_digits("SELECT 1"), "SELECT 1");
    }
}

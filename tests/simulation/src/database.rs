//! A table on a host of its own, asked over the network: one connection and two lines for each
//! question.
//!
//! | question | answers |
//! | --- | --- |
//! | `row 7` | `absent`; `at 3 text` |
//! | `swap 7 3 text`, where `-` is no revision or no text | `done 4`; `lost` |

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;
use turmoil::net::{TcpListener, TcpStream};

use crate::store::{Failure, Rows, Swap};
use crate::table::Table;

/// The database's host.
pub const HOST: &str = "database";

const PORT: u16 = 5432;

/// How long a server waits for the database: less than a client does for the server.
const PATIENCE: Duration = Duration::from_millis(50);

/// The software of the database's host.
///
/// # Errors
/// The port cannot be had.
pub async fn serve(table: Table) -> turmoil::Result {
    table.open();
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let table = table.clone();
        // Not `tokio::spawn`: in which order a crash drops those tasks is not for the seed to say.
        tokio::task::spawn_local(async move {
            // Whoever asked may be gone. What was asked is done all the same.
            let _ = answer(&table, stream).await;
        });
    }
}

async fn answer(table: &Table, stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut question = String::new();
    if stream.read_line(&mut question).await? == 0 {
        return Ok(());
    }
    let words: Vec<&str> = question.split_whitespace().collect();
    let answer = match words[..] {
        ["row", key] => match table.row(key.parse().unwrap()).await {
            Ok(Some((revision, text))) => format!("at {revision} {text}\n"),
            Ok(None) => "absent\n".to_owned(),
            Err(_) => return Ok(()),
        },
        ["swap", key, expected, text] => {
            let text = (text != "-").then(|| text.to_owned());
            let swapped = table.swap(key.parse().unwrap(), expected.parse().ok(), text);
            match swapped.await {
                Ok(Swap::Done(revision)) => format!("done {revision}\n"),
                Ok(Swap::Lost) => "lost\n".to_owned(),
                Err(_) => return Ok(()),
            }
        }
        _ => return Ok(()),
    };
    stream.write_all(answer.as_bytes()).await
}

/// The rows as a server has them.
#[derive(Clone, Copy, Debug)]
pub struct Database {
    /// What it says of a write that was sent and not answered: that its outcome is unknown, if it is
    /// honest.
    pub unanswered: Failure,
}

impl Database {
    /// The words of the answer. `sent` is what it means that none came once the question was sent.
    async fn ask(question: String, sent: Failure) -> Result<Vec<String>, Failure> {
        let connecting = timeout(PATIENCE, TcpStream::connect((HOST, PORT))).await;
        let Ok(Ok(stream)) = connecting else {
            return Err(Failure::Unavailable);
        };
        let mut stream = BufReader::new(stream);
        let mut answer = String::new();
        let exchange = async {
            stream.write_all(question.as_bytes()).await?;
            stream.read_line(&mut answer).await
        };
        match timeout(PATIENCE, exchange).await {
            Ok(Ok(_)) if answer.ends_with('\n') => {
                Ok(answer.split_whitespace().map(str::to_owned).collect())
            }
            _ => Err(sent),
        }
    }
}

impl Rows for Database {
    async fn row(&self, key: u64) -> Result<Option<(u64, String)>, Failure> {
        let words = Self::ask(format!("row {key}\n"), Failure::Unavailable).await?;
        Ok(match &words[..] {
            [_, revision, text] => Some((revision.parse().unwrap(), text.clone())),
            _ => None,
        })
    }

    async fn swap(
        &self,
        key: u64,
        expected: Option<u64>,
        text: Option<String>,
    ) -> Result<Swap, Failure> {
        let expected = expected.map_or("-".to_owned(), |revision| revision.to_string());
        let text = text.unwrap_or("-".to_owned());
        let question = format!("swap {key} {expected} {text}\n");
        let words = Self::ask(question, self.unanswered).await?;
        Ok(match &words[..] {
            [_, revision] => Swap::Done(revision.parse().unwrap()),
            _ => Swap::Lost,
        })
    }
}

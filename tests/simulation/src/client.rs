//! A client that reads, writes and deletes as a program would, and writes down what it sees.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{Request, Response, StatusCode};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rand::{RngExt, rngs::StdRng};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use turmoil::net::TcpStream;

use crate::history::{Answer, Call, End, Recorder, RegisterId, Tag, Thread, Value};
use crate::server::PORT;

/// How long a client waits before it takes the connection for dead.
const PATIENCE: Duration = Duration::from_millis(150);

/// The fraction of calls whose client does not wait.
const HANG_UPS: f64 = 0.08;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// One client.
#[derive(Debug)]
pub struct Client {
    /// The host that it is on.
    pub name: String,
    /// The hosts that serve the registers; it asks any of them.
    pub servers: Vec<String>,
    /// The registers that it calls.
    pub registers: Vec<RegisterId>,
    /// How many calls it makes before it reads every register for the last time.
    pub calls: usize,
    /// What it draws its choices from.
    pub draws: StdRng,
    /// Where it writes down what it sees.
    pub recorder: Recorder,
}

struct Running {
    client: Client,
    thread: Thread,
    /// What it takes for the current state of each register.
    believes: BTreeMap<RegisterId, Option<Tag>>,
    /// A tag of each register that has been replaced, as far as it knows.
    stale: BTreeMap<RegisterId, Tag>,
    connection: Option<Connection>,
}

struct Connection {
    requests: SendRequest<Body>,
    task: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    /// Makes all its calls.
    ///
    /// # Errors
    /// An answer that the API does not give.
    pub async fn run(self) -> turmoil::Result {
        let mut running = Running {
            thread: self.recorder.thread(),
            client: self,
            believes: BTreeMap::new(),
            stale: BTreeMap::new(),
            connection: None,
        };
        for _ in 0..running.client.calls {
            running.pause().await;
            let register = running
                .client
                .draws
                .random_range(0..running.client.registers.len());
            let register = running.client.registers[register];
            let call = running.choose(register);
            running.call(register, call).await?;
        }
        for register in running.client.registers.clone() {
            while !matches!(
                running.call(register, Call::Read).await?,
                Some(Answer::Shown(_))
            ) {
                running.pause().await;
            }
        }
        Ok(())
    }
}

impl Running {
    async fn pause(&mut self) {
        let millis = self.client.draws.random_range(0..12);
        sleep(Duration::from_millis(millis)).await;
    }

    fn choose(&mut self, register: RegisterId) -> Call {
        let Some(believed) = self.believes.get(&register).copied() else {
            return Call::Read;
        };
        let stale = self.stale.get(&register).copied();
        let stale = stale.filter(|_| self.client.draws.random_bool(0.1));
        match (stale.or(believed), self.client.draws.random_range(0..100)) {
            (_, 0..25) => Call::Read,
            (Some(expected), 25..40) => Call::Delete { expected },
            (expected, _) => Call::Write {
                expected,
                value: self.client.recorder.value(),
            },
        }
    }

    /// Makes one call. None where no server can be reached: then nothing was called.
    async fn call(&mut self, register: RegisterId, call: Call) -> turmoil::Result<Option<Answer>> {
        let request = self.request(register, call);
        let Some(mut connection) = self.connect().await else {
            return Ok(None);
        };
        let hangs_up = self.client.draws.random_bool(HANG_UPS);
        let patience = if hangs_up {
            Duration::from_millis(self.client.draws.random_range(1..30))
        } else {
            PATIENCE
        };

        let recorder = self.client.recorder.clone();
        recorder.record(self.thread, register, End::Invoked(call));
        let exchange = async {
            let (head, body) = connection
                .requests
                .send_request(request)
                .await?
                .into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>(Response::from_parts(head, body))
        };
        let answer = match timeout(patience, exchange).await {
            Ok(Ok(response)) => {
                self.connection = Some(connection);
                self.read(call, &response)?
            }
            Ok(Err(_)) => Answer::Unknown,
            Err(_) => {
                if hangs_up {
                    recorder.hung_up();
                }
                Answer::Unknown
            }
        };
        if answer == Answer::Unknown {
            self.thread = recorder.thread();
        } else {
            recorder.record(self.thread, register, End::Returned(answer));
        }
        self.learn(register, call, answer);
        Ok(Some(answer))
    }

    fn learn(&mut self, register: RegisterId, call: Call, answer: Answer) {
        let before = self.believes.remove(&register).flatten();
        let now = match (call, answer) {
            (_, Answer::Shown(shown)) => shown.map(|(tag, _)| tag),
            (_, Answer::Written(tag)) => Some(tag),
            (_, Answer::Deleted | Answer::Absent) => None,
            // The refusal tells all that the next try needs.
            (_, Answer::Refused(current)) => current,
            (_, Answer::Raced | Answer::Unavailable | Answer::Unknown) => return,
        };
        if let Some(before) = before.filter(|before| Some(*before) != now) {
            self.stale.insert(register, before);
        }
        self.believes.insert(register, now);
    }

    async fn connect(&mut self) -> Option<Connection> {
        let kept = self.connection.take();
        if let Some(mut kept) = kept.filter(|_| self.client.draws.random_bool(0.8))
            && kept.requests.ready().await.is_ok()
        {
            return Some(kept);
        }
        let server = self.client.draws.random_range(0..self.client.servers.len());
        let server = self.client.servers[server].as_str();
        let stream = timeout(PATIENCE, TcpStream::connect((server, PORT))).await;
        let (requests, connection) = http1::handshake(TokioIo::new(stream.ok()?.ok()?))
            .await
            .ok()?;
        let task = tokio::task::spawn_local(async move {
            // The request that it breaks says so.
            let _ = connection.await;
        });
        Some(Connection { requests, task })
    }

    fn request(&mut self, register: RegisterId, call: Call) -> Request<Body> {
        let request = Request::builder().uri(format!("/registers/{register}"));
        let request = request.header("host", "registers");
        let (request, value) = match call {
            Call::Read => (request.method("GET"), None),
            Call::Write { expected, value } => {
                let request = request.method("PUT");
                let request = match expected {
                    Some(tag) => request.header(IF_MATCH, self.client.recorder.text(tag)),
                    None => request.header(IF_NONE_MATCH, "*"),
                };
                (request, Some(value))
            }
            Call::Delete { expected } => {
                let request = request.method("DELETE");
                (
                    request.header(IF_MATCH, self.client.recorder.text(expected)),
                    None,
                )
            }
        };
        request.body(self.body(value)).unwrap()
    }

    /// A body comes after its head, so that others write between the layer's check and the handler.
    fn body(&mut self, value: Option<Value>) -> Body {
        let Some(value) = value else {
            return UnsyncBoxBody::default();
        };
        let after = Duration::from_millis(self.client.draws.random_range(0..10));
        UnsyncBoxBody::new(StreamBody::new(Box::pin(stream::once(async move {
            sleep(after).await;
            Ok(Frame::data(Bytes::from(format!("v{}", value.0))))
        }))))
    }

    fn read(&self, call: Call, response: &Response<Bytes>) -> turmoil::Result<Answer> {
        let tag = response.headers().get(ETAG);
        let tag = tag.map(|tag| self.client.recorder.tag(tag.to_str().unwrap()));
        let body = std::str::from_utf8(response.body())?;
        Ok(match (call, response.status(), tag) {
            (Call::Read, StatusCode::OK, Some(tag)) => {
                let value = body.strip_prefix('v').ok_or("another text")?.parse()?;
                Answer::Shown(Some((tag, Value(value))))
            }
            (Call::Read, StatusCode::NOT_FOUND, None) => Answer::Shown(None),
            (Call::Write { .. }, StatusCode::NO_CONTENT, Some(tag)) => Answer::Written(tag),
            (Call::Delete { .. }, StatusCode::NO_CONTENT, None) => Answer::Deleted,
            (Call::Delete { .. }, StatusCode::NOT_FOUND, None) => Answer::Absent,
            (_, StatusCode::PRECONDITION_FAILED, tag) => match reason(body)?.as_str() {
                "lost_race" => Answer::Raced,
                _ => Answer::Refused(tag),
            },
            (_, StatusCode::SERVICE_UNAVAILABLE, None) => match reason(body)?.as_str() {
                "outcome_unknown" => {
                    self.client.recorder.outcome_unknown();
                    Answer::Unknown
                }
                _ => Answer::Unavailable,
            },
            (_, status, tag) => return Err(format!("{call:?}: {status}, {tag:?}, {body}").into()),
        })
    }
}

fn reason(body: &str) -> turmoil::Result<String> {
    let problem: serde_json::Value = serde_json::from_str(body)?;
    Ok(problem["reason"].as_str().ok_or("no reason")?.to_owned())
}

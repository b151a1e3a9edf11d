//! The writing half of the posts API in memory, right or wrong on purpose.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ETAG, IF_MATCH, IF_NONE_MATCH},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

/// How the register treats a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Compares and writes in one step.
    Atomic,
    /// Compares, lets others run, and writes whatever is there by then.
    Naive,
    /// Refuses every write: the store is unavailable.
    Unavailable,
    /// Answers every patch with 500.
    FailsPatches,
}

#[derive(Debug)]
pub(crate) struct Register {
    manner: Manner,
    stored: Mutex<Stored>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Stored {
    posts: HashMap<u64, Post>,
    versions: u64,
}

#[derive(Clone, Debug)]
struct Post {
    tag: String,
    title: String,
    content: String,
}

/// A register that serves on a socket.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) addr: SocketAddr,
    kill: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listening {
    /// Breaks all connections and waits until nothing runs any more.
    pub(crate) async fn kill(self) {
        let _ = self.kill.send(());
        self.task
            .await
            .expect("the accepting task should not panic");
    }
}

type Answer = Response<Full<Bytes>>;

impl Register {
    pub(crate) fn new(manner: Manner) -> Arc<Self> {
        Arc::new(Self {
            manner,
            stored: Mutex::default(),
        })
    }

    /// A copy of what is stored, as a backup would be.
    pub(crate) fn snapshot(&self) -> Stored {
        self.stored().clone()
    }

    pub(crate) fn restore(&self, posts: Stored) {
        // The versions go on, so that no tag is made twice.
        self.stored().posts = posts.posts;
    }

    pub(crate) async fn listen(self: &Arc<Self>) -> Listening {
        self.listen_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    pub(crate) async fn listen_at(self: &Arc<Self>, addr: SocketAddr) -> Listening {
        let listener = TcpListener::bind(addr).await.expect("a free port");
        let addr = listener
            .local_addr()
            .expect("a bound socket has an address");
        let (kill, mut killed) = oneshot::channel();
        let register = Arc::clone(self);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    _ = &mut killed => break,
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else { continue };
                        let _ = stream.set_nodelay(true);
                        let register = Arc::clone(&register);
                        connections.spawn(async move {
                            let answer = service_fn(|request| register.answer(request));
                            // A client that hung up is none of the server's business.
                            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
                        });
                    }
                }
            }
            drop(listener);
            connections.shutdown().await;
        });
        Listening { addr, kill, task }
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().expect("no handler panics")
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let (head, body) = request.into_parts();
        let key = head
            .uri
            .path()
            .strip_prefix("/api/posts/")
            .and_then(|id| id.parse().ok());
        let Some(key) = key else {
            return Ok(problem(StatusCode::NOT_FOUND, "absent", None));
        };
        if head.method == Method::GET {
            return Ok(match self.stored().posts.get(&key) {
                Some(post) => shown(StatusCode::OK, post),
                None => problem(StatusCode::NOT_FOUND, "absent", None),
            });
        }
        let Ok(body) = body.collect().await else {
            return Ok(problem(StatusCode::BAD_REQUEST, "cut short", None));
        };
        let body = serde_json::from_slice(&body.to_bytes()).unwrap_or(Value::Null);
        match self.manner {
            Manner::Unavailable => Ok(problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "store_unavailable",
                None,
            )),
            Manner::FailsPatches if head.method == Method::PATCH => Ok(problem(
                StatusCode::INTERNAL_SERVER_ERROR,
                "unguarded_write",
                None,
            )),
            Manner::Naive => {
                let refusal = evaluate(&self.stored(), key, &head.method, &head.headers);
                if let Some(refusal) = refusal {
                    return Ok(refusal);
                }
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                Ok(apply(&mut self.stored(), key, &head.method, &body))
            }
            Manner::Atomic | Manner::FailsPatches => {
                let mut stored = self.stored();
                Ok(match evaluate(&stored, key, &head.method, &head.headers) {
                    Some(refusal) => refusal,
                    None => apply(&mut stored, key, &head.method, &body),
                })
            }
        }
    }
}

/// The refusal, if the condition is missing or does not hold.
fn evaluate(stored: &Stored, key: u64, method: &Method, fields: &HeaderMap) -> Option<Answer> {
    let current = stored.posts.get(&key);
    let failed = |reason| Some(problem(StatusCode::PRECONDITION_FAILED, reason, current));
    match (fields.get(IF_MATCH), fields.get(IF_NONE_MATCH), current) {
        (None, None, _) => Some(problem(
            StatusCode::PRECONDITION_REQUIRED,
            "missing_condition",
            None,
        )),
        (Some(tag), _, Some(post)) if *tag != post.tag.as_str() => failed("stale_version"),
        (Some(_), _, None) if *method == Method::PUT => failed("absent"),
        (Some(_), _, None) => Some(problem(StatusCode::NOT_FOUND, "absent", None)),
        (None, Some(_), Some(_)) => failed("exists"),
        _ => None,
    }
}

fn apply(stored: &mut Stored, key: u64, method: &Method, body: &Value) -> Answer {
    if *method == Method::DELETE {
        stored.posts.remove(&key);
        return answer(StatusCode::NO_CONTENT, None, None);
    }
    stored.versions += 1;
    let text = |member: &str| body[member].as_str().map(str::to_owned);
    let before = stored.posts.get(&key);
    let status = if before.is_some() {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let post = Post {
        tag: format!("\"{key}-{}\"", stored.versions),
        title: text("title")
            .or_else(|| before.map(|post| post.title.clone()))
            .unwrap_or_default(),
        content: text("content").unwrap_or_default(),
    };
    let answer = shown(status, &post);
    stored.posts.insert(key, post);
    answer
}

fn shown(status: StatusCode, post: &Post) -> Answer {
    answer(
        status,
        Some(&post.tag),
        Some(&json!({"title": post.title, "content": post.content})),
    )
}

fn problem(status: StatusCode, reason: &str, current: Option<&Post>) -> Answer {
    let tag = current.map(|post| post.tag.as_str());
    let mut body = json!({"status": status.as_u16(), "reason": reason});
    if let Some(post) = current {
        body["current_etag"] = json!(post.tag);
        body["conflict"] = json!({"current": {"title": post.title, "content": post.content}});
    }
    answer(status, tag, Some(&body))
}

fn answer(status: StatusCode, tag: Option<&str>, body: Option<&Value>) -> Answer {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    if let Some(tag) = tag {
        answer
            .headers_mut()
            .insert(ETAG, tag.parse().expect("a tag is a field value"));
    }
    answer
}

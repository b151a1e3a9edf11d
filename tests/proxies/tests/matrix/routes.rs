//! The ways to an origin, and what a client does on them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use proxies::{Proxy, Relay, SetUp};
use wire::{Connection, Request, Response};

/// A way to an origin.
#[derive(Debug)]
pub(crate) enum Route {
    Direct(SocketAddr),
    Through(Relay),
}

impl Route {
    /// The direct one, then each installed proxy in each set-up.
    pub(crate) async fn all(origin: SocketAddr) -> Vec<Self> {
        let mut routes = vec![Self::Direct(origin)];
        for proxy in Proxy::ALL {
            for set_up in SetUp::ALL {
                let relay = Relay::start(proxy, set_up, origin).await;
                routes.extend(relay.map(Self::Through));
            }
        }
        routes
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Direct(_) => "none".to_owned(),
            Self::Through(relay) => match relay.set_up() {
                SetUp::Plain => relay.proxy().name().to_owned(),
                SetUp::Gzip => format!("{}, gzip", relay.proxy()),
            },
        }
    }

    /// Whether a proxy stands here that encodes.
    pub(crate) fn encodes(&self) -> bool {
        matches!(self, Self::Through(relay) if relay.set_up() == SetUp::Gzip)
    }

    pub(crate) async fn open(&self) -> Connection {
        let addr = match self {
            Self::Direct(addr) => *addr,
            Self::Through(relay) => relay.addr(),
        };
        Connection::open(addr).await.unwrap()
    }

    pub(crate) async fn send(&self, request: &Request) -> Response {
        let answer = self.open().await.send(request).await;
        answer.unwrap_or_else(|error| panic!("{}: {error}\n{self:?}", self.name()))
    }
}

/// An id that no other test of this process has.
pub(crate) fn id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn uri(id: u64) -> String {
    format!("/api/posts/{id}")
}

/// A post that is worth encoding.
pub(crate) fn post() -> String {
    format!(
        r#"{{"title": "Draft", "content": "{}"}}"#,
        "again ".repeat(50)
    )
}

/// Makes a post; its state's tag.
pub(crate) async fn create(origin: &Route) -> (u64, String) {
    let id = id();
    let request = Request::new("PUT", uri(id)).field("If-None-Match", "*");
    let made = origin.send(&request.json(post())).await;
    assert_eq!(made.status(), 201, "{}", made.text());
    (id, made.header("etag").unwrap().to_owned())
}

/// A read by a client that accepts this coding.
pub(crate) fn read(id: u64, coding: &str) -> Request {
    Request::new("GET", uri(id)).field("Accept-Encoding", coding)
}

pub(crate) fn replace(id: u64, tag: &str) -> Request {
    Request::new("PUT", uri(id))
        .field("If-Match", tag)
        .json(post())
}

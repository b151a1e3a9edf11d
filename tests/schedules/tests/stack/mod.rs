//! The layer around a handler, over a store with one document of version 1.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ETAG, IF_MATCH};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use shuttle::future::{block_on, yield_now};
use shuttle::sync::Mutex;
use tower::util::BoxCloneService;
use tower::{Layer, ServiceExt, service_fn};
use tower_if_match::{Found, IfMatchLayer, SingleProcess, TagMint};
use version_store::{Expected, Revision, Version, VersionStore};

use crate::posts::Posts;

const KEY: u64 = 7;

type Body = Full<Bytes>;
type Handler = BoxCloneService<Request<Body>, Response<Body>, Infallible>;

/// The layer with its handler and its store.
pub(crate) struct Mounted {
    /// Through which service the writer of this text goes.
    service: Box<dyn Fn() -> Handler>,
    tag: Box<dyn Fn() -> Option<HeaderValue>>,
    stored: Box<dyn Fn() -> (u64, u64)>,
    locks: Option<SingleProcess>,
    first: HeaderValue,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) tag: Option<HeaderValue>,
}

#[derive(Clone, Copy)]
struct Text(u64);

impl Mounted {
    fn new<R: Revision>(
        service: impl Fn() -> Handler + 'static,
        tags: TagMint<u64, R>,
        row: impl Fn() -> (Version<R>, u64) + Clone + 'static,
        revision: impl Fn(&R) -> u64 + 'static,
        locks: Option<SingleProcess>,
    ) -> Self {
        let tag = {
            let row = row.clone();
            move || {
                let tag = tags.tag(&KEY, &row().0)?;
                HeaderValue::from_str(&tag.to_string()).ok()
            }
        };
        let first = tag().unwrap();
        let stored = move || {
            let (version, text) = row();
            (revision(version.revision()), text)
        };
        Self {
            service: Box::new(service),
            tag: Box::new(tag),
            stored: Box::new(stored),
            locks,
            first,
        }
    }

    /// A PUT of this text on the first version.
    pub(crate) fn put(&self, text: u64) -> impl Future<Output = Answer> + Send + 'static {
        let mut request = Request::put("/posts/7")
            .header(IF_MATCH, &self.first)
            .body(Body::default())
            .unwrap();
        request.extensions_mut().insert(Text(text));
        let service = (self.service)();
        async move {
            let Ok(answer) = service.oneshot(request).await;
            Answer {
                status: answer.status(),
                tag: answer.headers().get(ETAG).cloned(),
            }
        }
    }

    /// The tag of what is stored.
    pub(crate) fn tag(&self) -> Option<HeaderValue> {
        (self.tag)()
    }

    /// The number of the version that is stored, and its text.
    pub(crate) fn stored(&self) -> (u64, u64) {
        (self.stored)()
    }

    /// Waits for the handlers that are still at work, and looks for locks.
    pub(crate) fn leaves_nothing(&self) {
        if let Some(locks) = &self.locks {
            block_on(locks.drained());
            assert_eq!(locks.locked(), 0, "what is left in the table");
        }
    }
}

fn find_key(_: &Parts) -> Found<u64> {
    Found::Key(KEY)
}

fn text_of(request: &Request<Body>) -> u64 {
    request.extensions().get::<Text>().unwrap().0
}

fn answer(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

/// A handler whose store compares and writes. What it answers to a lost race is not what the client
/// gets.
pub(crate) fn by_compare_and_swap<S: Posts + Clone>() -> Mounted {
    let posts = S::empty();
    assert!(posts.create(KEY, 0));
    let guard = IfMatchLayer::new("posts", posts.clone(), find_key);
    let tags = guard.tags();
    let handler = {
        let posts = posts.clone();
        service_fn(move |request: Request<Body>| {
            let posts = posts.clone();
            async move {
                let expected = Expected::<S>::from_extensions(request.extensions()).unwrap();
                yield_now().await;
                Ok(answer(match posts.put(text_of(&request), expected) {
                    Ok(()) => StatusCode::OK,
                    Err(_) => StatusCode::IM_A_TEAPOT,
                }))
            }
        })
    };
    let service = BoxCloneService::new(guard.layer(handler));
    let row = move || posts.stored(KEY).unwrap();
    Mounted::new(
        move || service.clone(),
        tags,
        row,
        |revision| *revision,
        None,
    )
}

/// A row whose version changes with its text, as a trigger sees to.
#[derive(Clone)]
struct Row(Arc<Mutex<(u64, u64)>>);

impl Row {
    fn read(&self) -> (Version, u64) {
        let (revision, text) = *self.0.lock().unwrap();
        (Version::new(revision), text)
    }
}

impl VersionStore for Row {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        Ok(Some(self.read().0))
    }
}

/// A handler that knows nothing of versions, behind one table of locks.
pub(crate) fn under_one_lock() -> Mounted {
    let locks = SingleProcess::new();
    blind(
        {
            let locks = locks.clone();
            move || locks.clone()
        },
        Some(locks),
    )
}

/// The control: each request finds locks of its own, so none waits for another.
pub(crate) fn under_own_locks() -> Mounted {
    blind(SingleProcess::new, None)
}

fn blind(strategy: impl Fn() -> SingleProcess + 'static, locks: Option<SingleProcess>) -> Mounted {
    let row = Row(Arc::new(Mutex::new((1, 0))));
    let guard = IfMatchLayer::new("posts", row.clone(), find_key);
    let tags = guard.tags();
    let handler = {
        let row = row.clone();
        service_fn(move |request: Request<Body>| {
            let row = row.clone();
            async move {
                row.read();
                yield_now().await;
                let mut row = row.0.lock().unwrap();
                *row = (row.0 + 1, text_of(&request));
                Ok(answer(StatusCode::OK))
            }
        })
    };
    let service = move || {
        BoxCloneService::new(
            guard
                .clone()
                .with_strategy(strategy())
                .layer(handler.clone()),
        )
    };
    Mounted::new(
        service,
        tags,
        move || row.read(),
        |revision| *revision,
        locks,
    )
}

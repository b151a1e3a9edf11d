//! A virtual store: the version of a resource is the hash of the response to a GET.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use tower_service::Service;
use version_store::{Version, VersionStore};

use super::body::{End, Resumable, Resumed};
use super::get::{StateGet, target_text};
use super::inner::Inner;
use super::settings::Settings;
use super::watch::Moment;
use crate::refusal::Reason;
use crate::request::Bufferable;
use crate::respond::cut;
use crate::sync::within;
use crate::write::ErrorResponse;

/// The target of one request, as seen by the client that sent it: a store with one key.
pub(super) struct Seen<Svc, ReqBody> {
    inner: Inner<Svc>,
    settings: Arc<Settings>,
    target: Arc<SeenTarget>,
    asks: bool,
    body: PhantomData<fn() -> ReqBody>,
}

struct SeenTarget {
    key: String,
    /// The method of the request that needs the version.
    method: Method,
    get: StateGet,
}

impl<Svc, ReqBody> Seen<Svc, ReqBody> {
    pub(super) fn of(parts: &Parts, inner: Inner<Svc>, settings: &Arc<Settings>) -> Self {
        let target = SeenTarget {
            key: target_text(parts),
            method: parts.method.clone(),
            get: StateGet::of(parts, &settings.accept),
        };
        Self {
            inner,
            settings: Arc::clone(settings),
            target: Arc::new(target),
            asks: true,
            body: PhantomData,
        }
    }

    /// For a write that compares nothing: no GET is sent, and no version is known.
    pub(super) fn unasked(self) -> Self {
        Self {
            asks: false,
            ..self
        }
    }

    pub(super) fn key(&self) -> &String {
        &self.target.key
    }

    pub(super) fn get(&self) -> &StateGet {
        &self.target.get
    }
}

impl<Svc, ReqBody, B> VersionStore for Seen<Svc, ReqBody>
where
    Svc: Service<Request<ReqBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    Svc::Future: Send,
    Svc::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    ReqBody: Bufferable + 'static,
    B: Resumable,
{
    type Key = String;
    type Revision = String;
    type Error = Unknown;

    async fn current(&self, _: &String) -> Result<Option<Version<String>>, Unknown> {
        if !self.asks {
            return Ok(None);
        }
        let moment = self.settings.watch.moment();
        let current = self.ask().await?;
        if let Some(version) = &current {
            self.watch(version, moment).await;
        }
        Ok(current)
    }
}

impl<Svc, ReqBody, B> Seen<Svc, ReqBody>
where
    Svc: Service<Request<ReqBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    Svc::Future: Send,
    Svc::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    ReqBody: Bufferable + 'static,
    B: Resumable,
{
    async fn ask(&self) -> Result<Option<Version<String>>, Unknown> {
        let mut inner = self.inner.clone();
        let asked = async {
            let answer = inner.call(self.target.get.request()).await;
            let answer = answer.map_err(|error| Unknown::Failed(error.into()))?;
            Ok(self.settings.hold(answer).await)
        };
        let answer = within(self.settings.wait_timeout, asked)
            .await
            .ok_or(Unknown::TooSlow)??;
        match version_of(&answer) {
            Err(Unknown::Unreadable(status)) if self.refuses_the_method(answer.headers()) => {
                Err(borne(answer).unwrap_or(Unknown::Unreadable(status)))
            }
            Err(Unknown::Status(status)) if is_borne(status) => Err(borne(answer)?),
            version => version,
        }
    }

    /// Whether `Allow` excludes the request's own method, too.
    fn refuses_the_method(&self, fields: &HeaderMap) -> bool {
        let mut lines = fields.get_all(ALLOW).iter().peekable();
        lines.peek().is_some()
            && !lines
                .filter_map(|line| line.to_str().ok())
                .flat_map(|line| line.split(','))
                .any(|method| method.trim() == self.target.method.as_str())
    }

    /// Looks a second time if a representation changed without a write. If two consecutive GETs differ, the
    /// representation changes by itself; otherwise a writer bypassed the layer.
    pub(super) async fn watch(&self, version: &Version<String>, moment: Option<Moment>) {
        let watch = &self.settings.watch;
        let id = self.target.get.id(self.key());
        if !watch.differs(id, moment, version.revision()) {
            return;
        }
        let Ok(Some(second)) = self.ask().await else {
            return;
        };
        let by_itself = watch.moment() == moment && !second.same_state(version);
        if by_itself && watch.first_report(&id) {
            tracing::error!(
                resource = cut(self.key()),
                "its representation changes without a write (a time, a counter, a random value), so \
                 its writes will be refused as stale"
            );
        }
    }
}

/// The version in a response to GET, or `None` if the response says that the resource is absent.
pub(super) fn version_of<B: Resumable>(
    answer: &Response<Resumed<B>>,
) -> Result<Option<Version<String>>, Unknown> {
    match answer.status() {
        StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
        // The GET asked neither for a part nor for a difference.
        status @ (StatusCode::PARTIAL_CONTENT | StatusCode::IM_USED) => {
            return Err(Unknown::Status(status));
        }
        status if status.is_success() => {}
        status @ (StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_ACCEPTABLE) => {
            return Err(Unknown::Unreadable(status));
        }
        status => return Err(Unknown::Status(status)),
    }
    let coding = answer.headers().get(CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Unknown::Encoded);
    }
    content_hash(answer).map(|hash| Some(Version::new(hash)))
}

/// The hash of a response's body and media type: 32 hexadecimal digits.
pub(super) fn content_hash<B: Resumable>(answer: &Response<Resumed<B>>) -> Result<String, Unknown> {
    let content = answer.body();
    match content.end() {
        End::Whole => {}
        End::TooLarge => return Err(Unknown::TooLarge),
        End::TooSlow => return Err(Unknown::TooSlow),
        End::Broken => return Err(Unknown::Broken),
    }
    let media_type = answer.headers().get(CONTENT_TYPE);
    let media_type = media_type.map_or(&b""[..], |value| value.as_bytes());
    let mut hash = blake3::Hasher::new();
    hash.update(&media_type.len().to_be_bytes());
    hash.update(media_type);
    for chunk in content.chunks() {
        hash.update(chunk);
    }
    Ok(hash.finalize().to_hex()[..32].to_owned())
}

/// Whether the response to GET is the response to the write, too: the client may not read it, is redirected,
/// or sends too much.
fn is_borne(status: StatusCode) -> bool {
    let changed = status.is_redirection() && status != StatusCode::NOT_MODIFIED;
    changed || status.is_client_error()
}

fn borne<B: Resumable>(answer: Response<Resumed<B>>) -> Result<Unknown, Unknown> {
    let (head, content) = answer.into_parts();
    match content.end() {
        End::Whole => {}
        _ => return Err(Unknown::Status(head.status)),
    }
    let answer = Response::from_parts(head, content.into_bytes());
    Ok(Unknown::Answered(Box::new(answer)))
}

/// Why a resource's version is unknown.
#[derive(Debug)]
pub(super) enum Unknown {
    /// The response to GET is the response to the write, too.
    Answered(Box<Response<Bytes>>),
    /// The service supports the write, but no GET.
    Unreadable(StatusCode),
    /// Neither a success nor a response to the write.
    Status(StatusCode),
    Encoded,
    TooLarge,
    TooSlow,
    Broken,
    Failed(Box<dyn Error + Send + Sync>),
}

impl Unknown {
    /// The response to the client, if it is not 503.
    pub(super) fn response(&self) -> Option<ErrorResponse> {
        match self {
            Self::Answered(answer) => Some(ErrorResponse::Carried(Response::clone(answer))),
            Self::Unreadable(_) => Some(ErrorResponse::Refused(Reason::Unkeyed)),
            _ => None,
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(answer) => write!(f, "GET returned {}", answer.status()),
            Self::Unreadable(status) => write!(
                f,
                "GET returned {status}, so writes to it cannot be guarded; add a GET handler, or exempt \
                 the method"
            ),
            Self::Status(status) => write!(f, "GET returned {status}"),
            Self::Encoded => f.write_str("GET asked for identity but got an encoded body"),
            Self::TooLarge => f.write_str("its representation is larger than the limit"),
            Self::TooSlow => f.write_str("GET timed out"),
            Self::Broken => f.write_str("the response to GET was cut short"),
            Self::Failed(_) => f.write_str("GET failed"),
        }
    }
}

impl Error for Unknown {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(&**error),
            _ => None,
        }
    }
}

impl<Svc: Clone, ReqBody> Clone for Seen<Svc, ReqBody> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            settings: Arc::clone(&self.settings),
            target: Arc::clone(&self.target),
            asks: self.asks,
            body: PhantomData,
        }
    }
}

use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, ETAG, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_precondition::MethodClass;
use tower_service::Service;
use version_store::{KeyEncoder, Version, VersionStore, Versioned};

use super::body::{Resumable, Resumed};
use super::get::{asks_for_state, strip_overrides, strip_read};
use super::inner::{Answer, Inner};
use super::settings::{Settings, TargetKey};
use super::state::{Seen, Unknown, content_hash, version_of};
use crate::observe::Observed;
use crate::read::{self, Reading};
use crate::refusal::Reason;
use crate::refusal::Refusal;
use crate::request::original_uri;
use crate::request::{Bufferable, Fields};
use crate::request::{FindKey, Found};
use crate::service::IfMatch;
use crate::strategy::OneLock;
use crate::tag::Scope;
use crate::write::Guard;

/// The service of a [`RepresentationLayer`](crate::RepresentationLayer).
#[derive(Clone, Debug)]
pub struct Represented<Svc> {
    inner: Inner<Svc>,
    settings: Arc<Settings>,
}

impl<Svc> Represented<Svc> {
    pub(super) fn new(service: Svc, settings: Arc<Settings>) -> Self {
        let watch = settings.watch.clone();
        Self {
            inner: Inner { service, watch },
            settings,
        }
    }
}

impl<Svc, ReqBody, B> Service<Request<ReqBody>> for Represented<Svc>
where
    Svc: Service<Request<ReqBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    Svc::Future: Send,
    Svc::Error: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    ReqBody: Bufferable + 'static,
    B: Resumable,
{
    type Response = Response<B>;
    type Error = Svc::Error;
    type Future = Answer<B, Svc::Error>;

    /// Always ready: the wrapped service is made ready only when it is called, because a GET and its write may
    /// need the same permit.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Svc::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        strip_overrides(request.headers_mut());
        let mut inner = self.inner.clone();
        match MethodClass::of(request.method()) {
            MethodClass::Unconditional => inner.call(request),
            MethodClass::Read => Box::pin(answer_read(Arc::clone(&self.settings), inner, request)),
            MethodClass::Write => {
                Box::pin(answer_write(Arc::clone(&self.settings), inner, request))
            }
        }
    }
}

async fn answer_write<Svc, ReqBody, B>(
    settings: Arc<Settings>,
    inner: Inner<Svc>,
    request: Request<ReqBody>,
) -> Result<Response<B>, Svc::Error>
where
    Svc: Service<Request<ReqBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    Svc::Future: Send,
    Svc::Error: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    ReqBody: Bufferable + 'static,
    B: Resumable,
{
    let (parts, body) = request.into_parts();
    let mut seen = Seen::of(&parts, inner.clone(), &settings);
    let config = &settings.config;
    let unconditional = Fields::of(&parts.headers).are_unconditional();
    if unconditional && config.policy.asks_nothing(&parts.method) {
        seen = seen.unasked();
    }
    let unit = settings
        .unit
        .as_ref()
        .map(|unit| unit(original_uri(&parts)));
    let scope = config.tags.scope();
    let strategy = OneLock {
        process: settings.process.clone(),
        scope: scope.clone(),
        name: name_of(scope, unit.as_deref()),
    };
    let mut guard = Guard::new(seen.clone(), strategy, Arc::clone(config));
    guard.error_response = Some(Unknown::response);
    let created_elsewhere = parts.method != Method::PUT;

    let request = Request::from_parts(parts, body);
    let mut response = IfMatch::new(inner, TargetKey, Arc::new(guard))
        .call(request)
        .await?;

    // The validators of a 201 belong to what was created (RFC 9110 §15.3.2), and not to the collection that
    // received the POST.
    if created_elsewhere && response.status() == StatusCode::CREATED {
        response.headers_mut().remove(ETAG);
    }
    let refusal = response.extensions().get::<Refusal>();
    if refusal.map(Refusal::reason) == Some(Reason::StaleVersion)
        && settings.watch.first_stale(&seen.get().id(seen.key()))
    {
        // Read only to see whether it changed by itself.
        let _ = seen.current(seen.key()).await;
    }
    Ok(response)
}

fn name_of(scope: &Scope, unit: Option<&str>) -> KeyEncoder {
    let mut name = scope.encoded().clone();
    if let Some(unit) = unit {
        name.text(unit);
    }
    name
}

async fn answer_read<Svc, ReqBody, B>(
    settings: Arc<Settings>,
    mut inner: Inner<Svc>,
    request: Request<ReqBody>,
) -> Result<Response<B>, Svc::Error>
where
    Svc: Service<Request<ReqBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    Svc::Future: Send,
    Svc::Error: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    ReqBody: Bufferable + 'static,
    B: Resumable,
{
    let observed = Observed::of(&request);
    let (mut parts, body) = request.into_parts();
    if let Found::Misrouted(why) = TargetKey.find(&mut parts) {
        tracing::error!(why, "reads are not tagged");
        return inner.call(Request::from_parts(parts, body)).await;
    }
    let seen: Seen<Svc, ReqBody> = Seen::of(&parts, inner.clone(), &settings);
    let config = &settings.config;
    let reading = Reading::of(config, &parts, seen.key().clone(), None);
    let head_only = parts.method == Method::HEAD;
    strip_read(&mut parts.headers);
    let upgrades = parts.headers.contains_key(UPGRADE);
    let (answer, version, variant) = if parts.method == Method::QUERY || upgrades {
        // The response depends on more than the resource, or is not one of its representations.
        let answer = inner.call(Request::from_parts(parts, body)).await?;
        (answer.map(Resumed::unread), None, None)
    } else if asks_for_state(&parts, &settings.accept) && body.is_end_stream() {
        let moment = settings.watch.moment();
        let answer = inner.call(seen.get().request()).await?;
        let answer = settings.hold(answer).await;
        let version = told(version_of(&answer));
        if let Some(version) = &version {
            seen.watch(version, moment).await;
        }
        (answer, version, None)
    } else {
        // Read the state first: a tag that is older than its body costs one more 412; a newer one would let a
        // client destroy what it has not seen.
        let version = told(seen.current(seen.key()).await);
        parts.method = Method::GET;
        let answer = inner.call(Request::from_parts(parts, body)).await?;
        let answer = settings.hold(answer).await;
        let own = told(content_hash(&answer).map(Some));
        let variant = own.as_ref().map(|own| own[..8].to_owned());
        let version = version.filter(|_| is_whole(answer.status()) && own.is_some());
        let differs = version.as_ref().map(Version::revision) != own.as_ref();
        (answer, version, variant.filter(|_| differs))
    };
    let mut response = answer.map(Resumed::into_body);
    response.headers_mut().remove(ACCEPT_RANGES);
    if head_only {
        response = without_content(response);
    }
    let mut response = match version {
        Some(version) => mark(version, variant, response),
        None => untagged(response),
    };
    read::conclude(config, &reading, &mut response);
    observed.answered(config.tags.scope(), &response);
    Ok(response)
}

/// The version if it is known. If it is unknown and that is the service's fault, an event says so.
fn told<T>(known: Result<Option<T>, Unknown>) -> Option<T> {
    known.unwrap_or_else(|error| {
        if matches!(error, Unknown::Encoded) {
            tracing::error!(error = &error as &dyn Error, "a read is not tagged");
        } else {
            tracing::debug!(error = &error as &dyn Error, "a read is not tagged");
        }
        None
    })
}

/// Whether a response contains a whole representation.
fn is_whole(status: StatusCode) -> bool {
    status.is_success() && status != StatusCode::PARTIAL_CONTENT
}

fn mark<B>(
    version: Version<String>,
    variant: Option<String>,
    response: Response<B>,
) -> Response<B> {
    let versioned = Versioned::new(version, response);
    match variant {
        Some(variant) => versioned.with_variant(variant),
        None => versioned,
    }
    .into_response()
}

/// Removes a strong tag of the service itself, which would never satisfy a write.
fn untagged<B>(mut response: Response<B>) -> Response<B> {
    let own = response.headers().get(ETAG);
    if own.is_some_and(|tag| !tag.as_bytes().starts_with(b"W/")) && response.status().is_success() {
        response.headers_mut().remove(ETAG);
    }
    response
}

/// The response to a HEAD, made from the response to a GET.
fn without_content<B: Resumable>(mut response: Response<B>) -> Response<B> {
    if let Some(length) = response.body().size_hint().exact() {
        let fields = response.headers_mut();
        fields
            .entry(CONTENT_LENGTH)
            .or_insert_with(|| HeaderValue::from(length));
    }
    response.map(|_| B::from_text(Bytes::new()))
}

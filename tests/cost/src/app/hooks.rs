//! Our layer with your hooks and settings. Each hook does as little as it can, so what its row costs more than
//! `put minted` is what the layer does for it: what it takes from the head, and what is read from the store.

use std::hint::black_box;

use axum::body::Bytes;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode};
use tower_if_match::{Conflict, Denied, Policy, RefusalResponse, Refusals, Version};

use super::App;
use super::guarded::Guard;

/// What is set on the layer.
#[derive(Clone, Copy)]
pub(crate) enum Hooks {
    Authorization,
    ClientName,
    Response,
    Conflicts,
    /// Conflicts, and the hook that sees them first.
    Redaction,
    /// What `examples/posts` sets: a noun, the client's name, conflicts for everybody.
    AsPosts,
    All,
    ReportOnly,
}

impl App {
    /// Our layer with minted tags, and with these hooks or settings.
    pub(crate) fn hooked(hooks: Hooks) -> Self {
        Self::guarded_by::<false>(|methods, guard| methods.route_layer(hooks.set_on(guard)))
    }
}

impl Hooks {
    fn set_on(self, guard: Guard<false>) -> Guard<false> {
        let named = || Refusals::new().with_client_name(client_name);
        match self {
            Self::Authorization => guard.with_authorization(host, authorize),
            Self::ClientName => guard.with_refusals(named()),
            Self::Response => guard.with_refusals(Refusals::new().with_response(respond)),
            Self::Conflicts => guard.with_public_conflicts(),
            Self::Redaction => guard.with_public_conflicts().with_redaction(host, redact),
            Self::AsPosts => guard
                .with_refusals(named().with_noun("post").with_conflict_limit(64 * 1024))
                .with_public_conflicts(),
            Self::All => guard
                .with_authorization(host, authorize)
                .with_refusals(named().with_response(respond))
                .with_conflicts_for_authorized()
                .with_redaction(host, redact),
            Self::ReportOnly => guard.with_policy(Policy::new().with_report_only()),
        }
    }
}

/// One look at a field, as at a token or a session's cookie.
fn host(head: &Parts) -> HeaderValue {
    let host = head.headers.get(HOST).cloned();
    host.unwrap_or(HeaderValue::from_static(""))
}

fn authorize<K>(host: &HeaderValue, _: &K, _: Option<&Version>) -> Result<(), Denied> {
    if host.is_empty() {
        Err(StatusCode::FORBIDDEN.into())
    } else {
        Ok(())
    }
}

/// The text of a field that all requests have, so that one no-op row is beside all of them.
fn client_name(head: &Parts) -> Option<String> {
    Some(head.headers.get(HOST)?.to_str().ok()?.to_owned())
}

/// The layer's own response.
fn respond(refusal: RefusalResponse<'_>) -> Response<Bytes> {
    refusal.into_response()
}

fn redact<K>(_: &HeaderValue, _: &K, conflict: &mut Conflict) {
    black_box(conflict);
}

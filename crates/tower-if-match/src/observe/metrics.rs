use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use http::{Method, Request, Response, StatusCode};
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use super::Operation;
use crate::refusal::Reason;
use crate::refusal::Waived;
use crate::refusal::{Refusal, Refused};
use crate::tag::Scope;

const REQUESTS: &str = "if_match_requests_total";
const UNCONDITIONAL_WRITES: &str = "if_match_unconditional_writes_total";
const UNGUARDED_WRITES: &str = "if_match_unguarded_writes_total";
const STORE_SECONDS: &str = "if_match_store_seconds";
const LOCK_WAIT_SECONDS: &str = "if_match_lock_wait_seconds";

/// Registers the descriptions and units of the layers' metrics with the recorder of the `metrics` facade. Call it
/// once, after you have installed the recorder.
///
/// | metric | kind | labels | counts |
/// | --- | --- | --- | --- |
/// | `if_match_requests_total` | counter | `scope`, `route`, `method`, `outcome`, `reason` | requests that a layer answered or let pass, but for OPTIONS, TRACE and CONNECT |
/// | `if_match_unconditional_writes_total` | counter | `scope`, `route`, `method`, `client`, `mode` | writes that named no version: refused with 428 (`enforce`), or let go and reported (`report`) |
/// | `if_match_unguarded_writes_total` | counter | `scope`, `route`, `method`, `mode` | successes of handlers that did not say how their write ended |
/// | `if_match_store_seconds` | histogram | `scope`, `operation` | seconds that the store took: `current`, `open`, `settle`, `conflict` |
/// | `if_match_lock_wait_seconds` | histogram | `scope` | seconds that a write waited for others of this process that had its resource |
///
/// `outcome` is `passed`, `not_modified`, `refused` or `failed`, which is a status of 400 or above that does not come
/// from the layer. `reason` is that of the refusal, or `none`. `route` is axum's matched path, never the path that a
/// client sent, or `unknown`. `method` is `other` for methods that are not registered. `client` is the name from
/// [`with_client_name`](crate::Refusals::with_client_name), with at most 64 distinct names per layer. So the program
/// bounds the number of series, whatever clients send.
pub fn describe_metrics() {
    describe_counter!(REQUESTS, Unit::Count, "Requests by how they were answered");
    describe_counter!(
        UNCONDITIONAL_WRITES,
        Unit::Count,
        "Writes that named no version, by client"
    );
    describe_counter!(
        UNGUARDED_WRITES,
        Unit::Count,
        "Successes of handlers that did not say how their write ended"
    );
    describe_histogram!(STORE_SECONDS, Unit::Seconds, "Time that the store took");
    describe_histogram!(
        LOCK_WAIT_SECONDS,
        Unit::Seconds,
        "Time that writes waited for others of this process"
    );
}

/// What the labels need from a request's head.
#[derive(Debug)]
pub(crate) struct Observed {
    method: Option<&'static str>,
    route: Route,
}

impl Observed {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        Self {
            method: label_of(request.method()),
            route: route_of(request),
        }
    }

    /// Counts the request, if the layer handles its method.
    pub(crate) fn answered<B>(&self, scope: &Scope, response: &Response<B>) {
        let Some(method) = self.method else {
            return;
        };
        let label = || Arc::clone(scope.name());
        let route = || label_of_route(&self.route);
        let extensions = response.extensions();
        // A layer further in has already counted what it refused or waived.
        let refusal = extensions.get::<Refusal>();
        let refusal = refusal.filter(|refusal| refusal.scope() == &**scope.name());
        let reason = refusal.map(Refusal::reason);
        let outcome = match response.status() {
            _ if refusal.is_some() => "refused",
            StatusCode::NOT_MODIFIED => "not_modified",
            status if status.as_u16() >= 400 => "failed",
            _ => "passed",
        };
        counter!(
            REQUESTS,
            "scope" => label(), "route" => route(), "method" => method,
            "outcome" => outcome, "reason" => reason.map_or("none", Reason::as_str)
        )
        .increment(1);

        let refused = reason.map(|reason| {
            let client = extensions.get::<Refused>();
            let client = client.and_then(|refused| refused.client.clone());
            ("enforce", reason, client)
        });
        let waived = extensions.get::<Waived>();
        let waived = waived.filter(|waived| waived.scope == *scope.name());
        let waived = waived.into_iter().flat_map(|waived| {
            let reasons = waived.reasons.iter();
            reasons.map(|reason| ("report", *reason, waived.client.clone()))
        });
        for (mode, reason, client) in refused.into_iter().chain(waived) {
            match reason {
                Reason::MissingCondition => counter!(
                    UNCONDITIONAL_WRITES,
                    "scope" => label(), "route" => route(), "method" => method,
                    "client" => client.unwrap_or(Cow::Borrowed("unknown")), "mode" => mode
                )
                .increment(1),
                Reason::UnguardedWrite => counter!(
                    UNGUARDED_WRITES,
                    "scope" => label(), "route" => route(), "method" => method, "mode" => mode
                )
                .increment(1),
                _ => {}
            }
        }
    }
}

/// The name of a registered method, so that clients cannot invent labels. `None` for methods that the layer does
/// not handle.
fn label_of(method: &Method) -> Option<&'static str> {
    match method.as_str() {
        "OPTIONS" | "TRACE" | "CONNECT" => None,
        "GET" => Some("GET"),
        "HEAD" => Some("HEAD"),
        "POST" => Some("POST"),
        "PUT" => Some("PUT"),
        "DELETE" => Some("DELETE"),
        "PATCH" => Some("PATCH"),
        "QUERY" => Some("QUERY"),
        _ => Some("other"),
    }
}

#[cfg(feature = "axum")]
type Route = Option<axum::extract::MatchedPath>;

#[cfg(feature = "axum")]
fn route_of<B>(request: &Request<B>) -> Route {
    request.extensions().get().cloned()
}

#[cfg(feature = "axum")]
fn label_of_route(route: &Route) -> Cow<'static, str> {
    let path = route.as_ref().map(axum::extract::MatchedPath::as_str);
    path.map_or(Cow::Borrowed("unknown"), |path| Cow::Owned(path.to_owned()))
}

/// Without axum the route of a request is unknown.
#[cfg(not(feature = "axum"))]
type Route = ();

#[cfg(not(feature = "axum"))]
fn route_of<B>(_: &Request<B>) -> Route {}

#[cfg(not(feature = "axum"))]
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the same signature as with axum"
)]
fn label_of_route((): &Route) -> Cow<'static, str> {
    Cow::Borrowed("unknown")
}

/// The same future, which records its duration when it is ready.
pub(crate) async fn timed<F: Future>(scope: &Scope, operation: Operation, future: F) -> F::Output {
    let started = Instant::now();
    let output = future.await;
    let operation = match operation {
        Operation::Current => "current",
        Operation::Open => "open",
        Operation::Settle => "settle",
        Operation::Conflict => "conflict",
    };
    histogram!(STORE_SECONDS, "scope" => Arc::clone(scope.name()), "operation" => operation)
        .record(started.elapsed());
    output
}

/// The same future, which records how long it waited for others.
pub(crate) async fn waited<F: Future>(scope: &Scope, future: F) -> F::Output {
    let started = Instant::now();
    let output = future.await;
    histogram!(LOCK_WAIT_SECONDS, "scope" => Arc::clone(scope.name())).record(started.elapsed());
    output
}

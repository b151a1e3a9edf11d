//! The Tower stack of one request, from outside in: what is known from the head, the precondition
//! layer, the handler.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use http::request::Parts;
use http::{Method, Request, Response};
use tower::util::{Either, MapResponseLayer};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_if_match::version_store::handover::Mark;
use tower_if_match::{FindKey, Found, IfMatchLayer, Policy};

use crate::body::Observed;
use crate::handler::handle;
use crate::origin::{Content, resource_name};
use crate::outside::AnswerFromHead;
use crate::resource::{Phase, Resource, Script, Store};

/// Sends a request through the stack.
pub(crate) async fn answer(
    resource: &Arc<Resource>,
    guarded: bool,
    request: Request<Observed>,
) -> Response<Content> {
    let handler = {
        let resource = Arc::clone(resource);
        service_fn(move |request| handle(Arc::clone(&resource), request))
    };
    let precondition = if guarded {
        Either::Left(guard(resource, request.method()))
    } else {
        Either::Right(MapResponseLayer::new(unmarked))
    };
    let stack = ServiceBuilder::new()
        .layer(AnswerFromHead::new(resource.script().inner_in(Phase::Head)))
        .layer(precondition)
        .service(handler);
    let Ok(response): Result<_, Infallible> = stack.oneshot(request).await;
    response
}

/// The layer for the state that the resource is in. It is made anew for each request, because a
/// script may let its method create, whichever that is.
fn guard(resource: &Arc<Resource>, method: &Method) -> IfMatchLayer<Store, impl FindKey<String>> {
    let script: &Script = resource.script();
    let clock = script.clock;
    let layer = IfMatchLayer::new("conformance", Store(Arc::clone(resource)), find_name)
        .with_clock(move || clock.unwrap_or_else(SystemTime::now));
    match script.missing_creates {
        Some(_) => layer.with_policy(
            Policy::new().with_creating_methods(script.creates(method).then(|| method.clone())),
        ),
        None => layer,
    }
}

fn find_name(head: &Parts) -> Found<String> {
    match resource_name(head.uri.path()) {
        Some(name) => Found::Key(name.to_owned()),
        None => Found::NoResource,
    }
}

/// A read's answer as it is where no layer tags it.
fn unmarked(mut response: Response<Content>) -> Response<Content> {
    Mark::<u64>::take(&mut response);
    response
}

//! The handler: it runs, reads its body, and writes nothing.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower_if_match::{Expected, Versioned};

use crate::body::Observed;
use crate::origin::{Content, status};
use crate::resource::{Phase, Resource, Script, Store};

/// Answers a request, and says in `x-handler` that it ran.
pub(crate) async fn handle(
    resource: Arc<Resource>,
    request: Request<Observed>,
) -> Result<Response<Content>, Infallible> {
    resource.count_run();
    // A read is lent none, nor is anything where the layer was left out.
    if let Ok(expected) = Expected::<Store>::from_extensions(request.extensions()) {
        expected.unchanged();
    }
    let (head, body) = request.into_parts();
    let mut response = match read(body).await {
        Ok(()) => answer(resource.script(), &head.method),
        Err(_) => status(StatusCode::BAD_REQUEST),
    };
    response
        .headers_mut()
        .insert("x-handler", HeaderValue::from_static("ran"));
    Ok(response)
}

async fn read(mut body: Observed) -> hyper::Result<()> {
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(())
}

fn answer(script: &Script, method: &Method) -> Response<Content> {
    let reads = is_read(method);
    let absent = script.version.is_none();
    let outcome = match script.inner_in(Phase::Content) {
        Some(inner) => inner,
        None if absent && script.creates(method) => StatusCode::CREATED,
        None if absent => StatusCode::NOT_FOUND,
        None if reads => StatusCode::OK,
        None => StatusCode::NO_CONTENT,
    };
    let response = status(outcome);
    match &script.version {
        Some(version) if reads && outcome.is_success() => {
            let response = response.map(|_| Content::from("the representation\n"));
            Versioned::<_, u64>::new(version.clone(), response).into_response()
        }
        _ => response,
    }
}

fn is_read(method: &Method) -> bool {
    matches!(method.as_str(), "GET" | "HEAD" | "QUERY")
}

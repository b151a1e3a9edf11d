//! What a request is for: the control of a resource, or the resource.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use tower_if_match::http_precondition::{PROBLEM_JSON, Problem};

use crate::body::Observed;
use crate::resource::Resource;
use crate::{control, stack};

/// The body of every answer.
pub(crate) type Content = Full<Bytes>;

/// More than any state needs.
const MAX_CONTROL_BYTES: usize = 1 << 20;

/// All resources by name. A cheap handle.
#[derive(Clone)]
pub(crate) struct Origin {
    resources: Arc<RwLock<HashMap<String, Arc<Resource>>>>,
    guarded: bool,
}

impl Origin {
    /// An origin without any resource; `guarded` is whether the precondition layer stands in front.
    pub(crate) fn new(guarded: bool) -> Self {
        Self {
            resources: Arc::default(),
            guarded,
        }
    }

    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Content> {
        let request = request.map(Observed::new);
        let unread = request.body().unread();
        let mut response = self.route(request).await;
        if unread.is_unread() {
            // What is left of the body may still be on its way, and then the connection ends with
            // this answer. A client that did not know would send its next request into the close.
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn route(&self, request: Request<Observed>) -> Response<Content> {
        let path = request.uri().path();
        if let Some(name) = control_name(path).map(str::to_owned) {
            return match *request.method() {
                Method::PUT => self.set(name, request.into_body()).await,
                Method::GET => self.counts(&name),
                _ => method_not_allowed(),
            };
        }
        match resource_name(path).map(|name| self.resource(name)) {
            Some(Some(resource)) => {
                let request = request.map(|body| body.counted_by(&resource));
                stack::answer(&resource, self.guarded, request).await
            }
            Some(None) => not_found("No state was set for this name."),
            None => not_found("There is /r/NAME and /_control/NAME."),
        }
    }

    async fn set(&self, name: String, body: Observed) -> Response<Content> {
        let content = match Limited::new(body, MAX_CONTROL_BYTES).collect().await {
            Ok(content) => content.to_bytes(),
            Err(error) => return bad_request(&format!("the content cannot be read: {error}")),
        };
        match control::script(&content) {
            Ok(script) => {
                let resource = Arc::new(Resource::new(script));
                let mut resources = self
                    .resources
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                resources.insert(name, resource);
                status(StatusCode::NO_CONTENT)
            }
            Err(error) => bad_request(&error.to_string()),
        }
    }

    fn counts(&self, name: &str) -> Response<Content> {
        let Some(resource) = self.resource(name) else {
            return not_found("No state was set for this name.");
        };
        let counts = serde_json::json!({"runs": resource.runs(), "polled": resource.polled()});
        let mut response = Response::new(Full::from(counts.to_string()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }

    fn resource(&self, name: &str) -> Option<Arc<Resource>> {
        let resources = self
            .resources
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        resources.get(name).cloned()
    }
}

/// The NAME of `/r/NAME`, as it stands in the path.
pub(crate) fn resource_name(path: &str) -> Option<&str> {
    path.strip_prefix("/r/").filter(|name| !name.is_empty())
}

fn control_name(path: &str) -> Option<&str> {
    path.strip_prefix("/_control/")
        .filter(|name| !name.is_empty())
}

/// A response without a body.
pub(crate) fn status(status: StatusCode) -> Response<Content> {
    let mut response = Response::new(Content::default());
    *response.status_mut() = status;
    response
}

fn bad_request(text: &str) -> Response<Content> {
    let mut response = status(StatusCode::BAD_REQUEST);
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    *response.body_mut() = Full::from(format!("{text}\n"));
    response
}

fn method_not_allowed() -> Response<Content> {
    let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, PUT"));
    response
}

fn not_found(detail: &str) -> Response<Content> {
    let mut response = status(StatusCode::NOT_FOUND);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    let problem = Problem::new(StatusCode::NOT_FOUND, "Not Found").detail(detail);
    *response.body_mut() = Full::new(problem.into_json());
    response
}

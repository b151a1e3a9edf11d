//! P12: on the documented mount, what stands outside the layer answers the same, whatever the
//! request's conditions are.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Router, routing::get};

use tower_if_match::{Found, IfMatchLayer};

use crate::posts::{self, Answer, Posts, methods, posts, request, send};

const LIMIT: u64 = 1000;

async fn authentication(request: Request, next: Next) -> Response {
    match request.headers().get(AUTHORIZATION) {
        None => StatusCode::UNAUTHORIZED.into_response(),
        Some(who) if who == "nobody" => StatusCode::FORBIDDEN.into_response(),
        Some(_) => next.run(request).await,
    }
}

async fn declared_size(request: Request, next: Next) -> Response {
    let declared = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    if declared
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: u64| length > LIMIT)
    {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    next.run(request).await
}

async fn redirect(request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/old/") {
        return Redirect::permanent("/posts/7").into_response();
    }
    next.run(request).await
}

fn text_is_accepted(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .is_none_or(|accept| accept != "image/png")
}

async fn media_types(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !text_is_accepted(headers) {
        return StatusCode::NOT_ACCEPTABLE.into_response();
    }
    if headers
        .get(CONTENT_TYPE)
        .is_some_and(|sent| sent != "text/plain")
    {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    next.run(request).await
}

/// From outside in: redirects, authentication, declared size; routing and method; media type; the
/// layer; the handler.
fn mounted(posts: &Posts, guard: posts::Guard) -> Router {
    let resource = methods()
        .route_layer(guard)
        .route_layer(from_fn(media_types));
    Router::new()
        .route("/posts/{id}", resource)
        .route("/posts", get(async || "all"))
        .layer(from_fn(declared_size))
        .layer(from_fn(authentication))
        .layer(from_fn(redirect))
        .with_state(posts.clone())
}

/// The same mount with the layer outside of everything: the negative control.
fn mounted_wrongly(posts: &Posts, guard: posts::Guard) -> Router {
    let resource = methods().route_layer(from_fn(media_types));
    Router::new()
        .route("/posts/{id}", resource.layer(guard))
        .layer(from_fn(declared_size))
        .with_state(posts.clone())
}

struct Case {
    status: StatusCode,
    method: &'static str,
    path: &'static str,
    fields: &'static [(&'static str, &'static str)],
}

const CASES: [Case; 8] = [
    Case {
        status: StatusCode::UNAUTHORIZED,
        method: "PUT",
        path: "/posts/7",
        fields: &[],
    },
    Case {
        status: StatusCode::FORBIDDEN,
        method: "PUT",
        path: "/posts/7",
        fields: &[("authorization", "nobody")],
    },
    Case {
        status: StatusCode::NOT_FOUND,
        method: "PUT",
        path: "/nothing/7",
        fields: &[("authorization", "ada")],
    },
    Case {
        status: StatusCode::METHOD_NOT_ALLOWED,
        method: "PATCH",
        path: "/posts/7",
        fields: &[("authorization", "ada")],
    },
    Case {
        status: StatusCode::NOT_ACCEPTABLE,
        method: "PUT",
        path: "/posts/7",
        fields: &[("authorization", "ada"), ("accept", "image/png")],
    },
    Case {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        method: "PUT",
        path: "/posts/7",
        fields: &[("authorization", "ada"), ("content-length", "1001")],
    },
    Case {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        method: "PUT",
        path: "/posts/7",
        fields: &[("authorization", "ada"), ("content-type", "image/png")],
    },
    Case {
        status: StatusCode::PERMANENT_REDIRECT,
        method: "PUT",
        path: "/old/7",
        fields: &[("authorization", "ada")],
    },
];

async fn answers(
    app: &Router,
    case: &Case,
    fitting: &str,
) -> Vec<(StatusCode, HeaderMap, Vec<u8>)> {
    let mut answers = Vec::new();
    for condition in [
        None,
        Some(fitting),
        Some("\"v0-0123456789abcdef\""),
        Some("malformed"),
    ] {
        let mut request = request(case.method, case.path);
        for (name, value) in case.fields {
            request = request.header(*name, *value);
        }
        if let Some(tag) = condition {
            request = request.header(IF_MATCH, tag);
        }
        let Answer {
            status,
            headers,
            body,
        } = send(app, request.body(Body::empty()).unwrap()).await;
        answers.push((status, headers, body));
    }
    answers
}

#[tokio::test]
async fn outer_answers_do_not_depend_on_conditions() {
    let (posts, guard) = posts();
    let version = posts.get(&7).unwrap().version().clone();
    let fitting = guard.tags().tag(&7, &version).unwrap().to_string();
    let app = mounted(&posts, guard);
    for case in &CASES {
        let answers = answers(&app, case, &fitting).await;
        for answer in &answers {
            assert_eq!(answer.0, case.status);
            assert_eq!(answer, &answers[0], "{}", case.status);
        }
    }
    assert_eq!(posts.get(&7).unwrap().body(), "first");
}

#[tokio::test]
async fn where_the_layer_stands_outside_they_do() {
    let (posts, guard) = posts();
    let app = mounted_wrongly(&posts, guard);
    for case in &CASES {
        if !matches!(case.status.as_u16(), 405 | 406 | 415) {
            continue;
        }
        let answers = answers(&app, case, "\"x\"").await;
        assert!(
            answers.iter().any(|answer| answer.0 != case.status),
            "{}",
            case.status
        );
    }
}

/// The control for every case: outside of everything the layer answers first, and by the condition.
#[tokio::test]
async fn outside_of_everything_each_of_them_depends_on_conditions() {
    let (posts, inner) = posts();
    let key = |head: &Parts| match head.uri.path().rsplit('/').next().map(str::parse) {
        Some(Ok(id)) => Found::Key(id),
        _ => Found::Invalid,
    };
    let outside = IfMatchLayer::new("posts", posts.clone(), key);
    let app = mounted(&posts, inner).layer(outside);
    for case in &CASES {
        let statuses: Vec<_> = answers(&app, case, "\"x\"")
            .await
            .iter()
            .map(|answer| answer.0.as_u16())
            .collect();
        assert_eq!(statuses, [428, 412, 412, 400], "{}", case.status);
    }
}

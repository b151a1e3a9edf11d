//! The form of a refusal, and the owner's hand in it.

use axum::body::Body;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use tower_if_match::{Reason, Refusal, Refusals};

use crate::posts::{self, app, posts, request, send};

#[tokio::test]
async fn a_refusal_has_the_form_that_accept_asks_for() {
    let (posts, guard) = posts();
    let app = app(&posts, guard);
    let sent = |accept: &'static str| {
        let sent = request("PUT", "/posts/7").header("if-match", "\"v1-mine\"");
        let sent = sent.header("x-request-id", "id-1").header(ACCEPT, accept);
        sent.body(Body::from("content")).unwrap()
    };
    let problem = send(&app, sent("application/problem+json")).await;
    let json = send(&app, sent("application/json")).await;
    assert_eq!(json.field(CONTENT_TYPE), Some("application/json"));
    assert_eq!(json.body, problem.body, "another name for the same octets");
    let unknown = send(&app, sent("image/png")).await;
    assert_eq!(unknown.problem(), problem.problem());

    let text = send(&app, sent("text/plain")).await;
    assert_eq!(text.field(CONTENT_TYPE), Some("text/plain; charset=utf-8"));
    let tag = text.etag().unwrap().to_owned();
    assert_eq!(
        String::from_utf8(text.body.clone()).unwrap(),
        format!(
            "412 Precondition Failed: If-Match names no version that this service knows.\n\
             reason: unknown_tag\n\
             failed condition: If-Match\n\
             current etag: {tag}\n\
             request id: id-1\n"
        )
    );
    for answer in [problem, json, unknown, text] {
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(answer.field(CACHE_CONTROL), Some("no-store"));
        assert_eq!(answer.field(VARY), Some("accept"));
        assert_eq!(answer.etag(), Some(tag.as_str()));
    }
}

/// After the handler ran the form is that of the request's head, too.
#[tokio::test]
async fn a_lost_race_has_the_form_that_was_asked_for() {
    let (posts, guard) = posts();
    let lose = async |expected: tower_if_match::Expected<posts::Posts>| expected.lost();
    let app = posts::with_methods(&posts, guard, axum::routing::put(lose));
    let sent = request("PUT", "/posts/7").header("if-match", "*");
    let sent = sent.header(ACCEPT, "text/plain").body(Body::empty());
    let answer = send(&app, sent.unwrap()).await;
    assert!(answer.body.starts_with(b"412 Precondition Failed: Another"));
}

#[tokio::test]
async fn the_answer_to_a_head_has_the_length_of_its_form_and_no_content() {
    let (posts, guard) = posts();
    let app = app(&posts, guard);
    let sent = |method: &str| {
        let sent = request(method, "/posts/7").header("if-match", "\"other\"");
        let sent = sent.header(ACCEPT, "text/plain").body(Body::empty());
        send(&app, sent.unwrap())
    };
    let (get, head) = (sent("GET").await, sent("HEAD").await);
    assert!(!get.body.is_empty() && head.body.is_empty());
    assert_eq!(
        head.field(CONTENT_LENGTH),
        Some(get.body.len().to_string().as_str())
    );
    assert_eq!(head.field(CONTENT_TYPE), get.field(CONTENT_TYPE));
}

fn blind(path: &str) -> axum::http::Request<Body> {
    request("PUT", path).body(Body::from("content")).unwrap()
}

#[tokio::test]
async fn the_owner_extends_the_answer() {
    let (posts, guard) = posts();
    let guard = guard.with_refusals(Refusals::new().with_response(|answer| {
        let path = answer.path().to_owned();
        let help = json!({"page": format!("https://example.com{path}")});
        let mut response = answer.member("help", &help).into_response();
        response
            .headers_mut()
            .insert("x-support", HeaderValue::from_static("yes"));
        response
    }));
    let app = app(&posts, guard);
    let answer = send(&app, blind("/posts/7")).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(answer.headers["x-support"], "yes");
    let problem = answer.problem();
    assert_eq!(problem["help"]["page"], "https://example.com/posts/7");
    assert_eq!(problem["reason"], "missing_condition");
    let text = request("PUT", "/posts/7").header(ACCEPT, "text/plain");
    let text = send(&app, text.body(Body::empty()).unwrap()).await;
    assert!(text.body.starts_with(b"428 Precondition Required: "));
}

/// Also where the handler has had the head: after a lost race.
#[tokio::test]
async fn the_owner_replaces_the_answer() {
    let (posts, guard) = posts();
    let guard = guard.with_refusals(Refusals::new().with_response(|answer| {
        assert_eq!(answer.refusal().scope(), "posts");
        let text = format!("{} {}", answer.refusal().reason(), answer.method());
        let mut response = Response::new(text.into());
        *response.status_mut() = StatusCode::CONFLICT;
        response
    }));
    let lose = async |expected: tower_if_match::Expected<posts::Posts>| expected.lost();
    let methods = axum::routing::put(lose).get(posts::read);
    let app = posts::with_methods(&posts, guard, methods);
    let lost = posts::put(&app, "*", "content").await;
    let blind = send(&app, blind("/posts/7")).await;
    let read = request("HEAD", "/posts/7").header("if-match", "\"x\"");
    let read = send(&app, read.body(Body::empty()).unwrap()).await;
    let answers = [
        (&lost, &b"lost_race PUT"[..]),
        (&blind, b"missing_condition PUT"),
        (&read, b""),
    ];
    for (answer, text) in answers {
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert_eq!(answer.body, text);
        assert_eq!(answer.field(CACHE_CONTROL), Some("no-store"));
    }
    assert_eq!(read.field(CONTENT_LENGTH), Some("16"));
}

#[tokio::test]
async fn an_owner_who_says_how_long_an_answer_keeps_is_believed() {
    let (posts, guard) = posts();
    let guard = guard.with_refusals(Refusals::new().with_response(|answer| {
        let mut response = answer.into_response();
        let private = HeaderValue::from_static("private");
        response.headers_mut().insert(CACHE_CONTROL, private);
        response
    }));
    let answer = send(&app(&posts, guard), blind("/posts/7")).await;
    assert_eq!(answer.field(CACHE_CONTROL), Some("private"));
}

/// Nothing was written, and a client that is told otherwise has lost its update.
#[tokio::test]
async fn no_hook_makes_a_success_of_a_refusal() {
    for status in [100, 200, 204, 304, 399] {
        let (posts, guard) = posts();
        let guard = guard.with_refusals(Refusals::new().with_response(move |_| {
            let mut response = Response::new("all is well".into());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        }));
        let answer = send(&app(&posts, guard), blind("/posts/7")).await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_REQUIRED);
        assert_eq!(answer.reason(), "missing_condition");
    }
}

/// A layer outside learns the reason whatever the hook has made of the answer.
#[tokio::test]
async fn the_refusal_is_in_the_extensions_of_every_answer() {
    use tower::ServiceExt;
    let (posts, guard) = posts();
    let guard = guard.with_refusals(Refusals::new().with_response(|_| {
        let mut response = Response::new("no".into());
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response
    }));
    let answer = app(&posts, guard).oneshot(blind("/posts/7")).await.unwrap();
    let refusal = answer.extensions().get::<Refusal>().unwrap();
    assert_eq!(refusal.reason(), Reason::MissingCondition);
    assert_eq!(refusal.status(), StatusCode::PRECONDITION_REQUIRED);
}

/// The document is one JSON object whatever a hook adds.
#[tokio::test]
async fn what_a_hook_adds_is_escaped() {
    let (posts, guard) = posts();
    let guard = guard.with_refusals(Refusals::new().with_response(|answer| {
        let nasty = "\"},{\u{0}\n";
        answer.member("nasty \"", nasty).into_response()
    }));
    let problem: Value = send(&app(&posts, guard), blind("/posts/7")).await.problem();
    assert_eq!(problem["nasty \""], "\"},{\u{0}\n");
}

/// In front of a whole service it is the same hook.
#[tokio::test]
async fn the_owner_of_a_representation_layer_writes_the_answer() {
    use tower::Layer;
    let layer = tower_if_match::RepresentationLayer::new("notes").with_refusals(
        Refusals::new().with_response(|answer| answer.member("help", "yes").into_response()),
    );
    let service: axum::Router =
        axum::Router::new().route("/posts/7", axum::routing::get(async || "first"));
    let app = axum::Router::new().fallback_service(layer.layer(service));
    let answer = send(&app, blind("/posts/7")).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(answer.problem()["help"], "yes");
}

#[tokio::test]
async fn the_owner_says_it_in_other_words() {
    let (posts, guard) = posts();
    let guard = guard.with_refusals(Refusals::new().with_response(|answer| {
        assert!(answer.detail().starts_with("This request would overwrite"));
        let answer = answer.with_detail("Es fehlt eine Bedingung.");
        assert_eq!(answer.detail(), "Es fehlt eine Bedingung.");
        answer
            .member("help", "first")
            .member("help", "last")
            .into_response()
    }));
    let app = app(&posts, guard);
    let answer = send(&app, blind("/posts/7")).await;
    let problem = answer.problem();
    assert_eq!(problem["detail"], "Es fehlt eine Bedingung.");
    assert_eq!(problem["help"], "last");
    assert_eq!(problem["current_etag"], posts::get_tag(&app).await);
    let text = String::from_utf8(answer.body).unwrap();
    assert_eq!(text.matches("help").count(), 1, "{text}");

    let text = request("PUT", "/posts/7").header(ACCEPT, "text/plain");
    let text = send(&app, text.body(Body::empty()).unwrap()).await;
    assert!(
        text.body
            .starts_with(b"428 Precondition Required: Es fehlt eine Bedingung.\n")
    );
}

/// A document with one name twice is read in two ways.
#[tokio::test]
async fn a_hook_cannot_write_the_layers_own_members() {
    let plain = {
        let (posts, guard) = posts();
        send(&app(&posts, guard), blind("/posts/8")).await.body
    };
    let (posts, guard) = posts();
    let guard = guard.with_refusals(Refusals::new().with_response(|answer| {
        let names = ["type", "detail", "reason", "conflict", "current_etag"];
        let answer = names
            .into_iter()
            .fold(answer, |answer, name| answer.member(name, "mine"));
        answer.into_response()
    }));
    let answer = send(&app(&posts, guard), blind("/posts/8")).await;
    assert_eq!(answer.body, plain);
}

/// Copied from somewhere it would have the next answer on the connection begin within this one.
#[tokio::test]
async fn an_owners_answer_is_framed_by_the_server() {
    use axum::http::header::TRANSFER_ENCODING;
    for (name, value) in [(CONTENT_LENGTH, "3"), (TRANSFER_ENCODING, "chunked")] {
        let hook = {
            let name = name.clone();
            move |answer: tower_if_match::RefusalResponse<'_>| {
                let mut response = answer.into_response();
                let value = HeaderValue::from_static(value);
                response.headers_mut().insert(name.clone(), value);
                response
            }
        };
        let (posts, guard) = posts();
        let answer = send(
            &app(
                &posts,
                guard.with_refusals(Refusals::new().with_response(hook)),
            ),
            blind("/posts/7"),
        )
        .await;
        // axum measures it anew.
        let length = answer.body.len().to_string();
        assert_eq!(answer.field(CONTENT_LENGTH), Some(length.as_str()));
        assert_eq!(answer.field(TRANSFER_ENCODING), None);

        let (posts, guard) = posts::posts();
        let denying = guard.with_authorization(
            |_| (),
            move |(), _, _| {
                let denied = Response::builder().status(403).header(name.clone(), value);
                Err(denied.body("no".into()).unwrap().into())
            },
        );
        let answer = send(&app(&posts, denying), blind("/posts/7")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.field(CONTENT_LENGTH), Some("2"));
        assert_eq!(answer.field(TRANSFER_ENCODING), None);
    }
}

/// As with [`no_hook_makes_a_success_of_a_refusal`].
#[tokio::test]
async fn a_denial_is_no_success() {
    for (status, answered) in [(200, 500), (204, 500), (302, 302), (403, 403), (404, 404)] {
        let (posts, guard) = posts();
        let status = StatusCode::from_u16(status).unwrap();
        let guard = guard.with_authorization(|_| (), move |(), _, _| Err(status.into()));
        let answer = posts::put(&app(&posts, guard), "*", "second").await;
        assert_eq!(answer.status.as_u16(), answered);
        assert_eq!(*posts.get(&7).unwrap().body(), "first");
    }
}

//! What is required of which method.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::routing::{any, post};
use tower_if_match::{Demand, Expected, Policy, Version};

use crate::posts::{self, Answer, Posts, app, create, posts, request, send, with_methods};

async fn sent(app: &axum::Router, method: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = request(method, "/posts/7");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    send(app, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn every_method_that_is_not_known_to_be_safe_needs_a_condition() {
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, any(async || "ran").post(async || "ran"));
    // `any` is a fallback, and `route_layer` does not wrap it: this is about a named method.
    assert_eq!(
        sent(&app, "POST", &[]).await.status,
        StatusCode::PRECONDITION_REQUIRED
    );

    let (posts, guard) = posts::posts();
    let handler = async || "ran";
    let app = axum::Router::new()
        .route("/posts/{id}", any(handler).layer(guard))
        .with_state(posts);
    for method in ["PUT", "POST", "PATCH", "DELETE", "FOO", "put", "PROPPATCH"] {
        let answer = sent(&app, method, &[]).await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_REQUIRED, "{method}");
        assert_eq!(answer.reason(), "missing_condition");
    }
    for method in ["GET", "HEAD", "QUERY", "OPTIONS", "TRACE", "CONNECT"] {
        assert_eq!(
            sent(&app, method, &[]).await.status,
            StatusCode::OK,
            "{method}"
        );
    }
}

#[tokio::test]
async fn creating_needs_a_condition_too() {
    let (posts, guard) = posts();
    let app = app(&posts, guard);
    let blind = request("PUT", "/posts/8").body(Body::empty()).unwrap();
    let answer = send(&app, blind).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_REQUIRED);
    assert!(
        answer.problem()["detail"]
            .as_str()
            .unwrap()
            .contains("If-None-Match: *")
    );
    assert!(answer.problem().get("current_etag").is_none());
    assert_eq!(create(&app, "/posts/8", "new").await.status, StatusCode::OK);
    let again = create(&app, "/posts/8", "again").await;
    assert_eq!(
        (again.status, again.reason().as_str()),
        (StatusCode::PRECONDITION_FAILED, "exists")
    );
}

#[tokio::test]
async fn a_method_that_does_not_create_goes_through_to_404() {
    let (posts, guard) = posts();
    let methods = posts::methods().patch(posts::remove).post(posts::remove);
    let app = with_methods(&posts, guard, methods);
    for method in ["DELETE", "PATCH", "POST"] {
        for fields in [
            &[][..],
            &[("if-match", "\"x\"")],
            &[("if-match", "malformed")],
        ] {
            let mut sent = request(method, "/posts/8");
            for (name, value) in fields {
                sent = sent.header(*name, *value);
            }
            let answer = send(&app, sent.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
        }
    }
}

#[tokio::test]
async fn an_optional_condition_is_evaluated_where_it_is_sent() {
    let (posts, guard) = posts();
    let append = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        let demanded = matches!(expected.demand(), Demand::Any);
        posts
            .put("appended".to_owned(), expected)
            .map(|_| demanded.to_string())
    };
    let settled_by_nobody = async || "wrote blindly";
    let loosened = guard.with_policy(
        Policy::new()
            .with_condition_optional(Method::POST)
            .with_condition_exempt(Method::PATCH),
    );
    let app = with_methods(
        &posts,
        loosened.clone(),
        post(append).patch(append).get(posts::read),
    );
    for method in ["POST", "PATCH"] {
        let answer = sent(&app, method, &[]).await;
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (StatusCode::OK, b"true".as_slice())
        );
        assert!(
            answer.etag().is_some(),
            "no condition is needed, but a version is made"
        );
        let stale = sent(&app, method, &[("if-match", "\"x\"")]).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        let tag = posts::get_tag(&app).await;
        let fitting = sent(&app, method, &[("if-match", &tag)]).await;
        assert_eq!(fitting.body, b"false");
    }
    let unsettled = with_methods(
        &posts,
        loosened,
        post(settled_by_nobody).patch(settled_by_nobody),
    );
    for method in ["POST", "PATCH"] {
        assert_eq!(
            sent(&unsettled, method, &[]).await.reason(),
            "unguarded_write"
        );
    }
}

#[tokio::test]
async fn a_wildcard_can_be_refused() {
    let (posts, guard) = posts();
    let strict = app(
        &posts,
        guard
            .clone()
            .with_policy(Policy::new().with_wildcard_refused()),
    );
    assert_eq!(
        posts::put(&strict, "*", "x").await.status,
        StatusCode::PRECONDITION_REQUIRED
    );
    let plain = app(&posts, guard);
    assert_eq!(posts::put(&plain, "*", "x").await.status, StatusCode::OK);
}

#[tokio::test]
async fn which_methods_create_is_the_owners_to_say() {
    let (posts, guard) = posts();
    let patch = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        posts.put("created".to_owned(), expected).map(|_| ())
    };
    let guard = guard.with_policy(Policy::new().with_creating_methods([Method::PATCH]));
    let app = with_methods(&posts, guard, axum::routing::patch(patch).put(patch));
    let absent = |method: &str| request(method, "/posts/8").body(Body::empty()).unwrap();
    assert_eq!(
        send(&app, absent("PATCH")).await.status,
        StatusCode::PRECONDITION_REQUIRED
    );
    // PUT no longer creates: nothing is evaluated, so nothing may be written, whatever the handler does.
    for condition in ["\"x\"", "*"] {
        let sent = request("PUT", "/posts/9")
            .header("if-match", condition)
            .body(Body::empty());
        assert_eq!(
            send(&app, sent.unwrap()).await.status,
            StatusCode::NOT_FOUND
        );
    }
    assert!(posts.get(&9).is_none());
}

/// The same handler on PUT and PATCH, and a client whose resource was deleted meanwhile.
#[tokio::test]
async fn a_stale_patch_does_not_bring_a_deleted_resource_back() {
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, posts::methods().patch(posts::replace));
    let tag = posts::get_tag(&app).await;
    assert_eq!(
        sent(&app, "DELETE", &[("if-match", &tag)]).await.status,
        StatusCode::NO_CONTENT
    );
    for fields in [&[("if-match", tag.as_str())][..], &[("if-match", "*")], &[]] {
        assert_eq!(
            sent(&app, "PATCH", fields).await.status,
            StatusCode::NOT_FOUND
        );
    }
    assert!(posts.get(&7).is_none());
    // The negative control: PUT is a method that creates, and asks for the condition that says so.
    assert_eq!(
        create(&app, "/posts/7", "again").await.status,
        StatusCode::OK
    );
}

/// What was sent is held to, also where nothing had to be sent.
#[tokio::test]
async fn a_condition_that_was_sent_is_demanded_under_any_policy() {
    let demanded = async |expected: Expected<Posts>| {
        let demanded = format!("{:?}", expected.demand());
        expected.unchanged();
        demanded
    };
    let (posts, guard) = posts();
    let guard = guard.with_policy(
        Policy::new()
            .with_condition_optional(Method::PUT)
            .with_wildcard_refused(),
    );
    let app = with_methods(&posts, guard, axum::routing::put(demanded).get(posts::read));
    for (fields, demand) in [
        (&[("if-match", "*")][..], "Exists"),
        (
            &[("if-unmodified-since", "Fri, 31 Dec 2099 23:59:59 GMT")],
            "Version",
        ),
        (&[("if-none-match", "\"x\"")], "Any"),
        (&[], "Any"),
    ] {
        let answer = sent(&app, "PUT", fields).await;
        assert!(
            String::from_utf8(answer.body).unwrap().starts_with(demand),
            "{fields:?}"
        );
    }
}

/// An authorization hook does not change what is demanded.
#[tokio::test]
async fn an_exempt_write_to_an_absent_resource_may_create_it_with_and_without_a_hook() {
    let write = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        posts.put("x".to_owned(), expected).map(|_| ())
    };
    let (posts, guard) = posts();
    let guard = guard.with_policy(Policy::new().with_condition_exempt(Method::POST));
    for (id, guard) in [
        (8, guard.clone()),
        (9, guard.with_authorization(|_| (), |(), _, _| Ok(()))),
    ] {
        let app = with_methods(&posts, guard, post(write));
        let sent = request("POST", &format!("/posts/{id}"))
            .body(Body::empty())
            .unwrap();
        assert_eq!(send(&app, sent).await.status, StatusCode::OK);
    }
}

/// Exempt from the condition, not from the hook.
#[tokio::test]
async fn an_exempt_write_is_authorized_like_any_other() {
    let (posts, guard) = posts();
    let guard = guard
        .with_policy(Policy::new().with_condition_exempt(Method::PUT))
        .with_authorization(|_| (), |(), _, _| Err(StatusCode::FORBIDDEN.into()));
    let app = app(&posts, guard);
    assert_eq!(sent(&app, "PUT", &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(posts.get(&7).unwrap().body(), "first");
}

#[tokio::test]
async fn a_strict_owner_withholds_the_tag_of_a_transformed_put() {
    let (posts, guard) = posts();
    let strict = app(&posts, guard.clone().with_strict_put_validators());
    let tag = posts::get_tag(&strict).await;
    let answer = posts::put(&strict, &tag, "second").await;
    assert_eq!((answer.status, answer.etag()), (StatusCode::OK, None));

    let verbatim = async |expected: Expected<Posts>| expected.written_verbatim(Version::new(9));
    let app = with_methods(
        &posts,
        guard.with_strict_put_validators(),
        axum::routing::put(verbatim).get(posts::read),
    );
    let tag = posts::get_tag(&app).await;
    assert!(
        posts::put(&app, &tag, "x")
            .await
            .etag()
            .unwrap()
            .starts_with("\"v9-")
    );
}

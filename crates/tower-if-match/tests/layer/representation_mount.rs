//! Around a whole service, and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::routing::{MethodRouter, get};
use tower::{Layer, ServiceBuilder};
use tower_if_match::Policy;

use crate::representation::{ask, guard, legacy, tag_of};

/// One blind route, and how often its PUT ran.
fn blind() -> (MethodRouter, Arc<AtomicUsize>) {
    let writes = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&writes);
    let replace = async move || {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    (get(async || "state").put(replace), writes)
}

/// A method override inside would make another request of one that was not guarded.
#[tokio::test]
async fn a_method_override_inside_overrides_nothing() {
    let (route, writes) = blind();
    let route = route.options(async || "options").post(async || "post");
    let inner = Router::new().route("/posts/{id}", route);
    let overriding = tower::util::MapRequestLayer::new(|mut request: Request<Body>| {
        if let Some(method) = request.headers().get("x-http-method-override") {
            *request.method_mut() = method.to_str().unwrap().parse().unwrap();
        }
        request
    });
    // The control: by itself the override works.
    let bare = overriding.layer(inner.clone());
    let put = [("x-http-method-override", "PUT")];
    ask(&bare, "POST /posts/7", &put, "").await;
    assert_eq!(writes.swap(0, Ordering::Relaxed), 1);

    let guarded = guard()
        .with_policy(Policy::new().with_condition_exempt(Method::POST))
        .layer(overriding.layer(inner));
    for line in ["OPTIONS /posts/7", "POST /posts/7", "GET /posts/7"] {
        let answer = ask(&guarded, line, &put, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{line}");
        assert_eq!(writes.load(Ordering::Relaxed), 0, "{line}");
    }
}

#[tokio::test]
async fn inside_a_router_nothing_is_written() {
    type Mount = fn(MethodRouter) -> Router;
    let mounts: [(&str, Mount); 5] = [
        ("Router::layer", |route| {
            Router::new().route("/posts/{id}", route).layer(guard())
        }),
        ("Router::route_layer", |route| {
            Router::new()
                .route("/posts/{id}", route)
                .route_layer(guard())
        }),
        ("MethodRouter::layer", |route| {
            Router::new().route("/posts/{id}", route.layer(guard()))
        }),
        ("nested", |route| {
            let posts = Router::new().route("/{id}", route).layer(guard());
            Router::new().nest("/posts", posts)
        }),
        ("route_service", |route| {
            let posts = Router::new().route("/posts/{id}", route);
            Router::new().route_service("/posts/{id}", guard().layer(posts))
        }),
    ];
    for (mount, mounted) in mounts {
        let (route, writes) = blind();
        let app = mounted(route);
        for condition in [&[][..], &[("if-match", "*")], &[("if-none-match", "*")]] {
            let refused = ask(&app, "PUT /posts/7", condition, "").await;
            assert_eq!(
                (refused.status, refused.reason().as_str()),
                (StatusCode::INTERNAL_SERVER_ERROR, "unkeyed"),
                "{mount}"
            );
        }
        assert_eq!(writes.load(Ordering::Relaxed), 0, "{mount}");
        let read = ask(&app, "GET /posts/7", &[], "").await;
        assert_eq!((read.etag(), &*read.body), (None, &b"state"[..]), "{mount}");
    }
}

/// Why: the service that a layer on one handler asks for a GET is that handler.
#[tokio::test]
async fn a_handler_that_is_asked_for_a_get_runs() {
    let (_, texts) = legacy();
    let writer = texts.clone();
    let handler = tower::service_fn(move |_: axum::extract::Request| {
        writer.write(7, "written");
        async { Ok::<_, std::convert::Infallible>(axum::response::Response::default()) }
    });
    let app = guard().layer(handler);
    let refused = ask(&app, "PUT /posts/7", &[("if-match", "\"x\"")], "").await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(texts.text(7).as_deref(), Some("written"));
}

#[tokio::test]
async fn around_a_router_it_may_be_part_of_another() {
    let (posts, _) = legacy();
    let fallback: Router = Router::new().fallback_service(guard().layer(posts.clone()));
    let built: Router =
        Router::new().fallback_service(ServiceBuilder::new().layer(guard()).service(posts.clone()));
    for app in [fallback, built] {
        let tag = tag_of(&app, "/posts/7").await;
        let written = ask(&app, "PUT /posts/7", &[("if-match", &tag)], "second").await;
        assert_eq!(written.status, StatusCode::OK);
        let stale = ask(&app, "PUT /posts/7", &[("if-match", &tag)], "first").await;
        assert_eq!(stale.reason(), "stale_version");
        let fitting = [("if-match", stale.etag().unwrap())];
        ask(&app, "PUT /posts/7", &fitting, "first").await;
    }
}

/// A prefix that a nested router has taken off the URI still tells resources apart.
#[tokio::test]
async fn the_target_is_what_the_client_sent() {
    let (route, _) = blind();
    let posts: Router = Router::new().route("/posts/7", route);
    let app: Router = Router::new().nest_service("/{tenant}", guard().layer(posts));
    let of_ada = tag_of(&app, "/ada/posts/7").await;
    let of_bob = tag_of(&app, "/bob/posts/7").await;
    assert_ne!(of_ada, of_bob);
    let foreign = ask(&app, "PUT /bob/posts/7", &[("if-match", &of_ada)], "x").await;
    assert_eq!(foreign.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(foreign.problem()["instance"], "/bob/posts/7");
    let fitting = ask(&app, "PUT /bob/posts/7", &[("if-match", &of_bob)], "x").await;
    assert_eq!(fitting.status, StatusCode::OK);
}

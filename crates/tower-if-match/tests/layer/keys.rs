//! Which resource a request is for.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{any, get, post, put};
use tower_if_match::{
    Expected, Found, GuardedRoute, IfMatchLayer, Key, MemoryStore, PathKey, Policy,
};

use crate::posts::{self, Answer, Posts, app, methods, posts, read, replace, request, send};

#[tokio::test]
async fn all_spellings_of_an_id_are_one_resource() {
    let (posts, guard) = posts();
    let app = app(&posts, guard);
    let tag = posts::get_tag(&app).await;
    for spelling in ["/posts/7", "/posts/07", "/posts/%37", "/posts/+7"] {
        let get = request("GET", spelling).body(Body::empty()).unwrap();
        assert_eq!(
            send(&app, get).await.etag(),
            Some(tag.as_str()),
            "{spelling}"
        );
        let stale = request("PUT", spelling)
            .header("if-match", "\"x\"")
            .body(Body::empty());
        assert_eq!(
            send(&app, stale.unwrap()).await.reason(),
            "unknown_tag",
            "{spelling}"
        );
    }
}

/// The negative control: a key that is the text of the path makes one row several resources.
#[tokio::test]
async fn a_key_that_is_the_text_of_the_path_is_several_resources() {
    let (posts, _) = posts();
    let text = |head: &Parts| Found::Key(head.uri.path().len() as u64);
    let guard = IfMatchLayer::new("posts", posts.clone(), text);
    let app = Router::new()
        .route("/posts/{id}", get(read).route_layer(guard))
        .with_state(posts);
    let mut tags = Vec::new();
    for spelling in ["/posts/7", "/posts/07"] {
        let get = request("GET", spelling).body(Body::empty()).unwrap();
        tags.push(send(&app, get).await.etag().unwrap().to_owned());
    }
    assert_ne!(tags[0], tags[1]);
}

#[tokio::test]
async fn an_unreadable_id_goes_to_the_handler_which_refuses_it() {
    let (posts, guard) = posts();
    let app = app(&posts, guard);
    for method in ["GET", "PUT", "DELETE"] {
        for id in ["abc", "-1", "18446744073709551616", "%ff"] {
            let sent = request(method, &format!("/posts/{id}")).header("if-match", "*");
            let answer = send(&app, sent.body(Body::empty()).unwrap()).await;
            assert!(
                answer.status.is_client_error(),
                "{method} {id}: {}",
                answer.status
            );
            assert_ne!(answer.status, StatusCode::PRECONDITION_FAILED);
        }
    }
}

#[tokio::test]
async fn a_success_on_an_unreadable_id_is_an_unguarded_write() {
    for status in [StatusCode::OK, StatusCode::SEE_OTHER] {
        let (_, guard) = posts();
        let methods = put(async move || status).route_layer(guard);
        let app: Router = Router::new().route("/posts/{id}", methods);
        let answer = put_unreadable(&app).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.reason(), "unguarded_write");
        assert_eq!(answer.problem()["instance"], "/posts/abc");
    }
}

/// The negative control: what the handler refuses is its own answer.
#[tokio::test]
async fn a_refusal_on_an_unreadable_id_is_the_handlers() {
    let (_, guard) = posts();
    let by_its_path = put(async |Path(_): Path<u64>| "wrote").route_layer(guard);
    let app: Router = Router::new().route("/posts/{id}", by_its_path);
    let answer = put_unreadable(&app).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.starts_with(b"Invalid URL"));
}

async fn put_unreadable(app: &Router) -> Answer {
    let sent = request("PUT", "/posts/abc").header("if-match", "*");
    send(app, sent.body(Body::empty()).unwrap()).await
}

/// A key's own rules are the client's to keep, so breaking them is no fault of the route.
#[tokio::test]
async fn an_id_that_breaks_the_keys_own_rules_is_unreadable() {
    #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
    #[serde(try_from = "u64")]
    struct Even(u64);
    impl TryFrom<u64> for Even {
        type Error = &'static str;
        fn try_from(number: u64) -> Result<Self, Self::Error> {
            let even = number.is_multiple_of(2);
            even.then_some(Self(number)).ok_or("an odd number")
        }
    }
    impl tower_if_match::version_store::Key for Even {
        fn encode(&self, to: &mut tower_if_match::version_store::KeyEncoder) {
            to.unsigned(self.0);
        }
    }
    let store: MemoryStore<Even, String> = MemoryStore::new();
    let guard = IfMatchLayer::new("even", store.clone(), PathKey);
    let write = async move |expected: Expected<MemoryStore<Even, String>>| {
        store.put("x".to_owned(), expected).map(|_| ())
    };
    let app: Router = Router::new().route("/even/{id}", put(write).route_layer(guard));
    for (path, status) in [
        ("/even/8", StatusCode::OK),
        ("/even/7", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(posts::create(&app, path, "").await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_route_that_does_not_fit_the_key_does_not_write() {
    let (_, guard) = posts();
    let methods = || {
        put(async || "wrote")
            .get(async || "read")
            .route_layer(guard.clone())
    };
    let too_many: Router = Router::new().route("/users/{user}/posts/{id}", methods());
    let outside = Router::new()
        .route("/users/{user}/posts/{id}", put(async || "wrote"))
        .layer(guard.clone());
    for app in [too_many.clone(), outside] {
        let put = request("PUT", "/users/1/posts/7").header("if-match", "*");
        let answer = send(&app, put.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.reason(), "unkeyed");
    }
    let get = request("GET", "/users/1/posts/7")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        send(&too_many, get).await.status,
        StatusCode::OK,
        "a read does no harm"
    );
}

#[tokio::test]
async fn a_struct_key_finds_its_parameters_by_name() {
    #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
    struct Id {
        id: u64,
    }
    impl tower_if_match::version_store::Key for Id {
        fn encode(&self, to: &mut tower_if_match::version_store::KeyEncoder) {
            to.unsigned(self.id);
        }
    }
    let store: MemoryStore<Id, String> = MemoryStore::new();
    let guard = IfMatchLayer::new("posts", store.clone(), PathKey);
    let write = async move |expected: Expected<MemoryStore<Id, String>>| {
        store.put("x".to_owned(), expected).map(|_| ())
    };
    let app: Router = Router::new()
        .route("/right/{id}", put(write.clone()).route_layer(guard.clone()))
        .route("/wrong/{post}", put(write).route_layer(guard));
    assert_eq!(
        posts::create(&app, "/right/7", "").await.status,
        StatusCode::OK
    );
    let answer = posts::create(&app, "/wrong/7", "").await;
    assert_eq!(answer.reason(), "unkeyed");
    let unreadable = posts::create(&app, "/right/x", "").await;
    assert_eq!(unreadable.status, StatusCode::NOT_FOUND);
}

/// A key that no path can give is the owner's mistake, not the client's.
#[tokio::test]
async fn a_key_that_no_parameter_can_be_does_not_write() {
    #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
    struct Number {
        id: u64,
    }
    #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
    struct Nested {
        id: Number,
    }
    impl tower_if_match::version_store::Key for Nested {
        fn encode(&self, to: &mut tower_if_match::version_store::KeyEncoder) {
            to.unsigned(self.id.id);
        }
    }
    let store: MemoryStore<Nested, String> = MemoryStore::new();
    let guard = IfMatchLayer::new("nested", store, PathKey);
    let app: Router = Router::new().route("/posts/{id}", put(async || "x").route_layer(guard));
    let answer = posts::create(&app, "/posts/7", "").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.reason(), "unkeyed");
}

#[tokio::test]
async fn a_collection_needs_no_condition_and_fits_none() {
    let (posts, guard) = posts();
    let app = Router::new()
        .route(
            "/posts",
            post(async || "created")
                .get(async || "all")
                .route_layer(guard),
        )
        .with_state(posts);
    let sent = |name: &str, value: &str| {
        let request = request("POST", "/posts");
        let request = if name.is_empty() {
            request
        } else {
            request.header(name, value)
        };
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(send(&app, sent("", "")).await.status, StatusCode::OK);
    assert_eq!(
        send(&app, sent("if-none-match", "\"x\"")).await.status,
        StatusCode::OK
    );
    let oversized = format!("\"{}\"", "x".repeat(8200));
    for (name, value, status) in [
        ("if-match", "*", StatusCode::PRECONDITION_FAILED),
        ("if-match", "\"v1\"", StatusCode::PRECONDITION_FAILED),
        ("if-match", "", StatusCode::PRECONDITION_FAILED),
        ("if-none-match", "*", StatusCode::PRECONDITION_FAILED),
        ("if-match", "v1", StatusCode::BAD_REQUEST),
        ("if-none-match", "v1", StatusCode::BAD_REQUEST),
        ("if-match", &oversized, StatusCode::BAD_REQUEST),
        ("if-none-match", &oversized, StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(
            send(&app, sent(name, value)).await.status,
            status,
            "{name}: {value}"
        );
    }
}

#[tokio::test]
async fn an_owner_declares_what_is_not_its_resource() {
    let (posts, _) = posts();
    let finder = |head: &Parts| match head.uri.path().rsplit('/').next().unwrap().parse() {
        Ok(id) if id != 0 => Found::Key(id),
        Ok(_) => Found::NoResource,
        Err(_) => Found::Invalid,
    };
    let guard = IfMatchLayer::new("posts", posts.clone(), finder);
    let app = Router::new()
        .route(
            "/posts/{id}",
            put(async || "x").get(read).route_layer(guard),
        )
        .with_state(posts);
    let put = |id: u64| {
        request("PUT", &format!("/posts/{id}"))
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(send(&app, put(0)).await.status, StatusCode::OK);
    assert_eq!(
        send(&app, put(7)).await.status,
        StatusCode::PRECONDITION_REQUIRED
    );
}

/// `route_layer` wraps what was there before it. This shows what the documentation warns of, and that
/// `guarded_route` closes it.
#[tokio::test]
async fn a_fallback_runs_unguarded_unless_the_route_is_added_as_a_whole() {
    let (posts, guard) = posts();
    let blind = async |Path(_): Path<u64>| "wrote blindly";
    let patch = || request("PATCH", "/posts/7").body(Body::empty()).unwrap();

    let open = Router::new()
        .route(
            "/posts/{id}",
            methods().route_layer(guard.clone()).fallback(blind),
        )
        .with_state(posts.clone());
    assert_eq!(
        send(&open, patch()).await.status,
        StatusCode::OK,
        "the trap"
    );

    for methods in [methods().fallback(blind), any(blind).put(replace)] {
        let closed = Router::new()
            .guarded_route("/posts/{id}", methods, guard.clone())
            .with_state(posts.clone());
        let answer = send(&closed, patch()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    let closed = Router::new()
        .guarded_route("/posts/{id}", get(read).put(replace), guard)
        .with_state(posts);
    let answer = send(&closed, patch()).await;
    assert_eq!(
        answer.field(axum::http::header::ALLOW),
        Some("GET,HEAD,PUT")
    );
    let put = request("PUT", "/posts/7").body(Body::empty()).unwrap();
    assert_eq!(
        send(&closed, put).await.status,
        StatusCode::PRECONDITION_REQUIRED
    );
}

#[tokio::test]
async fn two_layers_of_different_stores_nest() {
    let (posts, outer) = posts();
    let drafts: MemoryStore<u64, u8> = MemoryStore::new();
    let inner = IfMatchLayer::new("drafts", drafts.clone(), PathKey)
        .with_policy(Policy::new().with_condition_optional(axum::http::Method::PUT));
    let both = async move |post: Expected<Posts>, draft: Expected<MemoryStore<u64, u8>>| {
        drop(drafts.put(1, draft));
        posts.put("published".to_owned(), post).map(|_| ())
    };
    let app: Router = Router::new().route(
        "/posts/{id}",
        put(both).route_layer(inner).route_layer(outer),
    );
    let answer = posts::put(&app, "*", "").await;
    // The inner one's store has no such draft, and `*` demands that one exists.
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    let answer = posts::create(&app, "/posts/8", "").await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// Derived through the layer, by who depends on nothing else of ours; read from the path like a tuple.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Deserialize, Key)]
struct PageId {
    book: uuid::Uuid,
    page: u32,
}

#[tokio::test]
async fn a_struct_and_a_uuid_are_keys() {
    type Pages = MemoryStore<PageId, &'static str>;
    let pages = Pages::new();
    let book = uuid::Uuid::from_u128(7);
    pages.create(PageId { book, page: 1 }, "first").unwrap();
    let guard = IfMatchLayer::new("pages", pages.clone(), PathKey);
    let write = async |expected: Expected<Pages>| {
        assert_eq!(expected.key().page, 1);
        expected.unchanged();
    };
    let app: Router =
        Router::new().route("/books/{book}/pages/{page}", put(write).route_layer(guard));
    for (path, status) in [
        (format!("/books/{book}/pages/1"), 200),
        // Another spelling of it.
        (format!("/books/{}/pages/01", book.simple()), 200),
        (format!("/books/{book}/pages/2"), 412),
        ("/books/seven/pages/1".to_owned(), 404),
    ] {
        let sent = request("PUT", &path).header("if-match", "*");
        let answer = send(&app, sent.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
}

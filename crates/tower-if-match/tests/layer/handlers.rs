//! What becomes of handlers that do as they like with `Expected`.

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, put};
use axum::{Extension, Json};
use tokio::sync::oneshot;
use tower_if_match::version_store::handover::Slot;
use tower_if_match::{Demand, Expected, Lost, Refusal, Version, Versioned, WriteError};

use crate::posts::{self, Answer, Posts, methods, posts, read, request, send, with_methods};

/// Writes past every condition, as a handler with SQL of its own can.
fn write_blindly(posts: &Posts) {
    let anything = Slot::new(7, Demand::Any).take().unwrap();
    posts.put("blindly".to_owned(), anything).unwrap();
}

/// A PUT with the right tag to a route with this handler.
async fn put_to(methods: MethodRouter<Posts>) -> (Posts, Answer) {
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, methods.get(read));
    let tag = posts::get_tag(&app).await;
    let answer = posts::put(&app, &tag, "second").await;
    (posts, answer)
}

fn assert_found_out(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.reason(), "unguarded_write");
    assert!(
        answer.problem()["detail"]
            .as_str()
            .unwrap()
            .contains("may have happened")
    );
    assert_eq!(answer.etag(), None);
}

#[tokio::test]
async fn one_that_ignores_expected_gets_no_success() {
    let handler = async |State(posts): State<Posts>| write_blindly(&posts);
    let (posts, answer) = put_to(put(handler)).await;
    assert_found_out(&answer);
    assert_eq!(
        posts.get(&7).unwrap().body(),
        "blindly",
        "found out, not undone"
    );
}

#[tokio::test]
async fn one_that_takes_it_and_writes_blindly_gets_no_success() {
    let handler = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        write_blindly(&posts);
        drop(expected);
    };
    assert_found_out(&put_to(put(handler)).await.1);
}

#[tokio::test]
async fn one_that_answers_303_after_a_blind_write_gets_no_success() {
    let handler = async |State(posts): State<Posts>| {
        write_blindly(&posts);
        Redirect::to("/posts/7")
    };
    assert_found_out(&put_to(put(handler)).await.1);
}

#[tokio::test]
async fn one_that_answers_202_after_a_blind_write_gets_no_success() {
    let handler = async |State(posts): State<Posts>, _: Expected<Posts>| {
        write_blindly(&posts);
        StatusCode::ACCEPTED
    };
    assert_found_out(&put_to(put(handler)).await.1);
}

#[tokio::test]
async fn one_that_moves_the_write_into_a_task_gets_no_success() {
    let (go, gone) = oneshot::channel::<()>();
    let (done, finished) = oneshot::channel::<bool>();
    let channels = std::sync::Arc::new(std::sync::Mutex::new(Some((gone, done))));
    let handler = async move |State(posts): State<Posts>, expected: Expected<Posts>| {
        let (gone, done) = channels.lock().unwrap().take().unwrap();
        tokio::spawn(async move {
            gone.await.unwrap();
            done.send(posts.put("later".to_owned(), expected).is_ok())
                .unwrap();
        });
        StatusCode::ACCEPTED
    };
    let (posts, answer) = put_to(put(handler)).await;
    assert_found_out(&answer);
    go.send(()).unwrap();
    assert!(
        finished.await.unwrap(),
        "the condition still holds in the task, so it writes"
    );
    assert_eq!(posts.get(&7).unwrap().body(), "later");
}

#[tokio::test]
async fn one_whose_store_fails_says_503_and_keeps_what_the_store_said() {
    let handler = async |_: Expected<Posts>| WriteError::Backend("password=hunter2");
    let (posts, answer) = put_to(put(handler)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.field(RETRY_AFTER), Some("1"));
    assert_eq!(answer.field(CACHE_CONTROL), Some("no-store"));
    assert_eq!(answer.problem()["status"], 503);
    assert!(!String::from_utf8(answer.body).unwrap().contains("hunter2"));
    assert_eq!(posts.get(&7).unwrap().body(), "first");
}

/// What cannot be detected, as the documentation says: a lie.
#[tokio::test]
async fn one_that_writes_blindly_and_says_written_is_believed() {
    let handler = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        write_blindly(&posts);
        expected.written(Version::new(99));
    };
    assert_eq!(put_to(put(handler)).await.1.status, StatusCode::OK);
}

#[tokio::test]
async fn one_that_refuses_by_itself_need_not_settle() {
    let untaken = put(async || StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        put_to(untaken).await.1.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let bad_request = put(async || StatusCode::BAD_REQUEST);
    assert_eq!(put_to(bad_request).await.1.status, StatusCode::BAD_REQUEST);
    let taken = put(async |_: Expected<Posts>| StatusCode::CONFLICT);
    assert_eq!(put_to(taken).await.1.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn one_that_settles_as_unchanged_answers_without_a_tag() {
    let handler = async |expected: Expected<Posts>| {
        expected.unchanged();
        ([("etag", "\"of the handler\"")], "nothing to do")
    };
    let answer = put_to(put(handler)).await.1;
    assert_eq!((answer.status, answer.etag()), (StatusCode::OK, None));
}

#[tokio::test]
async fn one_that_redirects_after_its_write_names_no_version() {
    let handler = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        posts.put("second".to_owned(), expected)?;
        Ok::<_, Lost>(([("etag", "\"of the handler\"")], Redirect::to("/posts/7")))
    };
    let (posts, answer) = put_to(put(handler)).await;
    assert_eq!(
        (answer.status, answer.etag()),
        (StatusCode::SEE_OTHER, None)
    );
    assert_eq!(posts.get(&7).unwrap().body(), "second");
}

#[tokio::test]
async fn the_tag_of_a_write_is_the_layers_not_the_handlers() {
    let handler = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        posts.put("second".to_owned(), expected)?;
        Ok::<_, Lost>(([("etag", "\"of the handler\"")], "second"))
    };
    let (_, answer) = put_to(put(handler)).await;
    assert!(answer.etag().unwrap().starts_with("\"v2-"));
}

/// Whatever a handler makes of `Lost`, the answer is the one that a later request would have got.
#[tokio::test]
async fn lost_survives_every_error_type() {
    #[derive(Debug)]
    struct AppError;
    impl From<Lost> for AppError {
        fn from(_: Lost) -> Self {
            Self
        }
    }
    impl IntoResponse for AppError {
        fn into_response(self) -> Response {
            (StatusCode::IM_A_TEAPOT, "an error type that knows nothing").into_response()
        }
    }
    fn overtaken(posts: &Posts, expected: Expected<Posts>) -> Result<(), Lost> {
        write_blindly(posts);
        posts.put("second".to_owned(), expected).map(|_| ())
    }
    let mapped = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        overtaken(&posts, expected).map_err(AppError::from)
    };
    let swallowed = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        overtaken(&posts, expected).ok();
        "fine"
    };
    let in_a_tuple = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        let lost = overtaken(&posts, expected).unwrap_err();
        (StatusCode::CREATED, [("x", "y")], lost.to_string())
    };
    for methods in [put(mapped), put(swallowed), put(in_a_tuple)] {
        let (posts, answer) = put_to(methods).await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(answer.reason(), "stale_version");
        assert!(
            answer.etag().unwrap().starts_with("\"v2-"),
            "the current tag, not the sent one"
        );
        assert_eq!(posts.get(&7).unwrap().body(), "blindly");
    }
}

/// What middleware between the layer and the handler sees of it.
#[tokio::test]
async fn lost_is_a_412_before_the_layer_replaces_it() {
    let lost = Slot::<Expected<Posts>>::new(7, Demand::Any)
        .take()
        .unwrap()
        .lost();
    for response in [
        lost.clone().into_response(),
        WriteError::<Lost>::from(lost).into_response(),
    ] {
        let answer = Answer::of(response).await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(answer.problem()["status"], 412);
    }
}

#[tokio::test]
async fn the_settlement_survives_middleware_that_rebuilds_the_response() {
    let (posts, guard) = posts();
    let rebuild = axum::middleware::map_response(async |response: Response| {
        let (parts, body) = response.into_parts();
        let mut rebuilt = Response::new(body);
        *rebuilt.status_mut() = parts.status;
        rebuilt
    });
    let app = with_methods(&posts, guard, put(posts::replace).layer(rebuild).get(read));
    let tag = posts::get_tag(&app).await;
    let answer = posts::put(&app, &tag, "second").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.etag().unwrap().starts_with("\"v2-"));
}

#[tokio::test]
async fn under_a_wildcard_a_lost_race_is_named_so() {
    let handler = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        let read = posts.get(&7).unwrap();
        let expected = expected.require_version(read.version())?;
        write_blindly(&posts);
        posts.put("patched".to_owned(), expected).map(|_| ())
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, put(handler));
    let answer = posts::put(&app, "*", "").await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(answer.reason(), "lost_race");
    assert!(answer.etag().unwrap().starts_with("\"v2-"));
    assert_eq!(answer.problem()["current_etag"].as_str(), answer.etag());
}

/// A condition that holds afresh is a lost race, of a method that creates and of one that does not.
#[tokio::test]
async fn a_race_that_is_lost_is_named_so_whether_the_method_creates_or_not() {
    let overtaken = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        write_blindly(&posts);
        expected.lost()
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, put(overtaken).patch(overtaken));
    for (method, path, condition, tagged) in [
        ("PATCH", "/posts/7", "if-match", true),
        ("PUT", "/posts/7", "if-match", true),
        // Created by someone else, and removed again.
        ("PUT", "/posts/8", "if-none-match", false),
    ] {
        let sent = request(method, path).header(condition, "*");
        let answer = send(&app, sent.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(answer.reason(), "lost_race", "{method} {path}");
        assert_eq!(answer.etag().is_some(), tagged);
    }
}

#[tokio::test]
async fn a_target_that_vanishes_before_the_write_is_404_where_the_method_would_not_create() {
    let handler = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        let anything = Slot::new(7, Demand::Any).take().unwrap();
        posts.remove(anything).unwrap();
        posts.put("second".to_owned(), expected).map(|_| ())
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, put(handler).patch(handler).get(read));
    let tag = posts::get_tag(&app).await;
    let patch = request("PATCH", "/posts/7")
        .header("if-match", &tag)
        .body(Body::empty())
        .unwrap();
    let answer = send(&app, patch).await;
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (StatusCode::NOT_FOUND, "absent")
    );
    assert_eq!(answer.problem()["status"], 404);
    assert_eq!(answer.problem()["error"], "not_found");
    assert_eq!(answer.etag(), None);

    posts.create(7, "again".to_owned());
    let tag = posts::get_tag(&app).await;
    let answer = posts::put(&app, &tag, "").await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!((answer.reason().as_str(), answer.etag()), ("absent", None));
}

#[tokio::test]
async fn a_row_that_appears_in_between_is_not_written_by_a_method_that_does_not_create() {
    let handler = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        posts.create(8, "appeared".to_owned());
        posts.put("patched".to_owned(), expected).map(|_| ())
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, axum::routing::patch(handler));
    let patch = request("PATCH", "/posts/8")
        .header("if-match", "\"x\"")
        .body(Body::empty());
    let answer = send(&app, patch.unwrap()).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(posts.get(&8).unwrap().body(), "appeared");
}

#[tokio::test]
async fn a_row_that_appears_in_between_is_not_overwritten_by_what_would_create_it() {
    let handler = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        posts.create(8, "appeared".to_owned());
        posts.put("mine".to_owned(), expected).map(|_| ())
    };
    let (posts, guard) = posts();
    let app = with_methods(&posts, guard, put(handler));
    let answer = posts::create(&app, "/posts/8", "").await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(answer.reason(), "exists");
    assert_eq!(posts.get(&8).unwrap().body(), "appeared");
}

#[tokio::test]
async fn expected_without_its_layer_is_500_and_names_the_store() {
    let (posts, _) = posts();
    let app = axum::Router::new()
        .route("/posts/{id}", methods())
        .with_state(posts.clone());
    let answer = posts::put(&app, "*", "x").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        answer.problem()["detail"]
            .as_str()
            .unwrap()
            .contains("MemoryStore<u64")
    );
    assert_eq!(posts.get(&7).unwrap().body(), "first");
}

#[tokio::test]
async fn expected_is_taken_once() {
    let handler = async |_first: Expected<Posts>, _second: Expected<Posts>| {};
    let answer = put_to(put(handler)).await.1;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        answer.problem()["detail"]
            .as_str()
            .unwrap()
            .contains("extracted twice")
    );
}

#[tokio::test]
async fn a_versioned_answer_without_a_layer_does_not_go_out_quietly() {
    let app: axum::Router = axum::Router::new().route(
        "/",
        get(async || Versioned::new(Version::new(1_u64), Json("untagged"))),
    );
    let answer = send(&app, request("GET", "/").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_refusal_travels_in_the_extensions() {
    let (posts, guard) = posts();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(None::<Refusal>));
    let app = posts::app(&posts, guard)
        .layer(axum::middleware::map_response(
            async |Extension(seen): Extension<
                std::sync::Arc<std::sync::Mutex<Option<Refusal>>>,
            >,
                   response: Response| {
                *seen.lock().unwrap() = response.extensions().get::<Refusal>().cloned();
                response
            },
        ))
        .layer(Extension(std::sync::Arc::clone(&seen)));
    posts::put(&app, "\"v1\"", "x").await;
    let refusal = seen.lock().unwrap().clone().unwrap();
    assert_eq!(refusal.reason(), tower_if_match::Reason::UnknownTag);
    assert_eq!(refusal.reason().to_string(), "unknown_tag");
    assert_eq!(refusal.status(), StatusCode::PRECONDITION_FAILED);
    assert!(refusal.current_tag().is_some());
}

/// The negative control of [`lost_survives_every_error_type`]: what a handler does not settle as lost
/// goes out as it is.
#[tokio::test]
async fn a_refusal_that_is_not_settled_as_lost_is_the_handlers() {
    let handler = async |_: Expected<Posts>| (StatusCode::IM_A_TEAPOT, "own");
    let answer = put_to(put(handler)).await.1;
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (StatusCode::IM_A_TEAPOT, b"own".as_slice())
    );
}

#[tokio::test]
async fn a_status_that_is_set_after_versioned_stays() {
    let gone = async |State(posts): State<Posts>| (StatusCode::GONE, posts.get(&7).unwrap());
    let (posts, guard) = posts();
    let get_seven = || request("GET", "/posts/7").body(Body::empty()).unwrap();
    let app = with_methods(&posts, guard.clone(), get(gone));
    let answer = send(&app, get_seven()).await;
    assert_eq!((answer.status, answer.etag()), (StatusCode::GONE, None));
    let busy = async |State(posts): State<Posts>| {
        (StatusCode::SERVICE_UNAVAILABLE, posts.get(&7).unwrap())
    };
    let app = with_methods(&posts, guard.clone(), get(busy));
    assert_eq!(
        send(&app, get_seven()).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );

    let forbid = axum::middleware::map_response(async |response: Response| {
        let (mut parts, _) = response.into_parts();
        parts.status = StatusCode::FORBIDDEN;
        Response::from_parts(parts, Body::from("forbidden"))
    });
    let app = with_methods(&posts, guard, get(read).layer(forbid));
    let answer = send(&app, get_seven()).await;
    assert_eq!(
        (answer.status, answer.etag()),
        (StatusCode::FORBIDDEN, None)
    );
}

#[tokio::test]
async fn a_versioned_answer_of_what_has_no_key_fails_whatever_its_status() {
    let create = async |State(posts): State<Posts>| (StatusCode::CREATED, posts.get(&7).unwrap());
    let (posts, guard) = posts();
    let app = axum::Router::new()
        .route("/posts", axum::routing::post(create).route_layer(guard))
        .with_state(posts);
    let answer = send(&app, request("POST", "/posts").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

/// The tag names what this write made; the body must be of that, or the tag stays out.
#[tokio::test]
async fn a_body_of_a_version_that_came_after_the_write_goes_out_untagged() {
    let write = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        posts.put("mine".to_owned(), expected)?;
        let mine = posts.get(&7).unwrap();
        write_blindly(&posts);
        let theirs = posts.get(&7).unwrap();
        Ok::<_, Lost>(if theirs.body() == "blindly" {
            theirs
        } else {
            mine
        })
    };
    let answer = put_to(put(write)).await.1;
    assert_eq!((answer.status, answer.etag()), (StatusCode::OK, None));

    let honest = async |State(posts): State<Posts>, expected: Expected<Posts>| {
        posts.put("mine".to_owned(), expected)?;
        Ok::<_, Lost>(posts.get(&7).unwrap())
    };
    let answer = put_to(put(honest)).await.1;
    assert!(answer.etag().unwrap().starts_with("\"v2-"));
}

#[tokio::test]
async fn a_tag_on_a_writes_refusal_is_not_the_handlers() {
    let handler = async || (StatusCode::CONFLICT, [("etag", "\"made up\"")]);
    let answer = put_to(put(handler)).await.1;
    assert_eq!((answer.status, answer.etag()), (StatusCode::CONFLICT, None));
}

/// Two layers that lend the same handler an `Expected` of one type: the inner one would hide the outer.
#[tokio::test]
async fn a_route_that_is_guarded_twice_does_not_write() {
    let (posts, guard) = posts();
    let twice = put(posts::replace)
        .get(read)
        .route_layer(guard.clone())
        .route_layer(guard);
    let app = axum::Router::new()
        .route("/posts/{id}", twice)
        .with_state(posts.clone());
    let answer = posts::put(&app, "*", "second").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(posts.get(&7).unwrap().body(), "first");
}

//! 404 and 405: what is the same whatever conditions a request bears.

use wire::Request;

use crate::api::{Api, problem, put};

on_every_store!(
    no_such_resource,
    no_such_method,
    a_refused_request_is_not_read,
);

const CONDITIONS: [Option<&str>; 4] = [None, Some("*"), Some("\"x\""), Some("x")];

fn under(request: &Request, condition: Option<&str>) -> Request {
    condition.map_or(request.clone(), |value| {
        request.clone().field("If-Match", value)
    })
}

async fn no_such_resource(api: Api) {
    for target in [
        "/nowhere",
        "/api",
        "/api/posts/",
        "/api/posts/1/",
        "/api/posts/1/comments",
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            for condition in CONDITIONS {
                let refused = api
                    .send(&under(&Request::new(method, target), condition))
                    .await;
                let problem = problem(&refused, 404, "not_found");
                assert_eq!(problem["instance"], target);
                assert_eq!(problem["type"], "about:blank");
            }
        }
    }
}

async fn no_such_method(api: Api) {
    let (target, _) = api.post(r#"{"title":"a"}"#).await;
    for (method, target, allowed) in [
        (
            "POST",
            &*target,
            &["GET", "HEAD", "PUT", "PATCH", "DELETE"][..],
        ),
        ("BREW", &*target, &["GET", "HEAD", "PUT", "PATCH", "DELETE"]),
        ("PUT", "/api/posts", &["GET", "HEAD", "POST"]),
        ("DELETE", "/api/posts", &["GET", "HEAD", "POST"]),
        ("POST", "/healthz", &["GET", "HEAD"]),
    ] {
        for condition in CONDITIONS {
            let refused = api
                .send(&under(&Request::new(method, target), condition))
                .await;
            problem(&refused, 405, "method_not_allowed");
            let mut told: Vec<_> = refused
                .header("allow")
                .unwrap()
                .split(',')
                .map(str::trim)
                .collect();
            let mut allowed = allowed.to_vec();
            told.sort_unstable();
            allowed.sort_unstable();
            assert_eq!(told, allowed, "{method} {target}");
        }
    }
}

/// Nothing asks for the body of a request that is refused by its head.
async fn a_refused_request_is_not_read(api: Api) {
    let (target, held) = api.post(r#"{"title":"a"}"#).await;
    let withheld = |request: Request| {
        let content = br#"{"title":"b"}"#.to_vec();
        request
            .field("Content-Type", "application/json")
            .body(wire::Body::ExpectContinue(content))
    };
    let write = || Request::new("PUT", &*target);
    for (request, status) in [
        (withheld(write()), 428),
        (withheld(write().field("If-Match", "\"x\"")), 412),
        (withheld(write().field("If-Match", "x")), 400),
    ] {
        let refused = api.send(&request).await;
        assert_eq!(
            (refused.status(), refused.request_written()),
            (status, false)
        );
    }
    let fits = api.send(&withheld(write().field("If-Match", &held))).await;
    assert_eq!((fits.status(), fits.request_written()), (200, true));
    assert_eq!(
        api.send(&put(&target, r#"{"title":"c"}"#).field("If-Match", held))
            .await
            .status(),
        412
    );
}

//! The conditions of reads on tags of coded bodies.

use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE,
    LAST_MODIFIED, RANGE, VARY,
};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use tower_if_match::{Version, Versioned};

use crate::posts::{self, Answer, Posts, send};
use crate::representation::ask;
use crate::variants::{control, encoded, get_as, long, plain, tag, varied, with};

async fn read(app: &Router, field: &str, value: &str, coding: &str) -> Answer {
    let fields = [("accept-encoding", coding), (field, value)];
    ask(app, "GET /posts/7", &fields, "").await
}

#[tokio::test]
async fn the_304_names_the_tag_that_would_have_been_sent() {
    let app = varied();
    let state = tag(&get_as(&app, "identity").await);
    let [gzip, br, fr] = ["gzip", "br", "fr"].map(|variant| with(&state, variant));
    // Each with what is accepted, and the tag of the 304, or none where it is a 200.
    let cases: [(String, &str, Option<&String>); 24] = [
        (gzip.clone(), "gzip", Some(&gzip)),
        (format!("W/{gzip}"), "gzip", Some(&gzip)),
        (state.clone(), "identity", Some(&state)),
        (format!("W/{state}"), "", Some(&state)),
        // Several: a cache that holds both, and what this client would get.
        (format!("{state}, {gzip}"), "gzip", Some(&gzip)),
        (format!("{gzip}, {state}"), "identity", Some(&state)),
        (format!("{gzip}, {br}"), "gzip, br", Some(&br)),
        (format!("{gzip}, {br}"), "gzip, br;q=0.5", Some(&gzip)),
        (format!("\"x\", {gzip}"), "gzip", Some(&gzip)),
        // Not what this client would get, but it accepts the plain body as well, and holds it.
        (state.clone(), "gzip", Some(&state)),
        (format!("W/{state}"), "gzip", Some(&state)),
        (format!("{state}, {gzip}"), "br", Some(&state)),
        (state.clone(), "gzip, identity;q=0", None),
        (state.clone(), "gzip, *;q=0", None),
        // Not what this client would get, and the last four not even what it accepts.
        (gzip.clone(), "gzip, br", None),
        (fr, "gzip", None),
        (gzip.clone(), "", None),
        (gzip.clone(), "identity", None),
        (gzip.clone(), "br", None),
        (format!("{gzip}, {br}"), "gzip;q=0, br;q=0", None),
        ("*".to_owned(), "gzip", Some(&gzip)),
        ("*".to_owned(), "identity", Some(&state)),
        ("\"x\"".to_owned(), "gzip", None),
        (String::new(), "gzip", None),
    ];
    for (value, accepted, expected) in &cases {
        let answer = read(&app, "if-none-match", value, accepted).await;
        let context = format!("{value} for {accepted}");
        let Some(expected) = expected else {
            assert_eq!(answer.status, StatusCode::OK, "{context}");
            assert!(!answer.body.is_empty(), "{context}");
            continue;
        };
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{context}");
        assert_eq!(tag(&answer), **expected, "{context}");
        assert!(answer.body.is_empty(), "{context}");
        for name in [CONTENT_ENCODING, CONTENT_TYPE, LAST_MODIFIED] {
            assert_eq!(answer.field(name), None, "{context}");
        }
        let vary: Vec<_> = answer.headers.get_all(VARY).iter().collect();
        assert_eq!(vary, ["accept-encoding"], "{context}");
    }

    // The control: the tag of the gzip body is the state's, and is current for those who read no gzip.
    let app = control();
    let held = tag(&get_as(&app, "gzip").await);
    let answer = read(&app, "if-none-match", &held, "identity").await;
    assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_stale_tag_is_200_with_the_new_body() {
    let app = varied();
    let held = tag(&get_as(&app, "gzip").await);
    posts::put(&app, &held, &long("second")).await;
    let answer = read(&app, "if-none-match", &held, "gzip").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_ne!(tag(&answer), held);
}

/// With `If-None-Match` an `If-Modified-Since` plays no part, also where the former is held back.
#[tokio::test]
async fn a_date_does_not_step_in_for_a_tag() {
    let app = varied();
    let answer = get_as(&app, "gzip").await;
    let date = answer.field(LAST_MODIFIED).map(str::to_owned);
    let date = date.unwrap_or_else(|| "Thu, 01 Jan 2037 00:00:00 GMT".to_owned());
    let other = with(&tag(&answer), "other");
    let fields = [
        ("accept-encoding", "gzip"),
        ("if-none-match", other.as_str()),
        ("if-modified-since", date.as_str()),
    ];
    let answer = ask(&app, "GET /posts/7", &fields, "").await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// What is named is sent where it can be; and a refusal is the layer's, with its document.
#[tokio::test]
async fn if_match_on_a_read_is_satisfied_by_any_variant_of_the_state() {
    #[derive(PartialEq)]
    enum Sent {
        Named,
        Another,
        Nothing,
    }
    use Sent::{Another, Named, Nothing};
    let app = varied();
    let state = tag(&get_as(&app, "identity").await);
    let [gzip, br] = ["gzip", "br"].map(|variant| with(&state, variant));
    for (value, accepted, sent) in [
        (gzip.clone(), "gzip", Named),
        (state.clone(), "identity", Named),
        (format!("{state}, {gzip}"), "gzip", Named),
        (format!("{br}, \"x\", {gzip}"), "gzip", Named),
        ("*".to_owned(), "gzip", Named),
        (br.clone(), "*", Named),
        // The plain body is accepted as well, and is what is asked for.
        (state.clone(), "gzip", Named),
        (format!("{state}, {br}"), "gzip", Named),
        // Of the same state, but not what this client would get.
        (state.clone(), "gzip, identity;q=0", Another),
        (gzip.clone(), "identity", Another),
        (gzip.clone(), "", Another),
        (gzip.clone(), "gzip, br", Another),
        (format!("W/{gzip}"), "gzip", Nothing),
        (with(&state, "x").replace("v1", "v9"), "gzip", Nothing),
        ("\"x\"".to_owned(), "gzip", Nothing),
    ] {
        let answer = read(&app, "if-match", &value, accepted).await;
        let context = format!("{value} for {accepted}");
        assert!(!answer.body.is_empty(), "{context}");
        if sent == Nothing {
            assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED, "{context}");
            assert_eq!(answer.headers[CACHE_CONTROL], "no-store", "{context}");
            assert_eq!(answer.headers[CONTENT_TYPE], "application/problem+json");
            assert!(answer.etag().is_some(), "{context}");
            continue;
        }
        assert_eq!(answer.status, StatusCode::OK, "{context}");
        let tag = tag(&answer);
        let named = value == "*" || value.contains(&tag);
        assert_eq!(named, sent == Named, "{context}: {tag}");
        let coded = answer.headers.contains_key(CONTENT_ENCODING);
        assert_eq!(coded, tag != state, "{context}");
    }
    posts::put(&app, &state, &long("second")).await;
    // Who accepts gzip is answered in gzip; this one is to be read.
    let refused = read(&app, "if-match", &gzip, "identity").await;
    assert_eq!(refused.reason(), "stale_version", "the layer's own refusal");
}

/// The 304 to a date owes the tag of the 200 that it stands for.
#[tokio::test]
async fn a_date_gets_the_tag_that_the_200_would_have() {
    let version = Version::new(1_u64).with_modified_at(SystemTime::UNIX_EPOCH);
    let handler = get(async move || Versioned::new(version.clone(), long("first")));
    let app = encoded(plain(handler), true);
    for accepted in ["gzip", "gzip, br", "identity", ""] {
        let date = |date| read(&app, "if-modified-since", date, accepted);
        let held = date("Thu, 01 Jan 1970 00:00:00 GMT").await;
        assert_eq!(held.status, StatusCode::NOT_MODIFIED);
        let older = date("Wed, 31 Dec 1969 00:00:00 GMT").await;
        assert_eq!(older.status, StatusCode::OK);
        assert_eq!(tag(&held), tag(&older), "{accepted}");
    }
    // Without the date it is encoded.
    assert!(tag(&get_as(&app, "gzip").await).ends_with(".gzip\""));
}

#[tokio::test]
async fn what_is_no_list_goes_inside_as_it_is() {
    let app = varied();
    let gzip = tag(&get_as(&app, "gzip").await);
    let many = vec![gzip.as_str(); 65].join(", ");
    let long_list = format!("{gzip}, \"{}\"", "x".repeat(8192));
    for value in ["v6", "\"a", "*, *", &many, &long_list] {
        let refused = read(&app, "if-match", value, "").await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{value}");
        let answer = read(&app, "if-none-match", value, "gzip").await;
        assert_eq!(answer.status, StatusCode::OK, "{value}");
        let both = [("if-match", value), ("if-none-match", gzip.as_str())];
        let refused = ask(&app, "GET /posts/7", &both, "").await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{value}");
    }
    // As many as may be, and no room to add what the coded ones would be inside: refused, not a 400.
    let full = vec![gzip.as_str(); 64].join(", ");
    let refused = read(&app, "if-match", &full, "gzip").await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn several_lines_are_one_list() {
    let app = varied();
    let gzip = tag(&get_as(&app, "gzip").await);
    for (name, status) in [
        ("if-none-match", StatusCode::NOT_MODIFIED),
        ("if-match", StatusCode::OK),
    ] {
        let request = Request::get("/posts/7")
            .header("accept-encoding", "gzip")
            .header(name, "\"x\",")
            .header(name, "")
            .header(name, &gzip);
        let answer = send(&app, request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, tag(&answer)), (status, gzip.clone()));
    }
}

/// A handler that answers parts. It knows the tags of the bodies that it makes, and no others.
async fn read_part(State(posts): State<Posts>, fields: HeaderMap) -> Response {
    let post = posts.get(&7).unwrap();
    let state = crate::posts::posts().1.tags().tag(&7, post.version());
    let fits = fields
        .get(IF_RANGE)
        .is_none_or(|tag| *tag == state.unwrap().to_header_value());
    let Some(first) = fields.get(RANGE).filter(|_| fits) else {
        return post
            .map(|text| ([(ACCEPT_RANGES, "bytes")], text))
            .into_response();
    };
    let first = first
        .to_str()
        .unwrap()
        .trim_start_matches("bytes=")
        .trim_end_matches('-');
    let first: usize = first.parse().unwrap();
    let length = post.body().len();
    let range = format!("bytes {first}-{}/{length}", length - 1);
    let part = post.map(|text| {
        let fields = [(CONTENT_RANGE, range)];
        (
            StatusCode::PARTIAL_CONTENT,
            fields,
            text[first..].to_owned(),
        )
    });
    part.into_response()
}

/// The download of a coded body was cut off and is resumed. Whether what came and what comes may be put
/// together is said by the tags alone.
async fn resumed_mixes_codings(app: &Router) -> bool {
    let begun = get_as(app, "gzip").await;
    let fields = [
        ("accept-encoding", "gzip"),
        ("range", "bytes=9-"),
        ("if-range", begun.etag().unwrap()),
    ];
    let rest = ask(app, "GET /posts/7", &fields, "").await;
    rest.status == StatusCode::PARTIAL_CONTENT && rest.etag() == begun.etag()
}

#[tokio::test]
async fn a_part_is_never_joined_to_another_coding() {
    let app = encoded(plain(get(read_part)), true);
    assert!(!resumed_mixes_codings(&app).await);
    assert!(resumed_mixes_codings(&encoded(plain(get(read_part)), false)).await);

    let state = tag(&get_as(&app, "identity").await);
    let gzip = with(&state, "gzip");
    let part = |name: &'static str, value: String, range: &'static str| {
        let app = app.clone();
        async move {
            let fields = [
                ("accept-encoding", "gzip"),
                ("range", range),
                (name, &*value),
            ];
            ask(&app, "GET /posts/7", &fields, "").await
        }
    };
    // A part is of the plain body, whatever is accepted.
    for (name, value, status, expected) in [
        (
            "if-range",
            state.clone(),
            StatusCode::PARTIAL_CONTENT,
            &state,
        ),
        ("if-range", gzip.clone(), StatusCode::OK, &gzip),
        (
            "if-match",
            state.clone(),
            StatusCode::PARTIAL_CONTENT,
            &state,
        ),
        (
            "if-match",
            gzip.clone(),
            StatusCode::PRECONDITION_FAILED,
            &state,
        ),
        (
            "if-none-match",
            state.clone(),
            StatusCode::NOT_MODIFIED,
            &state,
        ),
        (
            "if-none-match",
            gzip.clone(),
            StatusCode::PARTIAL_CONTENT,
            &state,
        ),
    ] {
        let answer = part(name, value.clone(), "bytes=9-").await;
        assert_eq!(
            (answer.status, &tag(&answer)),
            (status, expected),
            "{name}: {value}"
        );
        assert!(answer.headers.contains_key(VARY), "{name}: {value}");
    }
}

/// A handler that ignores `Range` answers the whole, in gzip.
#[tokio::test]
async fn where_there_are_no_parts_the_whole_is_evaluated() {
    let app = varied();
    let gzip = tag(&get_as(&app, "gzip").await);
    let fields = [
        ("accept-encoding", "gzip"),
        ("range", "bytes=9-"),
        ("if-none-match", gzip.as_str()),
    ];
    let answer = ask(&app, "GET /posts/7", &fields, "").await;
    assert_eq!(
        (answer.status, tag(&answer)),
        (StatusCode::NOT_MODIFIED, gzip)
    );
}

/// The methods without a body, and those of the collection, are none of this.
#[tokio::test]
async fn a_404_and_an_unconditional_method_stay_as_they_are() {
    let inside = plain(posts::methods());
    let (with_layer, without) = (encoded(inside.clone(), true), encoded(inside, false));
    let fields = [("accept-encoding", "gzip"), ("if-none-match", "*")];
    for line in [
        "GET /posts/9",
        "OPTIONS /posts/7",
        "GET /nowhere",
        "DELETE /posts/7",
    ] {
        let expected = ask(&without, line, &fields, "").await;
        let answer = ask(&with_layer, line, &fields, "").await;
        assert_eq!(answer.status, expected.status, "{line}");
        assert_eq!(answer.headers, expected.headers, "{line}");
    }
}

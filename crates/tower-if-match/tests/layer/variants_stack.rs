//! `VariantLayer` around any Tower service that encodes: what it makes of each answer.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, IF_MATCH, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_if_match::http_precondition::EntityTag;
use tower_if_match::{TagMint, VariantLayer, Version};

use crate::posts::Answer;

/// The opaque tag of some state, minted.
fn minted() -> String {
    let tags: TagMint<u64> = TagMint::new("posts");
    let tag = tags.tag(&7, &Version::new(6)).unwrap();
    String::from_utf8(tag.opaque().to_vec()).unwrap()
}

type Fields<'a> = &'a [(&'a str, &'a str)];

fn fields(lines: Fields<'_>) -> HeaderMap {
    let line = |(name, value): &(&str, &str)| {
        (
            name.parse::<HeaderName>().unwrap(),
            value.parse::<HeaderValue>().unwrap(),
        )
    };
    let mut fields = HeaderMap::new();
    for (name, value) in lines.iter().map(line) {
        fields.append(name, value);
    }
    fields
}

/// What goes inside, and what comes out where this is the answer inside.
async fn exchange(
    method: Method,
    asked: HeaderMap,
    status: StatusCode,
    answered: HeaderMap,
) -> (HeaderMap, Answer) {
    let inside = Arc::new(Mutex::new(HeaderMap::new()));
    let seen = Arc::clone(&inside);
    let service = VariantLayer::new().layer(service_fn(move |request: Request<()>| {
        *seen.lock().unwrap() = request.headers().clone();
        let mut response = Response::new(Full::new(Bytes::from_static(b"content")));
        *response.status_mut() = status;
        *response.headers_mut() = answered.clone();
        async move { Ok::<_, Infallible>(response) }
    }));
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.headers_mut() = asked;
    let answer = Answer::of(service.oneshot(request).await.unwrap()).await;
    let inside = std::mem::take(&mut *inside.lock().unwrap());
    (inside, answer)
}

async fn tag_of(answered: Fields<'_>) -> Option<String> {
    let (_, answer) = exchange(
        Method::GET,
        HeaderMap::new(),
        StatusCode::OK,
        fields(answered),
    )
    .await;
    answer.etag().map(str::to_owned)
}

#[tokio::test]
async fn the_codings_are_the_variant() {
    let state = minted();
    for (variant, codings, expected) in [
        ("", vec!["gzip"], ".gzip"),
        ("", vec!["GZip"], ".gzip"),
        ("", vec!["gzip, br"], ".gzip.br"),
        ("", vec!["gzip", "br"], ".gzip.br"),
        ("", vec![" gzip ,, identity"], ".gzip"),
        (".fr", vec!["gzip"], ".fr.gzip"),
        (".fr", vec!["identity"], ".fr"),
        (".fr", vec![""], ".fr"),
        (".fr", vec![], ".fr"),
        // Nothing tells that it was named for this body, so it is named again, which hurts nobody.
        (".gzip", vec!["gzip"], ".gzip.gzip"),
    ] {
        let tag = format!("\"{state}{variant}\"");
        let mut answered = vec![("etag", tag.as_str())];
        answered.extend(codings.iter().map(|coding| ("content-encoding", *coding)));
        let expected = format!("\"{state}{expected}\"");
        assert_eq!(
            tag_of(&answered).await,
            Some(expected),
            "{variant} {codings:?}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_a_variant_makes_the_tag_weak() {
    let state = minted();
    let almost = format!("{state}.{}", "x".repeat(59));
    let full = format!("{state}.{}", "x".repeat(60));
    let kept = format!("\"{almost}.gzip\"");
    let tag = format!("\"{almost}\"");
    let answered = [("etag", tag.as_str()), ("content-encoding", "gzip")];
    assert_eq!(tag_of(&answered).await, Some(kept));
    for (opaque, coding) in [
        (full.as_str(), "gzip"),
        (&state, "x+y"),
        (&state, "a.b"),
        (&state, "gz\"ip"),
        (&state, "gzip;q=1"),
    ] {
        let tag = format!("\"{opaque}\"");
        let answered = [("etag", tag.as_str()), ("content-encoding", coding)];
        assert_eq!(
            tag_of(&answered).await,
            Some(format!("W/{tag}")),
            "{coding}"
        );
    }
}

#[tokio::test]
async fn a_tag_of_the_stores_own_becomes_weak() {
    let state = minted();
    let mangled = format!("\"{state}-gzip\"");
    for (tag, expected) in [
        ("\"own\"", "W/\"own\""),
        ("W/\"own\"", "W/\"own\""),
        ("\"\"", "W/\"\""),
        ("\"v6-xyz\"", "W/\"v6-xyz\""),
        (&mangled, &format!("W/{mangled}")),
        ("not a tag", "not a tag"),
    ] {
        let answered = [("etag", tag), ("content-encoding", "gzip")];
        assert_eq!(tag_of(&answered).await.as_deref(), Some(expected));
        assert_eq!(tag_of(&[("etag", tag)]).await.as_deref(), Some(tag));
    }
    let two = [
        ("etag", "\"a\""),
        ("etag", "\"b\""),
        ("content-encoding", "gzip"),
    ];
    assert_eq!(tag_of(&two).await.as_deref(), Some("\"a\""));
}

#[tokio::test]
async fn conditions_on_tags_of_the_stores_own_go_inside_as_they_are() {
    let asked = fields(&[
        ("if-match", "\"own\", W/\"b\""),
        ("if-none-match", "\"own\""),
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("if-range", "\"own\""),
    ]);
    let answered = fields(&[("etag", "\"own\"")]);
    for method in [Method::GET, Method::HEAD, Method::QUERY, Method::PUT] {
        let (inside, answer) =
            exchange(method, asked.clone(), StatusCode::OK, answered.clone()).await;
        assert_eq!(inside, asked);
        assert_eq!(answer.status, StatusCode::OK);
    }
}

/// A client that holds the coded body under a weak tag must not have it strengthened.
#[tokio::test]
async fn a_304_from_inside_is_as_strong_as_what_was_asked_for() {
    let answered = fields(&[("etag", "\"own\"")]);
    for (asked, expected) in [
        ("W/\"own\"", "W/\"own\""),
        ("\"own\"", "\"own\""),
        ("\"own\", W/\"own\"", "W/\"own\""),
        ("\"own\", W/\"x\"", "\"own\""),
    ] {
        let asked = fields(&[("if-none-match", asked)]);
        let (_, answer) = exchange(
            Method::GET,
            asked,
            StatusCode::NOT_MODIFIED,
            answered.clone(),
        )
        .await;
        assert_eq!(answer.etag(), Some(expected));
        assert_eq!(answer.field(VARY), Some("accept-encoding"));
    }
}

#[tokio::test]
async fn vary_is_said_once() {
    for (lines, expected) in [
        (&[][..], &["accept-encoding"][..]),
        (&["Accept"], &["Accept", "accept-encoding"]),
        (&["Accept, ACCEPT-encoding"], &["Accept, ACCEPT-encoding"]),
        (
            &["Accept", "Accept-Encoding"],
            &["Accept", "Accept-Encoding"],
        ),
        (&["*"], &["*"]),
        (
            &["x-accept-encoding"],
            &["x-accept-encoding", "accept-encoding"],
        ),
    ] {
        for status in [
            StatusCode::OK,
            StatusCode::PARTIAL_CONTENT,
            StatusCode::NOT_MODIFIED,
        ] {
            let mut answered = fields(&[("etag", "\"own\"")]);
            for line in lines {
                answered.append(VARY, HeaderValue::from_static(line));
            }
            let (_, answer) = exchange(Method::GET, HeaderMap::new(), status, answered).await;
            assert_eq!(
                answer.headers.get_all(VARY).iter().collect::<Vec<_>>(),
                *expected
            );
        }
    }
    let (_, untagged) = exchange(
        Method::GET,
        HeaderMap::new(),
        StatusCode::OK,
        HeaderMap::new(),
    )
    .await;
    assert!(untagged.headers.is_empty());
}

#[tokio::test]
async fn a_part_that_is_encoded_has_the_variant_too() {
    let tag = format!("\"{}\"", minted());
    let answered = fields(&[("etag", &tag), ("content-encoding", "gzip")]);
    let status = StatusCode::PARTIAL_CONTENT;
    let (_, answer) = exchange(Method::GET, HeaderMap::new(), status, answered).await;
    assert_eq!(
        answer.etag(),
        Some(format!("\"{}.gzip\"", minted()).as_str())
    );
}

#[tokio::test]
async fn conditions_of_writes_and_refusals_stay_as_they_are() {
    let tag = format!("\"{}\"", minted());
    let coded = format!("\"{}.gzip\"", minted());
    let asked = fields(&[("if-match", &coded), ("if-none-match", &coded)]);
    let answered = fields(&[("etag", &tag), ("content-encoding", "gzip")]);
    for (method, status) in [
        (Method::PUT, StatusCode::PRECONDITION_REQUIRED),
        (Method::PATCH, StatusCode::PRECONDITION_FAILED),
        (Method::OPTIONS, StatusCode::OK),
        (Method::GET, StatusCode::PRECONDITION_FAILED),
        (Method::GET, StatusCode::NOT_FOUND),
        (Method::GET, StatusCode::NOT_ACCEPTABLE),
    ] {
        let (inside, answer) =
            exchange(method.clone(), asked.clone(), status, answered.clone()).await;
        assert_eq!(
            (answer.status, &answer.headers),
            (status, &answered),
            "{method}"
        );
        if method != Method::GET {
            assert_eq!(inside, asked, "{method}");
        }
    }
    // An encoded body of a write has the tag of its coding, too.
    for (method, status) in [
        (Method::PUT, StatusCode::OK),
        (Method::POST, StatusCode::CREATED),
        (Method::from_bytes(b"get").unwrap(), StatusCode::OK),
    ] {
        let (inside, answer) =
            exchange(method.clone(), asked.clone(), status, answered.clone()).await;
        assert_eq!(answer.headers["etag"], coded.as_str(), "{method}");
        assert_eq!(inside, asked, "{method}");
    }
}

/// What a QUERY selects is a representation like any other (RFC 10008).
#[tokio::test]
async fn query_is_a_read() {
    let tag = format!("\"{}\"", minted());
    let coded = format!("\"{}.gzip\"", minted());
    let asked = fields(&[("if-none-match", &coded)]);
    let answered = fields(&[("etag", &tag), ("content-encoding", "gzip")]);
    let (inside, answer) = exchange(Method::QUERY, asked, StatusCode::OK, answered).await;
    assert!(inside.is_empty());
    assert_eq!(
        (answer.status, answer.etag()),
        (StatusCode::NOT_MODIFIED, Some(coded.as_str()))
    );
}

#[tokio::test]
async fn the_length_of_a_head_is_that_of_the_get_or_absent() {
    let lengths = [
        (&[][..], Some("7")),
        (&[("content-length", "9")][..], Some("9")),
        (&[("transfer-encoding", "chunked")][..], None),
    ];
    for (answered, expected) in lengths {
        let answered = fields(answered);
        let service = VariantLayer::new().with_head_as_get();
        let service = service.layer(service_fn(move |request: Request<()>| {
            assert_eq!(request.method(), Method::GET);
            let mut response = Response::new(Full::new(Bytes::from_static(b"content")));
            *response.headers_mut() = answered.clone();
            async move { Ok::<_, Infallible>(response) }
        }));
        let head = Request::head("/").body(()).unwrap();
        let answer = Answer::of(service.oneshot(head).await.unwrap()).await;
        assert_eq!(
            (answer.field(CONTENT_LENGTH), answer.body.len()),
            (expected, 0)
        );
    }
}

/// Octets as they come: nothing panics, every answer has one tag, and no coded body has a strong tag
/// that a plain one has. Without the layer the last of these fails at once.
#[tokio::test]
async fn no_octets_make_it_panic() {
    let state = minted();
    let pieces: [&[u8]; 16] = [
        b"\"",
        b"W/",
        b",",
        b" ",
        b".",
        b"*",
        b"gzip",
        b"br",
        b"-",
        b"v6-",
        b"\xff",
        b"\x80",
        b"\t",
        b";q=0",
        b"identity",
        state.as_bytes(),
    ];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % 1_000_003).unwrap() % below
    };
    let mut value = || {
        let length = next(8);
        let octets: Vec<_> = (0..length)
            .flat_map(|_| pieces[next(16)].to_vec())
            .collect();
        HeaderValue::from_bytes(&octets).unwrap()
    };
    let names = [IF_MATCH, IF_NONE_MATCH, ACCEPT_ENCODING];
    for round in 0..20_000 {
        let asked: HeaderMap = names.iter().cloned().map(|name| (name, value())).collect();
        let quoted = |value: &HeaderValue| [b"\"", value.as_bytes(), b"\""].concat();
        let tag = HeaderValue::from_bytes(&quoted(&value())).unwrap();
        let coding = value();
        let answered = [
            (ETAG, tag.clone()),
            (CONTENT_ENCODING, coding),
            (VARY, value()),
        ];
        let status = [StatusCode::OK, StatusCode::NOT_MODIFIED][usize::from(round % 7 == 0)];
        let answered: HeaderMap = answered.into_iter().collect();
        let named = |coding: &HeaderValue| {
            let plain = [&b""[..], b"identity"];
            let members = coding.as_bytes().split(|octet| *octet == b',');
            members
                .map(<[u8]>::trim_ascii)
                .any(|member| !plain.contains(&member))
        };
        let coded = named(&answered[CONTENT_ENCODING]);
        let (_, answer) = exchange(Method::GET, asked, status, answered).await;
        assert_eq!(answer.headers.get_all(ETAG).iter().count(), 1);
        let sent = EntityTag::try_from(&answer.headers[ETAG]);
        if coded && status == StatusCode::OK && sent.is_ok_and(|sent| !sent.is_weak()) {
            assert_ne!(answer.headers[ETAG], tag);
        }
    }
}

//! The condition fields alone.

use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, HeaderValue, Method};
use http_precondition::{Conditions, EntityTag, HttpDate, Representation, evaluate};

use super::requests::put;
use super::{Run, Scenario, scenario};
use crate::posts::TAG_END;

pub(super) const ROWS: &[Scenario] = &[
    scenario("parse 1 tag", None, |_| parsing(1)),
    scenario("parse 10 tags", None, |_| parsing(10)),
    scenario("parse 64 tags", None, |_| parsing(64)),
    scenario("evaluate 1 tag", None, |_| evaluating()),
];

fn parsing(tags: usize) -> Run {
    let line = (0..tags)
        .map(|_| format!("\"v6{TAG_END}\""))
        .collect::<Vec<_>>()
        .join(", ");
    let headers = if_match(&line);
    Box::new(move || {
        std::hint::black_box(Conditions::from_headers(&headers, || {
            HttpDate::from_unix(0)
        }));
    })
}

fn evaluating() -> Run {
    let tag = format!("\"v6{TAG_END}\"");
    let conditions = Conditions::from_headers(&if_match(&tag), || HttpDate::from_unix(0));
    let current = Representation {
        entity_tag: EntityTag::parse(tag.as_bytes()).ok(),
        last_modified: None,
    };
    Box::new(move || {
        let verdict = evaluate(&Method::PUT, &conditions, Some(&current), true);
        assert_eq!(verdict.status(), None);
    })
}

fn if_match(line: &str) -> HeaderMap {
    let mut headers = put(None).headers().clone();
    headers.insert(
        IF_MATCH,
        HeaderValue::from_str(line).expect("tags are a field value"),
    );
    headers
}

//! What the hot path may not do: allocate. The counter replaces this binary's allocator.

#![allow(clippy::unwrap_used)] // That is how a test fails.

use allocation_counter::measure;
use http::{HeaderMap, Method};
use http_precondition::{
    Conditions, DateCondition, EntityTag, Guard, HttpDate, Problem, Representation, TagCondition,
    Verdict, evaluate,
};

fn now() -> HttpDate {
    HttpDate::from_unix(1_795_167_060)
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    for (name, value) in lines {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

#[test]
fn an_ordinary_request_is_parsed_and_evaluated_without_an_allocation() {
    let tag = "\"v6-9f1c2ab04d77e310\"";
    let current = Representation {
        entity_tag: Some(tag.parse().unwrap()),
        last_modified: Some(HttpDate::from_unix(784_111_777)),
    };
    for (method, lines, guard) in [
        (Method::PUT, &[][..], Guard::None),
        (Method::PUT, &[("if-match", tag)], Guard::Version),
        (Method::PUT, &[("if-match", "*")], Guard::Existing),
        (
            Method::PATCH,
            &[("if-match", "W/\"a\", \"b\""), ("if-match", tag)],
            Guard::Version,
        ),
        (
            Method::PUT,
            &[("if-unmodified-since", "Sunday, 06-Nov-94 08:49:37 GMT")],
            Guard::Date,
        ),
        (
            Method::GET,
            &[
                ("if-none-match", "\"other\", W/\"another\""),
                ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ],
            Guard::None,
        ),
    ] {
        let headers = headers(lines);
        let mut verdict = None;
        let counted = measure(|| {
            let conditions = Conditions::from_headers(&headers, now);
            verdict = Some(evaluate(&method, &conditions, Some(&current), true));
        });
        assert_eq!(verdict, Some(Verdict::Proceed(guard)), "{lines:?}");
        assert_eq!(counted.count_total, 0, "{lines:?}");
    }
}

#[test]
fn refused_octets_cost_no_memory() {
    let long = "x".repeat(100_000);
    let many = vec!["\"a\""; 65].join(",");
    for (line, expected) in [
        (long.as_str(), TagCondition::Oversized),
        (many.as_str(), TagCondition::Oversized),
        ("\"a\" \"b\"", TagCondition::Malformed),
    ] {
        let mut condition = TagCondition::Absent;
        let counted = measure(|| condition = TagCondition::parse([line.as_bytes()]));
        assert_eq!(condition, expected);
        assert_eq!(counted.count_total, 0);
    }
}

#[test]
fn the_inline_room_is_what_the_documentation_says() {
    let line = |octets: usize| format!("\"{}\"", "x".repeat(octets - 2));
    for (octets, allocations) in [(64, 0), (65, 1)] {
        let line = line(octets);
        let counted = measure(|| {
            assert!(matches!(
                TagCondition::parse([line.as_bytes()]),
                TagCondition::Tags(_)
            ));
        });
        assert_eq!(counted.count_total, allocations, "a line of {octets}");
    }
    for (octets, allocations) in [(48, 0), (49, 1)] {
        let line = line(octets);
        let counted = measure(|| {
            assert!(EntityTag::parse(line.as_bytes()).is_ok());
        });
        assert_eq!(counted.count_total, allocations, "a tag of {octets}");
    }
    // Walking a list again and copying a small one are free, too.
    let TagCondition::Tags(tags) = TagCondition::parse([&b"\"a\", W/\"b\", \"c\""[..]]) else {
        panic!("a list")
    };
    let counted = measure(|| {
        let copy = tags.clone();
        assert_eq!(copy.iter().chain(&tags).count(), 6);
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn dates_are_read_without_an_allocation() {
    let lines = [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "never",
    ];
    let counted = measure(|| {
        for line in lines {
            std::hint::black_box(DateCondition::parse([line.as_bytes()], now));
        }
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn a_problem_is_built_in_one_buffer() {
    let current = EntityTag::strong("v7-0011223344556677").unwrap();
    let build = || {
        Problem::new(
            http::StatusCode::PRECONDITION_FAILED,
            "The resource has changed",
        )
        .type_uri("https://example.com/problems/stale-version")
        .detail("It has a newer version than the one that If-Match names.")
        .instance("/posts/7")
        .string_member("reason", "stale_version")
        .member("current_etag", &current)
        .member("modified", &now())
    };
    let mut problem = None;
    let counted = measure(|| problem = Some(build()));
    assert_eq!(counted.count_total, 1);
    // `Bytes` counts its references in a place of its own.
    let counted = measure(|| drop(problem.take().map(Problem::into_json)));
    assert!(counted.count_total <= 1);
}

use std::cell::Cell;

use http::header::HeaderMap;

use super::*;

fn parse(lines: &[&str]) -> TagCondition {
    TagCondition::parse(lines.iter().map(|line| line.as_bytes()))
}

fn tags(lines: &[&str]) -> Vec<String> {
    match parse(lines) {
        TagCondition::Tags(tags) => {
            assert_eq!(tags.iter().len(), tags.len());
            assert_eq!(tags.iter().count(), tags.len());
            tags.iter().map(|tag| tag.to_string()).collect()
        }
        other => panic!("{lines:?} is {other:?}"),
    }
}

fn never() -> HttpDate {
    panic!("the clock was read")
}

#[test]
fn nothing_sent_is_not_something_empty() {
    assert_eq!(parse(&[]), TagCondition::Absent);
    for lines in [&[""][..], &[" \t"], &[", ,"], &["", ""], &["", "", ","]] {
        assert_eq!(parse(lines), TagCondition::Empty, "{lines:?}");
    }
}

#[test]
fn the_wildcard_stands_alone() {
    for lines in [&["*"][..], &[" *\t"]] {
        assert_eq!(parse(lines), TagCondition::Any, "{lines:?}");
    }
    for lines in [
        &["*,"][..],
        &[",*"],
        &["* *"],
        &["**"],
        &["*, \"a\""],
        &["\"a\", *"],
        &["*", "*"],
        &["*", ""],
        &["", "*"],
    ] {
        assert_eq!(parse(lines), TagCondition::Malformed, "{lines:?}");
    }
    assert_eq!(tags(&["\"*\""]), ["\"*\""]);
}

#[test]
fn lists() {
    assert_eq!(tags(&["\"a\""]), ["\"a\""]);
    assert_eq!(tags(&["W/\"a\""]), ["W/\"a\""]);
    assert_eq!(tags(&["\"\",W/\"\""]), ["\"\"", "W/\"\""]);
    assert_eq!(tags(&[" , \t, \"a\" , ,\"b\" ,\t"]), ["\"a\"", "\"b\""]);
    assert_eq!(tags(&["\"a,b\"\t,\"c\\\""]), ["\"a,b\"", "\"c\\\""]);
    assert_eq!(
        tags(&["\"W/\",W/\"/\",\"/\""]),
        ["\"W/\"", "W/\"/\"", "\"/\""]
    );
    assert_eq!(tags(&["\"a\"", "", "W/\"b\","]), ["\"a\"", "W/\"b\""]);
}

#[test]
fn malformed() {
    for lines in [
        &["v1"][..],
        &["\""],
        &["\"a"],
        &["a\""],
        &["w/\"a\""],
        &["W/ \"a\""],
        &["W\"a\""],
        &["W/"],
        &["W/a"],
        &["W/,\"a\""],
        &["\"a\" \"b\""],
        &["\"a\"\"b\""],
        &["\"a\"W/\"b\""],
        &["\"a\";\"b\""],
        &["\"a b\""],
        &["\"a\tb\""],
        &["\"a\u{7f}\""],
        &["\"a\u{0}\""],
        &["\"a\"\n"],
        &["\"a\", b"],
        &["\"a", "b\""],
        &["W/", "\"a\""],
    ] {
        assert_eq!(parse(lines), TagCondition::Malformed, "{lines:?}");
    }
}

#[test]
fn too_many_octets_are_not_looked_at() {
    let tag = |octets: usize| format!("\"{}\"", "x".repeat(octets - 2));
    assert_eq!(tags(&[&tag(MAX_FIELD_OCTETS)]).len(), 1);
    assert_eq!(
        parse(&[&tag(MAX_FIELD_OCTETS + 1)]),
        TagCondition::Oversized
    );
    let rubbish = "\u{0}".repeat(MAX_FIELD_OCTETS + 1);
    assert_eq!(parse(&[&rubbish]), TagCondition::Oversized);
    assert_eq!(parse(&[&rubbish, ""]), TagCondition::Oversized);

    // The comma and the space between two lines count.
    let half = tag(MAX_FIELD_OCTETS / 2 - 1);
    assert_eq!(tags(&[&half, &half]).len(), 2);
    assert_eq!(parse(&[&half, &half, ""]), TagCondition::Oversized);
    assert_eq!(
        parse(&["\"a\"", &tag(MAX_FIELD_OCTETS - 4)]),
        TagCondition::Oversized
    );
}

#[test]
fn too_many_tags() {
    let list = |tags: usize| vec!["\"a\""; tags].join(",");
    assert_eq!(tags(&[&list(MAX_TAGS)]).len(), MAX_TAGS);
    assert_eq!(parse(&[&list(MAX_TAGS + 1)]), TagCondition::Oversized);
    assert_eq!(tags(&[&",".repeat(4000), &list(MAX_TAGS)]).len(), MAX_TAGS);
    let malformed = list(MAX_TAGS + 1) + ",b";
    assert_eq!(parse(&[&malformed]), TagCondition::Malformed);
}

#[test]
fn a_date_is_one_line_with_one_date() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let parse =
        |lines: &[&str]| DateCondition::parse(lines.iter().map(|line| line.as_bytes()), never);
    assert_eq!(parse(&[]), DateCondition::Absent);
    assert_eq!(
        parse(&[date]),
        DateCondition::At(HttpDate::from_unix(784_111_777))
    );
    let list = format!("{date}, {date}");
    for lines in [
        &[""][..],
        &["*"],
        &[date, date],
        &[date, ""],
        &["", date],
        &[&list],
    ] {
        assert_eq!(parse(lines), DateCondition::Invalid, "{lines:?}");
    }
}

#[test]
fn fields_are_told_apart() {
    let mut headers = HeaderMap::new();
    let none = Conditions::from_headers(&headers, never);
    assert_eq!(none, Conditions::default());
    assert!(none.is_empty());
    headers.insert("if-range", "\"v1\"".parse().unwrap());
    assert!(Conditions::from_headers(&headers, never).is_empty());

    for field in [
        Field::IfMatch,
        Field::IfNoneMatch,
        Field::IfModifiedSince,
        Field::IfUnmodifiedSince,
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from(field), "".parse().unwrap());
        headers.insert("x-other", "1".parse().unwrap());
        let conditions = Conditions::from_headers(&headers, never);
        assert!(!conditions.is_empty(), "{field}");
        let expected = match field {
            Field::IfMatch => Conditions {
                if_match: TagCondition::Empty,
                ..Conditions::default()
            },
            Field::IfNoneMatch => Conditions {
                if_none_match: TagCondition::Empty,
                ..Conditions::default()
            },
            Field::IfModifiedSince => Conditions {
                if_modified_since: DateCondition::Invalid,
                ..Conditions::default()
            },
            Field::IfUnmodifiedSince => Conditions {
                if_unmodified_since: DateCondition::Invalid,
                ..Conditions::default()
            },
        };
        assert_eq!(conditions, expected);
        assert!(
            HeaderName::from(field)
                .as_str()
                .eq_ignore_ascii_case(field.name())
        );
    }
}

#[test]
fn every_line_of_a_field_counts() {
    let mut headers = HeaderMap::new();
    headers.append("if-match", "\"a\"".parse().unwrap());
    headers.append("if-match", "\"b\"".parse().unwrap());
    let TagCondition::Tags(tags) = Conditions::from_headers(&headers, never).if_match else {
        panic!("a list")
    };
    assert_eq!(tags.as_bytes(), b"\"a\", \"b\"");
    assert_eq!(tags.clone(), tags);
    headers.append("if-match", "*".parse().unwrap());
    let conditions = Conditions::from_headers(&headers, never);
    assert_eq!(conditions.if_match, TagCondition::Malformed);
}

#[test]
fn the_clock_is_read_once_and_only_for_two_digits() {
    let reads = Cell::new(0);
    let now = || {
        reads.set(reads.get() + 1);
        HttpDate::from_unix(1_795_167_060)
    };
    let mut headers = HeaderMap::new();
    headers.insert(
        "if-modified-since",
        "Sun Nov  6 08:49:37 1994".parse().unwrap(),
    );
    Conditions::from_headers(&headers, now);
    assert_eq!(reads.get(), 0);
    for field in ["if-modified-since", "if-unmodified-since"] {
        headers.insert(field, "Sunday, 06-Nov-94 08:49:37 GMT".parse().unwrap());
    }
    let conditions = Conditions::from_headers(&headers, now);
    assert_eq!(conditions.if_modified_since, conditions.if_unmodified_since);
    assert_eq!(reads.get(), 1);
}

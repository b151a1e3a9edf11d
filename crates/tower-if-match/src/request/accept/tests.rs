use http::{HeaderMap, HeaderValue, header::ACCEPT};

use super::Format::{self, Json, Problem, Text};

fn of(lines: &[&'static str]) -> Format {
    let mut fields = HeaderMap::new();
    for line in lines {
        fields.append(ACCEPT, HeaderValue::from_static(line));
    }
    Format::of(fields.get_all(ACCEPT))
}

#[test]
fn a_client_gets_the_form_that_it_prefers() {
    let cases: [(&[&str], Format); 24] = [
        (&[], Problem),
        (&["*/*"], Problem),
        (&["application/problem+json"], Problem),
        (&["application/json"], Json),
        (&["Application/JSON; charset=utf-8"], Json),
        (&["text/plain"], Text),
        (&["text/*"], Text),
        (&["application/*"], Problem),
        (&["application/json, application/problem+json"], Problem),
        (&["application/json, text/plain;q=0.9"], Json),
        (&["application/json;q=0.1, text/plain;q=0.2"], Text),
        (&["application/json;q=0.1", "text/plain;q=0.2"], Text),
        (&["text/plain;q=0.5, */*;q=0.4"], Text),
        // The more specific range decides, wherever it stands.
        (&["*/*, application/problem+json;q=0"], Json),
        (
            &["application/problem+json;q=0, application/json;q=0, */*"],
            Text,
        ),
        (
            &["application/*;q=0.1, text/plain;q=0.2, application/json;q=0.3"],
            Json,
        ),
        // A browser.
        (
            &["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
            Problem,
        ),
        // Nothing that there is.
        (&["text/html"], Problem),
        (&["application/problem+json;q=0"], Problem),
        (&["text/plain;q=0"], Problem),
        // What cannot be understood says nothing.
        (&["text/plain;q=x"], Problem),
        (&["text/plain;q=1.5, application/json;q=0.2"], Json),
        (&["text"], Problem),
        (&[",,;q=1,/,text/plain;;q=0.001"], Text),
    ];
    for (lines, format) in cases {
        assert_eq!(of(lines), format, "{lines:?}");
    }
}

#[test]
fn weights_have_three_decimals() {
    let weights = [
        ("0", Some(0)),
        ("1", Some(1000)),
        ("1.000", Some(1000)),
        ("0.5", Some(500)),
        ("0.055", Some(55)),
        ("0.", Some(0)),
        ("1.001", None),
        ("0.5555", None),
        ("-1", None),
        ("", None),
        ("0.x", None),
        ("0.+1", None),
    ];
    for (weight, expected) in weights {
        assert_eq!(super::thousandths(weight), expected, "{weight}");
    }
}

#[test]
fn octets_that_are_no_text_are_passed_over() {
    let mut fields = HeaderMap::new();
    fields.append(ACCEPT, HeaderValue::from_bytes(b"text/plain\xff").unwrap());
    fields.append(ACCEPT, HeaderValue::from_static("application/json"));
    assert_eq!(Format::of(fields.get_all(ACCEPT)), Json);
}

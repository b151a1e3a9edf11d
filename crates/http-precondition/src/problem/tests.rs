use serde::Serializer;
use serde_json::{Value, json};

use super::*;
use crate::entity_tag::EntityTag;

const STATUS: StatusCode = StatusCode::PRECONDITION_FAILED;

fn value(problem: Problem) -> Value {
    serde_json::from_slice(&problem.into_json()).unwrap()
}

#[test]
fn members_come_in_the_order_of_the_calls_behind_the_standard_three() {
    let json = Problem::new(STATUS, "T")
        .member("b", &[1, 2])
        .detail("D")
        .type_uri("/t")
        .member("a", &serde_json::json!({}))
        .instance("/i")
        .string_member("c", "s")
        .into_json();
    assert_eq!(
        json,
        concat!(
            r#"{"type":"/t","title":"T","status":412,"b":[1,2],"detail":"D","a":{},"#,
            r#""instance":"/i","c":"s"}"#,
        )
    );
}

#[test]
fn no_string_breaks_the_document() {
    let mut text: String = (0..0x100).filter_map(char::from_u32).collect();
    text.push_str("\u{2028}\u{10ffff}\"}{\\");
    let problem = Problem::new(STATUS, &text)
        .type_uri(&text)
        .detail(&text)
        .instance(&text)
        .string_member("string", &text)
        .member("member", text.as_str())
        .member(&text, &1);
    let mut expected = json!({
        "type": text, "title": text, "status": 412, "detail": text,
        // What no URI has in it is percent-encoded there.
        "instance": value(Problem::new(STATUS, "").instance(&text))["instance"],
        "string": text, "member": text,
    });
    expected[&text] = json!(1);
    assert_eq!(value(problem), expected);
}

#[test]
fn each_control_character_is_escaped_alone() {
    for octet in 0..0x80_u8 {
        let text = char::from(octet).to_string();
        let value = value(Problem::new(STATUS, &text));
        assert_eq!(value["title"], Value::from(text));
    }
}

#[test]
fn an_escape_is_found_wherever_it_stands() {
    for length in 0..70 {
        for place in 0..length {
            for octet in ['"', '\\', '\n'] {
                let mut text = vec!['\u{7f}'; length];
                text[place] = octet;
                let text: String = text.into_iter().collect();
                let value = value(Problem::new(STATUS, &text));
                assert_eq!(value["title"], Value::from(text));
            }
        }
    }
}

#[test]
fn a_tag_is_written_as_it_is_displayed() {
    for tag in [
        "\"\"",
        "W/\"\"",
        "\"v1\"",
        "W/\"v1\"",
        "\"\\\"",
        "\"\u{80}\u{ff}\"",
        "\"'</\u{e9}\\u\"",
    ] {
        let tag: EntityTag = tag.parse().unwrap();
        let problem = Problem::new(STATUS, "T").entity_tag_member("tag", &tag);
        assert_eq!(value(problem.clone())["tag"], Value::from(tag.to_string()));
        let other = Problem::new(STATUS, "T").member("tag", &tag);
        assert_eq!(problem.into_json(), other.into_json());
    }
}

#[test]
fn what_cannot_be_serialised_is_left_out_whole() {
    struct Half;
    impl Serialize for Half {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::{Error, SerializeSeq};
            let mut seq = serializer.serialize_seq(None)?;
            seq.serialize_element("written")?;
            Err(S::Error::custom("no more"))
        }
    }
    let problem = Problem::new(STATUS, "T")
        .member("half", &Half)
        .member("whole", &1);
    assert_eq!(
        problem.into_json(),
        r#"{"title":"T","status":412,"whole":1}"#
    );
}

#[test]
fn the_status_is_the_documents() {
    for code in [400, 404, 412, 428, 503] {
        let status = StatusCode::from_u16(code).unwrap();
        let problem = Problem::new(status, "T");
        assert_eq!(problem.status(), status);
        assert_eq!(value(problem)["status"], Value::from(code));
    }
}

#[test]
fn debug_shows_the_document() {
    let problem = Problem::new(STATUS, "T").detail("D");
    let text = r#"Problem({"title":"T","status":412,"detail":"D"})"#;
    assert_eq!(format!("{problem:?}"), text);
}

// The mistakes that a debug build reports and a release build survives.

#[cfg(debug_assertions)]
mod debug {
    use super::*;

    #[test]
    #[should_panic(expected = "RFC 9457")]
    fn a_standard_name_is_no_extension() {
        let _ = Problem::new(STATUS, "T").member("status", &200);
    }

    #[test]
    #[should_panic(expected = "twice")]
    fn a_standard_member_comes_once() {
        let _ = Problem::new(STATUS, "T").detail("a").detail("b");
    }
}

#[cfg(not(debug_assertions))]
#[test]
fn mistakes_are_left_out() {
    let problem = Problem::new(STATUS, "T")
        .member("status", &200)
        .string_member("type", "x")
        .detail("a")
        .detail("b");
    assert_eq!(
        problem.into_json(),
        r#"{"title":"T","status":412,"detail":"a"}"#
    );
}

#[test]
fn an_instance_is_a_uri_reference_whatever_was_sent() {
    for (target, instance) in [
        ("/posts/7", "/posts/7"),
        ("/a%20b/(c)?d=[e]&f#g", "/a%20b/(c)?d=[e]&f#g"),
        ("/é", "/%C3%A9"),
        ("/a\"b{c}|d^`<>\\ ", "/a%22b%7Bc%7D%7Cd%5E%60%3C%3E%5C%20"),
        ("", ""),
    ] {
        let json = Problem::new(StatusCode::NOT_FOUND, "x")
            .instance(target)
            .into_json();
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(value["instance"], instance, "{target}");
    }
}

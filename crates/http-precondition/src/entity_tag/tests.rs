use std::collections::HashSet;

use super::*;
use crate::scanner::is_etagc;

fn parse(field: &[u8]) -> EntityTag {
    EntityTag::parse(field).unwrap()
}

#[test]
fn comparisons_follow_the_table_of_the_rfc() {
    // RFC 9110 §8.8.3.2: the two tags, strong, weak.
    let table: [(&[u8], &[u8], bool, bool); 5] = [
        (b"W/\"1\"", b"W/\"1\"", false, true),
        (b"W/\"1\"", b"W/\"2\"", false, false),
        (b"W/\"1\"", b"\"1\"", false, true),
        (b"\"1\"", b"\"1\"", true, true),
        (b"\"1\"", b"\"2\"", false, false),
    ];
    for (one, other, strong, weak) in table {
        let (one, other) = (parse(one), parse(other));
        assert_eq!(one.strong_eq(&other), strong, "{one} {other}");
        assert_eq!(other.strong_eq(&one), strong, "{other} {one}");
        assert_eq!(one.weak_eq(other.as_tag()), weak, "{one} {other}");
        assert_eq!(other.weak_eq(one.as_tag()), weak, "{other} {one}");
    }
}

#[test]
fn a_quoted_prefix_is_opaque() {
    let tag = parse(b"\"W/x\"");
    assert!(!tag.is_weak());
    assert_eq!(tag.opaque(), b"W/x");
    assert!(!tag.weak_eq(&parse(b"W/\"x\"")));
}

#[test]
fn every_octet_is_an_etagc_or_refused() {
    for octet in 0..=u8::MAX {
        let allowed = matches!(octet, 0x21 | 0x23..=0x7E | 0x80..=0xFF);
        assert_eq!(EntityTag::strong([octet]).is_ok(), allowed, "{octet:#x}");
        assert_eq!(EntityTag::weak([octet]).is_ok(), allowed, "{octet:#x}");
        let field = [b'"', octet, b'"'];
        assert_eq!(EntityTag::parse(&field).is_ok(), allowed, "{octet:#x}");
    }
}

#[test]
fn fields_that_are_not_one_tag() {
    for field in [
        &b""[..],
        b"\"",
        b"W/",
        b"W/\"",
        b"W",
        b"v1",
        b"*",
        b"w/\"v1\"",
        b"W/ \"v1\"",
        b"W\"v1\"",
        b"\"v1\"x",
        b"\"a\",\"b\"",
        b"\"a\"\"b\"",
        b"'v1'",
        b"\"v1\"\n",
    ] {
        assert_eq!(
            EntityTag::parse(field),
            Err(InvalidEntityTag(())),
            "{field:?}"
        );
    }
}

#[test]
fn constructors_and_parser_agree() {
    assert_eq!(EntityTag::strong("").unwrap(), parse(b"\"\""));
    assert_eq!(EntityTag::weak("a").unwrap(), parse(b"\t W/\"a\" "));
    assert_eq!(parse(b"W/\"a\"").as_bytes(), b"W/\"a\"");
}

#[test]
fn text_is_injective_and_read_back() {
    let all: Vec<u8> = (0..=u8::MAX).filter(|octet| is_etagc(*octet)).collect();
    let tag = EntityTag::strong(&all).unwrap();
    assert_eq!(tag.to_string().parse::<EntityTag>().unwrap(), tag);

    // Lossy UTF-8 would print these alike.
    let texts: HashSet<String> = (0x80..=u8::MAX)
        .map(|octet| EntityTag::strong([octet]).unwrap().to_string())
        .collect();
    assert_eq!(texts.len(), 128);

    assert_eq!(
        "\"\u{e9}\"".parse::<EntityTag>().unwrap().opaque(),
        b"\xe9",
        "a character is an octet, not its UTF-8"
    );
    assert!("\"\u{100}\"".parse::<EntityTag>().is_err());
    assert!(
        "\"\u{141}\"".parse::<EntityTag>().is_err(),
        "not cut to 0x41"
    );
}

#[test]
fn json_is_the_text() {
    for tag in [parse(b"W/\"v\\1\""), parse(b"\"\x80\xff\"")] {
        let json = serde_json::to_string(&tag).unwrap();
        let text: String = serde_json::from_str(&json).unwrap();
        assert_eq!(text, tag.to_string());
    }
}

#[test]
fn every_tag_fits_a_field() {
    let all: Vec<u8> = (0..=u8::MAX).filter(|octet| is_etagc(*octet)).collect();
    let tag = EntityTag::weak(&all).unwrap();
    let value = HeaderValue::from(&tag);
    assert_eq!(value.as_bytes(), tag.as_bytes());
    assert_eq!(EntityTag::try_from(&value).unwrap(), tag);
}

#[test]
fn a_long_tag_is_kept_whole() {
    let tag = EntityTag::strong([b'x'; 5000]).unwrap();
    assert_eq!(tag.opaque().len(), 5000);
    assert_eq!(tag.clone(), tag);
}

#[test]
fn debug_cannot_steer_a_terminal() {
    let tag = EntityTag::strong(b"\x9b2J").unwrap();
    assert!(format!("{tag:?}").is_ascii());
}

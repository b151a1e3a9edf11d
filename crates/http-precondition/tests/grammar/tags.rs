//! `If-Match` and `If-None-Match`.

use http_precondition::{EntityTag, EntityTagRef, MAX_FIELD_OCTETS, MAX_TAGS, TagCondition};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::abnf::{Abnf, any_text, either, many, octets, optional, ows, sequence, text};
use crate::{holds, is_refuted, mutated};

/// What field lines say, in a form that both sides can be brought into.
#[derive(Debug, PartialEq)]
enum Reading {
    Absent,
    Empty,
    Any,
    /// Weak or not, opaque octets.
    Tags(Vec<(bool, Vec<u8>)>),
    Malformed,
    Oversized,
}

type Parser = fn(&[Vec<u8>]) -> Reading;

fn agrees(parser: Parser, lines: &[Vec<u8>]) -> TestCaseResult {
    prop_assert_eq!(parser(lines), reference(lines));
    Ok(())
}

// --- The three readers.

fn parsed(lines: &[Vec<u8>]) -> Reading {
    match TagCondition::parse(lines.iter().map(Vec::as_slice)) {
        TagCondition::Absent => Reading::Absent,
        TagCondition::Empty => Reading::Empty,
        TagCondition::Any => Reading::Any,
        TagCondition::Tags(tags) => {
            assert_eq!(tags.len(), tags.iter().count());
            Reading::Tags(tags.iter().map(pair).collect())
        }
        TagCondition::Malformed => Reading::Malformed,
        TagCondition::Oversized => Reading::Oversized,
    }
}

fn pair(tag: EntityTagRef<'_>) -> (bool, Vec<u8>) {
    (tag.is_weak(), tag.opaque().to_vec())
}

/// RFC 9110 §5.6.1.2, §8.8.3, §13.1.1, as they are printed there.
fn reference(lines: &[Vec<u8>]) -> Reading {
    if lines.is_empty() {
        return Reading::Absent;
    }
    let joined = lines.join(&b", "[..]);
    if joined.len() > MAX_FIELD_OCTETS {
        return Reading::Oversized;
    }
    let field = |value: Abnf| sequence([ows(), value, ows()]);
    if field(text("*")).generates(&joined) {
        return Reading::Any;
    }
    let element = optional(entity_tag());
    let rest = sequence([ows(), text(","), ows(), element.clone()]);
    if !field(sequence([element, many(rest)])).generates(&joined) {
        return Reading::Malformed;
    }
    // In a well-formed list every second piece between quotes is a tag's inside.
    let pieces: Vec<_> = joined.split(|&octet| octet == b'"').collect();
    let tags: Vec<_> = pieces
        .chunks_exact(2)
        .map(|pair| (pair[0].ends_with(b"W/"), pair[1].to_vec()))
        .collect();
    match tags.len() {
        0 => Reading::Empty,
        1..=MAX_TAGS => Reading::Tags(tags),
        _ => Reading::Oversized,
    }
}

fn entity_tag() -> Abnf {
    let etagc = either([octets(0x21, 0x21), octets(0x23, 0x7E), octets(0x80, 0xFF)]);
    sequence([optional(text("W/")), text("\""), many(etagc), text("\"")])
}

/// How it is usually done: cut at commas, trim, look for quotes.
fn naive(lines: &[Vec<u8>]) -> Reading {
    if lines.is_empty() {
        return Reading::Absent;
    }
    let joined = lines.join(&b", "[..]);
    let mut tags = Vec::new();
    for member in joined.split(|&octet| octet == b',') {
        let member = member.trim_ascii();
        if member == b"*" {
            return Reading::Any;
        }
        let (weak, quoted) = match member.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, member),
        };
        match quoted {
            [] => {}
            [b'"', opaque @ .., b'"'] => tags.push((weak, opaque.to_vec())),
            _ => return Reading::Malformed,
        }
    }
    if tags.is_empty() {
        Reading::Empty
    } else {
        Reading::Tags(tags)
    }
}

// --- What they read.

fn arbitrary() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let line = prop::collection::vec(any::<u8>(), 0..40);
    prop::collection::vec(line, 0..4)
}

/// Pieces that the grammar is made of, in any order.
fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let piece = prop::sample::select(vec![
        &b"\""[..],
        b"W",
        b"/",
        b"W/",
        b"w/",
        b"*",
        b",",
        b", ",
        b" ",
        b"\t",
        b"a",
        b"\"\"",
        b"\"a\"",
        b"W/\"b\"",
        b"\"c,d\"",
        b"\"*\"",
        b"\"W/\"",
        b"\x7f",
        b"\x80",
        b"\0",
        b"\n",
    ]);
    let line = prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat());
    prop::collection::vec(line, 0..4)
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    let etagc = prop_oneof![Just(0x21), 0x23..=0x7E_u8, 0x80..=0xFF_u8];
    let opaque = prop::collection::vec(prop_oneof![etagc, Just(b','), Just(b'/')], 0..6);
    (any::<bool>(), opaque).prop_map(|(weak, opaque)| {
        let prefix = if weak { &b"W/\""[..] } else { b"\"" };
        [prefix, &opaque, b"\""].concat()
    })
}

fn list(members: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let separators = prop::sample::select(vec![&b", "[..], b",", b"\t,", b" , ,\t", b",,"]);
    let members = prop::collection::vec((member(), separators), members);
    (members, any::<bool>()).prop_map(|(members, open)| {
        let mut line = Vec::new();
        for (member, separator) in &members {
            line.extend_from_slice(member);
            line.extend_from_slice(separator);
        }
        if !open && let Some((_, separator)) = members.last() {
            line.truncate(line.len() - separator.len());
        }
        line
    })
}

fn well_formed() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(list(0..5), 1..4)
}

fn nearly_well_formed() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let octet = prop_oneof![
        prop::sample::select(b"\" \t,*W/w\\\x7f\x80\0".to_vec()),
        any::<u8>()
    ];
    prop::collection::vec(mutated(list(0..5), octet), 1..3)
}

fn around_the_cap() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(list(28..36), 2..3)
}

fn around_the_longest() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let line = |octets: usize| format!("\"{}\"", "x".repeat(octets)).into_bytes();
    let half = MAX_FIELD_OCTETS / 2;
    (half - 5..half + 2, half - 5..half + 2)
        .prop_map(move |(one, other)| vec![line(one), line(other)])
}

// --- The properties.

#[test]
fn the_parser_is_the_grammar_on_arbitrary_octets() {
    holds(&arbitrary(), |lines| agrees(parsed, &lines));
}

#[test]
fn the_parser_is_the_grammar_on_its_pieces() {
    holds(&pieces(), |lines| agrees(parsed, &lines));
}

#[test]
fn the_parser_is_the_grammar_on_near_misses() {
    holds(&nearly_well_formed(), |lines| agrees(parsed, &lines));
}

#[test]
fn the_parser_is_the_grammar_on_well_formed_lists() {
    holds(&well_formed(), |lines| {
        prop_assert!(!matches!(parsed(&lines), Reading::Malformed | Reading::Any));
        agrees(parsed, &lines)
    });
}

#[test]
fn the_parser_is_the_grammar_around_its_caps() {
    for (lines, cases) in [
        (around_the_cap().boxed(), 60),
        (around_the_longest().boxed(), 20),
    ] {
        crate::holds_for(cases, &lines, |lines| agrees(parsed, &lines));
    }
}

#[test]
fn a_parser_that_cuts_at_commas_is_found_out() {
    is_refuted(&arbitrary_or_pieces(), |lines| agrees(naive, &lines));
    is_refuted(&well_formed(), |lines| agrees(naive, &lines));
    is_refuted(&nearly_well_formed(), |lines| agrees(naive, &lines));
}

fn arbitrary_or_pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop_oneof![arbitrary(), pieces()]
}

#[test]
fn one_tag_is_the_grammar() {
    let octet = prop::sample::select(b"\" \t,*W/w\\\x7f\x80\0".to_vec());
    let fields = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..10),
        mutated(member(), octet),
    ];
    holds(&fields, |field| {
        let expected = sequence([ows(), entity_tag(), ows()]).generates(&field);
        let tag = EntityTag::parse(&field);
        prop_assert_eq!(tag.is_ok(), expected);
        if let Ok(tag) = tag {
            prop_assert_eq!(tag.as_bytes(), field.trim_ascii());
            prop_assert_eq!(&tag.to_string().parse::<EntityTag>().unwrap(), &tag);
        }
        Ok(())
    });
}

#[test]
fn the_reference_knows_the_examples_of_the_rfc() {
    let read = |line: &str| reference(&[line.as_bytes().to_vec()]);
    assert_eq!(
        read("\"xyzzy\""),
        Reading::Tags(vec![(false, b"xyzzy".to_vec())])
    );
    assert_eq!(read("\"\""), Reading::Tags(vec![(false, Vec::new())]));
    let three = "W/\"xyzzy\", W/\"r2d2xxxx\", W/\"c3piozzzz\"";
    assert!(matches!(read(three), Reading::Tags(tags) if tags.len() == 3));
    assert_eq!(read(" *"), Reading::Any);
    assert_eq!(read(", ,"), Reading::Empty);
    assert_eq!(read("*, \"a\""), Reading::Malformed);
    assert!(any_text(&["GMT"]).generates(b"GMT"));
}

//! What a request says about codings (RFC 9110 §12.5.3), as far as it decides between the plain body and
//! an encoded one. The encoder chooses what to encode, and how.

use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue};

/// Whether the request accepts the plain body: it does, unless the field excludes it by name, or excludes
/// everything that it does not name.
pub(super) fn accepts_identity(fields: &HeaderMap) -> bool {
    let excluded = |name: &[u8]| {
        let weight = members(fields).find(|(coding, _)| coding.eq_ignore_ascii_case(name));
        weight.map(|(_, weight)| is_zero(weight))
    };
    !excluded(b"identity")
        .or_else(|| excluded(b"*"))
        .unwrap_or(false)
}

/// Whether the field accepts this coding: by its name, by an older name (§8.4.1), or by accepting everything
/// that it does not name.
pub(super) fn accepts(fields: &HeaderMap, coding: &[u8]) -> bool {
    let is_named = |named: &[u8]| {
        let named = match named {
            [b'x' | b'X', b'-', rest @ ..] => rest,
            named => named,
        };
        named.eq_ignore_ascii_case(coding)
    };
    let named = members(fields).find(|(named, _)| is_named(named));
    let member = named.or_else(|| members(fields).find(|(named, _)| *named == b"*"));
    member.is_some_and(|(_, weight)| !is_zero(weight))
}

/// Removes exclusions from the field. If an encoder such as tower-http's has nothing acceptable to offer, it
/// turns any response into 406, even one that reports that a write succeeded, or what is wrong. A server may
/// send what is not acceptable instead (§12.5.3, §15.5.7).
pub(super) fn exclude_nothing(fields: &mut HeaderMap) {
    let lines = fields.get_all(ACCEPT_ENCODING).into_iter();
    let kept: Vec<&[u8]> = lines
        .flat_map(|line| line.as_bytes().split(|octet| *octet == b','))
        .filter(|member| !is_zero(member_of(member).1))
        .collect();
    match HeaderValue::from_bytes(kept.join(&b","[..]).trim_ascii()) {
        Ok(kept) if !kept.is_empty() => {
            fields.insert(ACCEPT_ENCODING, kept);
        }
        _ => {
            fields.remove(ACCEPT_ENCODING);
        }
    }
}

/// The codings that the field names, each with its weight as written.
fn members(fields: &HeaderMap) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    let lines = fields.get_all(ACCEPT_ENCODING).into_iter();
    let members = lines.flat_map(|line| line.as_bytes().split(|octet| *octet == b','));
    members.map(member_of)
}

fn member_of(member: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = member.split(|octet| *octet == b';').map(<[u8]>::trim_ascii);
    let coding = parts.next().unwrap_or_default();
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_at(parameter.len().min(2));
        name.eq_ignore_ascii_case(b"q=").then_some(value)
    });
    (coding, weight)
}

fn is_zero(weight: Option<&[u8]>) -> bool {
    weight.is_some_and(|weight| {
        let digits = weight.iter().filter(|octet| **octet != b'.');
        !weight.is_empty() && digits.into_iter().all(|digit| *digit == b'0')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[&'static str]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for line in lines {
            fields.append(ACCEPT_ENCODING, HeaderValue::from_static(line));
        }
        fields
    }

    #[test]
    fn the_plain_body_will_do_unless_it_is_excluded() {
        for lines in [
            &[][..],
            &[""],
            &["gzip"],
            &["gzip, *;q=0.1"],
            &["identity;q=0.001"],
            &["*;q=0, identity"],
            &["identity; Q=0.5, *;q=0"],
            &["gzip;q=0"],
            &["identity;q="],
        ] {
            assert!(accepts_identity(&fields(lines)), "{lines:?}");
        }
        for lines in [
            &["identity;q=0"][..],
            &["gzip, Identity ; q=0.000"],
            &["gzip, *;q=0"],
            &["gzip", "*;q=0."],
        ] {
            assert!(!accepts_identity(&fields(lines)), "{lines:?}");
        }
    }

    #[test]
    fn a_coding_is_accepted_by_its_name_an_older_one_or_with_all_others() {
        for lines in [
            &["br, GZIP;q=0.5"][..],
            &["x-gzip"],
            &["br", "*"],
            &["*;q=0.1"],
        ] {
            assert!(accepts(&fields(lines), b"gzip"), "{lines:?}");
        }
        for lines in [
            &["br, gzip;q=0"][..],
            &["gzip;q=0, *"],
            &["*;q=0"],
            &["br"],
            &[],
        ] {
            assert!(!accepts(&fields(lines), b"gzip"), "{lines:?}");
        }
    }

    #[test]
    fn exclusions_are_taken_off_and_all_else_stays() {
        for (lines, left) in [
            (&["identity;q=0"][..], None),
            (
                &["gzip;q=0.5, identity;q=0", "*;q=0, br"],
                Some("gzip;q=0.5, br"),
            ),
            (&["deflate, identity; q=0.0"], Some("deflate")),
            (&["gzip"], Some("gzip")),
        ] {
            let mut fields = fields(lines);
            exclude_nothing(&mut fields);
            let field = fields.get(ACCEPT_ENCODING);
            assert_eq!(field.map(|field| field.to_str().unwrap_or_default()), left);
        }
    }
}

//! What a request says about codings (RFC 9110 §12.5.3), as far as it decides between the plain body and
//! an encoded one. What is encoded, and how, is the encoder's to choose.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Whether the plain body would do: unless the field excludes it by name, or with everything that it does
/// not name.
pub(super) fn accepts_identity(fields: &HeaderMap) -> bool {
    let excluded = |name: &[u8]| {
        let weight = members(fields).find(|(coding, _)| coding.eq_ignore_ascii_case(name));
        weight.map(|(_, weight)| is_zero(weight))
    };
    !excluded(b"identity")
        .or_else(|| excluded(b"*"))
        .unwrap_or(false)
}

/// Whether the field names this coding and accepts it.
pub(super) fn accepts(fields: &HeaderMap, coding: &[u8]) -> bool {
    members(fields).any(|(named, weight)| named.eq_ignore_ascii_case(coding) && !is_zero(weight))
}

/// The codings that the field names, each with its weight as it was written.
fn members(fields: &HeaderMap) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    let lines = fields.get_all(ACCEPT_ENCODING).into_iter();
    let members = lines.flat_map(|line| line.as_bytes().split(|octet| *octet == b','));
    members.map(|member| {
        let mut parts = member.split(|octet| *octet == b';').map(<[u8]>::trim_ascii);
        let coding = parts.next().unwrap_or_default();
        let weight = parts.find_map(|parameter| {
            let (name, value) = parameter.split_at(parameter.len().min(2));
            name.eq_ignore_ascii_case(b"q=").then_some(value)
        });
        (coding, weight)
    })
}

fn is_zero(weight: Option<&[u8]>) -> bool {
    weight.is_some_and(|weight| {
        let digits = weight.iter().filter(|octet| **octet != b'.');
        !weight.is_empty() && digits.into_iter().all(|digit| *digit == b'0')
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

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
    fn a_coding_is_accepted_where_it_is_named() {
        assert!(accepts(&fields(&["br, GZIP;q=0.5"]), b"gzip"));
        assert!(!accepts(&fields(&["br, gzip;q=0"]), b"gzip"));
        assert!(!accepts(&fields(&["*"]), b"gzip"));
        assert!(!accepts(&fields(&[]), b"gzip"));
    }
}

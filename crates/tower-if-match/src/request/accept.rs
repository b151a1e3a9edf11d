//! Negotiates the form of a refusal's response (RFC 9110 §12.5.1).

use http::HeaderValue;
use http_precondition::PROBLEM_JSON;

#[cfg(test)]
mod tests;

/// A form of the response. The first one is the default, and wins if `Accept` prefers several equally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The problem document.
    Problem,
    /// The same bytes as plain JSON, for clients that do not know problem documents.
    Json,
    /// A few lines of text for people at a terminal.
    Text,
}

impl Format {
    const ALL: [(Self, &str, &str); 3] = [
        (Self::Problem, "application", "problem+json"),
        (Self::Json, "application", "json"),
        (Self::Text, "text", "plain"),
    ];

    /// The form that these lines of `Accept` prefer. A refusal is never 406: what to do about it matters more to the
    /// client than the form.
    pub(crate) fn of<'a>(lines: impl IntoIterator<Item = &'a HeaderValue>) -> Self {
        let mut wanted = [Wanted::default(); Self::ALL.len()];
        for line in lines {
            let Ok(line) = line.to_str() else { continue };
            for range in line.split(',') {
                consider(range, &mut wanted);
            }
        }
        let mut best = (0, Self::Problem);
        for ((format, ..), wanted) in Self::ALL.into_iter().zip(wanted) {
            if wanted.quality > best.0 {
                best = (wanted.quality, format);
            }
        }
        best.1
    }

    pub(crate) fn media_type(self) -> HeaderValue {
        match self {
            Self::Problem => const { HeaderValue::from_static(PROBLEM_JSON) },
            Self::Json => const { HeaderValue::from_static("application/json") },
            Self::Text => const { HeaderValue::from_static("text/plain; charset=utf-8") },
        }
    }
}

/// What the most specific media range that includes a form says about it.
#[derive(Clone, Copy, Default)]
struct Wanted {
    /// 1 for `*/*`, 2 for `text/*`, 3 for `text/plain`.
    specific: u8,
    /// In thousandths.
    quality: u16,
}

fn consider(range: &str, wanted: &mut [Wanted; Format::ALL.len()]) {
    let mut parts = range.split(';');
    let Some((kind, subtype)) = parts.next().and_then(|range| range.trim().split_once('/')) else {
        return;
    };
    let quality = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("q")
            .then(|| thousandths(value.trim()))
    });
    // Ignore a range with an invalid weight.
    let Some(quality) = quality.unwrap_or(Some(1000)) else {
        return;
    };
    for ((_, of_kind, of_subtype), wanted) in Format::ALL.into_iter().zip(wanted) {
        let specific =
            if kind.eq_ignore_ascii_case(of_kind) && subtype.eq_ignore_ascii_case(of_subtype) {
                3
            } else if kind.eq_ignore_ascii_case(of_kind) && subtype == "*" {
                2
            } else if (kind, subtype) == ("*", "*") {
                1
            } else {
                continue;
            };
        if specific > wanted.specific {
            *wanted = Wanted { specific, quality };
        }
    }
}

/// A weight (RFC 9110 §12.4.2): `0` to `1` with up to three decimals.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1000),
        _ => None,
    }
}

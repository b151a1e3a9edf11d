//! The four condition fields of a request (RFC 9110 §13.1), parsed and nothing else.

use std::cell::LazyCell;
use std::fmt;

use http::header::{
    HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE,
};
use smallvec::SmallVec;

use crate::date::HttpDate;
use crate::scanner::{Scan, scan};
use crate::tag_list::TagList;

#[cfg(test)]
mod tests;

/// The most octets that the field lines of one tag condition may have, joined: 8192.
///
/// More are [`TagCondition::Oversized`], decided before a single octet is scanned. The largest
/// field section that common servers accept is of this order, and a tag of a full line still
/// passes.
pub const MAX_FIELD_OCTETS: usize = 8192;

/// The most entity tags that one condition field may list: 64.
///
/// More are [`TagCondition::Oversized`]. A client lists the few representations that it holds; each
/// listed tag costs the server a comparison, which for minted tags is a hash.
pub const MAX_TAGS: usize = 64;

/// The condition fields of one request.
///
/// `If-Range` is not among them: it belongs to whoever answers ranges (RFC 9110 §13.2.2 step 5).
///
/// ```
/// use http::HeaderMap;
/// use http_precondition::{Conditions, HttpDate, TagCondition};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("if-match", "\"v1\", W/\"v2\"".parse().unwrap());
/// let conditions = Conditions::from_headers(&headers, || HttpDate::from_unix(1_795_167_060));
/// let TagCondition::Tags(tags) = &conditions.if_match else { panic!("a list") };
/// assert_eq!(tags.len(), 2);
/// assert_eq!(conditions.if_none_match, TagCondition::Absent);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `If-Match` (§13.1.1).
    pub if_match: TagCondition,
    /// `If-None-Match` (§13.1.2).
    pub if_none_match: TagCondition,
    /// `If-Modified-Since` (§13.1.3).
    pub if_modified_since: DateCondition,
    /// `If-Unmodified-Since` (§13.1.4).
    pub if_unmodified_since: DateCondition,
}

impl Conditions {
    /// Parses the condition fields of a header section. It never fails: what cannot be read is a
    /// state of its own, and the evaluation decides what follows from it.
    ///
    /// `now` is called at most once, and only where a date with a two-digit year needs it (RFC 9110
    /// §5.6.7).
    ///
    /// Without condition fields this is four look-ups. Nothing is allocated while a tag field has
    /// one line of at most 64 octets, or several that join to as many.
    pub fn from_headers(headers: &HeaderMap, now: impl FnOnce() -> HttpDate) -> Self {
        if headers.is_empty() {
            return Self::default();
        }
        let now = LazyCell::new(now);
        Self {
            if_match: tags(headers, &IF_MATCH),
            if_none_match: tags(headers, &IF_NONE_MATCH),
            if_modified_since: date(headers, &IF_MODIFIED_SINCE, || *now),
            if_unmodified_since: date(headers, &IF_UNMODIFIED_SINCE, || *now),
        }
    }

    /// Whether no condition field is present at all. An empty or unreadable field is present.
    pub fn is_empty(&self) -> bool {
        matches!(self.if_match, TagCondition::Absent)
            && matches!(self.if_none_match, TagCondition::Absent)
            && matches!(self.if_modified_since, DateCondition::Absent)
            && matches!(self.if_unmodified_since, DateCondition::Absent)
    }
}

// Most fields are absent, and to ask for one costs less than to walk over none of its lines.

fn tags(headers: &HeaderMap, name: &HeaderName) -> TagCondition {
    if headers.contains_key(name) {
        TagCondition::parse(lines(headers, name))
    } else {
        TagCondition::Absent
    }
}

fn date(headers: &HeaderMap, name: &HeaderName, now: impl FnOnce() -> HttpDate) -> DateCondition {
    if headers.contains_key(name) {
        DateCondition::parse(lines(headers, name), now)
    } else {
        DateCondition::Absent
    }
}

fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}

/// What `If-Match` or `If-None-Match` says. Six different things, because a server owes each a
/// different answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TagCondition {
    /// No field line.
    #[default]
    Absent,
    /// Field lines without a single member: an empty value, or only commas and white space. It is a
    /// list, and no tag is in it (RFC 9110 §5.6.1).
    Empty,
    /// `*` alone.
    Any,
    /// A list of at least one entity tag.
    Tags(TagList),
    /// Against the grammar. `*` beside anything else, even another `*`, is among them (§13.1.1).
    Malformed,
    /// More than [`MAX_FIELD_OCTETS`] octets or, in a well-formed list, more than [`MAX_TAGS`]
    /// tags.
    Oversized,
}

impl TagCondition {
    /// Parses the field lines of one field, in order. They are read as one value, joined with a
    /// comma and a space (RFC 9110 §5.3): what no single line says, such as a tag that is split
    /// over two, the whole does not say either.
    ///
    /// ```
    /// use http_precondition::TagCondition;
    ///
    /// assert_eq!(TagCondition::parse([]), TagCondition::Absent);
    /// assert_eq!(TagCondition::parse([&b" , "[..]]), TagCondition::Empty);
    /// assert_eq!(TagCondition::parse([&b"*"[..]]), TagCondition::Any);
    /// assert_eq!(TagCondition::parse([&b"*"[..], b"*"]), TagCondition::Malformed);
    /// assert_eq!(TagCondition::parse([&b"\"a"[..], b"b\""]), TagCondition::Malformed);
    /// ```
    #[inline]
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut lines = lines.into_iter();
        let Some(first) = lines.next() else {
            return Self::Absent;
        };
        match lines.next() {
            None => Self::from_line(first),
            Some(second) => Self::joined(first, second, lines),
        }
    }

    fn from_line(line: &[u8]) -> Self {
        if line.len() > MAX_FIELD_OCTETS {
            return Self::Oversized;
        }
        Self::classify(scan(line), || SmallVec::from_slice(line))
    }

    #[cold]
    fn joined<'a>(first: &[u8], second: &'a [u8], rest: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut text = SmallVec::new();
        if first.len() > MAX_FIELD_OCTETS {
            return Self::Oversized;
        }
        text.extend_from_slice(first);
        for line in std::iter::once(second).chain(rest) {
            if text.len() + 2 + line.len() > MAX_FIELD_OCTETS {
                return Self::Oversized;
            }
            text.extend_from_slice(b", ");
            text.extend_from_slice(line);
        }
        Self::classify(scan(&text), || text)
    }

    fn classify(scan: Scan, text: impl FnOnce() -> SmallVec<[u8; 64]>) -> Self {
        match scan {
            Scan::Empty => Self::Empty,
            Scan::Any => Self::Any,
            Scan::Tags(len) if len > MAX_TAGS => Self::Oversized,
            Scan::Tags(len) => Self::Tags(TagList::scanned(text(), len)),
            Scan::Malformed => Self::Malformed,
        }
    }
}

/// What `If-Modified-Since` or `If-Unmodified-Since` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateCondition {
    /// No field line.
    #[default]
    Absent,
    /// Anything but exactly one HTTP-date: another text, a list, two lines, an empty line. RFC 9110
    /// §13.1.3 and §13.1.4 demand that it is ignored.
    Invalid,
    /// The date.
    At(HttpDate),
}

impl DateCondition {
    /// Parses the field lines of one field. `now` is as for [`HttpDate::parse`].
    ///
    /// ```
    /// use http_precondition::{DateCondition, HttpDate};
    ///
    /// let now = || HttpDate::from_unix(1_795_167_060);
    /// let line = &b"Sun, 06 Nov 1994 08:49:37 GMT"[..];
    /// let date = HttpDate::from_unix(784_111_777);
    /// assert_eq!(DateCondition::parse([line], now), DateCondition::At(date));
    /// assert_eq!(DateCondition::parse([line, line], now), DateCondition::Invalid);
    /// ```
    #[inline]
    pub fn parse<'a>(
        lines: impl IntoIterator<Item = &'a [u8]>,
        now: impl FnOnce() -> HttpDate,
    ) -> Self {
        let mut lines = lines.into_iter();
        let Some(line) = lines.next() else {
            return Self::Absent;
        };
        match lines.next() {
            None => HttpDate::parse(line, now).map_or(Self::Invalid, Self::At),
            Some(_) => Self::Invalid,
        }
    }
}

/// One of the four condition fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// `If-Match` (RFC 9110 §13.1.1).
    IfMatch,
    /// `If-None-Match` (RFC 9110 §13.1.2).
    IfNoneMatch,
    /// `If-Modified-Since` (RFC 9110 §13.1.3).
    IfModifiedSince,
    /// `If-Unmodified-Since` (RFC 9110 §13.1.4).
    IfUnmodifiedSince,
}

impl Field {
    /// The field name as the RFC spells it: `If-Match`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IfMatch => "If-Match",
            Self::IfNoneMatch => "If-None-Match",
            Self::IfModifiedSince => "If-Modified-Since",
            Self::IfUnmodifiedSince => "If-Unmodified-Since",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Field> for HeaderName {
    fn from(field: Field) -> Self {
        match field {
            Field::IfMatch => IF_MATCH,
            Field::IfNoneMatch => IF_NONE_MATCH,
            Field::IfModifiedSince => IF_MODIFIED_SINCE,
            Field::IfUnmodifiedSince => IF_UNMODIFIED_SINCE,
        }
    }
}

//! HTTP dates (RFC 9110 §5.6.7), and RFC 3339 for JSON.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use serde::{Serialize, Serializer};

use calendar::Civil;

mod calendar;
mod parse;
#[cfg(test)]
mod tests;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A date as HTTP knows it: whole seconds since the Unix epoch, UTC, without leap seconds.
///
/// The year is that of the proleptic Gregorian calendar. Text knows the years 0000 to 9999; a date
/// outside is written as the nearest one inside, and compares as what it is.
///
/// Serialised it is [RFC 3339](Self::to_rfc3339) text, the usual form in JSON.
///
/// ```
/// use http_precondition::HttpDate;
///
/// let date = HttpDate::from_unix(784_111_777);
/// assert_eq!(date.to_string(), "Sun, 06 Nov 1994 08:49:37 GMT");
/// assert!(date < HttpDate::from_unix(784_111_778));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpDate(i64);

impl HttpDate {
    /// The date so many seconds after 1970-01-01T00:00:00Z, or before where negative.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Reads a date in any of the three forms that a recipient must accept (RFC 9110 §5.6.7):
    ///
    /// | form | example |
    /// | --- | --- |
    /// | IMF-fixdate | `Sun, 06 Nov 1994 08:49:37 GMT` |
    /// | rfc850-date | `Sunday, 06-Nov-94 08:49:37 GMT` |
    /// | asctime-date | `Sun Nov  6 08:49:37 1994` |
    ///
    /// SP and HTAB around it are dropped. The grammar decides, case included, with these additions:
    ///
    /// - The day exists in its month, the hour is at most 23, minute and second at most 59.
    /// - A second 60 stands only in `23:59:60`, and is the second that follows: this scale has no
    ///   leap seconds.
    /// - The name of the day is one of its form, but need not be that date's. The ABNF does not tie
    ///   the two, and a recipient that did would ignore a condition that the client meant.
    /// - A two-digit year is the latest year with these digits in which the date is not more than
    ///   50 years after `now`. The century is settled first; a 29 February that it then does not
    ///   have is not a date.
    ///
    /// `now` is the clock, as a parameter because this crate reads none. It is called at most once,
    /// and only for a two-digit year.
    ///
    /// ```
    /// use http_precondition::HttpDate;
    ///
    /// let now = || HttpDate::from_unix(1_795_167_060); // in the year 2026
    /// let date = Some(HttpDate::from_unix(784_111_777));
    /// assert_eq!(HttpDate::parse(b"Sun, 06 Nov 1994 08:49:37 GMT", now), date);
    /// assert_eq!(HttpDate::parse(b"Sunday, 06-Nov-94 08:49:37 GMT", now), date);
    /// assert_eq!(HttpDate::parse(b"Sun Nov  6 08:49:37 1994", now), date);
    /// assert_eq!(HttpDate::parse(b"Sun, 06 Nov 1994 08:49:37 UTC", now), None);
    /// assert_eq!(HttpDate::parse(b"Wed, 30 Feb 1994 08:49:37 GMT", now), None);
    /// ```
    pub fn parse(octets: &[u8], now: impl FnOnce() -> HttpDate) -> Option<Self> {
        parse::http_date(octets, now)
    }

    /// Seconds since 1970-01-01T00:00:00Z, negative before.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// The same moment for `std`, or `None` where the platform cannot hold it.
    ///
    /// ```
    /// use http_precondition::HttpDate;
    ///
    /// let date = HttpDate::from_unix(-1);
    /// assert_eq!(date.to_system_time().map(HttpDate::from), Some(date));
    /// ```
    pub fn to_system_time(self) -> Option<SystemTime> {
        let distance = Duration::from_secs(self.0.unsigned_abs());
        if self.0 < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        }
    }

    /// The IMF-fixdate as a field value, for `Last-Modified`.
    ///
    /// ```
    /// use http_precondition::HttpDate;
    ///
    /// assert_eq!(HttpDate::from_unix(0).to_header_value(), "Thu, 01 Jan 1970 00:00:00 GMT");
    /// ```
    pub fn to_header_value(self) -> HeaderValue {
        HeaderValue::from_bytes(&self.imf_fixdate()).expect("letters, digits, commas, colons, SP")
    }

    /// The date in the form of RFC 3339, in UTC.
    ///
    /// ```
    /// use http_precondition::HttpDate;
    ///
    /// assert_eq!(HttpDate::from_unix(1_795_167_060).to_rfc3339(), "2026-11-20T09:31:00Z");
    /// ```
    pub fn to_rfc3339(self) -> String {
        text(&self.rfc3339()).to_owned()
    }

    fn imf_fixdate(self) -> [u8; 29] {
        let (civil, weekday) = Civil::from_unix(self.0);
        let mut out = *b"DDD, 00 MMM 0000 00:00:00 GMT";
        out[..3].copy_from_slice(DAYS[weekday].as_bytes());
        two_digits(&mut out[5..7], civil.day);
        out[8..11].copy_from_slice(MONTHS[usize::from(civil.month - 1)].as_bytes());
        four_digits(&mut out[12..16], civil.year);
        time_of_day(&mut out[17..25], civil);
        out
    }

    fn rfc3339(self) -> [u8; 20] {
        let (civil, _) = Civil::from_unix(self.0);
        let mut out = *b"0000-00-00T00:00:00Z";
        four_digits(&mut out[..4], civil.year);
        two_digits(&mut out[5..7], civil.month);
        two_digits(&mut out[8..10], civil.day);
        time_of_day(&mut out[11..19], civil);
        out
    }
}

/// The IMF-fixdate.
impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text(&self.imf_fixdate()))
    }
}

/// The text of [`HttpDate::to_rfc3339`].
impl Serialize for HttpDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text(&self.rfc3339()))
    }
}

/// Rounds down to the second, also before 1970, so that a served date is never later than the
/// stored one.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use http_precondition::HttpDate;
///
/// let date = HttpDate::from(UNIX_EPOCH + Duration::from_millis(1_999));
/// assert_eq!(date, HttpDate::from_unix(1));
/// let before = HttpDate::from(UNIX_EPOCH - Duration::from_millis(1));
/// assert_eq!(before, HttpDate::from_unix(-1));
/// ```
impl From<SystemTime> for HttpDate {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(i64::try_from(after.as_secs()).unwrap_or(i64::MAX)),
            Err(before) => {
                let before = before.duration();
                let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                Self((-whole).saturating_sub(i64::from(before.subsec_nanos() > 0)))
            }
        }
    }
}

fn text(ascii: &[u8]) -> &str {
    str::from_utf8(ascii).expect("written from ASCII")
}

fn time_of_day(out: &mut [u8], civil: Civil) {
    two_digits(&mut out[..2], civil.hour);
    two_digits(&mut out[3..5], civil.minute);
    two_digits(&mut out[6..8], civil.second);
}

fn four_digits(out: &mut [u8], year: u16) {
    let (century, rest) = out.split_at_mut(2);
    two_digits(century, u8::try_from(year / 100).unwrap_or(99));
    two_digits(rest, u8::try_from(year % 100).unwrap_or(99));
}

fn two_digits(out: &mut [u8], number: u8) {
    out[0] = b'0' + number / 10;
    out[1] = b'0' + number % 10;
}

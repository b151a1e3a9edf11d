//! The grammar of RFC 9110 §5.6.7.

use super::calendar::Civil;
use super::{DAYS, HttpDate, MONTHS};
use crate::scanner::trim_ows;

const LONG_DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

pub(super) fn http_date(octets: &[u8], now: impl FnOnce() -> HttpDate) -> Option<HttpDate> {
    let mut text = Text(trim_ows(octets));
    // The octet behind a day's short name tells the three forms apart.
    let civil = match text.0.get(3)? {
        b',' => imf_fixdate(&mut text),
        b' ' => asctime(&mut text),
        _ => rfc850(&mut text, now),
    }?;
    text.0.is_empty().then_some(())?;
    civil.to_unix().map(HttpDate)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(text: &mut Text<'_>) -> Option<Civil> {
    text.name(&DAYS)?;
    text.literal(", ")?;
    let day = text.two_digits()?;
    text.literal(" ")?;
    let month = text.month()?;
    text.literal(" ")?;
    let year = text.four_digits()?;
    text.literal(" ")?;
    let (hour, minute, second) = text.time_of_day()?;
    text.literal(" GMT")?;
    Some(Civil {
        year,
        month,
        day,
        hour,
        minute,
        second,
    })
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn rfc850(text: &mut Text<'_>, now: impl FnOnce() -> HttpDate) -> Option<Civil> {
    text.name(&LONG_DAYS)?;
    text.literal(", ")?;
    let day = text.two_digits()?;
    text.literal("-")?;
    let month = text.month()?;
    text.literal("-")?;
    let digits = text.two_digits()?;
    text.literal(" ")?;
    let (hour, minute, second) = text.time_of_day()?;
    text.literal(" GMT")?;
    let (now, _) = Civil::from_unix(now().unix());
    // Fifty years after now is the same day and time of that year. A text can name no year above
    // 9999, so the candidates end there.
    let mut limit = now;
    limit.year += 50;
    let since_digits = (limit.year + 100 - u16::from(digits)) % 100;
    let mut civil = Civil {
        year: limit.year.checked_sub(since_digits)?,
        month,
        day,
        hour,
        minute,
        second,
    };
    while civil > limit || civil.year > 9999 {
        civil.year = civil.year.checked_sub(100)?;
    }
    Some(civil)
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime(text: &mut Text<'_>) -> Option<Civil> {
    text.name(&DAYS)?;
    text.literal(" ")?;
    let month = text.month()?;
    text.literal(" ")?;
    let day = match text.literal(" ") {
        Some(()) => text.digit()?,
        None => text.two_digits()?,
    };
    text.literal(" ")?;
    let (hour, minute, second) = text.time_of_day()?;
    text.literal(" ")?;
    let year = text.four_digits()?;
    Some(Civil {
        year,
        month,
        day,
        hour,
        minute,
        second,
    })
}

/// What is left to read.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    fn literal(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected.as_bytes())?;
        Some(())
    }

    /// The place of the name in the list; no name is the beginning of another.
    fn name(&mut self, names: &[&str]) -> Option<usize> {
        names.iter().position(|name| self.literal(name).is_some())
    }

    fn month(&mut self) -> Option<u8> {
        let month = self.name(&MONTHS)?;
        u8::try_from(month + 1).ok()
    }

    fn time_of_day(&mut self) -> Option<(u8, u8, u8)> {
        let hour = self.two_digits()?;
        self.literal(":")?;
        let minute = self.two_digits()?;
        self.literal(":")?;
        Some((hour, minute, self.two_digits()?))
    }

    fn four_digits(&mut self) -> Option<u16> {
        let century = self.two_digits()?;
        Some(u16::from(century) * 100 + u16::from(self.two_digits()?))
    }

    fn two_digits(&mut self) -> Option<u8> {
        Some(self.digit()? * 10 + self.digit()?)
    }

    fn digit(&mut self) -> Option<u8> {
        let (&octet, rest) = self.0.split_first()?;
        let digit = octet.is_ascii_digit().then(|| octet - b'0')?;
        self.0 = rest;
        Some(digit)
    }
}

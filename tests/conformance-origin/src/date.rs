//! The one form of RFC 3339 that clocks are written in.

use tower_if_match::http_precondition::HttpDate;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads a date and time in UTC, in whole seconds: `2026-08-22T00:00:00Z`.
pub(crate) fn rfc3339(text: &str) -> Option<HttpDate> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    // Through the form that HTTP's own parser knows: that checks the rest, but for the name of the
    // day, which need not be that date's.
    let fixdate = format!("Sun, {day} {month} {year} {time} GMT");
    let no_clock = || HttpDate::from_unix(0);
    HttpDate::parse(fixdate.as_bytes(), no_clock).filter(|parsed| parsed.to_rfc3339() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        for good in [
            "2026-08-22T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2024-02-29T12:00:00Z",
        ] {
            assert_eq!(rfc3339(good).unwrap().to_rfc3339(), good);
        }
        for wrong in [
            "",
            "2026-08-22",
            "2026-08-22T00:00:00",
            "2026-08-22T00:00:00+00:00",
            "2026-08-22 00:00:00Z",
            "2026-8-22T00:00:00Z",
            "2026-08-22-01T00:00:00Z",
            "2026-00-22T00:00:00Z",
            "2026-13-22T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-08-22T24:00:00Z",
        ] {
            assert_eq!(rfc3339(wrong), None, "{wrong}");
        }
    }
}

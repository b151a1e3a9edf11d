use super::*;

// 2026-11-20T09:31:00Z
const NOW: HttpDate = HttpDate::from_unix(1_795_167_060);

fn parse(text: &str) -> Option<i64> {
    parse_at(NOW, text)
}

fn parse_at(now: HttpDate, text: &str) -> Option<i64> {
    HttpDate::parse(text.as_bytes(), || now).map(HttpDate::unix)
}

#[test]
fn the_three_forms() {
    for text in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994",
        " \tSun, 06 Nov 1994 08:49:37 GMT\t ",
    ] {
        assert_eq!(parse(text), Some(784_111_777), "{text:?}");
    }
    assert_eq!(parse("Wed Nov 16 08:49:37 1994"), Some(784_975_777));
}

#[test]
fn not_dates() {
    for text in [
        "",
        "0",
        "*",
        "yesterday",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 19940 08:49:37 GMT",
        "Sun, 06 Nov 1994  08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT; length=1",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "\"Sun, 06 Nov 1994 08:49:37 GMT\"",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 6-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  16 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov  6 08:49:37 94",
        "Sunday Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 32 Oct 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 30 Feb 2000 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:3\u{663} GMT",
    ] {
        assert_eq!(parse(text), None, "{text:?}");
    }
}

#[test]
fn a_leap_second_is_the_second_that_follows() {
    let midnight = parse("Sun, 01 Jan 2017 00:00:00 GMT");
    assert!(midnight.is_some());
    assert_eq!(parse("Sat, 31 Dec 2016 23:59:60 GMT"), midnight);
    assert_eq!(parse("Sat, 31 Dec 2016 23:58:60 GMT"), None);
    assert_eq!(parse("Sat, 31 Dec 2016 22:59:60 GMT"), None);
    assert_eq!(parse("Sat, 31 Dec 2016 23:59:61 GMT"), None);
}

#[test]
fn the_name_of_the_day_need_not_fit() {
    assert_eq!(parse("Mon, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
}

#[test]
fn the_ends_of_the_scale() {
    let first = parse("Sat, 01 Jan 0000 00:00:00 GMT").unwrap();
    let last = parse("Fri, 31 Dec 9999 23:59:59 GMT").unwrap();
    assert_eq!((first, last), (-62_167_219_200, 253_402_300_799));
    assert_eq!(parse("Wed, 31 Dec 1969 23:59:59 GMT"), Some(-1));
    for (seconds, text) in [
        (first, "Sat, 01 Jan 0000 00:00:00 GMT"),
        (first - 1, "Sat, 01 Jan 0000 00:00:00 GMT"),
        (i64::MIN, "Sat, 01 Jan 0000 00:00:00 GMT"),
        (last, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (last + 1, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] {
        let date = HttpDate::from_unix(seconds);
        assert_eq!(date.to_string(), text);
        assert_eq!(date.to_header_value(), text);
        assert_eq!(date.unix(), seconds);
    }
}

#[test]
fn two_digits_are_the_latest_year_within_fifty() {
    for (text, expected) in [
        // Now and just before it; fifty years ahead to the second; one second more.
        (
            "Friday, 20-Nov-26 09:31:00 GMT",
            "Fri, 20 Nov 2026 09:31:00 GMT",
        ),
        (
            "Friday, 20-Nov-76 09:31:00 GMT",
            "Fri, 20 Nov 2076 09:31:00 GMT",
        ),
        (
            "Friday, 20-Nov-76 09:31:01 GMT",
            "Fri, 20 Nov 1976 09:31:01 GMT",
        ),
        (
            "Friday, 01-Jan-77 00:00:00 GMT",
            "Fri, 01 Jan 1977 00:00:00 GMT",
        ),
        (
            "Friday, 31-Dec-99 00:00:00 GMT",
            "Fri, 31 Dec 1999 00:00:00 GMT",
        ),
        (
            "Friday, 31-Dec-00 00:00:00 GMT",
            "Fri, 31 Dec 2000 00:00:00 GMT",
        ),
        (
            "Friday, 29-Feb-00 00:00:00 GMT",
            "Fri, 29 Feb 2000 00:00:00 GMT",
        ),
    ] {
        assert_eq!(parse(text), parse(expected), "{text}");
        assert!(parse(text).is_some());
    }
    // Close to a turn of the century the next one is nearer than the present one.
    let turn = HttpDate::from_unix(parse("Thu, 31 Dec 2099 00:00:00 GMT").unwrap());
    assert_eq!(
        parse_at(turn, "Sunday, 06-Nov-20 08:49:37 GMT"),
        parse("Sun, 06 Nov 2120 08:49:37 GMT")
    );
    // The century first: 2100 has no 29 February.
    let later = HttpDate::from_unix(parse("Thu, 31 Dec 2060 00:00:00 GMT").unwrap());
    assert_eq!(parse_at(later, "Monday, 29-Feb-00 00:00:00 GMT"), None);
}

#[test]
fn two_digits_at_the_ends_of_the_scale() {
    let text = "Sunday, 06-Nov-20 08:49:37 GMT";
    assert_eq!(
        parse_at(HttpDate::from_unix(i64::MAX), text),
        parse("Sun, 06 Nov 9920 08:49:37 GMT")
    );
    assert_eq!(
        parse_at(HttpDate::from_unix(i64::MIN), text),
        parse("Sun, 06 Nov 0020 08:49:37 GMT")
    );
    let none = "Sunday, 06-Nov-94 08:49:37 GMT";
    assert_eq!(parse_at(HttpDate::from_unix(i64::MIN), none), None);
}

#[test]
fn both_sides_of_every_new_year() {
    for year in 0..=9999 {
        let new_year = parse(&format!("Sun, 01 Jan {year:04} 00:00:00 GMT")).unwrap();
        for seconds in [
            new_year - 1,
            new_year,
            new_year + 58 * 86_400,
            new_year + 59 * 86_400,
        ] {
            let date = HttpDate::from_unix(seconds);
            if seconds >= -62_167_219_200 {
                assert_eq!(parse(&date.to_string()), Some(seconds), "{date}");
            }
        }
    }
}

#[test]
fn rfc_3339() {
    assert_eq!(NOW.to_rfc3339(), "2026-11-20T09:31:00Z");
    assert_eq!(
        serde_json::to_string(&NOW).unwrap(),
        "\"2026-11-20T09:31:00Z\""
    );
}

#[test]
fn system_time_is_rounded_down() {
    let nano = Duration::from_nanos(1);
    for (time, seconds) in [
        (UNIX_EPOCH, 0),
        (UNIX_EPOCH + Duration::from_secs(2) - nano, 1),
        (UNIX_EPOCH - nano, -1),
        (UNIX_EPOCH - Duration::from_secs(1), -1),
        (UNIX_EPOCH - Duration::from_secs(1) - nano, -2),
    ] {
        assert_eq!(HttpDate::from(time).unix(), seconds);
    }
    for seconds in [0, 1, -1, 784_111_777, -784_111_777] {
        let date = HttpDate::from_unix(seconds);
        assert_eq!(HttpDate::from(date.to_system_time().unwrap()), date);
    }
}

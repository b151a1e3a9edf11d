//! `HTTP-date`, and a calendar that counts day by day.

use http_precondition::HttpDate;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::abnf::{Abnf, any_text, either, octets, ows, sequence, text};
use crate::{holds, is_refuted, mutated};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Year, month from 1, day, hour, minute, second.
type Parts = (i64, i64, i64, i64, i64, i64);
type Parser = fn(&[u8], Parts) -> Option<i64>;

fn agrees(parser: Parser, octets: &[u8], now: Parts) -> TestCaseResult {
    prop_assert_eq!(parser(octets, now), reference(octets, now));
    Ok(())
}

// --- The readers.

fn parsed(octets: &[u8], now: Parts) -> Option<i64> {
    HttpDate::parse(octets, || HttpDate::from_unix(count(now))).map(HttpDate::unix)
}

fn reference(octets: &[u8], now: Parts) -> Option<i64> {
    let parts = by_the_grammar(octets, now)?;
    let (year, month, day, ..) = parts;
    let exists = (1..=length(year, month)).contains(&day);
    (has_time(parts) && exists).then(|| count(parts))
}

fn has_time((_, _, _, hour, minute, second): Parts) -> bool {
    let leap_second = (hour, minute, second) == (23, 59, 60);
    leap_second || (hour <= 23 && minute <= 59 && second <= 59)
}

/// As `mktime` does it: a day that a month does not have is one of the next.
fn rolling_over(octets: &[u8], now: Parts) -> Option<i64> {
    let parts = by_the_grammar(octets, now)?;
    let (_, _, day, ..) = parts;
    (has_time(parts) && (1..=31).contains(&day)).then(|| count(parts))
}

/// As a fixed pivot does it: 70 to 99 are of the twentieth century, whatever the clock says.
fn pivoting_at_70(octets: &[u8], _: Parts) -> Option<i64> {
    reference(octets, (2019, 12, 31, 23, 59, 59))
}

/// RFC 9110 §5.6.7 as it is printed there; what a match says is then found by its words.
fn by_the_grammar(octets: &[u8], now: Parts) -> Option<Parts> {
    let field = |form: Abnf| sequence([ows(), form, ows()]);
    let form = [imf_fixdate(), rfc850_date(), asctime_date()]
        .into_iter()
        .position(|form| field(form).generates(octets))?;
    let words: Vec<&str> = str::from_utf8(octets)
        .ok()?
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let number = |word: usize| words[word].parse::<i64>().unwrap();
    let month = |word: usize| {
        let place = MONTHS.iter().position(|month| *month == words[word]);
        i64::try_from(place.unwrap()).unwrap() + 1
    };
    Some(match form {
        0 => (
            number(3),
            month(2),
            number(1),
            number(4),
            number(5),
            number(6),
        ),
        1 => {
            let rest = (month(2), number(1), number(4), number(5), number(6));
            let (month, day, hour, minute, second) = rest;
            let year = (0..=9999)
                .rev()
                .filter(|year| year % 100 == number(3))
                .find(|year| (year - 50, month, day, hour, minute, second) <= now)?;
            (year, month, day, hour, minute, second)
        }
        _ => (
            number(6),
            month(1),
            number(2),
            number(3),
            number(4),
            number(5),
        ),
    })
}

fn imf_fixdate() -> Abnf {
    let date1 = sequence([
        digits::<2>(),
        text(" "),
        any_text(&MONTHS),
        text(" "),
        digits::<4>(),
    ]);
    let (day_name, gmt) = (any_text(&DAYS), text("GMT"));
    sequence([
        day_name,
        text(","),
        text(" "),
        date1,
        text(" "),
        time_of_day(),
        text(" "),
        gmt,
    ])
}

fn rfc850_date() -> Abnf {
    let date2 = sequence([
        digits::<2>(),
        text("-"),
        any_text(&MONTHS),
        text("-"),
        digits::<2>(),
    ]);
    let (day_name, gmt) = (any_text(&LONG_DAYS), text("GMT"));
    sequence([
        day_name,
        text(","),
        text(" "),
        date2,
        text(" "),
        time_of_day(),
        text(" "),
        gmt,
    ])
}

fn asctime_date() -> Abnf {
    let day = either([digits::<2>(), sequence([text(" "), digits::<1>()])]);
    let date3 = sequence([any_text(&MONTHS), text(" "), day]);
    let day_name = any_text(&DAYS);
    sequence([
        day_name,
        text(" "),
        date3,
        text(" "),
        time_of_day(),
        text(" "),
        digits::<4>(),
    ])
}

fn time_of_day() -> Abnf {
    sequence([
        digits::<2>(),
        text(":"),
        digits::<2>(),
        text(":"),
        digits::<2>(),
    ])
}

fn digits<const N: usize>() -> Abnf {
    sequence([(); N].map(|()| octets(b'0', b'9')))
}

// --- The calendar: year by year and month by month from 1970.

fn length(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn count((year, month, day, hour, minute, second): Parts) -> i64 {
    let whole = |year| (1..=12).map(|month| length(year, month)).sum::<i64>();
    let years: i64 = if year >= 1970 {
        (1970..year).map(whole).sum()
    } else {
        -(year..1970).map(whole).sum::<i64>()
    };
    let months: i64 = (1..month).map(|month| length(year, month)).sum();
    (((years + months + day - 1) * 24 + hour) * 60 + minute) * 60 + second
}

/// 1970-01-01 was a Thursday.
fn weekday(parts: Parts) -> usize {
    usize::try_from((count(parts).div_euclid(86_400) + 3).rem_euclid(7)).unwrap()
}

// --- What they read.

/// Parts that are numbers of the right width, but not always of a date.
fn loose() -> impl Strategy<Value = Parts> {
    let time = prop_oneof![
        (0..=25_i64, 0..=61_i64, 0..=62_i64),
        Just((23, 59, 60)),
        Just((0, 0, 0))
    ];
    let year = prop_oneof![0..=9999_i64, 1900..=2100_i64];
    (year, 1..=12_i64, 0..=33_i64, time).prop_map(|(year, month, day, (hour, minute, second))| {
        (year, month, day, hour, minute, second)
    })
}

fn real() -> impl Strategy<Value = Parts> {
    let time = (0..=23_i64, 0..=59_i64, 0..=59_i64);
    (0..=9999_i64, 1..=12_i64, 1..=31_i64, time).prop_map(
        |(year, month, day, (hour, minute, second))| {
            (
                year,
                month,
                day.min(length(year, month)),
                hour,
                minute,
                second,
            )
        },
    )
}

fn written() -> impl Strategy<Value = Vec<u8>> {
    (loose(), 0..7_usize, 0..4).prop_map(|(parts, day_name, form)| {
        let (year, month, day, hour, minute, second) = parts;
        let month = MONTHS[usize::try_from(month - 1).unwrap()];
        let time = format!("{hour:02}:{minute:02}:{second:02}");
        match form {
            0 => format!("{}, {day:02} {month} {year:04} {time} GMT", DAYS[day_name]),
            1 => format!(
                "{}, {day:02}-{month}-{:02} {time} GMT",
                LONG_DAYS[day_name],
                year % 100
            ),
            2 => format!("{} {month} {day:2} {time} {year:04}", DAYS[day_name]),
            _ => format!("\t{} {month} {day:02} {time} {year:04} ", DAYS[day_name]),
        }
        .into_bytes()
    })
}

fn nearly_written() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![
        prop::sample::select(b" \t,:-0169GMTgmtJ\"".to_vec()),
        any::<u8>()
    ];
    mutated(written(), octet)
}

// --- The properties.

#[test]
fn the_parser_is_the_grammar_and_the_calendar() {
    holds(&(written(), real()), |(octets, now)| {
        agrees(parsed, &octets, now)
    });
}

#[test]
fn the_parser_is_the_grammar_on_near_misses() {
    holds(&(nearly_written(), real()), |(octets, now)| {
        agrees(parsed, &octets, now)
    });
}

#[test]
fn the_parser_is_the_grammar_on_arbitrary_octets() {
    let octets = prop::collection::vec(any::<u8>(), 0..40);
    holds(&(octets, real()), |(octets, now)| {
        agrees(parsed, &octets, now)
    });
}

#[test]
fn a_parser_that_rolls_days_over_is_found_out() {
    is_refuted(&(written(), real()), |(octets, now)| {
        agrees(rolling_over, &octets, now)
    });
}

#[test]
fn a_parser_with_a_fixed_pivot_is_found_out() {
    is_refuted(&(written(), real()), |(octets, now)| {
        agrees(pivoting_at_70, &octets, now)
    });
}

#[test]
fn what_is_written_is_the_calendars_and_is_read_back() {
    holds(&real(), |parts| {
        let (year, month, day, hour, minute, second) = parts;
        let date = HttpDate::from_unix(count(parts));
        let time = format!("{hour:02}:{minute:02}:{second:02}");
        let month_name = MONTHS[usize::try_from(month - 1).unwrap()];
        let imf = format!(
            "{}, {day:02} {month_name} {year:04} {time} GMT",
            DAYS[weekday(parts)]
        );
        prop_assert_eq!(date.to_string(), imf.as_str());
        prop_assert_eq!(
            date.to_rfc3339(),
            format!("{year:04}-{month:02}-{day:02}T{time}Z")
        );
        let read = HttpDate::parse(imf.as_bytes(), || panic!("the clock was read"));
        prop_assert_eq!(read, Some(date));
        Ok(())
    });
}

#[test]
fn any_number_of_seconds_can_be_written_and_read() {
    holds(&any::<i64>(), |seconds| {
        let written = HttpDate::from_unix(seconds).to_string();
        let read = HttpDate::parse(written.as_bytes(), || panic!("the clock was read"));
        prop_assert_eq!(read.map(|date| date.to_string()), Some(written));
        Ok(())
    });
}

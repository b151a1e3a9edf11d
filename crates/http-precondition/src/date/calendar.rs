//! The proleptic Gregorian calendar of the years 0000 to 9999.

const DAY: i64 = 86_400;
/// Days from 0000-01-01 to 1970-01-01.
const EPOCH: i64 = days_before_year(1970);
/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z in Unix seconds: what text can name.
const FIRST: i64 = -EPOCH * DAY;
const LAST: i64 = (days_before_year(10_000) - EPOCH) * DAY - 1;

/// Days before each month of a common year, and of the whole year.
const BEFORE_MONTH: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// A moment in the parts that text shows. Fields in order of weight, so that `<` is earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Civil {
    pub(super) year: u16,
    /// 1 to 12.
    pub(super) month: u8,
    /// 1 to 31.
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    /// 0 to 59; 60 only as read.
    pub(super) second: u8,
}

impl Civil {
    /// The parts of a moment, and the day of its week counted from Sunday. A moment that text
    /// cannot name gives the nearest that it can.
    pub(super) fn from_unix(seconds: i64) -> (Self, usize) {
        let seconds = seconds.clamp(FIRST, LAST) - FIRST;
        let (days, in_day) = (seconds / DAY, seconds % DAY);
        // The mean year is a little shorter than the longest stretch, so the estimate is at most
        // one off.
        let mut year = days * 400 / days_before_year(400);
        if days < days_before_year(year) {
            year -= 1;
        } else if days >= days_before_year(year + 1) {
            year += 1;
        }
        let in_year = days - days_before_year(year);
        let month = (1..12)
            .rev()
            .find(|&month| before_month(year, month) <= in_year)
            .unwrap_or(0);
        let civil = Self {
            year: small(year),
            month: small(month + 1),
            day: small(in_year - before_month(year, month) + 1),
            hour: small(in_day / 3600),
            minute: small(in_day / 60 % 60),
            second: small(in_day % 60),
        };
        // 0000-01-01 is a Saturday.
        (civil, small((days + 6) % 7))
    }

    /// The moment, or `None` where the calendar or the clock does not have it. 23:59:60 is the
    /// second that follows.
    pub(super) fn to_unix(self) -> Option<i64> {
        let year = i64::from(self.year);
        let month = i64::from(self.month).checked_sub(1)?;
        if !(0..12).contains(&month) || year > 9999 {
            return None;
        }
        let length = before_month(year, month + 1) - before_month(year, month);
        let leap_second = (self.hour, self.minute, self.second) == (23, 59, 60);
        let clock = self.hour <= 23 && self.minute <= 59 && (self.second <= 59 || leap_second);
        if !clock || !(1..=length).contains(&i64::from(self.day)) {
            return None;
        }
        let days = days_before_year(year) + before_month(year, month) + i64::from(self.day) - 1;
        let in_day =
            i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        Some(FIRST + days * DAY + in_day)
    }
}

/// Days from 0000-01-01 to the first of the year, which is not negative.
const fn days_before_year(year: i64) -> i64 {
    // The year 0 is a leap year, hence the rounding up.
    365 * year + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400
}

/// Days of the year before a month counted from 0; 12 gives the whole year.
fn before_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    BEFORE_MONTH[small::<usize>(month)] + i64::from(leap && month >= 2)
}

fn small<T: TryFrom<i64>>(number: i64) -> T {
    T::try_from(number)
        .ok()
        .expect("within the calendar's bounds")
}

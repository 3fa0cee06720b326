//! A cron expression: which times of a calendar it names, whatever the zone.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};

use crate::limits::CRON_BYTES;
use crate::suggest;

/// A cron expression, such as `30 3 * * MON-FRI`, read and checked.
///
/// Five fields (minute, hour, day of the month, month, day of the week) or six with the second
/// first. A field is `*`, a number, a name (`JAN`, `MON`), a range `a-b`, either with a step
/// `/n`, or several of these with commas; the day of the month may be `L`, the last. Where
/// neither day field begins with `*`, a day that either names is named; otherwise both must name
/// it. Sunday is 0 or 7. `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly` are short
/// forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: u64,
    last_day: bool,
    months: u64,
    weekdays: u64,
    either_day: bool,
}

/// The text is not a cron expression; says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronError(String);

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CronError {}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The short forms.
const SHORT: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// What a field may hold.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    /// Names of its values, from the least on.
    names: &'static [&'static str],
}

const SECOND: Field = Field { name: "second", least: 0, most: 59, names: &[] };
const MINUTE: Field = Field { name: "minute", least: 0, most: 59, names: &[] };
const HOUR: Field = Field { name: "hour", least: 0, most: 23, names: &[] };
const DAY: Field = Field { name: "day of the month", least: 1, most: 31, names: &[] };
const MONTH: Field = Field {
    name: "month",
    least: 1,
    most: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const WEEKDAY: Field = Field {
    name: "day of the week",
    least: 0,
    most: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
};

/// No pattern of days comes back later than this: the 29th of February on one weekday, around a
/// year such as 2100 that has none.
const HORIZON_YEARS: i16 = 60;

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        if text.len() > CRON_BYTES {
            return Err(CronError(format!("a cron expression has at most {CRON_BYTES} bytes")));
        }
        let text = text.trim();
        let cron = Self::read(text, long_form(text)?)?;
        // Every pattern of days that can be met is met within the horizon of any start.
        match cron.first_from(DateTime::constant(2000, 1, 1, 0, 0, 0, 0)) {
            Some(_) => Ok(cron),
            None => Err(CronError(format!("{text:?} never comes: no month has such a day"))),
        }
    }
}

fn long_form(text: &str) -> Result<&str, CronError> {
    if !text.starts_with('@') {
        return Ok(text);
    }
    let known = SHORT.iter().find(|(short, _)| short.eq_ignore_ascii_case(text));
    known.map(|(_, long)| *long).ok_or_else(|| {
        let words = SHORT.map(|(short, _)| short);
        let hint = suggest::hint(&text.to_ascii_lowercase(), words);
        CronError(format!("unknown short form {text:?}; known are {}{hint}", words.join(", ")))
    })
}

impl Cron {
    fn read(text: &str, long: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = long.split_ascii_whitespace().collect();
        let (second, rest) = match fields.as_slice() {
            [second, rest @ ..] if rest.len() == 5 => (*second, rest),
            rest if rest.len() == 5 => ("0", rest),
            other => {
                return Err(CronError(format!(
                    "expected five fields (minute, hour, day of the month, month, day of the \
                     week), or six with the second first, got {}",
                    other.len()
                )));
            }
        };
        let last_day = rest[2].split(',').any(|part| part.eq_ignore_ascii_case("L"));
        let mut weekdays = WEEKDAY.read(rest[4])?;
        if weekdays & 1 << 7 != 0 {
            weekdays = weekdays & !(1 << 7) | 1;
        }
        Ok(Self {
            text: text.to_owned(),
            seconds: SECOND.read(second)?,
            minutes: MINUTE.read(rest[0])?,
            hours: HOUR.read(rest[1])?,
            days: DAY.read(rest[2])?,
            last_day,
            months: MONTH.read(rest[3])?,
            weekdays,
            either_day: !rest[2].starts_with('*') && !rest[4].starts_with('*'),
        })
    }

    /// Whether it names every hour, and so goes by the time that passes and not by the clock on
    /// the wall.
    pub(super) fn is_hourly(&self) -> bool {
        self.hours == (1 << 24) - 1
    }

    /// The first time at or after `from` that it names, if there is one within the horizon.
    pub(super) fn first_from(&self, from: DateTime) -> Option<DateTime> {
        let last_year = from.year().saturating_add(HORIZON_YEARS);
        let mut date = from.date();
        let mut earliest = from.time();
        if earliest.subsec_nanosecond() > 0 {
            // Ticks lie on whole seconds; callers ask for such.
            return self.first_from(from.with().subsec_nanosecond(0).build().ok()?);
        }
        while date.year() <= last_year {
            if !has(self.months, date.month()) {
                date = date.last_of_month().tomorrow().ok()?;
            } else {
                let time = self.names_day(date).then(|| self.first_time(earliest)).flatten();
                if let Some(time) = time {
                    return Some(date.to_datetime(time));
                }
                date = date.tomorrow().ok()?;
            }
            earliest = Time::midnight();
        }
        None
    }

    fn names_day(&self, date: Date) -> bool {
        let of_month =
            has(self.days, date.day()) || self.last_day && date.day() == date.days_in_month();
        let of_week = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        if self.either_day { of_month || of_week } else { of_month && of_week }
    }

    /// The first time of a day at or after `earliest`.
    fn first_time(&self, earliest: Time) -> Option<Time> {
        let [hour, minute, second] =
            [earliest.hour(), earliest.minute(), earliest.second()].map(i8::unsigned_abs);
        let build = |hour: u8, minute: u8, second: u8| {
            let [hour, minute, second] = [hour, minute, second].map(u8::cast_signed);
            Time::new(hour, minute, second, 0).ok()
        };
        if has(self.hours, earliest.hour()) {
            if has(self.minutes, earliest.minute())
                && let Some(second) = next(self.seconds, second)
            {
                return build(hour, minute, second);
            }
            if let Some(minute) = next(self.minutes, minute + 1) {
                return build(hour, minute, next(self.seconds, 0)?);
            }
        }
        let hour = next(self.hours, hour + 1)?;
        build(hour, next(self.minutes, 0)?, next(self.seconds, 0)?)
    }
}

/// Whether a set holds a number, which is below 64.
fn has(set: u64, number: i8) -> bool {
    set >> number.unsigned_abs() & 1 == 1
}

/// The least number of a set at or above `from`.
fn next(set: u64, from: u8) -> Option<u8> {
    let rest = set.checked_shr(from.into())?;
    (rest != 0).then(|| from + u8::try_from(rest.trailing_zeros()).unwrap_or(0))
}

impl Field {
    /// The set of numbers that a field names.
    fn read(&self, text: &str) -> Result<u64, CronError> {
        text.split(',').try_fold(0, |set, part| Ok(set | self.part(part)?))
    }

    fn part(&self, part: &str) -> Result<u64, CronError> {
        if self.name == DAY.name && part.eq_ignore_ascii_case("L") {
            return Ok(0);
        }
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(self.step(part, step)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.least, if self.most == 7 { 6 } else { self.most }),
            Some((from, to)) => (self.number(from)?, self.number(to)?),
            // `5/10` is `5-59/10`.
            None if step.is_some() => (self.number(range)?, self.most.min(59)),
            None => (self.number(range)?, self.number(range)?),
        };
        if from > to {
            let name = self.name;
            return Err(CronError(format!(
                "the range {part:?} of the {name} runs backwards; write it as two, with a comma"
            )));
        }
        let numbers = (from..=to).step_by(step.unwrap_or(1));
        Ok(numbers.fold(0, |set, number| set | 1 << number))
    }

    fn step(&self, part: &str, step: &str) -> Result<usize, CronError> {
        match step.parse() {
            Ok(step @ 1..=59) => Ok(step),
            _ => Err(CronError(format!(
                "the step of {part:?} ({}) is not a number from 1 to 59",
                self.name
            ))),
        }
    }

    fn number(&self, text: &str) -> Result<u32, CronError> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        if let Some(place) = named.and_then(|place| u32::try_from(place).ok()) {
            return Ok(self.least + place);
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits && (self.least..=self.most).contains(&number) => Ok(number),
            _ => {
                let Self { name, least, most, names } = self;
                let or_name = match names.first().zip(names.last()) {
                    Some((first, last)) => format!(", {first} to {last}"),
                    None => String::new(),
                };
                Err(CronError(format!(
                    "the {name} is * or a number from {least} to {most}{or_name}; got {text:?}"
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(text: &str) -> Cron {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// The first times from the beginning of 2026, which was a Thursday.
    fn first(text: &str, count: usize) -> Vec<String> {
        let mut from = DateTime::constant(2026, 1, 1, 0, 0, 0, 0);
        let mut times = Vec::new();
        while times.len() < count {
            let time = cron(text).first_from(from).expect("it comes");
            times.push(time.strftime("%m-%d %H:%M:%S").to_string());
            from = time.checked_add(jiff::Span::new().seconds(1)).unwrap();
        }
        times
    }

    #[test]
    fn fields_are_numbers_names_ranges_steps_and_lists() {
        assert_eq!(first("* * * * *", 2), ["01-01 00:00:00", "01-01 00:01:00"]);
        assert_eq!(first("*/20 9-10 * * *", 4)[2..], ["01-01 09:40:00", "01-01 10:00:00"]);
        assert_eq!(first("5/25 0 * * *", 3)[1..], ["01-01 00:30:00", "01-01 00:55:00"]);
        assert_eq!(first("0 12 * FEB,apr 1,5", 2), ["02-02 12:00:00", "02-06 12:00:00"]);
        assert_eq!(first("30 3 * * MON-FRI", 3)[2], "01-05 03:30:00");
        assert_eq!(first("15 30 3 L * *", 2), ["01-31 03:30:15", "02-28 03:30:15"]);
        assert_eq!(first("0 0 1,L * *", 3)[1..], ["01-31 00:00:00", "02-01 00:00:00"]);
    }

    #[test]
    fn sunday_is_zero_and_seven() {
        assert_eq!(first("0 0 * * 7", 2), first("0 0 * * SUN", 2));
        assert_eq!(first("0 0 * * 5-7", 3), ["01-02 00:00:00", "01-03 00:00:00", "01-04 00:00:00"]);
    }

    #[test]
    fn two_day_fields_name_a_day_each_and_a_star_joins_them() {
        assert_eq!(
            first("0 0 13 * FRI", 3),
            ["01-02 00:00:00", "01-09 00:00:00", "01-13 00:00:00"]
        );
        assert_eq!(first("0 0 */13 * FRI", 1), ["02-27 00:00:00"]);
    }

    #[test]
    fn short_forms_are_read_and_kept_as_they_were_written() {
        for (short, long) in SHORT {
            assert_eq!(first(short, 2), first(long, 2));
            assert_eq!(cron(short).to_string(), short);
        }
    }

    #[test]
    fn a_leap_day_on_a_weekday_comes_around_a_year_without_one() {
        let from = DateTime::constant(2096, 3, 1, 0, 0, 0, 0);
        let time = cron("0 0 29 2 *").first_from(from).unwrap();
        assert_eq!((time.year(), time.day()), (2104, 29));
        assert!(cron("0 0 29 2 */7").first_from(from).is_some());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_field() {
        for (text, part) in [
            ("", "got 0"),
            ("* * * *", "got 4"),
            ("60 * * * *", "minute is * or a number from 0 to 59; got \"60\""),
            ("* * * * MOO", "day of the week is * or a number from 0 to 7, SUN to SAT"),
            ("* 5-2 * * *", "runs backwards"),
            ("*/0 * * * *", "step"),
            ("* * 0 * *", "day of the month"),
            ("+1 * * * *", "minute"),
            ("0 0 30 2 *", "never comes"),
            ("@dayly", "did you mean \"@daily\"?"),
            ("* * * * * * *", "got 7"),
            ("1,,2 * * * *", "got \"\""),
        ] {
            let error = text.parse::<Cron>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}

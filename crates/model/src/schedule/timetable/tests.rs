//! Ticks against a slow but obvious reckoning, and the clock changes of a few zones.

use proptest::prelude::*;

use super::*;

fn timetable(cron: &str, zone: &str) -> Timetable {
    let clock_change = ClockChange::Fire;
    Timetable { cron: cron.parse().unwrap(), zone: zone.parse().unwrap(), clock_change }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The ticks of a time, as UTC without the part that is the same.
fn ticks(timetable: &Timetable, from: &str, to: &str) -> Vec<String> {
    let mut now = at(from).before(Span::from_millis(1));
    let mut found = Vec::new();
    while let Some(tick) = timetable.next_after(now).filter(|tick| *tick < at(to)) {
        found.push(tick.to_string()[11..16].to_owned());
        now = tick;
    }
    found
}

/// Each zone with a day on which its clocks are set forward, the change in UTC, and an
/// expression for a time in the skipped hour.
const FORWARD: [(&str, &str, &str, &str); 4] = [
    ("Europe/Berlin", "2026-03-29", "01:00", "30 2 * * *"),
    ("America/New_York", "2026-03-08", "07:00", "15,45 2 * * *"),
    ("Australia/Lord_Howe", "2026-10-03", "15:30", "10 2 * * *"),
    ("America/Santiago", "2026-09-06", "04:00", "30 0 * * *"),
];

#[test]
fn what_lies_in_the_skipped_hour_ticks_once_at_the_change() {
    for (zone, day, change, cron) in FORWARD {
        let (from, to) = (format!("{day}T00:00:00Z"), format!("{day}T23:59:59Z"));
        let mut table = timetable(cron, zone);
        let fired = ticks(&table, &from, &to);
        assert_eq!(fired.iter().filter(|tick| *tick == change).count(), 1, "{zone}: {fired:?}");
        table.clock_change = ClockChange::Skip;
        let skipped: Vec<String> = fired.into_iter().filter(|tick| tick != change).collect();
        assert_eq!(ticks(&table, &from, &to), skipped, "{zone}");
    }
}

#[test]
fn a_time_at_the_end_of_the_skipped_hour_ticks_once() {
    let table = timetable("0,30 2,3 * * *", "Europe/Berlin");
    let fired = ticks(&table, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z");
    assert_eq!(fired, ["01:00", "01:30"]);
}

#[test]
fn the_doubled_hour_ticks_once() {
    for (zone, from, to, cron, once) in [
        ("Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z", "30 2 * * *", "00:30"),
        ("America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T12:00:00Z", "0 1 * * *", "05:00"),
        (
            "Australia/Lord_Howe",
            "2026-04-04T12:00:00Z",
            "2026-04-05T00:00:00Z",
            "45 1 * * *",
            "14:45",
        ),
    ] {
        assert_eq!(ticks(&timetable(cron, zone), from, to), [once], "{zone}");
    }
    let after = ticks(
        &timetable("0,30 2,3 * * *", "Europe/Berlin"),
        "2026-10-25T00:00:00Z",
        "2026-10-25T12:00:00Z",
    );
    assert_eq!(after, ["00:00", "00:30", "02:00", "02:30"]);
}

#[test]
fn an_expression_of_every_hour_goes_by_the_time_that_passes() {
    let table = timetable("0 * * * *", "Europe/Berlin");
    for day in ["2026-03-29", "2026-10-25", "2026-07-01"] {
        let fired = ticks(&table, &format!("{day}T00:00:00Z"), &format!("{day}T04:00:00Z"));
        assert_eq!(fired, ["00:00", "01:00", "02:00", "03:00"], "{day}");
    }
}

#[test]
fn a_day_that_a_zone_leaves_out_ticks_once_at_its_end() {
    let table = timetable("0 6,12 * * *", "Pacific/Apia");
    let fired = ticks(&table, "2011-12-29T17:00:00Z", "2011-12-30T23:00:00Z");
    assert_eq!(fired, ["22:00", "10:00", "16:00", "22:00"]);
}

#[test]
fn the_last_ticks_are_found_however_long_ago_the_first_was() {
    let table = timetable("* * * * * *", "UTC");
    let now = at("2026-01-01T00:00:00Z");
    let last = table.last_between(at("1990-01-01T00:00:00Z"), now, 3);
    assert_eq!(last, [-2, -1, 0].map(|s| Timestamp::from_millis(now.as_millis() + s * 1_000)));
    let rare = timetable("0 0 29 2 *", "UTC");
    let last = rare.last_between(at("1999-01-01T00:00:00Z"), now, 2);
    assert_eq!(last, [at("2020-02-29T00:00:00Z"), at("2024-02-29T00:00:00Z")]);
    assert_eq!(rare.last_between(now, at("2020-01-01T00:00:00Z"), 2), []);
    assert_eq!(rare.last_between(last[1], last[1], 2), [last[1]], "both ends are included");
}

/// Whether an instant's local time is named by the expression, asked of the expression alone.
fn names(cron: &Cron, local: DateTime) -> bool {
    cron.first_from(local) == Some(local)
}

/// The ticks of a stretch of time minute by minute, as the module's doc defines them.
fn reckoned(table: &Timetable, from: Timestamp, minutes: i64) -> Vec<Timestamp> {
    let rules = table.zone.rules();
    let minute = |count: i64| Timestamp::from_millis(from.as_millis() + count * 60_000);
    let local = |at: Timestamp| {
        rules.to_datetime(jiff::Timestamp::from_millisecond(at.as_millis()).unwrap())
    };
    let (mut shown, mut found) = (local(minute(-240)), Vec::new());
    for at in (-239..minutes).map(minute) {
        let now = local(at);
        let next = shown.checked_add(jiff::Span::new().minutes(1)).unwrap();
        let ticks = if table.cron.is_hourly() {
            names(&table.cron, now)
        } else {
            // Every time on the wall that has come up to now and had not come before.
            let mut time = next;
            let mut any = now >= next && names(&table.cron, now);
            while table.clock_change == ClockChange::Fire && time < now && !any {
                any = names(&table.cron, time);
                time = time.checked_add(jiff::Span::new().minutes(1)).unwrap();
            }
            any
        };
        shown = shown.max(now);
        if ticks && at >= from {
            found.push(at);
        }
    }
    found
}

fn field(least: u32, most: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("*".to_owned()),
        3 => (least..=most).prop_map(|number| number.to_string()),
        1 => (least..=most, 1..20_u32)
            .prop_map(move |(from, step)| format!("{from}-{most}/{step}")),
        1 => (2..20_u32).prop_map(|step| format!("*/{step}")),
        1 => proptest::collection::vec(least..=most, 2..4).prop_map(|numbers| {
            numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        }),
    ]
}

const ZONES: [&str; 5] =
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago"];

/// Days around clock changes of those zones, and one far from any.
const DAYS: [&str; 9] = [
    "2026-03-28",
    "2026-10-24",
    "2026-03-07",
    "2026-10-31",
    "2026-10-03",
    "2026-04-04",
    "2026-09-05",
    "2026-04-05",
    "2026-06-30",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_tick_matches_and_none_is_missed(
        minute in field(0, 59), hour in field(0, 23), day in field(1, 28), weekday in field(0, 6),
        zone in 0..ZONES.len(), around in 0..DAYS.len(), skip in any::<bool>(),
    ) {
        let mut table = timetable(&format!("{minute} {hour} {day} * {weekday}"), ZONES[zone]);
        table.clock_change = if skip { ClockChange::Skip } else { ClockChange::Fire };
        let from = at(&format!("{}T00:00:00Z", DAYS[around]));
        let minutes = 48 * 60;
        let end = from.after(Span::from_secs(minutes as u64 * 60));
        let (mut found, mut now) = (Vec::new(), from.before(Span::from_millis(1)));
        while let Some(tick) = table.next_after(now).filter(|tick| *tick < end) {
            prop_assert!(tick > now);
            found.push(tick);
            now = tick;
        }
        prop_assert_eq!(&found, &reckoned(&table, from, minutes));
        let most = found.len().min(7);
        let last = table.last_between(from, end.before(Span::from_millis(1)), most);
        prop_assert_eq!(last, &found[found.len() - most..]);
    }
}

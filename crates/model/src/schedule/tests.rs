//! What ticks come to.

use proptest::prelude::*;

use super::*;
use crate::limits::DEFAULT_TICKS_MISSED;

fn at(text: &str) -> Timestamp {
    format!("2026-05-04T{text}Z").parse().unwrap()
}

/// A schedule of every ten minutes, made at ten o'clock.
fn schedule(missed: Missed, overlap: Overlap) -> Schedule {
    let timetable = Timetable {
        cron: "*/10 * * * *".parse().unwrap(),
        zone: Zone::utc(),
        clock_change: ClockChange::Fire,
    };
    let empty = Json::trusted("{}");
    let job = Template { spec: Spec::new(Name::trusted("f")), input: empty.clone(), params: empty };
    let rules = Rules { timetable, missed, missed_limit: DEFAULT_TICKS_MISSED, overlap, job };
    Schedule::new(Name::trusted("s"), rules, false, at("10:00:00"))
}

fn fired(schedule: &Schedule, now: &str, busy: bool) -> (Vec<Timestamp>, Schedule) {
    let Advance { schedule: after, fire } = schedule.advance(at(now), busy);
    assert_eq!(after.revision, schedule.revision + 1);
    (fire, after)
}

#[test]
fn a_tick_counts_once_and_only_when_it_has_come() {
    let new = schedule(Missed::Once, Overlap::Allow);
    assert_eq!(new.next_at, Some(at("10:10:00")));
    let (fire, early) = fired(&new, "10:09:59.999", false);
    assert_eq!((fire, early.next_at), (vec![], new.next_at));
    let (fire, after) = fired(&early, "10:10:00", false);
    assert_eq!((fire, after.next_at), (vec![at("10:10:00")], Some(at("10:20:00"))));
    assert_eq!(fired(&after, "10:10:00", false).0, [], "a clock that is set back repeats nothing");
    assert_eq!(fired(&after, "10:05:00", false).0, []);
}

#[test]
fn each_rule_of_missed_ticks_does_what_it_says() {
    let (fire, after) = fired(&schedule(Missed::Skip, Overlap::Allow), "10:45:00", false);
    assert_eq!((fire, after.next_at), (vec![], Some(at("10:50:00"))));
    assert_eq!(after.skipped, Some(Skipped { tick: at("10:40:00"), reason: Reason::Missed }));
    let (fire, after) = fired(&schedule(Missed::Skip, Overlap::Allow), "10:40:59", false);
    assert_eq!(fire, [at("10:40:00")], "a tick of the last minute is not missed");
    assert_eq!(after.skipped, Some(Skipped { tick: at("10:30:00"), reason: Reason::Missed }));

    let (fire, after) = fired(&schedule(Missed::Once, Overlap::Allow), "10:45:00", false);
    assert_eq!(fire, [at("10:40:00")]);
    assert_eq!(after.skipped.map(|skipped| skipped.tick), Some(at("10:30:00")));

    let mut all = schedule(Missed::All, Overlap::Allow);
    let every = ["10:10:00", "10:20:00", "10:30:00", "10:40:00"].map(at);
    let (fire, after) = fired(&all, "10:45:00", false);
    assert_eq!((fire.as_slice(), after.skipped), (&every[..], None));
    all.rules.missed_limit = 3;
    let (fire, after) = fired(&all, "10:45:00", false);
    assert_eq!(fire, every[1..]);
    assert_eq!(after.skipped, Some(Skipped { tick: every[0], reason: Reason::Missed }));
}

#[test]
fn each_rule_of_overlap_does_what_it_says() {
    assert_eq!(fired(&schedule(Missed::Once, Overlap::Allow), "10:10:00", true).0.len(), 1);

    let (fire, after) = fired(&schedule(Missed::Once, Overlap::Skip), "10:10:00", true);
    assert_eq!((fire, after.queued.as_slice()), (vec![], &[][..]));
    assert_eq!(after.skipped, Some(Skipped { tick: at("10:10:00"), reason: Reason::Overlap }));
    assert_eq!(fired(&after, "10:20:00", false).0, [at("10:20:00")]);

    let (fire, after) = fired(&schedule(Missed::Once, Overlap::Queue), "10:10:00", true);
    assert_eq!((fire, after.queued.as_slice()), (vec![], &[at("10:10:00")][..]));
    let (fire, after) = fired(&after, "10:20:00", true);
    assert_eq!((fire.len(), after.queued.len()), (0, 2));
    let (fire, after) = fired(&after, "10:21:00", false);
    assert_eq!((fire, after.queued.as_slice()), (vec![at("10:10:00")], &[at("10:20:00")][..]));
    let (fire, after) = fired(&after, "10:22:00", false);
    assert_eq!((fire, after.queued.len()), (vec![at("10:20:00")], 0));
}

#[test]
fn under_skip_one_of_many_missed_ticks_makes_a_job() {
    let (fire, after) = fired(&schedule(Missed::All, Overlap::Skip), "10:45:00", false);
    assert_eq!(fire, [at("10:10:00")]);
    assert_eq!(after.skipped, Some(Skipped { tick: at("10:40:00"), reason: Reason::Overlap }));
}

#[test]
fn no_more_ticks_wait_than_may() {
    let mut full = schedule(Missed::All, Overlap::Queue);
    full.queued = vec![at("09:00:00"); TICKS_QUEUED];
    let (_, after) = fired(&full, "10:10:00", true);
    assert_eq!(after.queued.len(), TICKS_QUEUED);
    assert_eq!(after.skipped, Some(Skipped { tick: at("10:10:00"), reason: Reason::QueueFull }));
}

#[test]
fn ticks_of_a_paused_schedule_do_not_count() {
    let paused = schedule(Missed::All, Overlap::Allow).paused(at("10:05:00"));
    assert_eq!((paused.next_at, paused.upcoming(3)), (None, vec![]));
    assert_eq!(fired(&paused, "10:30:00", false).0, []);
    let resumed = paused.resumed(at("10:35:00"));
    assert_eq!(resumed.upcoming(2), ["10:40:00", "10:50:00"].map(at));
    assert_eq!(resumed.resumed(at("10:45:00")).next_at, resumed.next_at, "it is awake already");
}

#[test]
fn new_rules_lose_and_repeat_no_tick_of_the_same_timetable() {
    let old = schedule(Missed::Once, Overlap::Allow);
    let rules = Rules { missed: Missed::All, ..old.rules.clone() };
    let same = old.replaced(rules.clone(), false, at("10:15:00"));
    assert_eq!(same.next_at, Some(at("10:10:00")), "a tick that has come is still to be answered");
    let cron = "*/30 * * * *".parse().unwrap();
    let rules = Rules { timetable: Timetable { cron, ..rules.timetable.clone() }, ..rules };
    let other = old.replaced(rules, false, at("10:15:00"));
    assert_eq!((other.next_at, other.created_at), (Some(at("10:30:00")), at("10:00:00")));
}

#[test]
fn a_new_timetable_after_the_clock_was_set_back_repeats_no_tick() {
    let queue = fired(&schedule(Missed::All, Overlap::Queue), "10:25:00", true).1;
    assert_eq!(queue.queued, ["10:10:00", "10:20:00"].map(at));
    let skip = fired(&schedule(Missed::All, Overlap::Skip), "10:25:00", true).1;
    for answered in [queue, skip] {
        let mut rules = answered.rules.clone();
        rules.timetable.cron = "*/5 * * * *".parse().unwrap();
        let changed = answered.replaced(rules, false, at("10:02:00"));
        assert_eq!(changed.next_at, Some(at("10:25:00")));
    }
}

#[test]
fn the_jobs_of_ticks_have_ids_in_their_order_and_tags_to_be_found_by() {
    let schedule = schedule(Missed::All, Overlap::Allow);
    let now = at("10:45:00");
    let ids: Vec<JobId> =
        (0..600).map(|index| schedule.job_id(at("10:10:00"), now, index)).collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert_eq!(ids[1].made_at(), now);
    assert_ne!(ids[0], schedule.job_id(at("10:20:00"), now, 0));
    let tags = schedule.job_spec(at("10:10:00")).tags;
    assert_eq!(tags, ["schedule:s", "tick:2026-05-04T10:10:00.000Z"].map(Name::trusted));
}

proptest! {
    /// With every missed tick made up for, each tick makes one job, however the looks fall.
    #[test]
    fn no_tick_is_lost_or_repeated(
        looks in proptest::collection::vec((1..4_000_u64, any::<bool>()), 1..40),
    ) {
        for overlap in [Overlap::Allow, Overlap::Queue] {
            let mut schedule = schedule(Missed::All, overlap);
            let (mut now, mut all) = (schedule.created_at, Vec::new());
            for (seconds, busy) in &looks {
                now = now.after(Span::from_secs(*seconds));
                let Advance { schedule: after, fire } = schedule.advance(now, *busy);
                all.extend(fire);
                schedule = after;
            }
            all.extend(schedule.queued.iter());
            let table = &schedule.rules.timetable;
            let first = schedule.created_at.after(Span::from_millis(1));
            let want = table.last_between(first, now, 10_000);
            prop_assert_eq!(all, want);
            prop_assert_eq!(schedule.skipped, None);
        }
    }
}

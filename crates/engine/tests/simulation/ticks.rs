//! What the witness knows of schedules: every tick is answered once, as the rules say.
//!
//! The schedules of the simulation tick at whole multiples of some seconds, so that their ticks
//! are counted here without the timetable that is tried.

use std::collections::BTreeMap;

use jobmill_model::limits::TICK_LATE_MILLIS;
use jobmill_model::queue::Name;
use jobmill_model::schedule::{Missed, Overlap, Rules, Schedule};
use jobmill_model::{Job, JobId, Timestamp};
use jobmill_store::{ScheduleWrite, Written};

use super::witness::{Witness, must};

/// A schedule as it stands, and the ticks of it that have made a job.
pub(crate) struct Ticking {
    schedule: Schedule,
    fired: BTreeMap<Timestamp, JobId>,
}

/// The seconds between two ticks, as the job's input says.
fn period_millis(rules: &Rules) -> i64 {
    let input = rules.job.input.to_value().unwrap_or_default();
    let seconds = input.as_map().and_then(|map| map.get("every")?.as_int());
    seconds.unwrap_or(1) * 1_000
}

/// The tick that a job is tagged with.
fn tick_of(tags: &[Name]) -> Option<Timestamp> {
    tags.iter().find_map(|tag| tag.as_str().strip_prefix("tick:")?.parse().ok())
}

/// The ticks that count of those that have come by `at`.
fn due(schedule: &Schedule, at: Timestamp) -> Vec<Timestamp> {
    let Some(next) = schedule.next_at.filter(|next| *next <= at && !schedule.paused) else {
        return Vec::new();
    };
    let period = period_millis(&schedule.rules);
    let count = (at.as_millis() - next.as_millis()) / period;
    let tick = |number: i64| Timestamp::from_millis(next.as_millis() + number * period);
    let last = tick(count);
    match schedule.rules.missed {
        Missed::Skip if at.as_millis() - last.as_millis() > TICK_LATE_MILLIS as i64 => Vec::new(),
        Missed::Skip | Missed::Once => vec![last],
        Missed::All => {
            let most = i64::from(schedule.rules.missed_limit);
            ((count + 1 - most).max(0)..=count).map(tick).collect()
        }
    }
}

impl Witness {
    pub(super) fn scheduled(
        &mut self,
        writes: &[ScheduleWrite],
        written: &[Written],
        rows: &[Job],
    ) {
        for (write, written) in writes.iter().zip(written) {
            let (name, revision) = (&write.schedule.name, write.schedule.revision);
            let before = self.schedules.get(name).map_or(0, |it| it.schedule.revision);
            let fits = before + 1 == revision;
            if fits != (*written == Written::Done) {
                let text = format!("{name} is {written:?} as revision {revision} over {before}");
                return self.broken("schedules change one step at a time", text);
            }
            if fits {
                self.schedule(write, rows);
            }
        }
    }

    fn schedule(&mut self, write: &ScheduleWrite, rows: &[Job]) {
        let ScheduleWrite { schedule, jobs, at } = write;
        let before = self.schedules.get(&schedule.name).map(|it| it.schedule.clone());
        let fired: Vec<_> = jobs.iter().filter_map(|job| tick_of(&job.spec.tags)).collect();
        if fired.len() != jobs.len() {
            return self.broken("the jobs of ticks say so", format!("{jobs:?}"));
        }
        let wrong = match &before {
            Some(before) if before.changed_at == schedule.changed_at => {
                self.misanswered(before, schedule, &fired, *at)
            }
            before => changed_badly(before.as_ref(), schedule, &fired),
        };
        if let Some(wrong) = wrong {
            let text = format!("{wrong}: {before:?} became {schedule:?} with {fired:?} at {at}");
            return self.broken("every tick is answered as the rules say", text);
        }
        let ticking = self.schedules.entry(schedule.name.clone());
        let ticking = ticking
            .or_insert_with(|| Ticking { schedule: schedule.clone(), fired: BTreeMap::new() });
        ticking.schedule = schedule.clone();
        for (job, tick) in jobs.iter().zip(fired) {
            let ticking = self.schedules.entry(schedule.name.clone());
            let mut earlier = None;
            ticking.and_modify(|it| earlier = it.fired.insert(tick, job.id));
            self.new_job(job, *at);
            let is_stored = rows.iter().any(|row| row.id == job.id);
            must!(self, earlier.is_none(), "a tick fires once", job.id, "is {earlier:?} again");
            must!(self, is_stored, "a tick that was answered has its job", job.id, "is not there");
        }
    }

    /// What is wrong with an answer of ticks.
    fn misanswered(
        &self,
        before: &Schedule,
        after: &Schedule,
        fired: &[Timestamp],
        at: Timestamp,
    ) -> Option<&'static str> {
        let due = due(before, at);
        let period = period_millis(&before.rules);
        let later = |next: Timestamp| {
            let passed = (at.as_millis() - next.as_millis()).div_euclid(period) + 1;
            Timestamp::from_millis(next.as_millis() + passed.max(0) * period)
        };
        if after.next_at != before.next_at.map(later) {
            return Some("the next tick is another one");
        }
        let last = before.last.and_then(|last| self.jobs.get(&last.job));
        // Whoever has never ended was unfinished when the answer was thought of.
        let is_busy = last.is_some_and(|seen| seen.run == 1 && !seen.state.is_final());
        match before.rules.overlap {
            Overlap::Allow => (fired != due).then_some("not all of the ticks that count, or more"),
            Overlap::Skip => {
                let fits = fired.is_empty() && (last.is_some() || due.is_empty())
                    || fired.len() == 1 && fired.first() == due.first() && !is_busy;
                (!fits).then_some("not one tick with nothing before it")
            }
            Overlap::Queue => {
                let queue: Vec<_> = before.queued.iter().chain(&due).collect();
                let answered: Vec<_> = fired.iter().chain(&after.queued).collect();
                let fits = answered == queue && fired.len() <= 1 && (!is_busy || fired.is_empty());
                (!fits).then_some("ticks are lost, made up, or out of turn")
            }
        }
    }

    /// The name of a schedule whose tick has come and is not answered.
    pub(crate) fn overdue(&self) -> Option<Name> {
        let now = self.wall();
        let is_over = |it: &&Ticking| it.schedule.next_at.is_some_and(|next| next < now);
        self.schedules.values().find(is_over).map(|it| it.schedule.name.clone())
    }

    /// The schedules that tick.
    pub(crate) fn awake(&self) -> Vec<Name> {
        let awake = self.schedules.values().filter(|it| !it.schedule.paused);
        awake.map(|it| it.schedule.name.clone()).collect()
    }
}

/// What is wrong with a change by hand.
fn changed_badly(
    before: Option<&Schedule>,
    after: &Schedule,
    fired: &[Timestamp],
) -> Option<&'static str> {
    let stays = before.is_some_and(|before| {
        !before.paused && !after.paused && before.rules.timetable == after.rules.timetable
    });
    let next = before.and_then(|before| before.next_at);
    match stays && after.next_at != next {
        _ if !fired.is_empty() => Some("a change by hand answers ticks"),
        true => Some("a timetable that stays loses or repeats a tick"),
        false => None,
    }
}

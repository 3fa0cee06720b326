//! Schedules, made up.

use jobmill_model::queue::Name;
use jobmill_model::schedule::{Advance, Overlap, Word};
use jobmill_model::{Schedule, Timestamp};

use super::super::super::schedule::plain;
use super::super::super::stage::name;
use super::super::op::Op;
use super::World;
use crate::ScheduleWrite;

const SCHEDULES: [&str; 4] = ["s", "t", "u", "v"];

impl World {
    pub(super) fn schedule_op(&mut self) -> Op {
        match self.chance.below(10) {
            0..5 => {
                let count = 1 + self.chance.size(2);
                Op::WriteSchedules((0..count).map(|_| self.schedule_write()).collect())
            }
            5 => Op::GetSchedule(self.schedule_name()),
            6 => {
                let after = self.chance.percent(50).then(|| self.schedule_name());
                Op::ListSchedules(after, self.chance.size(4))
            }
            7 => Op::DeleteSchedule(self.schedule_name()),
            _ => {
                // Now and then before the ticks of late.
                let back = if self.chance.percent(30) { 60_000 } else { 0 };
                let now = Timestamp::from_millis(self.now().as_millis() - back);
                Op::DueSchedules(now, self.chance.size(5))
            }
        }
    }

    fn schedule_name(&mut self) -> Name {
        let known = self.one_name(&SCHEDULES);
        if self.chance.percent(80) { known } else { name("nobody") }
    }

    /// The next step of a schedule that is there, a new one, or one that comes too late.
    fn schedule_write(&mut self) -> ScheduleWrite {
        let now = self.now();
        let known = self.chance.pick(&self.schedules).cloned();
        let known = known.filter(|_| self.chance.percent(85));
        let known = known.unwrap_or_else(|| self.new_schedule());
        let busy = self.chance.percent(50);
        let Advance { mut schedule, fire } = match self.chance.below(10) {
            0 => Advance { schedule: known.paused(now), fire: vec![] },
            1 | 2 => Advance { schedule: known.resumed(now), fire: vec![] },
            _ => known.advance(now, busy),
        };
        if known.revision == 0 || self.chance.percent(10) {
            schedule.revision = 1;
        }
        let mut jobs = Vec::new();
        for tick in fire {
            let job = self.job_insert(now);
            match self.chance.percent(90) {
                true => schedule.fire(tick, job.id),
                false => schedule.misfire(tick, now, "it does not fit".to_owned()),
            }
            jobs.push(job);
        }
        ScheduleWrite { schedule, jobs, at: now }
    }

    fn new_schedule(&mut self) -> Schedule {
        let now = self.now();
        let mut rules = plain("new").rules;
        rules.timetable.cron = "*/10 * * * * *".parse().expect("an expression");
        let any = self.chance.pick(Overlap::WORDS).map(|(_, overlap)| *overlap);
        let any = any.filter(|_| self.chance.percent(40));
        rules.overlap = any.unwrap_or(Overlap::Queue);
        rules.job.spec = self.spec(now);
        rules.job.spec.parent = None;
        let text = self.chance.pick(&SCHEDULES).expect("there are names");
        Schedule { revision: 0, ..Schedule::new(name(text), rules, false, now) }
    }
}

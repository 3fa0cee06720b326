//! Schedules, in memory.

use std::ops::Bound;

use async_trait::async_trait;
use jobmill_model::limits::SCHEDULES;
use jobmill_model::queue::Name;
use jobmill_model::{JobId, Schedule, Timestamp};

use super::{Data, MemoryStore};
use crate::{Result, ScheduleWrite, Schedules, SchedulesDue, Submission, Written};

#[async_trait]
impl Schedules for MemoryStore {
    async fn schedule_write(&self, writes: Vec<ScheduleWrite>) -> Result<Vec<Written>> {
        let mut data = self.0.lock();
        writes.into_iter().map(|write| data.write_schedule(write)).collect()
    }

    async fn schedule_get(&self, name: &Name) -> Result<Option<Schedule>> {
        Ok(self.0.lock().schedules.get(name).cloned())
    }

    async fn schedule_list(&self, after: Option<&Name>, limit: usize) -> Result<Vec<Schedule>> {
        let data = self.0.lock();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = data.schedules.range::<Name, _>((from, Bound::Unbounded)).take(limit);
        Ok(page.map(|(_, schedule)| schedule.clone()).collect())
    }

    async fn schedule_delete(&self, name: &Name) -> Result<bool> {
        Ok(self.0.lock().schedules.remove(name).is_some())
    }

    async fn schedule_due(&self, now: Timestamp, limit: usize) -> Result<SchedulesDue> {
        let data = self.0.lock();
        let mut due = SchedulesDue::default();
        for schedule in data.schedules.values().filter(|schedule| !schedule.paused) {
            let holder = data.holder(schedule);
            let released = !schedule.queued.is_empty() && holder.is_none();
            if released || schedule.next_at.is_some_and(|at| at <= now) {
                due.schedules.push(schedule.clone());
            }
            let later = schedule.next_at.filter(|at| *at > now);
            due.next = [due.next, later].into_iter().flatten().min();
            due.held_by.extend(holder);
        }
        due.schedules.truncate(limit);
        due.held_by.sort_unstable();
        Ok(due)
    }
}

impl Data {
    fn write_schedule(&mut self, write: ScheduleWrite) -> Result<Written> {
        let ScheduleWrite { schedule, jobs, at } = write;
        let stored = self.schedules.get(&schedule.name).map_or(0, |stored| stored.revision);
        if stored + 1 != schedule.revision {
            return Ok(Written::Stale);
        }
        if stored == 0 && self.schedules.len() >= SCHEDULES {
            return Ok(Written::Full);
        }
        self.schedules.insert(schedule.name.clone(), schedule);
        self.insert(Submission { jobs, idempotency: None, at, offer: None })?;
        Ok(Written::Done)
    }

    /// The unfinished job that ticks of a schedule wait for.
    fn holder(&self, schedule: &Schedule) -> Option<JobId> {
        let last = schedule.last.filter(|_| !schedule.queued.is_empty())?.job;
        self.rows.get(&last).filter(|row| !row.job.state.is_final()).map(|_| last)
    }
}

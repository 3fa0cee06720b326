//! Schedules, and the jobs that their ticks make.

use async_trait::async_trait;
use jobmill_model::queue::Name;
use jobmill_model::{JobId, Schedule, Timestamp};

use crate::{JobInsert, Result};

/// A schedule as it shall stand, with the jobs that the change makes.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleWrite {
    /// The schedule, its revision one above the one that it replaces.
    pub schedule: Schedule,
    /// The jobs, which start at once.
    pub jobs: Vec<JobInsert>,
    /// The present.
    pub at: Timestamp,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The schedule stands as written and its jobs are stored.
    Done,
    /// The stored schedule is of another revision than the one that was replaced, or is gone.
    Stale,
    /// It would be new, and there are as many as there may be:
    /// [`SCHEDULES`](jobmill_model::limits::SCHEDULES).
    Full,
}

/// What is to be looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SchedulesDue {
    /// Schedules with a tick to answer, by name.
    pub schedules: Vec<Schedule>,
    /// The first tick after the present.
    pub next: Option<Timestamp>,
    /// The unfinished jobs whose end schedules wait for, by id.
    pub held_by: Vec<JobId>,
}

/// The verbs of the schedule.
#[async_trait]
pub trait Schedules: Send + Sync {
    /// Stores schedules and their jobs, each write for itself.
    ///
    /// Before: the stored schedule of that name has the revision one below, or there is none and
    /// the revision is 1; otherwise nothing of the write happens and it is
    /// [`Written::Stale`], or [`Written::Full`]. After [`Written::Done`]: the schedule stands as
    /// written and its jobs are `submitted` and claimable, none handed over, as by
    /// [`job_insert`](crate::Jobs::job_insert). A crash leaves both or neither, so a tick that
    /// the schedule counts as answered has its job, and no other tick has.
    async fn schedule_write(&self, writes: Vec<ScheduleWrite>) -> Result<Vec<Written>>;

    /// The schedule of a name, if there is one.
    async fn schedule_get(&self, name: &Name) -> Result<Option<Schedule>>;

    /// At most `limit` schedules by name, those after a name.
    async fn schedule_list(&self, after: Option<&Name>, limit: usize) -> Result<Vec<Schedule>>;

    /// Removes a schedule; answers whether it was there. Its jobs stay.
    async fn schedule_delete(&self, name: &Name) -> Result<bool>;

    /// At most `limit` schedules that tick at `now` or before, or that have ticks which wait for
    /// a job that has ended or is gone; schedules at rest are never due.
    async fn schedule_due(&self, now: Timestamp, limit: usize) -> Result<SchedulesDue>;
}

//! Schedules of a flawed store.

use async_trait::async_trait;
use jobmill_model::queue::Name;
use jobmill_model::{Schedule, Timestamp};

use super::{Flaw, FlawedStore};
use crate::{Result, ScheduleWrite, Schedules, SchedulesDue, Written};

#[async_trait]
impl Schedules for FlawedStore {
    async fn schedule_write(&self, mut writes: Vec<ScheduleWrite>) -> Result<Vec<Written>> {
        if self.flaw == Flaw::TicksTwice {
            for write in &mut writes {
                let stored = self.inner.schedule_get(&write.schedule.name).await?;
                write.schedule.revision = stored.map_or(0, |stored| stored.revision) + 1;
            }
        }
        if self.flaw == Flaw::LosesTicks {
            writes.iter_mut().for_each(|write| drop(write.jobs.pop()));
        }
        self.inner.schedule_write(writes).await
    }

    async fn schedule_get(&self, name: &Name) -> Result<Option<Schedule>> {
        self.inner.schedule_get(name).await
    }

    async fn schedule_list(&self, after: Option<&Name>, limit: usize) -> Result<Vec<Schedule>> {
        self.inner.schedule_list(after, limit).await
    }

    async fn schedule_delete(&self, name: &Name) -> Result<bool> {
        self.inner.schedule_delete(name).await
    }

    async fn schedule_due(&self, now: Timestamp, limit: usize) -> Result<SchedulesDue> {
        self.inner.schedule_due(now, limit).await
    }
}

//! Which of the jobs that have ended are the oldest, in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::{OldestPage, OldestQuery, Result, Retention};

#[async_trait]
impl Retention for MemoryStore {
    async fn job_oldest(&self, query: &OldestQuery) -> Result<OldestPage> {
        let data = self.0.lock();
        let jobs = data.rows.values().map(|row| &row.job);
        let mut old = jobs.filter(|job| {
            job.state == query.state
                && job.state.is_final()
                && job.created_at < query.before
                && job.finished_at.is_some_and(|end| end < query.before)
                && query.after.is_none_or(|after| job.id > after)
        });
        let ids: Vec<_> = old.by_ref().take(query.limit).map(|job| job.id).collect();
        let next = old.next().and_then(|_| ids.last().copied());
        Ok(OldestPage { ids, next })
    }
}

//! Leases of workers outside, in memory.

use async_trait::async_trait;
use jobmill_model::job::{Counters, judge, timed_out};
use jobmill_model::limits::LEASE_BYTES;
use jobmill_model::{JobId, State, Timestamp};

use super::{Data, MemoryStore, Place, Row};
use crate::{Call, Expired, Extend, Hold, LeaseView, Lent, Outside, Result, Settle};

#[async_trait]
impl Outside for MemoryStore {
    async fn job_lease(&self, call: Call) -> Result<Vec<Lent>> {
        let mut data = self.0.lock();
        let ready = data.rows.values().filter(|row| row.place == Place::Ready);
        let wanted = ready.filter(|row| {
            row.job.spec.queue == call.queue && call.flows.contains_key(&row.job.spec.flow)
        });
        let mut ranks: Vec<_> = wanted.map(Row::rank).collect();
        ranks.sort_unstable();
        ranks.truncate(call.max.min(data.room(&call.queue, call.now)));
        let (mut lent, mut bytes) = (Vec::new(), 0);
        for (_, id) in ranks {
            if bytes >= LEASE_BYTES {
                break;
            }
            let one = data.lend(id, &call);
            bytes += one.job.input.as_str().len() + one.job.params.as_str().len();
            lent.push(one);
        }
        Ok(lent)
    }

    async fn job_extend(&self, beats: Vec<Extend>) -> Result<Vec<Option<Timestamp>>> {
        let mut data = self.0.lock();
        Ok(beats.into_iter().map(|beat| data.extend(beat)).collect())
    }

    async fn lease_get(&self, ids: &[JobId]) -> Result<Vec<Option<LeaseView>>> {
        let data = self.0.lock();
        let view = |row: &Row| LeaseView {
            token: row.token,
            hold: row.hold().cloned(),
            flow: row.job.spec.flow.clone(),
            queue: row.job.spec.queue.clone(),
            attempt: row.job.attempt,
        };
        Ok(ids.iter().map(|id| data.rows.get(id).map(view)).collect())
    }

    async fn lease_expire(
        &self,
        now: Timestamp,
        max_crashes: u32,
        chance: f64,
        limit: usize,
    ) -> Result<Expired> {
        let mut data = self.0.lock();
        let mut ends = data.ends();
        let over = ends.iter().take_while(|(at, _)| *at <= now).count();
        let later = ends.split_off(over.min(limit));
        let expire = |(_, id): (_, JobId)| (id, data.expire(id, max_crashes, chance, now));
        let jobs = ends.into_iter().map(expire).collect();
        Ok(Expired { jobs, next: later.first().map(|(at, _)| *at) })
    }

    async fn lease_renew(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let mut data = self.0.lock();
        for row in data.rows.values_mut() {
            if let Place::Lent(hold) = &row.place {
                row.place = Place::Lent(hold.clone().from(now));
            }
        }
        Ok(data.ends().first().map(|(at, _)| *at))
    }
}

impl Row {
    fn hold(&self) -> Option<&Hold> {
        if let Place::Lent(hold) = &self.place { Some(hold) } else { None }
    }
}

impl Data {
    fn lend(&mut self, id: JobId, call: &Call) -> Lent {
        let spec = &self.rows[&id].job.spec;
        let (span, timeout) = (call.flows[&spec.flow], spec.timeout);
        let hold = Hold::new(call.worker.clone(), span, timeout, call.now);
        let expires_at = hold.expires_at;
        let row = self.lease(id, Place::Lent(hold), call.now);
        Lent { job: row.job.clone(), token: row.token, expires_at }
    }

    fn extend(&mut self, beat: Extend) -> Option<Timestamp> {
        let row = self.leased(beat.id, beat.token)?;
        let hold = row.hold()?.clone();
        let hold = Hold { span: beat.span.unwrap_or(hold.span), ..hold }.from(beat.now);
        let expires_at = hold.expires_at;
        row.place = Place::Lent(hold);
        Some(expires_at)
    }

    /// The ends of all leases of workers outside, in order.
    fn ends(&self) -> Vec<(Timestamp, JobId)> {
        let end = |row: &Row| row.hold().map(|hold| (hold.expires_at, row.job.id));
        let mut ends: Vec<_> = self.rows.values().filter_map(end).collect();
        ends.sort_unstable();
        ends
    }

    fn expire(&mut self, id: JobId, max_crashes: u32, chance: f64, now: Timestamp) -> State {
        let row = &self.rows[&id];
        if !row.hold().is_some_and(Hold::ran_out_of_time) {
            return self.crash(id, max_crashes, now);
        }
        let job = &row.job;
        let counters = Counters {
            attempt: job.attempt,
            max_attempts: job.spec.max_attempts,
            backoff: job.spec.backoff,
        };
        let fault = timed_out(job.spec.timeout.unwrap_or_default());
        let verdict = judge(counters, Err(fault), now, chance);
        let token = row.token;
        self.settle(Settle { id, token, verdict, chunks: Vec::new(), progress: None, now });
        self.rows[&id].job.state
    }
}

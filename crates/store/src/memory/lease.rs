//! The right to perform a job, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jobmill_model::fault::cut;
use jobmill_model::job::{Move, Progress, Verdict, judge_crash};
use jobmill_model::limits::MESSAGE_BYTES;
use jobmill_model::{Fault, InstanceId, JobId, State, Timestamp, Token};

use super::{Data, MemoryStore, Place, Row};
use crate::{
    Change, Claim, Claimed, Leases, Park, Parked, ProgressNote, Promoted, Reclaimed, Result,
    Settle, Settled,
};

#[async_trait]
impl Leases for MemoryStore {
    async fn job_claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        let mut data = self.0.lock();
        let ready = data.rows.values().filter(|row| row.place == Place::Ready);
        let known = ready.filter(|row| claim.flows.contains(&row.job.spec.flow));
        let mut ranks: Vec<_> = known.map(|row| (row.rank(), &row.job.spec.queue)).collect();
        ranks.sort_unstable();
        let mut room = BTreeMap::new();
        let lets_go = |(rank, queue)| {
            let room = room.entry(queue).or_insert_with(|| data.room(queue, claim.now));
            *room = room.checked_sub(1)?;
            Some(rank)
        };
        let ranks: Vec<_> = ranks.into_iter().filter_map(lets_go).take(claim.max).collect();
        let mut lease = |id| {
            let row = data.lease(id, Place::Leased(claim.instance), claim.now);
            Claimed { job: row.job.clone(), token: row.token }
        };
        Ok(ranks.into_iter().map(|(_, id)| lease(id)).collect())
    }

    async fn job_progress(&self, notes: &[ProgressNote]) -> Result<Vec<bool>> {
        let mut data = self.0.lock();
        Ok(notes.iter().map(|note| data.note_progress(note)).collect())
    }

    async fn job_park(&self, park: Park) -> Result<Parked> {
        let mut data = self.0.lock();
        let Some(row) = data.leased(park.id, park.token) else { return Ok(Parked::Stale) };
        if row.inbox.keys().any(|number| *number > park.seen) {
            return Ok(Parked::Awake);
        }
        data.step(park.id, Move::Park);
        let row = data.leave(park.id, Place::Waiting(park.wake_at), park.now);
        row.job.waiting_for = Some(park.waiting_for);
        Ok(Parked::Done)
    }

    async fn job_settle(&self, settles: Vec<Settle>) -> Result<Vec<Settled>> {
        let mut data = self.0.lock();
        Ok(settles.into_iter().map(|settle| data.settle(settle)).collect())
    }

    async fn job_release(&self, leases: &[(JobId, Token)]) -> Result<Vec<bool>> {
        let mut data = self.0.lock();
        Ok(leases.iter().map(|(id, token)| data.release(*id, *token)).collect())
    }

    async fn job_promote(&self, now: Timestamp, limit: usize) -> Result<Promoted> {
        let mut data = self.0.lock();
        let mut waiting = data.waiting();
        waiting.sort_unstable();
        let due = waiting.iter().take_while(|(at, _)| *at <= now).count();
        let later = waiting.split_off(due.min(limit));
        waiting.iter().for_each(|(_, id)| data.wake(*id));
        Ok(Promoted { count: waiting.len(), next: later.first().map(|(at, _)| *at) })
    }

    async fn job_reclaim(
        &self,
        alive: InstanceId,
        max_crashes: u32,
        now: Timestamp,
    ) -> Result<Reclaimed> {
        let mut data = self.0.lock();
        let mut reclaimed = Reclaimed::default();
        for id in data.leased_to_others(alive) {
            if data.crash(id, max_crashes, now) == State::Failed {
                reclaimed.failed.push(id);
            } else {
                reclaimed.returned += 1;
            }
        }
        Ok(reclaimed)
    }
}

fn kept(progress: &Progress) -> Progress {
    Progress { message: cut(&progress.message, MESSAGE_BYTES).to_owned(), ..*progress }
}

impl Data {
    fn note_progress(&mut self, note: &ProgressNote) -> bool {
        let Some(row) = self.leased(note.id, note.token) else { return false };
        row.job.progress = kept(&note.progress);
        self.feed.push([(note.id, Change::Progress)]);
        true
    }

    pub(super) fn settle(&mut self, settle: Settle) -> Settled {
        let Settle { id, token, verdict, chunks, progress, now } = settle;
        let Some(row) = self.leased(id, token) else { return Settled::Stale };
        if let Some(progress) = progress {
            row.job.progress = kept(&progress);
        }
        match verdict {
            Verdict::Complete(extent) => {
                self.end(id, Move::Complete, now).job.error = None;
                self.publish(id, token, extent, chunks);
                self.announce(id, now);
            }
            Verdict::Retry { fault, run_at } => {
                self.step(id, Move::Retry);
                let row = self.leave(id, Place::Waiting(Some(run_at)), now);
                row.attempt_open = false;
                row.job.run_at = run_at;
                row.note_failure(fault, now);
            }
            Verdict::Fail(fault) => self.fail(id, fault, now),
            Verdict::Cancel => self.cancel(id, now),
        }
        Settled::Done(self.rows[&id].job.state)
    }

    fn fail(&mut self, id: JobId, fault: Fault, now: Timestamp) {
        self.end(id, Move::Fail, now).note_failure(fault, now);
        self.announce(id, now);
    }

    fn release(&mut self, id: JobId, token: Token) -> bool {
        let held = self.leased(id, token).is_some();
        if held {
            self.step(id, Move::HandBack).place = Place::Ready;
        }
        held
    }

    /// The jobs that wait for a time.
    fn waiting(&self) -> Vec<(Timestamp, JobId)> {
        let wait = |row: &Row| match row.place {
            Place::Waiting(Some(at)) => Some((at, row.job.id)),
            _ => None,
        };
        self.rows.values().filter_map(wait).collect()
    }

    /// Makes a job claimable whose time has come.
    fn wake(&mut self, id: JobId) {
        if self.rows[&id].job.state == State::Scheduled {
            self.step(id, Move::Due);
        }
        self.enter(id);
    }

    fn leased_to_others(&self, alive: InstanceId) -> Vec<JobId> {
        let lost = |row: &&Row| matches!(row.place, Place::Leased(holder) if holder != alive);
        self.rows.values().filter(lost).map(|row| row.job.id).collect()
    }

    /// Counts a lost worker; the job is claimable again or has failed.
    pub(super) fn crash(&mut self, id: JobId, max_crashes: u32, now: Timestamp) -> State {
        let job = &mut self.rows.get_mut(&id).expect("only a stored job is leased").job;
        job.crashes += 1;
        match judge_crash(job.crashes, max_crashes) {
            Some(fault) => self.fail(id, fault, now),
            None => self.step(id, Move::HandBack).place = Place::Ready,
        }
        self.rows[&id].job.state
    }
}

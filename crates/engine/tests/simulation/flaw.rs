//! Stores that are wrong on purpose, to show that the simulation notices.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jobmill_model::job::Verdict;
use jobmill_model::machine::Entry;
use jobmill_model::output::Chunk;
use jobmill_model::queue::Name;
use jobmill_model::{InstanceId, Job, JobId, State, Timestamp, Token};
use jobmill_store::layer::Layer;
use jobmill_store::memory::MemoryStore;
use jobmill_store::*;
use parking_lot::Mutex;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It settles without looking at the token.
    SettlesStale,
    /// It journals without looking at the token.
    JournalsStale,
    /// It parks without looking into the inbox.
    ParksBlind,
    /// It settles a job that has ended once more.
    SettlesTwice,
    /// It answers before the sync.
    AckBeforeSync,
    /// It does not raise the token when a job is claimed again.
    KeepsToken,
    /// It does not look for the idempotency key.
    IgnoresKeys,
    /// It forgets the journal of a job whose worker was lost.
    ForgetsJournal,
    /// It lets jobs of a key go as if they had none.
    IgnoresJobKeys,
    /// It claims from paused queues.
    IgnoresPauses,
    /// It stores jobs beside those that are the same.
    IgnoresMarks,
    /// It lets a job begin before its children have ended.
    GathersNothing,
    /// It takes heartbeats without looking at the token.
    ExtendsStale,
    /// It records steps without looking at the token.
    NotesStale,
    /// It answers a step that is recorded as if it were new.
    NotesTwice,
    /// It ends no lease of a worker outside that fell silent.
    ExpiresNothing,
    /// It writes a schedule over one that has changed meanwhile.
    TicksTwice,
    /// It counts ticks as answered and stores no job for them.
    LosesTicks,
}

impl Flaw {
    pub(crate) const ALL: [Self; 18] = [
        Self::SettlesStale,
        Self::JournalsStale,
        Self::ParksBlind,
        Self::SettlesTwice,
        Self::AckBeforeSync,
        Self::KeepsToken,
        Self::IgnoresKeys,
        Self::ForgetsJournal,
        Self::IgnoresJobKeys,
        Self::IgnoresPauses,
        Self::IgnoresMarks,
        Self::GathersNothing,
        Self::ExtendsStale,
        Self::NotesStale,
        Self::NotesTwice,
        Self::ExpiresNothing,
        Self::TicksTwice,
        Self::LosesTicks,
    ];
}

/// The oracle, with a flaw or without one.
pub(crate) struct FlawedStore {
    inner: MemoryStore,
    flaw: Option<Flaw>,
    memo: Mutex<Memo>,
}

#[derive(Default)]
struct Memo {
    /// The newest token of each job.
    newest: BTreeMap<JobId, Token>,
    /// The token that the workers of a job know.
    told: BTreeMap<JobId, Token>,
    /// Rows that were written again after their end.
    over: BTreeMap<JobId, Job>,
    /// How many entries of a journal are forgotten.
    forgotten: BTreeMap<JobId, u64>,
}

impl FlawedStore {
    pub(crate) fn new(inner: MemoryStore, flaw: Option<Flaw>) -> Self {
        Self { inner, flaw, memo: Mutex::default() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// The token under which the oracle is asked, for a verb that this flaw would harm.
    fn token(&self, id: JobId, token: Token, flaw: Flaw) -> Token {
        let memo = self.memo.lock();
        let newest = memo.newest.get(&id).copied().unwrap_or(token);
        let told = self.has(Flaw::KeepsToken) && memo.told.get(&id) == Some(&token);
        if told || self.has(flaw) { newest } else { token }
    }

    /// The token of a new lease as its worker hears it.
    fn tell(&self, id: JobId, token: Token) -> Token {
        let mut memo = self.memo.lock();
        memo.newest.insert(id, token);
        let told = *memo.told.entry(id).or_insert(token);
        if self.has(Flaw::KeepsToken) { told } else { token }
    }

    fn over(&self, job: Job) -> Job {
        self.memo.lock().over.get(&job.id).cloned().unwrap_or(job)
    }

    /// A settlement that came too late, recorded all the same.
    async fn settle_again(&self, settle: &Settle) -> Result<Settled> {
        let row = self.inner.job_get(&[settle.id]).await?.pop().flatten();
        let Some(mut job) = row.filter(|job| job.state.is_final()) else {
            return Ok(Settled::Stale);
        };
        job.state = match settle.verdict {
            Verdict::Complete(_) => State::Completed,
            Verdict::Retry { .. } | Verdict::Fail(_) => State::Failed,
            Verdict::Cancel => State::Cancelled,
        };
        let state = job.state;
        self.memo.lock().over.insert(settle.id, job);
        Ok(Settled::Done(state))
    }

    async fn ids_in(&self, state: State) -> Result<Vec<JobId>> {
        let query = JobQuery { states: vec![state], limit: usize::MAX, ..JobQuery::default() };
        Ok(self.inner.job_list(&query).await?.jobs.iter().map(|job| job.id).collect())
    }

    async fn forget(&self, was_running: &[JobId]) -> Result<()> {
        for id in self.ids_in(State::Submitted).await? {
            if was_running.contains(&id) {
                let entries = self.inner.journal_read(id, 0, usize::MAX).await?.len();
                self.memo.lock().forgotten.insert(id, entries as u64);
            }
        }
        Ok(())
    }

    fn forgotten(&self, id: JobId) -> u64 {
        self.memo.lock().forgotten.get(&id).copied().unwrap_or(0)
    }
}

#[async_trait]
impl Layer for FlawedStore {
    type Beneath<'a> = &'a MemoryStore;

    async fn reads(&self) -> Result<&MemoryStore> {
        Ok(&self.inner)
    }

    async fn writes(&self) -> Result<&MemoryStore> {
        Ok(&self.inner)
    }

    fn events(&self) -> Arc<Feed> {
        self.inner.events()
    }

    async fn job_insert(&self, mut submission: Submission) -> Result<Inserted> {
        if self.has(Flaw::IgnoresKeys) {
            submission.idempotency = None;
        }
        for job in &mut submission.jobs {
            if self.has(Flaw::IgnoresJobKeys) {
                job.spec.key = None;
            }
            if self.has(Flaw::IgnoresMarks) {
                job.mark = None;
            }
            job.spec.gathers &= !self.has(Flaw::GathersNothing);
        }
        let ids: Vec<_> = submission.jobs.iter().map(|job| job.id).collect();
        let inserted = self.inner.job_insert(submission).await?;
        if let Inserted::New(lodged) = &inserted {
            let leased = ids.iter().zip(lodged).filter_map(|(id, lodged)| match lodged {
                Lodged::New(Some(token)) => Some((*id, *token)),
                _ => None,
            });
            for (id, token) in leased {
                self.tell(id, token);
            }
        }
        Ok(inserted)
    }

    async fn job_get(&self, ids: &[JobId]) -> Result<Vec<Option<Job>>> {
        let jobs = self.inner.job_get(ids).await?;
        Ok(jobs.into_iter().map(|job| Some(self.over(job?))).collect())
    }

    async fn job_retry(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Retried>> {
        self.memo.lock().forgotten.retain(|id, _| !ids.contains(id));
        self.inner.job_retry(ids, now).await
    }

    async fn job_claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        let mut claimed = self.inner.job_claim(claim).await?;
        for claimed in &mut claimed {
            claimed.token = self.tell(claimed.job.id, claimed.token);
        }
        Ok(claimed)
    }

    async fn job_progress(&self, notes: &[ProgressNote]) -> Result<Vec<bool>> {
        let mut notes = notes.to_vec();
        for note in &mut notes {
            note.token = self.token(note.id, note.token, Flaw::KeepsToken);
        }
        self.inner.job_progress(&notes).await
    }

    async fn job_park(&self, mut park: Park) -> Result<Parked> {
        park.token = self.token(park.id, park.token, Flaw::KeepsToken);
        if self.has(Flaw::ParksBlind) {
            park.seen = u64::MAX;
        }
        self.inner.job_park(park).await
    }

    async fn job_settle(&self, mut settles: Vec<Settle>) -> Result<Vec<Settled>> {
        for settle in &mut settles {
            settle.token = self.token(settle.id, settle.token, Flaw::SettlesStale);
        }
        let mut settled = self.inner.job_settle(settles.clone()).await?;
        if self.has(Flaw::SettlesTwice) {
            for (settle, settled) in settles.iter().zip(&mut settled) {
                if *settled == Settled::Stale {
                    *settled = self.settle_again(settle).await?;
                }
            }
        }
        Ok(settled)
    }

    async fn job_release(&self, leases: &[(JobId, Token)]) -> Result<Vec<bool>> {
        let mut leases = leases.to_vec();
        for (id, token) in &mut leases {
            *token = self.token(*id, *token, Flaw::KeepsToken);
        }
        self.inner.job_release(&leases).await
    }

    async fn job_reclaim(
        &self,
        alive: InstanceId,
        max_crashes: u32,
        now: Timestamp,
    ) -> Result<Reclaimed> {
        let was_running = self.ids_in(State::Running).await?;
        let reclaimed = self.inner.job_reclaim(alive, max_crashes, now).await?;
        if self.has(Flaw::ForgetsJournal) {
            self.forget(&was_running).await?;
        }
        Ok(reclaimed)
    }

    async fn job_lease(&self, call: Call) -> Result<Vec<Lent>> {
        let mut lent = self.inner.job_lease(call).await?;
        for lent in &mut lent {
            lent.token = self.tell(lent.job.id, lent.token);
        }
        Ok(lent)
    }

    async fn job_extend(&self, mut beats: Vec<Extend>) -> Result<Vec<Option<Timestamp>>> {
        for beat in &mut beats {
            beat.token = self.token(beat.id, beat.token, Flaw::ExtendsStale);
        }
        self.inner.job_extend(beats).await
    }

    async fn lease_expire(
        &self,
        now: Timestamp,
        max_crashes: u32,
        chance: f64,
        limit: usize,
    ) -> Result<Expired> {
        if self.has(Flaw::ExpiresNothing) {
            return Ok(Expired::default());
        }
        self.inner.lease_expire(now, max_crashes, chance, limit).await
    }

    async fn schedule_write(&self, mut writes: Vec<ScheduleWrite>) -> Result<Vec<Written>> {
        for write in &mut writes {
            if self.has(Flaw::TicksTwice) {
                let stored = self.inner.schedule_get(&write.schedule.name).await?;
                write.schedule.revision = stored.map_or(0, |stored| stored.revision) + 1;
                let ids: Vec<_> = write.jobs.iter().map(|job| job.id).collect();
                let mut stored = self.inner.job_get(&ids).await?.into_iter();
                write.jobs.retain(|_| stored.next().flatten().is_none());
            }
            if self.has(Flaw::LosesTicks) {
                write.jobs.clear();
            }
        }
        self.inner.schedule_write(writes).await
    }

    async fn effect_put(&self, put: EffectPut) -> Result<Noted> {
        let token = self.token(put.id, put.token, Flaw::NotesStale);
        let noted = self.inner.effect_put(EffectPut { token, ..put }).await?;
        let is_known = matches!(noted, Noted::Known(_));
        Ok(if is_known && self.has(Flaw::NotesTwice) { Noted::New } else { noted })
    }

    async fn queue_pause(&self, queue: &Name, paused: bool) -> Result<()> {
        self.inner.queue_pause(queue, paused && !self.has(Flaw::IgnoresPauses)).await
    }

    async fn job_journal(&self, mut append: Append) -> Result<Appended> {
        append.token = self.token(append.id, append.token, Flaw::JournalsStale);
        let forgotten = self.forgotten(append.id);
        append.entries.iter_mut().for_each(|entry| entry.seq += forgotten);
        self.inner.job_journal(append).await
    }

    async fn journal_read(&self, id: JobId, from: u64, limit: usize) -> Result<Vec<Entry>> {
        let forgotten = self.forgotten(id);
        let mut entries = self.inner.journal_read(id, from + forgotten, limit).await?;
        entries.iter_mut().for_each(|entry| entry.seq -= forgotten);
        Ok(entries)
    }

    async fn output_append(&self, id: JobId, token: Token, chunks: Vec<Chunk>) -> Result<bool> {
        let token = self.token(id, token, Flaw::KeepsToken);
        self.inner.output_append(id, token, chunks).await
    }
}

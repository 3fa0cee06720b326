//! Stores that are wrong on purpose, to show that the exams and the comparison can fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jobmill_model::job::Fingerprint;
use jobmill_model::output::Chunk;
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::{InstanceId, JobId, Timestamp, Token};
use parking_lot::Mutex;

use crate::layer::Layer;
use crate::memory::MemoryStore;
use crate::*;

/// What a store does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It does not show documents to whoever rewrites them.
    RewritesBlind,
    /// It does not look for rows with the same id.
    RepeatsRows,
    /// It settles without looking at the token.
    SettlesStale,
    /// It journals without looking at the token.
    JournalsStale,
    /// It parks without looking into the inbox.
    ParksBlind,
    /// It leaves consumed signals in the inbox.
    KeepsSignals,
    /// It loses a job between two pages.
    LosesPages,
    /// It takes every body for the same under one idempotency key.
    IgnoresBodies,
    /// It hands over one job more than there are places.
    OverfillsOffers,
    /// It drops the last of some chunks.
    DropsChunks,
    /// It promotes all that is due, whatever the limit.
    PromotesAll,
    /// It ends the leases of the living, too.
    ReclaimsAll,
    /// It takes heartbeats without looking at the token.
    ExtendsStale,
    /// It ends all leases that are over, whatever the limit.
    ExpiresAll,
    /// It lets a step have another result.
    NotesTwice,
    /// It stops a job to delete it.
    DeletesUnfinished,
    /// It takes a change of a schedule whatever stands there.
    TicksTwice,
    /// It loses a job of a tick.
    LosesTicks,
    /// It claims from a paused queue.
    IgnoresPauses,
    /// It lets a queue have one job more than its limit at work.
    OverfillsQueues,
    /// It lets a key have one job more than its limit at work.
    OverfillsKeys,
    /// It knows of no rate.
    IgnoresRates,
    /// It does not look for jobs with the same mark.
    IgnoresMarks,
    /// It lets a job begin before its children have ended.
    GathersNothing,
}

impl Flaw {
    pub(super) const ALL: [Self; 24] = [
        Self::RewritesBlind,
        Self::RepeatsRows,
        Self::SettlesStale,
        Self::JournalsStale,
        Self::ParksBlind,
        Self::KeepsSignals,
        Self::LosesPages,
        Self::IgnoresBodies,
        Self::OverfillsOffers,
        Self::DropsChunks,
        Self::PromotesAll,
        Self::ReclaimsAll,
        Self::ExtendsStale,
        Self::ExpiresAll,
        Self::NotesTwice,
        Self::DeletesUnfinished,
        Self::TicksTwice,
        Self::LosesTicks,
        Self::IgnoresPauses,
        Self::OverfillsQueues,
        Self::OverfillsKeys,
        Self::IgnoresRates,
        Self::IgnoresMarks,
        Self::GathersNothing,
    ];
}

/// The oracle with one flaw.
pub(super) struct FlawedStore {
    inner: MemoryStore,
    flaw: Flaw,
    /// The newest token of each job.
    tokens: Mutex<BTreeMap<JobId, Token>>,
}

impl FlawedStore {
    pub(super) fn new(flaw: Flaw) -> Self {
        Self { inner: MemoryStore::new(), flaw, tokens: Mutex::default() }
    }

    fn newest(&self, id: JobId, token: Token) -> Token {
        self.tokens.lock().get(&id).copied().unwrap_or(token)
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
        if self.flaw == Flaw::IgnoresBodies {
            submission.idempotency.iter_mut().for_each(|key| key.body = Fingerprint::of(b""));
        }
        if self.flaw == Flaw::IgnoresMarks {
            submission.jobs.iter_mut().for_each(|job| job.mark = None);
        }
        if self.flaw == Flaw::GathersNothing {
            submission.jobs.iter_mut().for_each(|job| job.spec.gathers = false);
        }
        if self.flaw == Flaw::OverfillsOffers {
            submission.offer.iter_mut().for_each(|offer| offer.places += 1);
        }
        self.inner.job_insert(submission).await
    }

    async fn job_list(&self, query: &JobQuery) -> Result<JobPage> {
        let mut page = self.inner.job_list(query).await?;
        if self.flaw == Flaw::LosesPages && page.next.is_some() {
            page.jobs.pop();
        }
        Ok(page)
    }

    async fn job_delete(&self, ids: &[JobId]) -> Result<Vec<Deleted>> {
        if self.flaw == Flaw::DeletesUnfinished {
            self.inner.job_cancel(ids, Timestamp::EPOCH).await?;
        }
        self.inner.job_delete(ids).await
    }

    async fn job_claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        let claimed = self.inner.job_claim(claim).await?;
        let newest = claimed.iter().map(|claimed| (claimed.job.id, claimed.token));
        self.tokens.lock().extend(newest);
        Ok(claimed)
    }

    async fn job_park(&self, mut park: Park) -> Result<Parked> {
        if self.flaw == Flaw::ParksBlind {
            park.seen = u64::MAX;
        }
        self.inner.job_park(park).await
    }

    async fn job_settle(&self, mut settles: Vec<Settle>) -> Result<Vec<Settled>> {
        if self.flaw == Flaw::SettlesStale {
            for settle in &mut settles {
                settle.token = self.newest(settle.id, settle.token);
            }
        }
        self.inner.job_settle(settles).await
    }

    async fn job_promote(&self, now: Timestamp, limit: usize) -> Result<Promoted> {
        let limit = if self.flaw == Flaw::PromotesAll { usize::MAX } else { limit };
        self.inner.job_promote(now, limit).await
    }

    async fn job_reclaim(
        &self,
        alive: InstanceId,
        max_crashes: u32,
        now: Timestamp,
    ) -> Result<Reclaimed> {
        let nobody = InstanceId::from_parts(now, [255; 10]);
        let alive = if self.flaw == Flaw::ReclaimsAll { nobody } else { alive };
        self.inner.job_reclaim(alive, max_crashes, now).await
    }

    async fn job_lease(&self, call: Call) -> Result<Vec<Lent>> {
        let lent = self.inner.job_lease(call).await?;
        self.tokens.lock().extend(lent.iter().map(|lent| (lent.job.id, lent.token)));
        Ok(lent)
    }

    async fn job_extend(&self, mut beats: Vec<Extend>) -> Result<Vec<Option<Timestamp>>> {
        if self.flaw == Flaw::ExtendsStale {
            for beat in &mut beats {
                beat.token = self.newest(beat.id, beat.token);
            }
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
        let limit = if self.flaw == Flaw::ExpiresAll { usize::MAX } else { limit };
        self.inner.lease_expire(now, max_crashes, chance, limit).await
    }

    async fn effect_put(&self, put: EffectPut) -> Result<Noted> {
        match self.inner.effect_put(put.clone()).await? {
            Noted::Known(_) if self.flaw == Flaw::NotesTwice => Ok(Noted::Known(put.value)),
            noted => Ok(noted),
        }
    }

    async fn queue_put(&self, queue: &Name, rules: &QueueRules) -> Result<()> {
        let mut rules = *rules;
        match self.flaw {
            Flaw::OverfillsQueues => rules.concurrency = rules.concurrency.map(|most| most + 1),
            Flaw::OverfillsKeys => rules.key_limit += 1,
            Flaw::IgnoresRates => rules.rate = None,
            _ => {}
        }
        self.inner.queue_put(queue, &rules).await
    }

    async fn queue_pause(&self, queue: &Name, paused: bool) -> Result<()> {
        self.inner.queue_pause(queue, paused && self.flaw != Flaw::IgnoresPauses).await
    }

    async fn job_journal(&self, mut append: Append) -> Result<Appended> {
        match self.flaw {
            Flaw::JournalsStale => append.token = self.newest(append.id, append.token),
            Flaw::KeepsSignals => append.consumed.clear(),
            _ => {}
        }
        self.inner.job_journal(append).await
    }

    async fn output_append(&self, id: JobId, token: Token, mut chunks: Vec<Chunk>) -> Result<bool> {
        if self.flaw == Flaw::DropsChunks && chunks.len() > 1 {
            chunks.pop();
        }
        self.inner.output_append(id, token, chunks).await
    }

    async fn document_commit(&self, mut commit: Commit) -> Result<Committed> {
        if self.flaw == Flaw::RewritesBlind {
            let rewrite = commit.rewrite;
            let blind = move |present: &[Option<Document>]| {
                rewrite.rewrite(&present.iter().map(|_| None).collect::<Vec<_>>())
            };
            commit.rewrite = Arc::new(blind);
        }
        self.inner.document_commit(commit).await
    }

    async fn row_insert(&self, mut insert: RowInsert) -> Result<RowsInserted> {
        if self.flaw == Flaw::RepeatsRows {
            insert.rows.iter_mut().for_each(|row| row.insert_id = None);
        }
        self.inner.row_insert(insert).await
    }

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
}

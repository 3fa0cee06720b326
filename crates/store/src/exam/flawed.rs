//! Stores that are wrong on purpose, to show that the exams and the comparison can fail.

mod key;
mod retention;
mod schedule;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jobmill_model::job::{FailedAttempt, Fingerprint};
use jobmill_model::machine::Entry;
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::{Declaration, Definition, InstanceId, Job, JobId, Json, Timestamp, Token};
use parking_lot::Mutex;

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
impl Jobs for FlawedStore {
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

    async fn job_get(&self, ids: &[JobId]) -> Result<Vec<Option<Job>>> {
        self.inner.job_get(ids).await
    }

    async fn job_situation(&self, id: JobId) -> Result<Option<Situation>> {
        self.inner.job_situation(id).await
    }

    async fn job_list(&self, query: &JobQuery) -> Result<JobPage> {
        let mut page = self.inner.job_list(query).await?;
        if self.flaw == Flaw::LosesPages && page.next.is_some() {
            page.jobs.pop();
        }
        Ok(page)
    }

    async fn job_cancel(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Cancelled>> {
        self.inner.job_cancel(ids, now).await
    }

    async fn job_retry(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Retried>> {
        self.inner.job_retry(ids, now).await
    }

    async fn job_delete(&self, ids: &[JobId]) -> Result<Vec<Deleted>> {
        if self.flaw == Flaw::DeletesUnfinished {
            self.inner.job_cancel(ids, Timestamp::EPOCH).await?;
        }
        self.inner.job_delete(ids).await
    }

    async fn idempotency_sweep(&self, now: Timestamp, limit: usize) -> Result<Swept> {
        self.inner.idempotency_sweep(now, limit).await
    }
}

#[async_trait]
impl Leases for FlawedStore {
    async fn job_claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        let claimed = self.inner.job_claim(claim).await?;
        let newest = claimed.iter().map(|claimed| (claimed.job.id, claimed.token));
        self.tokens.lock().extend(newest);
        Ok(claimed)
    }

    async fn job_progress(&self, notes: &[ProgressNote]) -> Result<Vec<bool>> {
        self.inner.job_progress(notes).await
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

    async fn job_release(&self, leases: &[(JobId, Token)]) -> Result<Vec<bool>> {
        self.inner.job_release(leases).await
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
}

#[async_trait]
impl Queues for FlawedStore {
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

    async fn queue_get(&self, queue: &Name, now: Timestamp) -> Result<QueueStanding> {
        self.inner.queue_get(queue, now).await
    }

    async fn queue_list(
        &self,
        after: Option<&Name>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<QueueStanding>> {
        self.inner.queue_list(after, limit, now).await
    }

    async fn queue_refill(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.inner.queue_refill(now).await
    }

    async fn held_admit(&self, now: Timestamp, limit: usize) -> Result<Admitted> {
        self.inner.held_admit(now, limit).await
    }
}

#[async_trait]
impl Journals for FlawedStore {
    async fn job_journal(&self, mut append: Append) -> Result<Appended> {
        match self.flaw {
            Flaw::JournalsStale => append.token = self.newest(append.id, append.token),
            Flaw::KeepsSignals => append.consumed.clear(),
            _ => {}
        }
        self.inner.job_journal(append).await
    }

    async fn journal_read(&self, id: JobId, from: u64, limit: usize) -> Result<Vec<Entry>> {
        self.inner.journal_read(id, from, limit).await
    }

    async fn journal_delete(&self, id: JobId) -> Result<Deleted> {
        self.inner.journal_delete(id).await
    }
}

#[async_trait]
impl Signals for FlawedStore {
    async fn job_signal(&self, id: JobId, name: &Name, payload: &Json) -> Result<Signalled> {
        self.inner.job_signal(id, name, payload).await
    }

    async fn signal_read(&self, id: JobId, after: u64, limit: usize) -> Result<Vec<Signal>> {
        self.inner.signal_read(id, after, limit).await
    }
}

#[async_trait]
impl Outputs for FlawedStore {
    async fn output_append(&self, id: JobId, token: Token, mut chunks: Vec<Chunk>) -> Result<bool> {
        if self.flaw == Flaw::DropsChunks && chunks.len() > 1 {
            chunks.pop();
        }
        self.inner.output_append(id, token, chunks).await
    }

    async fn output_extent(&self, id: JobId) -> Result<Option<Extent>> {
        self.inner.output_extent(id).await
    }

    async fn output_read(&self, id: JobId, from: u64, bytes: usize) -> Result<Vec<Chunk>> {
        self.inner.output_read(id, from, bytes).await
    }

    async fn pair_page(&self, skip: u64, limit: usize) -> Result<PairPage> {
        self.inner.pair_page(skip, limit).await
    }

    async fn output_sweep(&self, limit: usize) -> Result<Swept> {
        self.inner.output_sweep(limit).await
    }
}

#[async_trait]
impl Attempts for FlawedStore {
    async fn attempt_list(&self, query: &AttemptQuery) -> Result<Vec<FailedAttempt>> {
        self.inner.attempt_list(query).await
    }
}

#[async_trait]
impl Tallies for FlawedStore {
    async fn tally_read(&self) -> Result<Tally> {
        self.inner.tally_read().await
    }
}

#[async_trait]
impl Outside for FlawedStore {
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

    async fn lease_get(&self, ids: &[JobId]) -> Result<Vec<Option<LeaseView>>> {
        self.inner.lease_get(ids).await
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

    async fn lease_renew(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.inner.lease_renew(now).await
    }
}

#[async_trait]
impl Ledgers for FlawedStore {
    async fn effect_put(&self, put: EffectPut) -> Result<Noted> {
        match self.inner.effect_put(put.clone()).await? {
            Noted::Known(_) if self.flaw == Flaw::NotesTwice => Ok(Noted::Known(put.value)),
            noted => Ok(noted),
        }
    }

    async fn effect_get(&self, id: JobId, name: &Name) -> Result<Option<Json>> {
        self.inner.effect_get(id, name).await
    }

    async fn effect_list(
        &self,
        id: JobId,
        after: Option<&Name>,
        limit: usize,
    ) -> Result<Vec<(Name, Json)>> {
        self.inner.effect_list(id, after, limit).await
    }
}

#[async_trait]
impl Flows for FlawedStore {
    async fn flow_put(&self, declaration: Declaration) -> Result<Declared> {
        self.inner.flow_put(declaration).await
    }

    async fn flow_list(&self) -> Result<Vec<Declaration>> {
        self.inner.flow_list().await
    }

    async fn flow_delete(&self, name: &Name) -> Result<bool> {
        self.inner.flow_delete(name).await
    }
}

#[async_trait]
impl Definitions for FlawedStore {
    async fn definition_put(&self, put: DefinitionPut) -> Result<Deployed> {
        self.inner.definition_put(put).await
    }

    async fn definition_get(
        &self,
        name: &Name,
        revision: Option<&str>,
    ) -> Result<Option<Definition>> {
        self.inner.definition_get(name, revision).await
    }

    async fn definition_list(&self, after: Option<&Name>, limit: usize) -> Result<DefinitionPage> {
        self.inner.definition_list(after, limit).await
    }

    async fn definition_delete(&self, name: &Name) -> Result<bool> {
        self.inner.definition_delete(name).await
    }

    async fn revision_list(
        &self,
        name: &Name,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Definition>> {
        self.inner.revision_list(name, before, limit).await
    }
}

#[async_trait]
impl Documents for FlawedStore {
    async fn document_get(&self, names: &[DocumentName]) -> Result<Vec<Option<Document>>> {
        self.inner.document_get(names).await
    }
    async fn document_commit(&self, mut commit: Commit) -> Result<Committed> {
        if self.flaw == Flaw::RewritesBlind {
            let rewrite = commit.rewrite;
            let blind = move |present: &[Option<Document>]| {
                rewrite.rewrite(&present.iter().map(|_| None).collect::<Vec<_>>())
            };
            commit.rewrite = std::sync::Arc::new(blind);
        }
        self.inner.document_commit(commit).await
    }
    async fn document_list(&self, query: &DocumentQuery) -> Result<DocumentPage> {
        self.inner.document_list(query).await
    }
}

#[async_trait]
impl Rows for FlawedStore {
    async fn row_insert(&self, mut insert: RowInsert) -> Result<RowsInserted> {
        if self.flaw == Flaw::RepeatsRows {
            insert.rows.iter_mut().for_each(|row| row.insert_id = None);
        }
        self.inner.row_insert(insert).await
    }
    async fn row_list(
        &self,
        set: &str,
        after: u64,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<StoredRow>> {
        self.inner.row_list(set, after, limit, bytes).await
    }
    async fn row_extent(&self, set: &str) -> Result<RowExtent> {
        self.inner.row_extent(set).await
    }
    async fn row_sweep(&self, set: &str, limit: usize) -> Result<Swept> {
        self.inner.row_sweep(set, limit).await
    }
}

impl Events for FlawedStore {
    fn events(&self) -> Arc<Feed> {
        self.inner.events()
    }
}

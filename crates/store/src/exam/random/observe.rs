//! Everything that can be seen of a store, to be compared as a whole.

use jobmill_model::job::FailedAttempt;
use jobmill_model::machine::Entry;
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::queue::Name;
use jobmill_model::{Declaration, Definition, Job, JobId, Json, Schedule, Timestamp};

use super::super::stage::{Must, every_attempt, everything};
use super::op::{definitions, list, queues, read_output};
use crate::{LeaseView, Pair, QueueStanding, Signal, Store, Tally};

/// The whole observable state of a store.
#[derive(Debug, PartialEq)]
pub(super) struct Snapshot {
    pub(super) jobs: Vec<Seen>,
    pub(super) tally: Tally,
    pub(super) queues: Vec<QueueStanding>,
    pub(super) total: u64,
    pub(super) pairs: Vec<Pair>,
    pub(super) flows: Vec<Declaration>,
    pub(super) definitions: Vec<Definition>,
    pub(super) schedules: Vec<Schedule>,
}

/// Everything that can be seen of a job.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    job: Job,
    attempts: Vec<FailedAttempt>,
    journal: Vec<Entry>,
    inbox: Vec<Signal>,
    extent: Option<Extent>,
    output: Vec<Chunk>,
    lease: Option<LeaseView>,
    ledger: Vec<(Name, Json)>,
}

impl Snapshot {
    pub(super) async fn of(store: &dyn Store) -> Self {
        let listed = list(store, everything()).await;
        let ids: Vec<_> = listed.iter().map(|job| job.id).collect();
        let got = store.job_get(&ids).await.must();
        let listed: Vec<_> = listed.into_iter().map(Some).collect();
        assert_eq!(got, listed, "a job that is got is the same as one that is listed");
        let mut jobs = Vec::new();
        for job in got.into_iter().flatten() {
            jobs.push(Seen::of(store, job).await);
        }
        let tally = store.tally_read().await.must();
        let page = store.pair_page(0, usize::MAX >> 1).await.must();
        let flows = store.flow_list().await.must();
        let mut revisions = Vec::new();
        for present in definitions(store, None, 7).await {
            revisions.extend(store.revision_list(&present.name, None, 1_000).await.must());
        }
        let queues = queues(store, Timestamp::EPOCH, 1_000).await;
        let (total, pairs) = (page.total, page.pairs);
        let schedules = store.schedule_list(None, 1_000).await.must();
        Self { jobs, tally, queues, total, pairs, flows, definitions: revisions, schedules }
    }

    /// Says where two snapshots differ first.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let jobs = self.jobs.iter().zip(&other.jobs);
        if let Some((ours, theirs)) = jobs.into_iter().find(|(ours, theirs)| ours != theirs) {
            return Some(format!("  oracle:    {ours:?}\n  candidate: {theirs:?}"));
        }
        let rest = |of: &Self| {
            let kept = (of.tally.clone(), of.total, of.pairs.clone(), of.flows.clone());
            let kept = (kept, of.queues.clone());
            (of.jobs.len(), kept, of.definitions.clone(), of.schedules.clone())
        };
        let differ = rest(self) != rest(other);
        differ.then(|| format!("  oracle:    {:?}\n  candidate: {:?}", rest(self), rest(other)))
    }
}

impl Seen {
    async fn of(store: &dyn Store, job: Job) -> Self {
        let id: JobId = job.id;
        Self {
            attempts: store.attempt_list(&every_attempt(id)).await.must(),
            journal: store.journal_read(id, 0, 1_000).await.must(),
            inbox: store.signal_read(id, 0, 1_000).await.must(),
            extent: store.output_extent(id).await.must(),
            output: read_output(store, id, 0, 1_000).await,
            lease: store.lease_get(&[id]).await.must().remove(0),
            ledger: store.effect_list(id, None, 1_000).await.must(),
            job,
        }
    }
}

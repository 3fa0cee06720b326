//! What every exam stands on: numbered jobs, a clock that is set by hand, short verbs.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use jobmill_model::fault::Fault;
use jobmill_model::job::{FailedAttempt, Fingerprint, Spec, Start, Unique, Verdict};
use jobmill_model::machine::{EffectNumber, Entry, Outcome};
use jobmill_model::output::{Chunk, Extent, Shape};
use jobmill_model::queue::{DEFAULT_QUEUE, Name, Priority, QueueRules};
use jobmill_model::{InstanceId, Job, JobId, Json, Span, State, Timestamp, Token, Value};

use crate::{
    Append, AttemptQuery, Call, Claim, Claimed, EffectPut, Extend, Inserted, JobInsert, JobQuery,
    Lent, Lodged, Noted, Offer, Park, Parked, Result, Settle, Settled, Store, Submission,
};

/// An answer that an exam relies on.
pub(super) trait Must<T> {
    fn must(self) -> T;
}

impl<T> Must<T> for Result<T> {
    #[track_caller]
    fn must(self) -> T {
        self.expect("the store does not refuse this verb")
    }
}

/// The instant so many seconds after the exams' beginning.
pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + secs * 1_000)
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).expect("exams use good names")
}

pub(super) fn names(texts: &[&str]) -> Arc<BTreeSet<Name>> {
    Arc::new(texts.iter().map(|text| name(text)).collect())
}

pub(super) fn json(text: &str) -> Json {
    Json::trusted(text)
}

/// The process that performs the jobs of an exam.
pub(super) fn here() -> InstanceId {
    InstanceId::from_parts(at(0), [1; 10])
}

/// Another process.
pub(super) fn there() -> InstanceId {
    InstanceId::from_parts(at(0), [2; 10])
}

/// An id that no exam's job has.
pub(super) fn nobody() -> JobId {
    JobId::from_parts(at(0), [255; 10])
}

/// A job to submit: number `n`, flow `f`, at second 0, everything else at its default.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) number: u32,
    pub(super) at: i64,
    pub(super) spec: Spec,
    pub(super) input: Json,
}

/// Among jobs of the same second a higher number means a higher id.
pub(super) fn draft(number: u32) -> Draft {
    Draft { number, at: 0, spec: Spec::new(name("f")), input: json("{}") }
}

/// Drafts of these numbers.
pub(super) fn drafts(numbers: impl IntoIterator<Item = u32>) -> Vec<Draft> {
    numbers.into_iter().map(draft).collect()
}

impl Draft {
    pub(super) fn at(self, at: i64) -> Self {
        Self { at, ..self }
    }

    pub(super) fn input(self, text: &str) -> Self {
        Self { input: json(text), ..self }
    }

    pub(super) fn flow(self, flow: &str) -> Self {
        self.with(|spec| spec.flow = name(flow))
    }

    pub(super) fn queue(self, queue: &str) -> Self {
        self.with(|spec| spec.queue = name(queue))
    }

    pub(super) fn key(self, key: &str) -> Self {
        self.with(|spec| spec.key = Some(name(key)))
    }

    /// The only one of flow `f` under this key.
    pub(super) fn unique(self, key: &str) -> Self {
        self.with(|spec| spec.unique = Some(Unique { key: Some(name(key)), span: None }))
    }

    pub(super) fn tags(self, tags: &[&str]) -> Self {
        self.with(|spec| spec.tags = tags.iter().map(|tag| name(tag)).collect())
    }

    pub(super) fn priority(self, level: i64) -> Self {
        self.with(|spec| spec.priority = Priority::new(level).expect("a priority in its bounds"))
    }

    /// Not before this second.
    pub(super) fn start(self, secs: i64) -> Self {
        self.with(|spec| spec.start = Start::At(at(secs)))
    }

    pub(super) fn parent(self, parent: JobId) -> Self {
        self.with(|spec| spec.parent = Some(parent))
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Spec)) -> Self {
        change(&mut self.spec);
        self
    }

    pub(super) fn id(&self) -> JobId {
        let mut random = [0; 10];
        random[6..].copy_from_slice(&self.number.to_be_bytes());
        JobId::from_parts(at(self.at), random)
    }

    fn mark(&self) -> Option<Fingerprint> {
        let unique = self.spec.unique.as_ref()?;
        Some(unique.mark(&self.spec.flow, &self.input, &json("{}")))
    }

    pub(super) fn insert(self) -> JobInsert {
        let id = self.id();
        JobInsert { id, mark: self.mark(), spec: self.spec, input: self.input, params: json("{}") }
    }
}

/// A submission of these jobs at the second of the first.
pub(super) fn submission(drafts: Vec<Draft>) -> Submission {
    let secs = drafts.first().map_or(0, |draft| draft.at);
    let jobs = drafts.into_iter().map(Draft::insert).collect();
    Submission { jobs, idempotency: None, at: at(secs), offer: None }
}

/// An offer of so many places for flow `f`, from here.
pub(super) fn offer(places: usize) -> Option<Offer> {
    Some(Offer { instance: here(), flows: names(&["f"]), places })
}

/// A claim of one job of flow `f`, from here.
pub(super) fn claim(secs: i64) -> Claim {
    Claim { instance: here(), flows: names(&["f"]), max: 1, now: at(secs) }
}

/// A call for work on flow `f` from a worker outside, whose leases last ten seconds.
pub(super) fn call(secs: i64) -> Call {
    let flows = Arc::new([(name("f"), Span::from_secs(10))].into());
    let (worker, queue) = (name("w"), name(DEFAULT_QUEUE));
    Call { worker, queue, flows, max: 1, now: at(secs) }
}

/// A result without an entry.
pub(super) fn complete() -> Verdict {
    Verdict::Complete(Extent { shape: Shape::Object, len: 0 })
}

pub(super) fn fail() -> Verdict {
    Verdict::Fail(Fault::last("Broken", "it never works").at("op f"))
}

/// Another attempt from this second on.
pub(super) fn retry(secs: i64) -> Verdict {
    Verdict::Retry { fault: Fault::retry("Busy", "it may work later"), run_at: at(secs) }
}

/// The entry at place `seq`.
pub(super) fn entry(seq: u64) -> Entry {
    let outcome = Outcome::Done(Value::from(seq));
    let (fingerprint, at) = (u64::MAX - seq, Timestamp::EPOCH);
    Entry { seq, number: EffectNumber(seq), fingerprint, outcome, at }
}

/// A chunk of an object, from place `first` on, with these keys and the numbers of their places.
pub(super) fn object_chunk(first: u64, keys: &[&str]) -> Chunk {
    let entries = keys.iter().zip(first..).map(|(key, place)| (*key, Value::from(place)));
    let text = Value::map(entries).to_string();
    Chunk { first, len: keys.len() as u64, text }
}

/// Which jobs to list: all of them, in one page.
pub(super) fn everything() -> JobQuery {
    JobQuery { limit: 1_000, ..JobQuery::default() }
}

/// The store under examination.
#[derive(Clone)]
pub(super) struct Stage(Arc<dyn Store>);

impl Deref for Stage {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl Stage {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    pub(super) async fn submit(&self, draft: Draft) -> JobId {
        let id = draft.id();
        assert_eq!(self.insert(submission(vec![draft])).await, [None], "no offer, no lease");
        id
    }

    /// The tokens under which the jobs of a new submission were handed over.
    pub(super) async fn insert(&self, submission: Submission) -> Vec<Option<Token>> {
        match self.job_insert(submission).await.must() {
            Inserted::New(lodged) => {
                let token = |lodged| match lodged {
                    Lodged::New(token) => token,
                    Lodged::Known(id) => panic!("not a new job: {id}"),
                };
                lodged.into_iter().map(token).collect()
            }
            Inserted::Replay(ids) => panic!("not a new submission: {ids:?}"),
        }
    }

    pub(super) async fn claim(&self, secs: i64) -> Claimed {
        let mut claimed = self.job_claim(claim(secs)).await.must();
        assert_eq!(claimed.len(), 1, "one job is claimable");
        claimed.remove(0)
    }

    /// The ids of all jobs of flow `f` that can be claimed, in the order of their claim.
    pub(super) async fn claim_all(&self, secs: i64) -> Vec<JobId> {
        let claimed = self.job_claim(Claim { max: 1_000, ..claim(secs) }).await.must();
        claimed.into_iter().map(|claimed| claimed.job.id).collect()
    }

    /// Lends the one job that is claimable to a worker outside.
    pub(super) async fn lend(&self, secs: i64) -> Claimed {
        let mut lent = self.job_lease(call(secs)).await.must();
        assert_eq!(lent.len(), 1, "one job is claimable");
        let Lent { job, token, .. } = lent.remove(0);
        Claimed { job, token }
    }

    /// Submits a job and claims it, both at second 0.
    pub(super) async fn start(&self, number: u32) -> Claimed {
        let id = self.submit(draft(number)).await;
        let lease = self.claim(0).await;
        assert_eq!(lease.job.id, id, "nothing else is claimable");
        lease
    }

    pub(super) async fn settle(&self, lease: &Claimed, verdict: Verdict, secs: i64) -> Settled {
        let (id, token, now) = (lease.job.id, lease.token, at(secs));
        let settle = Settle { id, token, verdict, chunks: Vec::new(), progress: None, now };
        let settled = self.job_settle(vec![settle]).await.must();
        assert_eq!(settled.len(), 1, "one settlement, one answer");
        settled[0]
    }

    /// Completes a job at second 9 with these last chunks of its result.
    pub(super) async fn publish(&self, lease: &Claimed, extent: Extent, chunks: Vec<Chunk>) {
        let verdict = Verdict::Complete(extent);
        let (id, token) = (lease.job.id, lease.token);
        let settle = Settle { id, token, verdict, chunks, progress: None, now: at(9) };
        let settled = self.job_settle(vec![settle]).await.must();
        assert_eq!(settled, [Settled::Done(State::Completed)]);
    }

    /// Submits a job and ends it by this verdict at second 1.
    pub(super) async fn ended(&self, number: u32, verdict: Verdict) -> JobId {
        let lease = self.start(number).await;
        assert!(matches!(self.settle(&lease, verdict, 1).await, Settled::Done(_)));
        lease.job.id
    }

    pub(super) async fn park(&self, lease: &Claimed, wake_at: Option<i64>, seen: u64) -> Parked {
        let waiting_for = "a sign".to_owned();
        let (id, token, wake_at) = (lease.job.id, lease.token, wake_at.map(at));
        let now = lease.job.started_at.unwrap_or(at(0));
        self.job_park(Park { id, token, wake_at, seen, waiting_for, now }).await.must()
    }

    /// Submits a job, claims it and parks it until a signal comes.
    pub(super) async fn parked(&self, number: u32) -> Claimed {
        let lease = self.start(number).await;
        assert_eq!(self.park(&lease, None, 0).await, Parked::Done);
        lease
    }

    /// Sets the rules of a queue.
    pub(super) async fn rules(&self, queue: &str, change: impl FnOnce(&mut QueueRules)) {
        let mut rules = QueueRules::default();
        change(&mut rules);
        self.queue_put(&name(queue), &rules).await.must();
    }

    /// The ids of jobs of flow `f` that a claim of so many gives at a second.
    pub(super) async fn claim_some(&self, max: usize, secs: i64) -> Vec<Claimed> {
        self.job_claim(Claim { max, ..claim(secs) }).await.must()
    }

    /// How many jobs of a queue are ready, held and under a lease.
    pub(super) async fn standing(&self, queue: &str) -> (u64, u64, u64) {
        let queue = self.queue_get(&name(queue), at(0)).await.must();
        (queue.ready, queue.held, queue.leased)
    }

    pub(super) async fn release(&self, lease: &Claimed) -> bool {
        self.job_release(&[(lease.job.id, lease.token)]).await.must() == [true]
    }

    /// Sends a signal and answers its number.
    pub(super) async fn signal(&self, id: JobId) -> u64 {
        match self.job_signal(id, &name("go"), &json("1")).await.must() {
            crate::Signalled::Done(number) => number,
            refused => panic!("the job takes signals: {refused:?}"),
        }
    }

    /// The numbers of the signals in a job's inbox.
    pub(super) async fn inbox(&self, id: JobId) -> Vec<u64> {
        let signals = self.signal_read(id, 0, 1_000).await.must();
        signals.iter().map(|signal| signal.number).collect()
    }

    pub(super) async fn append(&self, lease: &Claimed, seqs: &[u64]) -> crate::Appended {
        let entries = seqs.iter().map(|seq| entry(*seq)).collect();
        let (id, token) = (lease.job.id, lease.token);
        self.job_journal(Append { id, token, entries, consumed: Vec::new() }).await.must()
    }

    pub(super) async fn journal(&self, id: JobId) -> Vec<Entry> {
        self.journal_read(id, 0, 1_000).await.must()
    }

    pub(super) async fn job(&self, id: JobId) -> Job {
        let mut jobs = self.job_get(&[id]).await.must();
        jobs.remove(0).expect("the job is stored")
    }

    pub(super) async fn state(&self, id: JobId) -> State {
        self.job(id).await.state
    }

    pub(super) async fn attempts(&self, id: JobId) -> Vec<FailedAttempt> {
        self.attempt_list(&every_attempt(id)).await.must()
    }

    /// The ids of one page.
    pub(super) async fn list(&self, query: &JobQuery) -> Vec<JobId> {
        let page = self.job_list(query).await.must();
        page.jobs.into_iter().map(|job| job.id).collect()
    }

    /// Every verb that takes a token answers that this lease has ended, and changes nothing.
    pub(super) async fn assert_stale(&self, lease: &Claimed) {
        let (id, token) = (lease.job.id, lease.token);
        let before = self.job_get(&[id]).await.must();
        let journal = self.journal(id).await;
        let inbox = self.inbox(id).await;
        let note = super::lease::note(lease, 1, "late");
        assert_eq!(self.job_progress(&[note]).await.must(), [false], "progress");
        assert_eq!(self.park(lease, Some(0), u64::MAX >> 1).await, Parked::Stale, "park");
        for verdict in [complete(), fail(), retry(0), Verdict::Cancel] {
            assert_eq!(self.settle(lease, verdict, 99).await, Settled::Stale, "settle");
        }
        assert!(!self.release(lease).await, "release");
        let next = journal.len() as u64;
        assert_eq!(self.append(lease, &[next]).await, crate::Appended::Stale, "journal");
        let step = EffectPut { id, token, name: name("late"), value: json("0") };
        assert_eq!(self.effect_put(step).await.must(), Noted::Stale, "ledger");
        let beat = Extend { id, token, span: None, now: at(99) };
        assert_eq!(self.job_extend(vec![beat]).await.must(), [None], "extend");
        let chunks = vec![object_chunk(0, &["late"])];
        assert!(!self.output_append(id, token, chunks).await.must(), "output");
        assert_eq!(self.job_get(&[id]).await.must(), before);
        assert_eq!(self.journal(id).await, journal);
        assert_eq!(self.inbox(id).await, inbox);
    }
}

/// Which failed attempts to list: all of a job's.
pub(super) fn every_attempt(id: JobId) -> AttemptQuery {
    AttemptQuery { id, code: None, since: None, until: None, skip: 0, limit: 1_000 }
}

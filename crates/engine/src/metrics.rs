//! The numbers of the engine: what is counted as it happens, and how it is shown.

use std::time::Duration;

use jobmill_model::metric::{ByName, Counter, Family, Histogram, Kind, Label};
use jobmill_model::queue::Name;
use jobmill_model::{Job, State, Timestamp};
use jobmill_store::{Settled, StoreError};

use crate::engine::Engine;

/// What is counted since the start of the process.
pub(crate) struct Metrics {
    submitted: ByName<Counter>,
    attempts: ByName<Outcomes>,
    took: ByName<Histogram>,
    waited: ByName<Histogram>,
    leases_lost: Counter,
}

/// How attempts ended.
#[derive(Default)]
struct Outcomes([Counter; Outcomes::WORDS.len()]);

impl Outcomes {
    const WORDS: [&str; 5] = ["completed", "retried", "failed", "cancelled", "refused"];

    fn place(outcome: Settled) -> usize {
        match outcome {
            Settled::Done(State::Completed) => 0,
            Settled::Done(State::Failed) => 2,
            Settled::Done(State::Cancelled) => 3,
            Settled::Done(_) => 1,
            Settled::Stale => 4,
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            submitted: ByName::new(Counter::default),
            attempts: ByName::new(Outcomes::default),
            took: ByName::new(Histogram::of_times),
            waited: ByName::new(Histogram::of_times),
            leases_lost: Counter::default(),
        }
    }
}

impl Metrics {
    pub(crate) fn submitted<'a>(&self, flows: impl Iterator<Item = &'a Name>) {
        flows.for_each(|flow| self.submitted.of(flow).add(1));
    }

    pub(crate) fn settled(&self, flow: &Name, outcome: Settled) {
        self.attempts.of(flow).0[Outcomes::place(outcome)].add(1);
    }

    pub(crate) fn took(&self, flow: &Name, time: Duration) {
        self.took.of(flow).took(time);
    }

    /// A job was taken on; only its first time tells how long it waited.
    pub(crate) fn taken_on(&self, job: &Job, now: Timestamp) {
        if job.started_at == Some(now) {
            let waited = now.since(job.run_at);
            self.waited.of(&job.spec.queue).took(Duration::from(waited));
        }
    }

    pub(crate) fn handed_over(&self, queue: &Name) {
        self.waited.of(queue).took(Duration::ZERO);
    }

    pub(crate) fn leases_lost(&self, count: usize) {
        self.leases_lost.add(count as u64);
    }

    /// Of all flows: accepted jobs, completed attempts, refused ends.
    pub(crate) fn sums(&self) -> (u64, u64, u64) {
        let submitted = self.submitted.all();
        let attempts = self.attempts.all();
        let sum = |outcome: usize| attempts.iter().map(|(_, it)| it.0[outcome].read()).sum();
        let accepted = submitted.iter().map(|(_, it)| it.read()).sum();
        (accepted, sum(0), sum(4))
    }

    fn families(&self) -> Vec<Family> {
        let mut submitted =
            Family::new(Kind::Counter, "jobmill_jobs_submitted_total", "Jobs accepted.");
        for (flow, counter) in self.submitted.all() {
            submitted = submitted.with([("flow", flow)], counter.read());
        }
        let mut attempts = Family::new(
            Kind::Counter,
            "jobmill_attempts_total",
            "Attempts by how they ended; a refused one ended after its lease.",
        );
        for (flow, outcomes) in self.attempts.all() {
            for (word, counter) in Outcomes::WORDS.iter().zip(&outcomes.0) {
                let labels = [("flow", flow.clone()), ("outcome", (*word).to_owned())];
                attempts = attempts.with(labels, counter.read());
            }
        }
        let took = histograms(
            Family::new(
                Kind::Histogram,
                "jobmill_attempt_seconds",
                "How long attempts of flows of one call took in this process.",
            ),
            "flow",
            &self.took,
        );
        let waited = histograms(
            Family::new(
                Kind::Histogram,
                "jobmill_queue_wait_seconds",
                "How long jobs that could run waited until they were first taken on.",
            ),
            "queue",
            &self.waited,
        );
        let lost = Family::new(
            Kind::Counter,
            "jobmill_leases_lost_total",
            "Leases of workers outside that ended without a word.",
        );
        let lost = lost.with([], self.leases_lost.read());
        vec![submitted, attempts, took, waited, lost]
    }
}

fn histograms(mut family: Family, label: &'static str, of: &ByName<Histogram>) -> Family {
    for (name, histogram) in of.all() {
        histogram.show(&mut family, &[(label, name)]);
    }
    family
}

impl Engine {
    /// What is counted since the start of the process, and how many jobs there are.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn metrics(&self) -> Result<Vec<Family>, StoreError> {
        let tally = self.tally().await?;
        let mut jobs = Family::new(Kind::Gauge, "jobmill_jobs", "Jobs in each state.");
        for state in State::ALL {
            let label: Label = ("state", state.to_string());
            jobs = jobs.with([label], tally.of(state));
        }
        let under_way =
            Family::new(Kind::Gauge, "jobmill_jobs_under_way", "Jobs that this process performs.");
        let mut families = vec![jobs, under_way.with([], self.under_way() as u64)];
        families.extend(self.shared.observer.metrics.families());
        Ok(families)
    }
}

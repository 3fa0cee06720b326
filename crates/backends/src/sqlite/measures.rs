//! What the store measures of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use jobmill_model::metric::{Family, Histogram, Kind, largest};
use jobmill_model::queue::Name;
use jobmill_store::Result;

use super::SqliteStore;
use super::query::Query;
use super::reader::prepare;
use super::row;

/// What the writer counts.
#[derive(Debug)]
pub(super) struct Measures {
    commits: Histogram,
    batches: Histogram,
}

impl Default for Measures {
    fn default() -> Self {
        Self { commits: Histogram::of_times(), batches: Histogram::of_counts() }
    }
}

impl Measures {
    /// A group of so many requests was performed and committed.
    pub(super) fn committed(&self, requests: usize, time: Duration) {
        self.commits.took(time);
        self.batches.observe(requests as u64);
    }
}

impl SqliteStore {
    /// What the store measures of itself; no table of jobs is gone through for it.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn metrics(&self) -> Result<Vec<Family>> {
        let mut commits = Family::new(
            Kind::Histogram,
            "jobmill_store_commit_seconds",
            "How long the writer took for a group of requests, until it was on disk.",
        );
        self.measures.commits.show(&mut commits, &[]);
        let mut batches = Family::new(
            Kind::Histogram,
            "jobmill_store_batch_requests",
            "How many requests were committed together.",
        );
        self.measures.batches.show(&mut batches, &[]);
        let wal = Family::new(
            Kind::Gauge,
            "jobmill_store_wal_bytes",
            "The length of the write-ahead log.",
        );
        let mut families = vec![commits, batches, wal.with([], self.wal_bytes())];
        families.extend(self.waiting()?);
        Ok(families)
    }

    /// Kept totals of jobs that wait for a worker or for others of their key, and the number of
    /// leases.
    fn waiting(&self) -> Result<[Family; 4]> {
        let (rows, leases) = self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::BacklogRead)?;
            let rows = statement.query_map([], |row| {
                let counts = (row::unsigned(row, 2)?, row::unsigned(row, 3)?);
                Ok((row::name(row, 0)?, row::name(row, 1)?, counts))
            })?;
            let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            let mut statement = prepare(connection, Query::LeaseCount)?;
            let leases = statement.query_row([], |row| row::unsigned(row, 0))?;
            Ok((rows, leases))
        })?;
        let (mut queues, mut flows) = (BTreeMap::new(), BTreeMap::new());
        let mut held = BTreeMap::new();
        for (queue, flow, (ready, waiting)) in rows {
            *queues.entry(queue.clone()).or_default() += ready;
            *flows.entry(flow).or_default() += ready;
            *held.entry(queue).or_default() += waiting;
        }
        let by_queue = Family::new(
            Kind::Gauge,
            "jobmill_queue_jobs_waiting",
            "Jobs that could run and wait for a worker, by queue.",
        );
        let by_flow = Family::new(
            Kind::Gauge,
            "jobmill_flow_jobs_waiting",
            "Jobs that could run and wait for a worker, by flow.",
        );
        let of_keys = Family::new(
            Kind::Gauge,
            "jobmill_queue_jobs_held",
            "Jobs that wait for others of their key, by queue.",
        );
        let under_lease =
            Family::new(Kind::Gauge, "jobmill_leases", "Leases of workers outside this process.");
        Ok([
            show(by_queue, "queue", queues),
            show(by_flow, "flow", flows),
            show(of_keys, "queue", held),
            under_lease.with([], leases),
        ])
    }
}

/// The family with what there is of each name; where there is nothing there is no number.
fn show(mut family: Family, label: &'static str, counts: BTreeMap<Name, u64>) -> Family {
    let counts = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    for (name, count) in largest(counts) {
        family = family.with([(label, name)], count);
    }
    family
}

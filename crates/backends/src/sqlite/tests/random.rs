//! Longer random runs against the oracle than the exam has, and what must hold inside after one.

use futures::executor::block_on;
use jobmill_store::exam::random::{Coverage, differential};
use jobmill_store::memory::MemoryStore;
use rusqlite::Connection;

use super::stage;
use crate::sqlite::DATA_FILE;

fn agrees(seed: u64) -> Coverage {
    let (store, folder) = stage::store();
    let coverage = block_on(differential(seed, 2_500, &MemoryStore::new(), &store));
    store.close().unwrap();
    assert_whole(&Connection::open(folder.path().join(DATA_FILE)).unwrap());
    coverage
}

fn assert_none(data: &Connection, what: &str, sql: &str) {
    let count: i64 = data.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 0, "{what}");
}

/// What workers outside hold is what their jobs say.
fn assert_whole_outside(data: &Connection) {
    let none = |what: &str, sql: &str| assert_none(data, what, sql);
    none(
        "a job names the instance of nobody if and only if a worker outside has it",
        "SELECT count(*) FROM job LEFT JOIN lease ON lease.job = job.id
        WHERE (lease.job IS NOT NULL) <> (instance IS NOT NULL AND instance = zeroblob(16))",
    );
    none(
        "no lease without its job",
        "SELECT count(*) FROM lease WHERE job NOT IN (SELECT id FROM job)",
    );
    none(
        "a job counts the steps in its ledger, and ended runs have none",
        "SELECT count(*) FROM job WHERE effects <> (
            SELECT count(*) FROM effect WHERE effect.job = job.id AND job.state < 3)",
    );
}

/// Kept totals are what is counted, each job has the place that its state gives it, and nothing
/// is left of what has ended.
fn assert_whole(data: &Connection) {
    let none = |what: &str, sql: &str| assert_none(data, what, sql);
    assert_whole_outside(data);
    let all = |sql: &str| {
        let mut statement = data.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| {
            let names = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
            Ok((names, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
        });
        rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    assert_eq!(
        all("SELECT queue, flow, ready, held FROM backlog ORDER BY queue, flow"),
        all("SELECT queue, flow, count(rank), count(held) FROM job
             WHERE rank IS NOT NULL OR held IS NOT NULL GROUP BY queue, flow ORDER BY 1, 2"),
        "kept totals of claimable and held jobs"
    );
    none(
        "a lease only of running jobs",
        "SELECT count(*) FROM job WHERE instance IS NOT NULL AND state <> 2",
    );
    none(
        "a rank only of claimable jobs",
        "SELECT count(*) FROM job WHERE rank IS NOT NULL
        AND (state NOT IN (1, 2) OR instance IS NOT NULL OR due_at IS NOT NULL)",
    );
    none(
        "every submitted job has a rank or is held",
        "SELECT count(*) FROM job WHERE (rank IS NULL) = (held IS NULL) AND state = 1",
    );
    none(
        "only jobs of a key are held, and only while they have no other place",
        "SELECT count(*) FROM job WHERE held IS NOT NULL
        AND (key IS NULL OR rank IS NOT NULL OR instance IS NOT NULL OR due_at IS NOT NULL
            OR state NOT IN (1, 2))",
    );
    none(
        "every scheduled job has a time, or a child that has not ended",
        "SELECT count(*) FROM job WHERE state = 0 AND due_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM job AS child WHERE child.parent = job.id AND child.state < 3)",
    );
    none(
        "a time only of waiting jobs",
        "SELECT count(*) FROM job WHERE due_at IS NOT NULL
        AND (state NOT IN (0, 2) OR instance IS NOT NULL)",
    );
    none(
        "no journal without its job",
        "SELECT count(*) FROM journal WHERE job NOT IN (SELECT id FROM job)",
    );
    none(
        "the journal is as long as its job says",
        "SELECT count(*) FROM job
        WHERE journal_len <> (SELECT count(*) FROM journal WHERE journal.job = job.id)",
    );
    none(
        "no inbox of ended runs",
        "SELECT count(*) FROM signal JOIN job ON job.id = signal.job WHERE state > 2",
    );
    none(
        "every chunk is published, or may be, or will be swept",
        "SELECT count(*) FROM chunk
        JOIN job ON job.id = chunk.job LEFT JOIN litter USING (job, token)
        WHERE litter.job IS NULL AND NOT (chunk.token = job.token
            AND (state = 3 OR (state = 2 AND instance IS NOT NULL AND appended = 1)))",
    );
    assert_entries_whole(&none);
    let check: String = data.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

/// Entries are numbered without a hole, and nothing is left of deleted jobs.
fn assert_entries_whole(none: &impl Fn(&str, &str)) {
    none(
        "every number of an entry is of a publication or in a gap",
        "WITH p AS (SELECT first, len FROM publication
            UNION ALL SELECT first, len FROM publication_gap)
        SELECT count(*) FROM p
        WHERE p.first <> 1 + (SELECT coalesce(sum(q.len), 0) FROM p AS q WHERE q.first < p.first)",
    );
    none(
        "gaps that meet are one",
        "SELECT count(*) FROM publication_gap AS a JOIN publication_gap AS b
        ON b.first = a.first + a.len",
    );
    none(
        "entries that are gone are counted",
        "SELECT pairs_gone - (SELECT coalesce(sum(len), 0) FROM publication_gap) FROM total",
    );
    none(
        "nothing is left of deleted jobs but chunks to sweep",
        "SELECT (SELECT count(*) FROM attempt WHERE job NOT IN (SELECT id FROM job))
            + (SELECT count(*) FROM job_tag WHERE job NOT IN (SELECT id FROM job))
            + (SELECT count(*) FROM job_input WHERE job NOT IN (SELECT id FROM job))
            + (SELECT count(*) FROM publication WHERE job NOT IN (SELECT id FROM job))",
    );
}

#[test]
fn the_oracle_agrees_at_seed_4() {
    agrees(4).assert_whole();
}

#[test]
fn the_oracle_agrees_at_seed_5() {
    agrees(5).assert_whole();
}

#[test]
fn the_oracle_agrees_at_seed_6() {
    agrees(6).assert_whole();
}

/// One of a thousand other seeds, each run another one; it is printed, and named if they differ.
#[test]
fn the_oracle_agrees_at_a_seed_that_rotates() {
    let seed = 1_000 + u64::from(std::process::id() % 1_000);
    println!("seed {seed}");
    // That every answer turns up is asked of the seeds that stay: rare ones may be missing here.
    agrees(seed);
}

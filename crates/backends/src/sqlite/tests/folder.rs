//! The data folder: what is found there after an end, clean or not, and who may use it.

use std::fs;
use std::path::Path;

use futures::executor::block_on;
use jobmill_model::State;
use jobmill_store::{Claim, JobQuery, Jobs, Leases, Outputs, StoreError, Tallies};
use rusqlite::Connection;

use super::stage::{at, completed, flows, here, id, offered, open, store, submission};
use crate::sqlite::{DATA_FILE, OpenError, Options, SqliteStore};

/// One completed job, one under a lease, one that waits.
async fn fill(store: &SqliteStore) {
    store.job_insert(offered(1, "[1]")).await.unwrap();
    store.job_settle(vec![completed(1, 1, r#"{"a":1}"#)]).await.unwrap();
    store.job_insert(offered(2, &format!("[{}2]", " ".repeat(1_000)))).await.unwrap();
    store.job_insert(submission(3, "[3]")).await.unwrap();
}

/// Everything that [`fill`] did is there, and work goes on.
async fn assert_filled(store: &SqliteStore) {
    let query = JobQuery { limit: 10, ..JobQuery::default() };
    let jobs = store.job_list(&query).await.unwrap().jobs;
    let states: Vec<_> = jobs.iter().map(|job| (job.id, job.state)).collect();
    let expected = [(id(3), State::Submitted), (id(2), State::Running), (id(1), State::Completed)];
    assert_eq!(states, expected);
    assert!(jobs[1].input.as_str().ends_with(" 2]"));
    assert_eq!(store.tally_read().await.unwrap().0[&State::Running], 1);
    assert_eq!(store.output_read(id(1), 0, 1).await.unwrap()[0].text, r#"{"a":1}"#);
    assert_eq!(store.pair_page(0, 9).await.unwrap().total, 1);
    let claim = Claim { instance: here(), flows: flows(), max: 9, now: at(9) };
    assert_eq!(store.job_claim(claim).await.unwrap()[0].job.id, id(3));
    store.job_settle(vec![completed(3, 2, r#"{"b":1,"c":2}"#)]).await.unwrap();
    assert_eq!(store.pair_page(1, 9).await.unwrap().pairs[0].key, "b");
}

#[test]
fn a_store_opened_again_is_as_it_was() {
    let (store, folder) = store();
    block_on(fill(&store));
    store.close().unwrap();
    assert!(!folder.path().join("jobmill.db-wal").exists(), "a clean end leaves no log");
    block_on(assert_filled(&open(folder.path())));
}

/// The files as they are when the process dies: copied while the store is open, nothing flushed.
#[test]
fn what_was_acknowledged_is_in_the_files_at_once() {
    let (store, folder) = store();
    block_on(fill(&store));
    let copy = tempfile::tempdir().unwrap();
    for name in [DATA_FILE, "jobmill.db-wal"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let after = open(copy.path());
    block_on(assert_filled(&after));
}

/// A log whose end was torn off by a crash ends at the last whole transaction.
#[test]
fn a_torn_transaction_never_happened() {
    let (store, folder) = store();
    block_on(fill(&store));
    let whole = fs::metadata(folder.path().join("jobmill.db-wal")).unwrap().len();
    block_on(store.job_insert(submission(4, "[4]"))).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for name in [DATA_FILE, "jobmill.db-wal"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let log = fs::OpenOptions::new().write(true).open(copy.path().join("jobmill.db-wal")).unwrap();
    let torn = log.metadata().unwrap().len() - 100;
    assert!(torn > whole, "the last transaction lies at the end of the log");
    log.set_len(torn).unwrap();
    let after = open(copy.path());
    block_on(assert_filled(&after));
    assert_eq!(block_on(after.job_get(&[id(4)])).unwrap(), [None]);
}

#[test]
fn a_dropped_store_is_closed() {
    let (store, folder) = store();
    block_on(fill(&store));
    drop(store);
    block_on(assert_filled(&open(folder.path())));
}

#[test]
fn a_closed_store_says_so() {
    let (store, _folder) = store();
    store.close().unwrap();
    assert_eq!(store.close(), Ok(()));
    let closed = Some(StoreError::Closed);
    assert_eq!(block_on(store.job_insert(submission(1, "1"))).err(), closed);
    assert_eq!(block_on(store.job_release(&[])).err(), closed);
    assert_eq!(block_on(store.job_get(&[id(1)])).err(), closed);
}

#[test]
fn a_second_server_is_refused() {
    let (store, folder) = store();
    let refused = SqliteStore::open(Options::in_folder(folder.path())).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }));
    let text = refused.to_string();
    assert!(text.contains(folder.path().to_str().unwrap()), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    assert!(text.contains("choose another folder"), "{text}");
    store.close().unwrap();
    open(folder.path());
}

fn change(folder: &Path, sql: &str) {
    Connection::open(folder.join(DATA_FILE)).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_newer_schema_is_refused() {
    let (store, folder) = store();
    store.close().unwrap();
    let data = Connection::open(folder.path().join(DATA_FILE)).unwrap();
    let known: i64 = data.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    drop(data);
    change(folder.path(), "PRAGMA user_version = 99");
    let refused = SqliteStore::open(Options::in_folder(folder.path())).unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 99, .. }), "{refused}");
    assert!(refused.to_string().contains("newer version"), "{refused}");
    change(folder.path(), &format!("PRAGMA user_version = {known}"));
    open(folder.path());
}

#[test]
fn another_text_of_a_migration_is_refused() {
    let (store, folder) = store();
    store.close().unwrap();
    change(folder.path(), "UPDATE migration SET checksum = 'other'");
    let refused = SqliteStore::open(Options::in_folder(folder.path())).unwrap_err();
    assert!(matches!(refused, OpenError::Changed { name: "001_jobs" }), "{refused}");
}

#[test]
fn a_file_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    change(folder.path(), "CREATE TABLE recipe (name TEXT)");
    let refused = SqliteStore::open(Options::in_folder(folder.path())).unwrap_err();
    assert!(matches!(refused, OpenError::Foreign), "{refused}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "").unwrap();
    let refused = SqliteStore::open(Options::in_folder(path.join("below"))).unwrap_err();
    assert!(refused.to_string().contains("below"), "{refused}");
}

#[cfg(unix)]
#[test]
fn a_new_folder_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b");
    open(&path);
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
}

/// Under steady writing the log is begun anew again and again, without a pause in the writing.
#[test]
fn the_log_stays_short() {
    let folder = tempfile::tempdir().unwrap();
    let soft = 256 * 1024;
    let options = Options {
        wal_soft_bytes: soft,
        wal_hard_bytes: 16 * soft,
        ..Options::in_folder(folder.path())
    };
    let store = SqliteStore::open(options).unwrap();
    let mut longest = 0;
    for number in 0..600 {
        block_on(store.job_insert(offered(number, "1"))).unwrap();
        block_on(store.job_settle(vec![completed(number, 0, "{}")])).unwrap();
        longest = longest.max(store.wal_bytes());
    }
    assert!(longest > soft / 2, "the length is known: {longest}");
    assert!(longest < 17 * soft, "the log was begun anew: {longest}");
    let size = fs::metadata(folder.path().join("jobmill.db-wal")).unwrap().len();
    assert!(size < 20 * soft, "and its file is as short: {size}");
}

/// Somebody who reads for long makes the log long, and it is cut when he has done.
#[test]
fn a_long_reader_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let soft = 64 * 1024;
    let options = Options {
        wal_soft_bytes: soft,
        wal_hard_bytes: 4 * soft,
        ..Options::in_folder(folder.path())
    };
    let store = SqliteStore::open(options).unwrap();
    let other = Connection::open(folder.path().join(DATA_FILE)).unwrap();
    let count = || other.query_row("SELECT count(*) FROM job", [], |row| row.get::<_, i64>(0));
    block_on(store.job_insert(submission(0, "0"))).unwrap();
    other.execute_batch("BEGIN").unwrap();
    assert_eq!(count(), Ok(1));
    for number in 1..60 {
        block_on(store.job_insert(submission(number, "1"))).unwrap();
    }
    let long = store.wal_bytes();
    assert!(long > 4 * soft, "the reader keeps the log: {long}");
    assert_eq!(count(), Ok(1));
    other.execute_batch("COMMIT").unwrap();
    for number in 60..120 {
        block_on(store.job_insert(submission(number, "1"))).unwrap();
    }
    assert!(store.wal_bytes() < long, "the log was begun anew: {}", store.wal_bytes());
    assert_eq!(count(), Ok(120));
}

//! Backup and restore: a whole copy of one moment, beside a store that goes on.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use futures::executor::block_on;
use jobmill_store::{Jobs, Leases, Tallies};
use rusqlite::Connection;

use super::stage::{completed, id, offered, open, store, submission};
use crate::sqlite::{BackupError, DATA_FILE, OpenError, SqliteStore, backup, restore};

fn count(store: &SqliteStore) -> u64 {
    block_on(store.tally_read()).unwrap().0.values().sum()
}

#[test]
fn a_backup_made_while_jobs_come_in_holds_what_was_acknowledged_before_it() {
    let (store, folder) = store();
    let copies = tempfile::tempdir().unwrap();
    let (acknowledged, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let file = copies.path().join("backup.db");
    let (before, copied, after) = thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1.. {
                if done.load(Ordering::SeqCst) {
                    return;
                }
                let input = format!("[{:2000}]", number);
                block_on(store.job_insert(submission(number, &input))).unwrap();
                acknowledged.store(number, Ordering::SeqCst);
            }
        });
        while acknowledged.load(Ordering::SeqCst) < 200 {
            thread::yield_now();
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let copied = backup(folder.path(), &file);
        let after = acknowledged.load(Ordering::SeqCst);
        done.store(true, Ordering::SeqCst);
        (before, copied.unwrap(), after)
    });
    assert!((before..=after + 1).contains(&copied.jobs), "{before} {copied:?} {after}");
    let restored = copies.path().join("data");
    assert_eq!(restore(&file, &restored).unwrap().jobs, copied.jobs);
    let again = open(&restored);
    assert_eq!(count(&again), copied.jobs);
    let numbers: Vec<_> = (1..=copied.jobs).map(id).collect();
    assert!(block_on(again.job_get(&numbers)).unwrap().iter().all(Option::is_some));
    block_on(again.job_insert(submission(copied.jobs + 1, "[]"))).unwrap();
    assert!(count(&store) >= copied.jobs, "the store itself is as it was");
}

#[test]
fn a_backup_needs_no_server_and_takes_what_a_killed_one_left_in_its_log() {
    let (store, folder) = store();
    block_on(store.job_insert(offered(1, "[1]"))).unwrap();
    block_on(store.job_settle(vec![completed(1, 1, r#"{"a":1}"#)])).unwrap();
    let killed = tempfile::tempdir().unwrap();
    for name in [DATA_FILE, "jobmill.db-wal"] {
        fs::copy(folder.path().join(name), killed.path().join(name)).unwrap();
    }
    let file = killed.path().join("backup.db");
    assert_eq!(backup(killed.path(), &file).unwrap().jobs, 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the data is its owner's alone");
    }
    let names = fs::read_dir(killed.path()).unwrap();
    let left = names.filter(|it| it.as_ref().unwrap().path().extension() == Some("part".as_ref()));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_backup_overwrites_nothing_and_a_restore_neither() {
    let (store, folder) = store();
    let copies = tempfile::tempdir().unwrap();
    let file = copies.path().join("backup.db");
    backup(folder.path(), &file).unwrap();
    assert!(matches!(backup(folder.path(), &file), Err(BackupError::Exists(_))));
    assert!(matches!(restore(&file, folder.path()), Err(BackupError::NotEmpty(_))));
    store.close().unwrap();
    assert!(matches!(restore(&file, folder.path()), Err(BackupError::NotEmpty(_))));
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(backup(empty.path(), &file), Err(BackupError::Missing(_))));
    restore(&file, empty.path()).unwrap();
    assert!(matches!(restore(&file, empty.path()), Err(BackupError::NotEmpty(_))));
}

#[test]
fn a_file_that_is_damaged_foreign_or_newer_is_not_restored() {
    let (store, folder) = store();
    for number in 1..200 {
        block_on(store.job_insert(submission(number, &format!("[{:900}]", number)))).unwrap();
    }
    let copies = tempfile::tempdir().unwrap();
    let good = copies.path().join("good.db");
    backup(folder.path(), &good).unwrap();
    let target = copies.path().join("data");
    let with = |name: &str, change: &dyn Fn(&std::path::Path)| {
        let file = copies.path().join(name);
        fs::copy(&good, &file).unwrap();
        change(&file);
        let refused = restore(&file, &target).unwrap_err();
        assert!(!target.join(DATA_FILE).exists(), "{name}");
        refused
    };
    let torn = with("torn.db", &|file| {
        let len = fs::metadata(file).unwrap().len();
        fs::OpenOptions::new().write(true).open(file).unwrap().set_len(len / 2).unwrap();
    });
    assert!(matches!(torn, BackupError::Damaged { .. }), "{torn}");
    let pragma = |text: &'static str| {
        move |file: &std::path::Path| Connection::open(file).unwrap().execute_batch(text).unwrap()
    };
    let newer = with("newer.db", &pragma("PRAGMA user_version = 9999"));
    assert!(matches!(newer, BackupError::Open(OpenError::Newer { .. })), "{newer}");
    let foreign = with("foreign.db", &pragma("PRAGMA application_id = 7"));
    assert!(matches!(foreign, BackupError::Open(OpenError::Foreign)), "{foreign}");
    let text = with("text.db", &|file| fs::write(file, "no database at all").unwrap());
    assert!(matches!(text, BackupError::Damaged { .. }), "{text}");
    assert!(matches!(restore(&copies.path().join("none"), &target), Err(BackupError::Missing(_))));
}

//! What deleted jobs took is given back to the file system.

use std::fs;

use futures::executor::block_on;
use jobmill_store::{Deleted, Jobs, Leases, Outputs};

use super::stage::{completed, id, offered, open, store};
use crate::sqlite::{DATA_FILE, SqliteStore};

/// So many jobs of a megabyte each; all but the last are deleted again.
fn fill_and_delete(store: &SqliteStore, jobs: u64) {
    let input = format!("[\"{}\"]", "x".repeat(1_000_000));
    for number in 1..=jobs {
        block_on(store.job_insert(offered(number, &input))).unwrap();
        block_on(store.job_settle(vec![completed(number, 1, r#"{"a":1}"#)])).unwrap();
    }
    let ids: Vec<_> = (1..jobs).map(id).collect();
    let deleted = block_on(store.job_delete(&ids)).unwrap();
    assert!(deleted.iter().all(|it| *it == Deleted::Done), "{deleted:?}");
}

#[test]
fn the_file_is_cut_in_small_steps_when_most_of_it_is_free() {
    let (store, folder) = store();
    fill_and_delete(&store, 60);
    let mut steps = 0;
    while block_on(store.output_sweep(500)).unwrap().more {
        steps += 1;
        assert!(steps < 1000, "it does not come to an end");
    }
    assert!(steps > 20, "a step is a megabyte at most: {steps}");
    store.close().unwrap();
    let bytes = fs::metadata(folder.path().join(DATA_FILE)).unwrap().len();
    assert!((16_000_000..24_000_000).contains(&bytes), "{bytes}");
    let again = open(folder.path());
    assert!(block_on(again.job_get(&[id(60)])).unwrap()[0].is_some());
}

#[test]
fn room_that_the_next_jobs_will_need_is_kept() {
    let (store, folder) = store();
    fill_and_delete(&store, 11);
    assert!(!block_on(store.output_sweep(500)).unwrap().more);
    store.close().unwrap();
    let bytes = fs::metadata(folder.path().join(DATA_FILE)).unwrap().len();
    assert!(bytes > 10_000_000, "{bytes}");
}

//! A full disk: writes are refused, reads go on, nothing acknowledged is lost.

use futures::executor::block_on;
use futures::future::join_all;
use jobmill_model::State;
use jobmill_store::{JobQuery, Jobs, Leases, StoreError, Tallies};

use super::stage::{completed, id, offered, store, submission};
use crate::sqlite::SqliteStore;

const ROOM: u64 = 512 * 1024;

fn large(number: u64) -> jobmill_store::Submission {
    submission(number, &format!("\"{}\"", "x".repeat(8_000)))
}

/// Submits until there is no room; answers how many were taken in.
async fn fill(store: &SqliteStore) -> u64 {
    for number in 1.. {
        match store.job_insert(large(number)).await {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error, StoreError::Full);
                return number - 1;
            }
        }
    }
    unreachable!("the numbers have no end")
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    let (store, folder) = store();
    block_on(async {
        store.job_insert(offered(0, "0")).await.unwrap();
        store.set_max_bytes(Some(ROOM)).await.unwrap();
        let count = fill(&store).await;
        assert!(count > 10, "{count} fit");
        let last = store.job_get(&[id(count), id(count + 1)]).await.unwrap();
        assert!(last[0].is_some() && last[1].is_none());
        assert_eq!(store.tally_read().await.unwrap().0[&State::Submitted], count);
        store.set_max_bytes(None).await.unwrap();
        store.job_insert(large(count + 1)).await.unwrap();
        store.job_settle(vec![completed(0, 0, "{}")]).await.unwrap();
        assert_eq!(store.tally_read().await.unwrap().0[&State::Submitted], count + 1);
        store.close().unwrap();
        let store = super::stage::open(folder.path());
        let query = JobQuery { limit: 1_000, ..JobQuery::default() };
        let jobs = store.job_list(&query).await.unwrap().jobs;
        assert_eq!(jobs.len() as u64, count + 2);
    });
}

/// Of requests that are committed together each is in or out, and whoever is told "in" is in.
#[test]
fn many_at_once_are_told_the_truth() {
    let (store, _folder) = store();
    block_on(async {
        store.set_max_bytes(Some(ROOM)).await.unwrap();
        let told = join_all((0..200).map(|number| store.job_insert(large(number)))).await;
        let ids: Vec<_> = (0..200).map(id).collect();
        let stored = store.job_get(&ids).await.unwrap();
        for (told, stored) in told.iter().zip(&stored) {
            assert_eq!(told.is_ok(), stored.is_some(), "{told:?}");
        }
        assert!(told.contains(&Err(StoreError::Full)));
        let count = stored.iter().flatten().count() as u64;
        assert_eq!(store.tally_read().await.unwrap().0[&State::Submitted], count);
    });
}

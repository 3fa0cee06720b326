//! A request that goes wrong takes nobody with it, and nobody waits for ever.

use std::sync::mpsc;

use futures::executor::block_on;
use futures::future::join3;
use jobmill_model::Span;
use jobmill_model::State;
use jobmill_store::{Jobs, StoreError, Tallies};

use super::stage::{id, store, submission};
use crate::sqlite::query::Query;
use crate::sqlite::row::Key;
use crate::sqlite::trouble::Outcome;
use crate::sqlite::txn::Txn;
use crate::sqlite::{Options, SqliteStore};

/// A verb that holds the writer up until a word comes, or nobody is left to say it.
fn wait(_: &mut Txn<'_>, word: &mpsc::Receiver<()>) -> Outcome<()> {
    let _ = word.recv();
    Ok(())
}

/// A verb that writes something and fails then.
fn fail_half_way(tx: &mut Txn<'_>, (): &()) -> Outcome<()> {
    tx.totals.enter(State::Failed);
    tx.execute(Query::SignalInsert, (Key::of(id(9)), 1, "half", "1"))?;
    tx.execute(Query::SignalInsert, (Key::of(id(9)), 1, "half", "1"))?;
    Ok(())
}

fn panic_half_way(tx: &mut Txn<'_>, (): &()) -> Outcome<()> {
    tx.totals.enter(State::Failed);
    tx.execute(Query::SignalInsert, (Key::of(id(9)), 1, "half", "1"))?;
    panic!("a test panics")
}

fn traces(tx: &mut Txn<'_>, (): &()) -> Outcome<usize> {
    let seen = tx.all(Query::SignalRead, (Key::of(id(9)), 0, 9), |_| Ok(()))?;
    Ok(seen.len())
}

/// Runs a verb in one transaction with two submissions around it.
fn between_two(
    store: &SqliteStore,
    verb: fn(&mut Txn<'_>, &()) -> Outcome<()>,
) -> [Result<(), StoreError>; 3] {
    let (word, waits) = mpsc::channel();
    let held = store.ask(waits, wait, 0);
    let before = async { store.job_insert(submission(1, "1")).await.map(drop) };
    let after = async { store.job_insert(submission(2, "2")).await.map(drop) };
    let between = store.admit((), verb, 0);
    // All three wait by the time that the writer is let go, since each is sent when first polled.
    let release = async move { drop(word) };
    let (_, (one, two, three), ()) = block_on(join3(held, join3(before, between, after), release));
    [one, two, three]
}

#[test]
fn a_request_that_fails_half_way_leaves_nothing_and_its_neighbours_go_on() {
    let (store, _folder) = store();
    let [before, failed, after] = between_two(&store, fail_half_way);
    assert!(matches!(failed, Err(StoreError::Broken(_))), "{failed:?}");
    assert_eq!((before, after), (Ok(()), Ok(())));
    block_on(async {
        let stored = store.job_get(&[id(1), id(2)]).await.unwrap();
        assert!(stored.iter().all(Option::is_some));
        assert_eq!(store.ask((), traces, 0).await, Ok(0));
        let tally = store.tally_read().await.unwrap();
        assert_eq!((tally.0[&State::Submitted], tally.0[&State::Failed]), (2, 0));
    });
}

#[test]
fn after_a_panic_everybody_is_told_and_the_writer_goes_on() {
    let (store, _folder) = store();
    let [before, failed, after] = between_two(&store, panic_half_way);
    assert!(matches!(failed, Err(StoreError::Broken(_))), "{failed:?}");
    block_on(async {
        let stored = store.job_get(&[id(1), id(2)]).await.unwrap();
        assert_eq!([before.is_ok(), after.is_ok()], [stored[0].is_some(), stored[1].is_some()]);
        store.job_insert(submission(3, "3")).await.unwrap();
        assert_eq!(store.ask((), traces, 0).await, Ok(0));
        assert_eq!(store.tally_read().await.unwrap().0[&State::Failed], 0);
    });
}

#[test]
fn an_id_that_is_there_already_is_refused_alone() {
    let (store, _folder) = store();
    block_on(async {
        store.job_insert(submission(1, "1")).await.unwrap();
        assert!(matches!(store.job_insert(submission(1, "2")).await, Err(StoreError::Broken(_))));
        assert_eq!(store.job_get(&[id(1)]).await.unwrap()[0].as_ref().unwrap().input.as_str(), "1");
        assert_eq!(store.tally_read().await.unwrap().0[&State::Submitted], 1);
    });
}

#[test]
fn submissions_are_shed_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { admission_requests: 1, ..Options::in_folder(folder.path()) };
    let store = SqliteStore::open(options).unwrap();
    let (word, waits) = mpsc::channel();
    let (started, begins) = mpsc::channel();
    let hold = |_: &mut Txn<'_>, (started, waits): &(mpsc::Sender<()>, mpsc::Receiver<()>)| {
        let _ = started.send(());
        let _ = waits.recv();
        Ok(())
    };
    let held = store.ask((started, waits), hold, 0);
    let (_, first, second) = block_on(join3(
        held,
        async {
            begins.recv().unwrap();
            store.job_insert(submission(1, "1")).await.map(drop)
        },
        async {
            let second = store.job_insert(submission(2, "2")).await.map(drop);
            word.send(()).unwrap();
            second
        },
    ));
    assert_eq!(first, Ok(()));
    assert_eq!(second, Err(StoreError::Busy { retry_after: Span::from_secs(1) }));
    assert_eq!(block_on(store.job_get(&[id(2)])).unwrap(), [None]);
}

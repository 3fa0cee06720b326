//! How fast it is: run by hand, in release, on an idle machine.
//!
//! `cargo test --release -p jobmill-backends rates -- --ignored --nocapture --test-threads 1`
//!
//! `TMPDIR` says on which disk; in `/dev/shm` there is only the work of the processor.
#![expect(clippy::disallowed_methods, reason = "a rate is measured with a real clock")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use futures::future::join_all;
use jobmill_store::{Claim, Inserted, Jobs, Leases, Lodged, Settled};

use super::stage::{self, at, completed, flows, here, offered, submission};
use crate::sqlite::SqliteStore;

const INPUT: &str = r#"{"1":"2","3":"4","5":"6","7":"8"}"#;
const RESULT: &str = r#"{"1 5":"2 6","1 7":"2 8","3 5":"4 6","3 7":"4 8"}"#;

/// What a measurement counts from: the wall clock and the processor time of the store's threads.
struct Start {
    at: Instant,
    writer: Duration,
    checkpointer: Duration,
}

fn start() -> Start {
    let (writer, checkpointer) = (busy("jobmill-writer"), busy("jobmill-checkpo"));
    Start { at: Instant::now(), writer, checkpointer }
}

impl Start {
    fn report(&self, what: &str, count: u64) {
        let took = self.at.elapsed();
        let each = |busy: Duration| busy.as_secs_f64() * 1e6 / count as f64;
        println!(
            "{what:44} {:8.0}/s  writer {:5.1} µs each, checkpoints {:4.1} µs each",
            count as f64 / took.as_secs_f64(),
            each(busy("jobmill-writer") - self.writer),
            each(busy("jobmill-checkpo") - self.checkpointer),
        );
    }
}

/// The processor time of the thread with this name.
fn busy(name: &str) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let of_name = |task: &std::path::PathBuf| {
        fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name)
    };
    let nanos = tasks.filter(of_name).map(|task| {
        let stat = fs::read_to_string(task.join("schedstat")).unwrap();
        stat.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(nanos.sum())
}

/// Runs `senders` loops, spread over `threads` threads, for so many seconds; answers how often
/// `send` was done. Each sender waits for its answer before it sends again.
fn send_for<F: Future<Output = u64>>(
    seconds: u64,
    threads: usize,
    senders: usize,
    send: impl Fn(u64) -> F + Sync,
) -> u64 {
    let (next, end) = (AtomicU64::new(0), Instant::now() + Duration::from_secs(seconds));
    let sender = async || {
        let mut sum = 0;
        while Instant::now() < end {
            sum += send(next.fetch_add(1, Ordering::Relaxed)).await;
        }
        sum
    };
    let each = senders / threads;
    let work = || block_on(join_all((0..each).map(|_| sender()))).into_iter().sum::<u64>();
    thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

async fn submit(store: &SqliteStore, number: u64) -> u64 {
    let inserted = store.job_insert(submission(number, INPUT)).await.unwrap();
    assert_eq!(inserted, Inserted::New(vec![Lodged::New(None)]));
    1
}

/// One job's whole life: handed over at its submission, and settled.
async fn perform(store: &SqliteStore, number: u64) -> u64 {
    let inserted = store.job_insert(offered(number, INPUT)).await.unwrap();
    assert!(
        matches!(&inserted, Inserted::New(all) if matches!(all[..], [Lodged::New(Some(_))])),
        "{number}"
    );
    let settled = store.job_settle(vec![completed(number, 4, RESULT)]).await.unwrap();
    assert!(matches!(settled[0], Settled::Done(_)));
    1
}

fn syncs(folder: &Path) {
    let mut file = fs::File::create(folder.join("syncs")).unwrap();
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(2) {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    println!("{:44} {:8.0}/s", "4 KiB appended, fdatasync", f64::from(count) / 2.0);
}

#[test]
#[ignore = "a measurement"]
fn rates() {
    let folder = tempfile::tempdir().unwrap();
    syncs(folder.path());
    for (threads, senders) in [(64, 64), (2, 64), (2, 512)] {
        let home = folder.path().join(format!("{threads}-{senders}"));
        let store = Arc::new(stage::open(&home));
        let label = |what: &str| format!("{what}, {senders} senders on {threads} threads");
        let began = start();
        let count = send_for(4, threads, senders, |number| submit(&store, number));
        began.report(&label("submit"), count);
        let began = start();
        let mut claimed = 0;
        while claimed < count {
            let claim = Claim { instance: here(), flows: flows(), max: 64, now: at(0) };
            claimed += block_on(store.job_claim(claim)).unwrap().len() as u64;
        }
        began.report("claim, 64 at a time", claimed);
        let began = start();
        let settled = send_for(2, threads, senders, |number| {
            let settle = (number < claimed).then(|| completed(number, 4, RESULT));
            let store = &store;
            async move {
                let settles: Vec<_> = settle.into_iter().collect();
                store.job_settle(settles).await.unwrap().len() as u64
            }
        });
        began.report(&label("settle"), settled);
        let began = start();
        let first = 1 << 32;
        let count = send_for(6, threads, senders, |number| perform(&store, first + number));
        began.report(&label("submit, hand over, settle"), count);
        let began = start();
        let read = send_for(2, 2, 2, |number| {
            let store = &store;
            async move { store.job_get(&[stage::id(number % 1000)]).await.unwrap().len() as u64 }
        });
        began.report("get, 2 readers", read);
        println!("log {} KiB", store.wal_bytes() / 1024);
        store.close().unwrap();
    }
}

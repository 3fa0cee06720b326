//! The ceiling of the store: jobs inserted by one caller who waits for each commit, one job and
//! a thousand at a time, with no HTTP before and no worker behind.
//!
//! `commit_rate FOLDER SECONDS`
#![expect(clippy::disallowed_methods, reason = "a rate is measured with a real clock")]

use std::path::Path;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use jobmill_backends::sqlite::{Options, SqliteStore};
use jobmill_model::job::Spec;
use jobmill_model::queue::Name;
use jobmill_model::{JobId, Json, Timestamp};
use jobmill_store::{Inserted, JobInsert, Jobs, Submission};

const INPUT: &str = r#"{"1":"2","3":"4","5":"6","7":"8"}"#;
const MANY: u64 = 1_000;

type Failure = Box<dyn std::error::Error>;

/// Jobs in the order of time, a hundred each millisecond.
fn job(number: u64) -> JobInsert {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    JobInsert {
        id: JobId::from_parts(at(number), random),
        spec: Spec::new(Name::trusted("expand_reduce_flow")),
        input: Json::trusted(INPUT),
        params: Json::trusted("{}"),
        mark: None,
    }
}

fn at(number: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + (number / 100).cast_signed())
}

/// Commits `size` jobs at a time for so long; answers jobs a second.
fn measure(folder: &Path, size: u64, duration: Duration) -> Result<f64, Failure> {
    let store = SqliteStore::open(Options::in_folder(folder.join(format!("commits_{size}"))))?;
    let (start, mut number) = (Instant::now(), 0);
    while start.elapsed() < duration {
        let jobs = (number..number + size).map(job).collect();
        let submission = Submission { jobs, idempotency: None, at: at(number), offer: None };
        match block_on(store.job_insert(submission))? {
            Inserted::New(_) => number += size,
            Inserted::Replay(_) => return Err("a job without a key was taken for a replay".into()),
        }
    }
    let rate = number as f64 / start.elapsed().as_secs_f64();
    store.close()?;
    Ok(rate)
}

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, seconds] = words.as_slice() else {
        return Err("commit_rate FOLDER SECONDS".into());
    };
    let half = Duration::from_secs_f64(seconds.parse::<f64>()? / 2.0);
    let one = measure(folder.as_ref(), 1, half)?;
    let many = measure(folder.as_ref(), MANY, half)?;
    println!(r#"{{"one":{one:.0},"thousand":{many:.0}}}"#);
    Ok(())
}

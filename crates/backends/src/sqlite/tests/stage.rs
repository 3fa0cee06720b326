//! What the tests of this store stand on: a folder, some jobs, short verbs.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jobmill_model::job::{Spec, Verdict};
use jobmill_model::output::{Chunk, Extent, Shape};
use jobmill_model::queue::Name;
use jobmill_model::{InstanceId, JobId, Json, Timestamp, Token};
use jobmill_store::{JobInsert, Offer, Settle, Submission};
use tempfile::TempDir;

use crate::sqlite::{Options, SqliteStore};

/// A store in a folder of its own.
pub(super) fn store() -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (open(folder.path()), folder)
}

pub(super) fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(Options::in_folder(folder)).unwrap()
}

/// The instant so many milliseconds after the tests' beginning.
pub(super) fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis as i64)
}

pub(super) fn here() -> InstanceId {
    InstanceId::from_parts(at(0), [1; 10])
}

pub(super) fn flows() -> Arc<BTreeSet<Name>> {
    Arc::new([Name::trusted("f")].into())
}

/// The id of job number `n`, made `n` milliseconds after the beginning.
pub(super) fn id(number: u64) -> JobId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    JobId::from_parts(at(number), random)
}

/// A submission of one job of flow `f` with this input.
pub(super) fn submission(number: u64, input: &str) -> Submission {
    let (id, spec) = (id(number), Spec::new(Name::trusted("f")));
    let job = JobInsert {
        id,
        spec,
        input: Json::trusted(input),
        params: Json::trusted("{}"),
        mark: None,
    };
    Submission { jobs: vec![job], idempotency: None, at: at(number), offer: None }
}

/// The same, offered to a worker that takes it at once.
pub(super) fn offered(number: u64, input: &str) -> Submission {
    let offer = Offer { instance: here(), flows: flows(), places: 1 };
    Submission { offer: Some(offer), ..submission(number, input) }
}

/// The end of a job's first attempt, with an object of these entries as its result.
pub(super) fn completed(number: u64, entries: u64, text: &str) -> Settle {
    let chunk = Chunk { first: 0, len: entries, text: text.to_owned() };
    let verdict = Verdict::Complete(Extent { shape: Shape::Object, len: entries });
    let (id, now) = (id(number), at(number + 1));
    Settle { id, token: Token(1), verdict, chunks: vec![chunk], progress: None, now }
}

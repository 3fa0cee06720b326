//! Exams of results: chunks under a lease, published by its settlement, read from any place.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::job::Verdict;
use jobmill_model::output::{Chunk, Extent, Shape};
use jobmill_model::{JobId, Value};

use super::stage::{Must, Stage, at, complete, draft, fail, nobody, object_chunk, retry, there};
use crate::{Claimed, Parked, Store};

fn extent(len: u64) -> Extent {
    Extent { shape: Shape::Object, len }
}

async fn append(stage: &Stage, lease: &Claimed, chunk: Chunk) -> bool {
    stage.output_append(lease.job.id, lease.token, vec![chunk]).await.must()
}

/// The chunks from a place to the end, read in pages of about so many bytes.
async fn read(stage: &Stage, id: JobId, from: u64, bytes: usize) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    loop {
        let from = chunks.last().map_or(from, |chunk| chunk.first + chunk.len);
        let page = stage.output_read(id, from, bytes).await.must();
        if page.is_empty() {
            return chunks;
        }
        let all_but_last = &page[..page.len() - 1];
        let sum: usize = all_but_last.iter().map(|chunk| chunk.text.len()).sum();
        assert!(sum <= bytes, "a page is about as long as asked");
        chunks.extend(page);
    }
}

pub async fn a_result_is_all_chunks_of_its_lease(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    let (a, b, c) =
        (object_chunk(0, &["a", "b"]), object_chunk(2, &["c"]), object_chunk(3, &["d"]));
    let last = object_chunk(4, &["e", "é\""]);
    let both = vec![b.clone(), c.clone()];
    assert!(append(&stage, &lease, a.clone()).await);
    assert!(stage.output_append(id, lease.token, both).await.must());
    assert_eq!(stage.output_extent(id).await.must(), None, "not before the settlement");
    assert_eq!(stage.output_read(id, 0, 99).await.must(), []);
    assert_eq!(stage.pair_page(0, 9).await.must().total, 0);
    stage.publish(&lease, extent(6), vec![last.clone()]).await;
    assert_eq!(stage.output_extent(id).await.must(), Some(extent(6)));
    assert_eq!(read(&stage, id, 0, 9_999).await, [a, b, c, last]);
}

pub async fn a_small_result_comes_with_its_settlement(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let text = r#""fine""#.to_owned();
    let chunk = Chunk { first: 0, len: 6, text };
    let extent = Extent { shape: Shape::Text, len: 6 };
    stage.publish(&lease, extent, vec![chunk.clone()]).await;
    assert_eq!(stage.output_extent(lease.job.id).await.must(), Some(extent));
    assert_eq!(read(&stage, lease.job.id, 0, 1).await, [chunk]);
}

pub async fn a_result_that_is_written_anew_takes_the_place_of_the_one_before(
    store: Arc<dyn Store>,
) {
    let stage = Stage::new(store);
    let old = || vec![object_chunk(0, &["a", "b"]), object_chunk(2, &["c"])];
    let [appended, settled, emptied] = [stage.start(1), stage.start(2), stage.start(3)];
    let (appended, settled, emptied) = (appended.await, settled.await, emptied.await);
    for lease in [&appended, &settled, &emptied] {
        assert!(stage.output_append(lease.job.id, lease.token, old()).await.must());
    }
    let (new, rest) = (object_chunk(0, &["x"]), object_chunk(1, &["y"]));
    assert!(append(&stage, &appended, new.clone()).await);
    stage.publish(&appended, extent(2), vec![rest.clone()]).await;
    assert_eq!(read(&stage, appended.job.id, 0, 9_999).await, [new.clone(), rest]);
    stage.publish(&settled, extent(1), vec![new.clone()]).await;
    assert_eq!(read(&stage, settled.job.id, 0, 9_999).await, [new]);
    stage.publish(&emptied, extent(0), Vec::new()).await;
    assert_eq!(read(&stage, emptied.job.id, 0, 9_999).await, []);
    assert_eq!(stage.pair_page(0, 9).await.must().total, 3);
}

pub async fn an_empty_object_has_no_entries(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.ended(1, complete()).await;
    assert_eq!(stage.output_extent(id).await.must(), Some(extent(0)));
    let entries = |chunks: Vec<Chunk>| chunks.iter().map(|chunk| chunk.len).sum::<u64>();
    assert_eq!(entries(stage.output_read(id, 0, 99).await.must()), 0);
    assert_eq!(stage.pair_page(0, 9).await.must().total, 0);
}

pub async fn a_result_is_read_from_any_place(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let text = "\"0123456789\"";
    let chunk = |first: usize, end: usize| Chunk {
        first: first as u64,
        len: (end - first) as u64,
        text: text[first..end].to_owned(),
    };
    let chunks = [chunk(0, 1), chunk(1, 5), chunk(5, 8), chunk(8, 12)];
    for chunk in &chunks[..3] {
        assert!(append(&stage, &lease, chunk.clone()).await);
    }
    let extent = Extent { shape: Shape::Text, len: 12 };
    stage.publish(&lease, extent, chunks[3..].to_vec()).await;
    for (place, holds) in [0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3].into_iter().enumerate() {
        for bytes in [0, 1, 3, 7, 12, 999] {
            let page = read(&stage, lease.job.id, place as u64, bytes).await;
            assert_eq!(page, chunks[holds..], "from {place} by {bytes}");
        }
    }
    for place in [12, 13, u64::MAX >> 1] {
        assert_eq!(stage.output_read(lease.job.id, place, 999).await.must(), [], "{place}");
    }
}

pub async fn jobs_without_a_result_have_no_output(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let failed = stage.start(1).await;
    assert!(append(&stage, &failed, object_chunk(0, &["a"])).await);
    stage.settle(&failed, fail(), 1).await;
    let stopped = stage.start(2).await;
    assert!(append(&stage, &stopped, object_chunk(0, &["a"])).await);
    stage.settle(&stopped, Verdict::Cancel, 1).await;
    let again = stage.start(3).await;
    assert!(append(&stage, &again, object_chunk(0, &["a"])).await);
    stage.settle(&again, retry(9), 1).await;
    for id in [failed.job.id, stopped.job.id, again.job.id, nobody()] {
        assert_eq!(stage.output_extent(id).await.must(), None);
        assert_eq!(stage.output_read(id, 0, 99).await.must(), []);
    }
    assert_eq!(stage.pair_page(0, 9).await.must().total, 0);
}

/// Claims the job again and publishes one entry of its own.
async fn publish_anew(stage: &Stage, id: JobId) {
    let lease = stage.claim(9).await;
    assert_eq!(lease.job.id, id);
    let new = object_chunk(0, &["new"]);
    stage.publish(&lease, extent(1), vec![new.clone()]).await;
    assert_eq!(read(stage, id, 0, 99).await, [new]);
    let pairs = stage.pair_page(0, 9).await.must().pairs;
    assert_eq!(pairs.iter().map(|pair| pair.key.as_str()).collect::<Vec<_>>(), ["new"]);
}

pub async fn chunks_of_a_lost_lease_are_not_published(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lost = stage.start(1).await;
    assert!(append(&stage, &lost, object_chunk(0, &["old"])).await);
    stage.job_reclaim(there(), 9, at(1)).await.must();
    assert!(!append(&stage, &lost, object_chunk(1, &["late"])).await);
    publish_anew(&stage, lost.job.id).await;
}

pub async fn chunks_of_a_failed_attempt_are_not_published(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let failed = stage.start(1).await;
    assert!(append(&stage, &failed, object_chunk(0, &["old"])).await);
    stage.settle(&failed, retry(1), 1).await;
    stage.job_promote(at(1), 9).await.must();
    publish_anew(&stage, failed.job.id).await;
}

pub async fn chunks_from_before_a_pause_are_not_published(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parked = stage.start(1).await;
    assert!(append(&stage, &parked, object_chunk(0, &["old"])).await);
    assert_eq!(stage.park(&parked, Some(1), 0).await, Parked::Done);
    stage.job_promote(at(1), 9).await.must();
    let released = stage.claim(1).await;
    assert!(append(&stage, &released, object_chunk(0, &["older"])).await);
    assert!(stage.release(&released).await);
    publish_anew(&stage, parked.job.id).await;
}

/// Sweeps to the end, two chunks at a time, and answers how many were removed.
async fn sweep(stage: &Stage) -> usize {
    let mut removed = 0;
    loop {
        let swept = stage.output_sweep(2).await.must();
        assert!(swept.rows <= 2, "a sweep keeps to its limit");
        removed += swept.rows;
        if !swept.more {
            return removed;
        }
    }
}

pub async fn chunks_that_will_never_be_published_are_swept(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(sweep(&stage).await, 0);
    for (number, verdict) in (1..).zip([fail(), retry(50), Verdict::Cancel]) {
        let lease = stage.start(number).await;
        assert!(append(&stage, &lease, object_chunk(0, &["a"])).await);
        stage.settle(&lease, verdict, 1).await;
    }
    let lost = stage.start(4).await;
    assert!(append(&stage, &lost, object_chunk(0, &["a"])).await);
    assert!(append(&stage, &lost, object_chunk(1, &["b"])).await);
    stage.job_reclaim(there(), 9, at(1)).await.must();
    assert_eq!(sweep(&stage).await, 5);
    assert_eq!(sweep(&stage).await, 0);
    publish_anew(&stage, lost.job.id).await;
}

pub async fn chunks_of_a_cancelled_job_are_swept(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    assert!(append(&stage, &lease, object_chunk(0, &["a"])).await);
    stage.job_cancel(&[lease.job.id], at(1)).await.must();
    assert_eq!(sweep(&stage).await, 1);
}

pub async fn chunks_that_are_or_may_be_published_are_kept(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let old = stage.start(1).await;
    assert!(append(&stage, &old, object_chunk(0, &["old"])).await);
    assert!(stage.release(&old).await);
    let lease = stage.claim(1).await;
    let (a, b) = (object_chunk(0, &["a"]), object_chunk(1, &["b"]));
    assert!(append(&stage, &lease, a.clone()).await);
    assert_eq!(sweep(&stage).await, 1, "the lease may still be settled");
    stage.publish(&lease, extent(2), vec![b.clone()]).await;
    assert_eq!(sweep(&stage).await, 0);
    assert_eq!(read(&stage, lease.job.id, 0, 99).await, [a, b]);
}

pub async fn entries_of_all_results_are_numbered_as_they_are_published(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let one = stage.start(1).await;
    let two = stage.start(2).await;
    let three = stage.start(3).await;
    let text = Chunk { first: 0, len: 5, text: "[1,2]".to_owned() };
    assert!(append(&stage, &one, object_chunk(0, &["a", "b"])).await);
    stage.publish(&two, extent(1), vec![object_chunk(0, &["z"])]).await;
    stage.publish(&three, Extent { shape: Shape::Text, len: 5 }, vec![text]).await;
    stage.publish(&one, extent(3), vec![object_chunk(2, &["z"])]).await;
    let all = stage.pair_page(0, 9).await.must();
    let got: Vec<_> = all.pairs.iter().map(|pair| (pair.number, pair.key.as_str())).collect();
    assert_eq!((got, all.total), (vec![(1, "z"), (2, "a"), (3, "b"), (4, "z")], 4));
    let values: Vec<_> = all.pairs.iter().map(|pair| pair.value.clone()).collect();
    assert_eq!(values, [0, 0, 1, 2].map(|value: i64| Value::from(value)));
    for skip in 0..=5 {
        for limit in 0..=5 {
            let page = stage.pair_page(skip as u64, limit).await.must();
            let rest = all.pairs.get(skip..).unwrap_or_default();
            assert_eq!(page.pairs, rest[..limit.min(rest.len())], "{limit} after {skip}");
            assert_eq!(page.total, 4);
        }
    }
}

pub async fn entries_keep_every_kind_of_value(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let text = concat!(
        r#"{"n":null,"b":true,"i":-9223372036854775808,"d":1.0,"#,
        r#""s":"é\u0000\"","l":[1,{}],"":{"z":1,"a":2}}"#,
    );
    let object = Value::from_json(text.as_bytes()).expect("an exam's text is JSON");
    let object = object.as_map().expect("an exam's text is an object");
    let chunk = Chunk { first: 0, len: 7, text: text.to_owned() };
    stage.publish(&lease, extent(7), vec![chunk.clone()]).await;
    assert_eq!(read(&stage, lease.job.id, 0, 1).await, [chunk]);
    let page = stage.pair_page(0, 9).await.must();
    let got: Vec<_> = page.pairs.iter().map(|pair| (&*pair.key, &pair.value)).collect();
    assert_eq!(got, object.iter().map(|(key, value)| (&**key, value)).collect::<Vec<_>>());
}

pub async fn pages_of_entries_cross_chunks_and_jobs(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let mut expected = Vec::new();
    for number in 1..=4 {
        let lease = stage.start(number).await;
        let keys: Vec<_> = (0..6).map(|place| format!("{number}.{place}")).collect();
        for (first, pair) in (0..).step_by(2).zip(keys.chunks(2)) {
            let chunk = object_chunk(first, &[&pair[0], &pair[1]]);
            assert!(append(&stage, &lease, chunk).await);
        }
        stage.publish(&lease, extent(6), vec![]).await;
        stage.submit(draft(number + 10).flow("other")).await;
        expected.extend(keys);
    }
    for limit in [1, 5, 7, 24] {
        let mut keys = Vec::new();
        while keys.len() < 24 {
            let page = stage.pair_page(keys.len() as u64, limit).await.must();
            assert_eq!(page.pairs.len(), limit.min(24 - keys.len()), "pages are full");
            keys.extend(page.pairs.into_iter().map(|pair| pair.key));
        }
        assert_eq!(keys, expected);
    }
}

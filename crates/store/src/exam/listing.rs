//! Exams of listing jobs: order, filters, pages.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::limits::PAGE_BYTES;
use jobmill_model::{JobId, State};

use super::stage::{Draft, Must, Stage, at, complete, draft, drafts, everything, name, submission};
use crate::{JobQuery, Store};

/// The jobs of all pages, one after the other.
async fn read_pages(stage: &Stage, query: &JobQuery) -> Vec<JobId> {
    let mut query = query.clone();
    let mut ids = Vec::new();
    loop {
        let page = stage.job_list(&query).await.must();
        assert!(page.jobs.len() <= query.limit, "a page keeps to its limit");
        ids.extend(page.jobs.iter().map(|job| job.id));
        assert!(page.next.is_none() || page.next != query.before, "every page goes on");
        match page.next {
            None => return ids,
            before => query.before = before,
        }
    }
}

/// Submits each at its own time and answers their ids, newest first.
async fn submit_each(stage: &Stage, drafts: Vec<Draft>) -> Vec<JobId> {
    let mut ids = Vec::new();
    for draft in drafts {
        ids.insert(0, stage.submit(draft).await);
    }
    ids
}

pub async fn an_empty_store_lists_nothing(store: Arc<dyn Store>) {
    let page = store.job_list(&everything()).await.must();
    assert_eq!((page.jobs, page.next), (vec![], None));
}

pub async fn the_newest_job_comes_first(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let ids = submit_each(&stage, vec![draft(3).at(1), draft(1).at(2), draft(2).at(2)]).await;
    assert_eq!(stage.list(&everything()).await, ids);
}

pub async fn a_listed_job_is_the_same_as_one_that_is_got(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let rich = draft(1).tags(&["a", "b"]).queue("q").priority(3).input(r#"{"a":1}"#);
    let id = stage.submit(rich).await;
    stage.claim(3).await;
    let page = stage.job_list(&everything()).await.must();
    assert_eq!(page.jobs, [stage.job(id).await]);
}

pub async fn jobs_are_filtered_by_state(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let done = stage.ended(1, complete()).await;
    let running = stage.start(2).await.job.id;
    let waiting = stage.submit(draft(3)).await;
    let scheduled = stage.submit(draft(4).start(9)).await;
    for (states, expected) in [
        (vec![], vec![scheduled, waiting, running, done]),
        (vec![State::Running], vec![running]),
        (vec![State::Completed, State::Scheduled], vec![scheduled, done]),
        (vec![State::Failed], vec![]),
    ] {
        assert_eq!(stage.list(&JobQuery { states, ..everything() }).await, expected);
    }
}

pub async fn jobs_are_filtered_by_flow_queue_and_tag(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let jobs = vec![
        draft(1).flow("g").tags(&["red"]),
        draft(2).queue("q").tags(&["blue", "red"]),
        draft(3).flow("g").queue("q").tags(&["redder", "Red", "re_", "r%"]),
    ];
    let ids = submit_each(&stage, jobs).await;
    let all = everything;
    let by_flow = JobQuery { flow: Some(name("g")), ..all() };
    assert_eq!(stage.list(&by_flow).await, [ids[0], ids[2]]);
    let by_queue = JobQuery { queue: Some(name("q")), ..all() };
    assert_eq!(stage.list(&by_queue).await, [ids[0], ids[1]]);
    let by_tag = |tag| JobQuery { tag: Some(name(tag)), ..all() };
    assert_eq!(stage.list(&by_tag("red")).await, [ids[1], ids[2]]);
    assert_eq!(stage.list(&by_tag("re_")).await, [ids[0]], "a tag is no pattern");
    assert_eq!(stage.list(&by_tag("%")).await, [], "a tag is no pattern");
    let both = JobQuery { flow: Some(name("g")), ..by_queue };
    assert_eq!(stage.list(&both).await, [ids[0]]);
}

pub async fn jobs_are_filtered_by_the_time_of_their_submission(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let ids = submit_each(&stage, (1..=4).map(|n| draft(n).at(n.into())).collect()).await;
    let between = |since: i64, until: i64| JobQuery {
        since: Some(at(since)),
        until: Some(at(until)),
        ..everything()
    };
    assert_eq!(stage.list(&between(2, 4)).await, ids[1..3], "from, but not up to");
    assert_eq!(stage.list(&between(2, 2)).await, []);
    assert_eq!(stage.list(&JobQuery { since: Some(at(3)), ..everything() }).await, ids[..2]);
    assert_eq!(stage.list(&JobQuery { until: Some(at(3)), ..everything() }).await, ids[2..]);
}

pub async fn every_condition_must_hold(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let full = |n: u32| draft(n).at(5).flow("g").queue("q").tags(&["t"]);
    let near_misses = vec![
        full(1).at(4),
        full(2).at(7),
        full(3).flow("f"),
        full(4).queue("default"),
        full(5).tags(&[]),
        full(6).start(9),
    ];
    submit_each(&stage, near_misses).await;
    let id = stage.submit(full(7)).await;
    let newer = stage.submit(full(8)).await;
    let query = JobQuery {
        states: vec![State::Submitted],
        flow: Some(name("g")),
        queue: Some(name("q")),
        tag: Some(name("t")),
        parent: None,
        since: Some(at(5)),
        until: Some(at(6)),
        active_since: Some(at(6)),
        before: Some(newer),
        limit: 10,
    };
    assert_eq!(stage.list(&query).await, [id]);
}

pub async fn pages_show_every_job_once(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let odd = |n: u32| if n % 2 == 1 { draft(n).tags(&["odd"]) } else { draft(n) };
    stage.insert(submission((1..=25).map(odd).collect())).await;
    let all: Vec<_> = drafts((1..=25).rev()).iter().map(Draft::id).collect();
    let odd: Vec<_> = all.iter().copied().step_by(2).collect();
    for limit in [1, 2, 7, 12, 13, 24, 25, 26] {
        let query = JobQuery { limit, ..JobQuery::default() };
        assert_eq!(read_pages(&stage, &query).await, all, "by {limit}");
        let query = JobQuery { tag: Some(name("odd")), ..query };
        assert_eq!(read_pages(&stage, &query).await, odd, "odd ones by {limit}");
    }
}

pub async fn new_jobs_do_not_move_the_pages_behind(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.insert(submission(drafts(1..=4))).await;
    let query = JobQuery { limit: 2, ..JobQuery::default() };
    let page = stage.job_list(&query).await.must();
    stage.insert(submission(drafts(5..=8))).await;
    let rest = read_pages(&stage, &JobQuery { before: page.next, ..query }).await;
    assert_eq!(rest, [draft(2).id(), draft(1).id()]);
}

pub async fn a_page_ends_early_when_its_inputs_are_large(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let large = format!("\"{}\"", "x".repeat(PAGE_BYTES / 3));
    let ids = submit_each(&stage, (1..=8).map(|n| draft(n).input(&large)).collect()).await;
    let page = stage.job_list(&everything()).await.must();
    assert!((1..=4).contains(&page.jobs.len()), "{} jobs on the page", page.jobs.len());
    assert!(page.next.is_some(), "more may follow");
    assert_eq!(read_pages(&stage, &everything()).await, ids);
}

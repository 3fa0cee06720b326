//! Exams of a job's submission and of reading it back.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::job::{Backoff, Fingerprint, Progress, Spec, Start, Unique};
use jobmill_model::limits::{DELAY_MILLIS, TIMEOUT_MILLIS};
use jobmill_model::queue::Priority;
use jobmill_model::{Job, Span, State};

use super::stage::{Must, Stage, at, draft, drafts, json, name, nobody, submission};
use crate::{Cancelled, JobInsert, Store, Submission};

pub async fn a_stored_job_reads_back_whole(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let spec = Spec {
        flow: name("workflow:orders"),
        queue: name("slow"),
        key: Some(name("tenant-42")),
        priority: Priority::new(-7).expect("in bounds"),
        start: Start::After(Span::from_millis(DELAY_MILLIS)),
        max_attempts: 7,
        backoff: Backoff {
            initial: Span::from_millis(1),
            max: Span::from_secs(7),
            multiplier: 1.1,
            jitter: 0.3,
        },
        timeout: Some(Span::from_millis(TIMEOUT_MILLIS)),
        tags: vec![name("b"), name("a"), name("ünïcode,\"'[]%_")],
        warnings: vec!["two keys, one value".to_owned(), String::new()],
        bare: true,
        parent: Some(nobody()),
        gathers: false,
        unique: Some(Unique { key: None, span: Some(Span::from_secs(9)) }),
        webhook: Some("https://example.org/told?by=\"us\"".to_owned()),
    };
    let (input, params) = (json(r#"{"b":1,"a":[1.0,null]}"#), json(r#"{"z":"\u0000"}"#));
    let id = draft(1).id();
    let mark = Some(Fingerprint::of(b"mark"));
    let (kept, given) = (spec.clone(), (input.clone(), params.clone()));
    let insert = JobInsert { id, spec: kept, input: given.0, params: given.1, mark };
    let tokens = stage.insert(Submission { jobs: vec![insert], ..submission(vec![]) }).await;
    assert_eq!(tokens, [None]);
    let expected = Job {
        id,
        spec,
        input,
        params,
        state: State::Scheduled,
        attempt: 0,
        crashes: 0,
        run: 1,
        progress: Progress::default(),
        created_at: at(0),
        run_at: at(0).after(Span::from_millis(DELAY_MILLIS)),
        started_at: None,
        finished_at: None,
        error: None,
        waiting_for: None,
    };
    assert_eq!(stage.job_get(&[id]).await.must(), [Some(expected)]);
}

pub async fn every_form_of_start_reads_back(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let starts = [
        (Start::Now, State::Submitted, at(0)),
        (Start::After(Span::ZERO), State::Submitted, at(0)),
        (Start::After(Span::from_secs(5)), State::Scheduled, at(5)),
        (Start::At(at(-5)), State::Submitted, at(0)),
        (Start::At(at(0)), State::Submitted, at(0)),
        (Start::At(at(5)), State::Scheduled, at(5)),
    ];
    for ((start, state, run_at), number) in starts.into_iter().zip(1..) {
        let id = stage.submit(draft(number).with(|spec| spec.start = start)).await;
        let job = stage.job(id).await;
        assert_eq!((job.spec.start, job.state, job.run_at), (start, state, run_at));
    }
}

pub async fn the_text_of_an_input_is_kept_as_it_is(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let texts = [
        "null",
        r#""""#,
        r#"{"'; drop table job; --":"\"\\","\u0000":"é😀","x":1e2,"y":1.0,"z":-0.0}"#,
        "[9223372036854775807,-9223372036854775808,9.223372036854776e+18]",
    ];
    for (text, number) in texts.into_iter().zip(1..) {
        let id = stage.submit(draft(number).input(text)).await;
        assert_eq!(stage.job(id).await.input.as_str(), text);
    }
}

pub async fn unknown_jobs_leave_their_places_empty(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(stage.job_get(&[nobody()]).await.must(), [None]);
    let (one, two) = (stage.submit(draft(1)).await, stage.submit(draft(2)).await);
    let got = stage.job_get(&[two, nobody(), one, two]).await.must();
    let got: Vec<_> = got.into_iter().map(|job| job.map(|job| job.id)).collect();
    assert_eq!(got, [Some(two), None, Some(one), Some(two)]);
    assert_eq!(stage.job_get(&[]).await.must(), []);
}

pub async fn jobs_of_one_submission_are_stored_together(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let mixed = vec![draft(3), draft(1).start(9), draft(2).flow("g").queue("q")];
    let ids: Vec<_> = mixed.iter().map(|draft| draft.id()).collect();
    assert_eq!(stage.insert(submission(mixed)).await, [None, None, None]);
    let states = stage.job_get(&ids).await.must().into_iter().map(|job| job.map(|job| job.state));
    let expected = [State::Submitted, State::Scheduled, State::Submitted].map(Some);
    assert_eq!(states.collect::<Vec<_>>(), expected);
    assert_eq!(stage.insert(submission(vec![])).await, []);
}

pub async fn many_jobs_fit_in_one_call(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let many = drafts(0..2_000);
    let ids: Vec<_> = many.iter().map(|draft| draft.id()).collect();
    assert_eq!(stage.insert(submission(many)).await.len(), 2_000);
    assert!(stage.job_get(&ids).await.must().iter().all(Option::is_some));
    let claimed = stage.claim_all(1).await;
    assert_eq!(claimed, ids[..1_000]);
    let cancelled = stage.job_cancel(&ids, at(2)).await.must();
    let expected = [State::Running, State::Submitted].map(|state| [Cancelled::Done(state); 1_000]);
    assert_eq!(cancelled, expected.concat());
}

//! Exams of queues: pauses, limits, rates, and what is shown of them.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::Span;
use jobmill_model::queue::QueueRules;
use jobmill_model::rate::Rate;

use super::stage::{
    Must, Stage, at, call, complete, draft, drafts, name, offer, retry, submission, there,
};
use crate::{Call, Parked, Store, Submission};

const FOUR_A_SECOND: Rate = Rate { count: 4, per: Span::from_secs(1) };

pub async fn a_paused_queue_lets_nothing_go(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let before = stage.submit(draft(1)).await;
    stage.queue_pause(&name("default"), true).await.must();
    let meanwhile = stage.submit(draft(2)).await;
    assert_eq!(stage.claim_all(0).await, []);
    assert_eq!(stage.standing("default").await, (2, 0, 0), "both wait");
    stage.queue_pause(&name("default"), false).await.must();
    assert_eq!(stage.claim_all(0).await, [before, meanwhile]);
}

pub async fn a_pause_keeps_other_queues_and_leases_as_they_are(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    stage.queue_pause(&name("default"), true).await.must();
    let other = stage.submit(draft(2).queue("q")).await;
    stage.submit(draft(3)).await;
    assert_eq!(stage.claim_all(0).await, [other]);
    stage.settle(&lease, complete(), 1).await;
    assert_eq!(stage.claim_all(1).await, []);
}

pub async fn a_paused_queue_is_not_handed_over(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.queue_pause(&name("default"), true).await.must();
    let jobs = vec![draft(1), draft(2).queue("q")];
    let tokens = stage.insert(Submission { offer: offer(9), ..submission(jobs) }).await;
    assert_eq!(tokens.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
}

pub async fn no_more_than_the_limit_of_a_queue_is_under_lease(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.concurrency = Some(2)).await;
    for number in 1..=5 {
        stage.submit(draft(number)).await;
    }
    let leases = stage.claim_some(9, 0).await;
    let ids: Vec<_> = leases.iter().map(|lease| lease.job.id).collect();
    assert_eq!(ids, [draft(1).id(), draft(2).id()]);
    assert_eq!(stage.claim_all(0).await, []);
    stage.settle(&leases[0], complete(), 1).await;
    assert_eq!(stage.claim_all(1).await, [draft(3).id()]);
    stage.job_cancel(&[draft(2).id()], at(2)).await.must();
    assert_eq!(stage.claim_all(2).await, [draft(4).id()]);
    assert_eq!(stage.standing("default").await, (1, 0, 2));
}

pub async fn every_end_of_a_lease_makes_room_in_its_queue(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.concurrency = Some(1)).await;
    let lease = stage.start(1).await;
    let next = stage.submit(draft(2)).await;
    stage.settle(&lease, retry(90), 1).await;
    let lease = stage.claim(1).await;
    assert_eq!(lease.job.id, next, "after an attempt that failed");
    assert_eq!(stage.park(&lease, None, 0).await, Parked::Done);
    stage.submit(draft(3)).await;
    let lease = stage.claim(1).await;
    assert_eq!(lease.job.id, draft(3).id(), "after a pause of the job");
    stage.release(&lease).await;
    let lease = stage.claim(1).await;
    assert_eq!(lease.job.id, draft(3).id(), "after it was handed back");
    stage.job_reclaim(there(), 9, at(2)).await.must();
    assert_eq!(stage.claim(2).await.job.id, draft(3).id(), "after its worker was lost");
    stage.job_reclaim(there(), 0, at(3)).await.must();
    stage.submit(draft(4)).await;
    assert_eq!(stage.claim(3).await.job.id, draft(4).id(), "after too many were lost");
}

pub async fn a_queue_that_is_full_does_not_hold_up_another(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.concurrency = Some(1)).await;
    for number in 1..=4 {
        stage.submit(draft(number)).await;
    }
    let other = stage.submit(draft(9).at(5).queue("q")).await;
    assert_eq!(stage.claim_all(5).await, [draft(1).id(), other]);
}

pub async fn the_limit_of_a_queue_counts_all_its_flows(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.concurrency = Some(2)).await;
    stage.submit(draft(1).flow("g")).await;
    for number in 2..=4 {
        stage.submit(draft(number)).await;
    }
    let flows = super::stage::names(&["f", "g"]);
    let claim = crate::Claim { max: 9, flows, ..super::stage::claim(0) };
    let claimed = stage.job_claim(claim).await.must();
    let ids: Vec<_> = claimed.iter().map(|lease| lease.job.id).collect();
    assert_eq!(ids, [draft(1).id(), draft(2).id()]);
}

pub async fn a_full_queue_is_not_handed_over(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.concurrency = Some(2)).await;
    let three = Submission { offer: offer(9), ..submission(drafts([1, 2, 3])) };
    let tokens = stage.insert(three).await;
    assert_eq!(tokens.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
}

pub async fn a_lowered_limit_ends_no_lease(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let (one, two) = (stage.start(1).await, stage.start(2).await);
    stage.rules("default", |rules| rules.concurrency = Some(1)).await;
    stage.submit(draft(3)).await;
    assert_eq!(stage.claim_all(0).await, []);
    stage.settle(&one, complete(), 1).await;
    assert_eq!(stage.claim_all(1).await, [], "one is still at work");
    stage.settle(&two, complete(), 1).await;
    assert_eq!(stage.claim_all(1).await, [draft(3).id()]);
}

pub async fn a_rate_lets_its_count_go_and_then_refills(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.rate = Some(FOUR_A_SECOND)).await;
    for number in 1..=9 {
        stage.submit(draft(number)).await;
    }
    assert_eq!(stage.claim_some(3, 0).await.len(), 3);
    assert_eq!(stage.queue_refill(at(0)).await.must(), None, "one may go at once");
    assert_eq!(stage.claim_some(9, 0).await.len(), 1);
    let next = at(0).after(Span::from_millis(250));
    assert_eq!(stage.queue_refill(at(0)).await.must(), Some(next));
    let standing = stage.queue_get(&name("default"), at(0)).await.must();
    assert_eq!((standing.ready, standing.refills_at), (5, Some(next)));
    assert_eq!(stage.claim_some(9, 0).await.len(), 0);
    assert_eq!(stage.claim_some(9, 1).await.len(), 4);
    assert_eq!(stage.claim_some(9, 99).await.len(), 1);
    assert_eq!(stage.queue_refill(at(99)).await.must(), None, "nothing waits");
}

pub async fn a_job_that_is_handed_over_uses_the_rate(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.rate = Some(FOUR_A_SECOND)).await;
    let six = Submission { offer: offer(9), ..submission(drafts(1..=6)) };
    assert_eq!(stage.insert(six).await.iter().filter(|token| token.is_some()).count(), 4);
    assert_eq!(stage.claim_some(9, 0).await.len(), 0);
}

pub async fn another_rate_starts_afresh_and_the_same_goes_on(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.rate = Some(FOUR_A_SECOND)).await;
    for number in 1..=9 {
        stage.submit(draft(number)).await;
    }
    assert_eq!(stage.claim_some(9, 0).await.len(), 4);
    stage.rules("default", |rules| rules.rate = Some(FOUR_A_SECOND)).await;
    assert_eq!(stage.claim_some(9, 0).await.len(), 0);
    let slower = Rate { count: 2, ..FOUR_A_SECOND };
    stage.rules("default", |rules| rules.rate = Some(slower)).await;
    assert_eq!(stage.claim_some(9, 0).await.len(), 2);
}

pub async fn a_paused_or_full_queue_waits_for_no_refill(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let one = Rate { count: 1, per: Span::from_secs(60) };
    let both = |rules: &mut QueueRules| (rules.rate, rules.concurrency) = (Some(one), Some(1));
    stage.rules("default", both).await;
    stage.start(1).await;
    stage.submit(draft(2)).await;
    assert_eq!(stage.queue_refill(at(0)).await.must(), None, "it is full");
    stage.rules("default", |rules| rules.rate = Some(one)).await;
    assert_eq!(stage.queue_refill(at(0)).await.must(), Some(at(60)));
    stage.queue_pause(&name("default"), true).await.must();
    assert_eq!(stage.queue_refill(at(0)).await.must(), None, "it is paused");
}

pub async fn queues_are_listed_by_name_in_pages(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("ruled", |rules| rules.concurrency = Some(7)).await;
    stage.queue_pause(&name("paused"), true).await.must();
    stage.submit(draft(1).queue("busy")).await;
    stage.submit(draft(2).queue("later").start(50)).await;
    let page = stage.queue_list(None, 2, at(0)).await.must();
    assert_eq!(page.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["busy", "paused"]);
    assert_eq!((page[0].ready, page[0].paused, page[1].paused), (1, false, true));
    let page = stage.queue_list(Some(&page[1].name), 2, at(0)).await.must();
    assert_eq!(page.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["ruled"]);
    assert_eq!(page[0].rules.concurrency, Some(7));
}

pub async fn an_unknown_queue_is_empty_and_open(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let standing = stage.queue_get(&name("nowhere"), at(0)).await.must();
    assert_eq!((standing.paused, standing.rules), (false, QueueRules::default()));
    assert_eq!(stage.standing("nowhere").await, (0, 0, 0));
    assert_eq!(stage.queue_list(None, 9, at(0)).await.must(), []);
}

pub async fn workers_outside_get_no_more_than_a_queue_lets_go(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.concurrency = Some(2)).await;
    for number in 1..=5 {
        stage.submit(draft(number)).await;
    }
    let lent = async |secs| stage.job_lease(Call { max: 9, ..call(secs) }).await.must();
    stage.queue_pause(&name("default"), true).await.must();
    assert_eq!(lent(0).await, []);
    stage.queue_pause(&name("default"), false).await.must();
    let leases = lent(0).await;
    assert_eq!(leases.len(), 2);
    assert_eq!(lent(1).await, []);
    stage.job_release(&[(leases[0].job.id, leases[0].token)]).await.must();
    assert_eq!(lent(1).await.len(), 1, "after it was handed back");
    let expired = stage.lease_expire(at(10), 9, 0.0, 9).await.must();
    assert_eq!(expired.jobs.len(), 1);
    assert_eq!(stage.claim_all(10).await.len(), 1, "after its lease has ended");
    assert_eq!(lent(10).await, [], "those of the server count as well");
    stage
        .rules("default", |rules| rules.rate = Some(Rate { count: 1, per: Span::from_secs(60) }))
        .await;
    assert_eq!(lent(11).await.len(), 1);
    assert_eq!(lent(12).await, [], "the rate is used up");
}

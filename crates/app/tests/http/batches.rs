//! `/batches`, and jobs with parents.

use jobmill_model::Value;

use crate::server::Server;

#[tokio::test]
async fn the_callback_of_a_batch_runs_when_all_its_jobs_have_ended() {
    let server = Server::start().await;
    let body = r#"{"jobs":[{"flow":"echo","input":1},{"flow":"trouble","max_attempts":1},
        {"flow":"echo","queue":"held"}],"callback":{"flow":"echo","input":"all have ended"}}"#;
    server.post("/queues/held/pause", "").await;
    let batch = server.post("/batches", body).await;
    assert_eq!(batch.status, 202, "{}", batch.text());
    let id = batch.word("id");
    assert_eq!(batch.header("location"), Some(&*format!("/batches/{id}")));
    assert_eq!(batch.field("jobs/total"), 3.into());
    let path = format!("/batches/{id}");
    while server.get(&path).await.field("jobs/ended") != 2.into() {
        tokio::task::yield_now().await;
    }
    let standing = server.get(&path).await;
    assert_eq!(standing.field("jobs/completed"), 1.into());
    assert_eq!(standing.field("jobs/failed"), 1.into());
    assert_eq!(standing.word("callback/status"), "scheduled");
    let why = server.get(&format!("/jobs/{id}/explain")).await;
    assert_eq!(why.word("code"), "waiting_for_children");
    assert_eq!(why.word("explanation"), "it waits for 1 of 3 children, 2 have ended");
    server.post("/queues/held/resume", "").await;
    let outcome = server.outcome(&id).await;
    assert_eq!(outcome.word("result"), "all have ended");
    let jobs = server.get(&format!("/jobs?parent={id}")).await;
    assert_eq!(jobs.field("items").as_list().unwrap().len(), 3);
}

#[tokio::test]
async fn the_same_key_gives_the_same_batch_and_a_cancelled_one_stops() {
    let server = Server::start().await;
    let body = r#"{"jobs":[{"flow":"echo","delay":"1h"}],"callback":{"flow":"echo"}}"#;
    let keyed = || {
        let request = crate::client::Request::new("POST", "/batches").json(body);
        request.header("idempotency-key", "k").send(server.address)
    };
    let (one, two) = (keyed().await, keyed().await);
    assert_eq!((two.status, two.text()), (202, one.text()));
    let id = one.word("id");
    server.post(&format!("/jobs/{id}/cancel"), "").await;
    let batch = server.get(&format!("/batches/{id}")).await;
    assert_eq!(batch.word("callback/status"), "cancelled");
    assert_eq!(batch.field("jobs/cancelled"), 1.into());
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_batch_is_said_with_its_place() {
    let server = Server::start().await;
    let said = server.post("/batches", r#"{"job":[],"callback":7}"#).await.problem(422);
    assert_eq!(said, ["/job", "/jobs"]);
    server.post("/batches", r#"{"jobs":[],"callback":{"flow":"echo"}}"#).await.problem(422);
    let body = r#"{"jobs":[{"flow":"echo"},{"flow":"echo","unique":true,"priority":"x"}],
        "callback":{"flow":"echo","delay":"1h"}}"#;
    let said = server.post("/batches", body).await.problem(422);
    assert_eq!(said, ["/callback/delay", "/jobs/1/unique", "/jobs/1/priority"]);
    let body = r#"{"jobs":[{"flow":"echo"},{"flow":"eco"}],"callback":{"flow":"echo"}}"#;
    assert_eq!(server.post("/batches", body).await.problem(422), ["/jobs/1/flow"]);
    let id = server.submit(r#"{"flow":"echo"}"#).await;
    server.get(&format!("/batches/{id}")).await.problem(404);
}

#[tokio::test]
async fn a_child_names_an_unfinished_parent_and_is_cancelled_with_it() {
    let server = Server::start().await;
    let parent = server.submit(r#"{"flow":"echo","delay":"1h"}"#).await;
    let child = format!(r#"{{"flow":"echo","delay":"1h","parent":"{parent}"}}"#);
    let id = server.submit(&child).await;
    assert_eq!(server.get(&format!("/jobs/{id}")).await.word("parent"), parent);
    let nobody = child.replace(&parent, "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42");
    assert_eq!(server.post("/jobs", &nobody).await.problem(422), ["/parent"]);
    server.post(&format!("/jobs/{parent}/cancel"), "").await;
    assert_eq!(server.get(&format!("/jobs/{id}")).await.word("status"), "cancelled");
    let late = server.post("/jobs/bulk", &format!("[{child}]")).await;
    assert_eq!(late.problem(422), ["/0/parent"]);
    assert!(late.text().contains("the job is cancelled"), "{}", late.text());
    assert_eq!(server.get(&format!("/jobs/{id}")).await.field("error"), Value::Null);
}

//! `/queues`

use jobmill_model::Value;

use crate::client::Request;
use crate::server::Server;

const PAIRS: &str = r#"{"flow":"expand_reduce_flow","input":{"a":1,"b":2},"queue":"mail"}"#;

#[tokio::test]
async fn a_paused_queue_accepts_jobs_and_starts_none_until_it_goes_on() {
    let server = Server::start().await;
    let paused = server.post("/queues/mail/pause", "").await;
    assert_eq!((paused.status, paused.field("paused")), (200, Value::Bool(true)));
    let id = server.submit(PAIRS).await;
    let other = server.submit(&PAIRS.replace("mail", "default")).await;
    server.outcome(&other).await;
    let job = server.get(&format!("/jobs/{id}")).await;
    assert_eq!((job.word("status").as_str(), job.field("attempt")), ("submitted", 0.into()));
    let queue = server.get("/queues/mail").await;
    assert_eq!((queue.field("waiting"), queue.field("running")), (1.into(), 0.into()));
    let open = server.post("/queues/mail/resume", "").await;
    assert_eq!(open.field("paused"), Value::Bool(false));
    assert_eq!(server.outcome(&id).await.word("status"), "completed");
}

#[tokio::test]
async fn a_key_lets_one_job_at_a_time_work_and_all_of_them_end() {
    let server = Server::start().await;
    let body = PAIRS.replace(r#""queue""#, r#""key":"tenant-42","queue""#);
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(server.submit(&body).await);
    }
    for id in &ids {
        assert_eq!(server.outcome(id).await.word("status"), "completed");
    }
    assert_eq!(server.get(&format!("/jobs/{}", ids[0])).await.word("key"), "tenant-42");
}

#[tokio::test]
async fn a_queue_that_starts_one_job_at_a_time_gets_through_all_of_them() {
    let server = Server::start().await;
    assert_eq!(server.put("/queues/mail", r#"{"concurrency":1}"#).await.status, 200);
    let lines = vec![PAIRS; 50].join("\n");
    let lines = Request::new("POST", "/jobs/bulk").body("application/x-ndjson", lines);
    let answer = lines.send(server.address).await;
    assert_eq!(answer.status, 202);
    for job in answer.field("items").as_list().unwrap() {
        let id = job.as_map().unwrap().get("id").unwrap().as_str().unwrap();
        assert_eq!(server.outcome(id).await.word("status"), "completed");
    }
}

#[tokio::test]
async fn a_rate_that_is_used_up_lets_the_next_job_go_by_itself() {
    let server = Server::start().await;
    server.put("/queues/mail", r#"{"rate":{"count":1,"per":"100ms"}}"#).await;
    let ids = [server.submit(PAIRS).await, server.submit(PAIRS).await, server.submit(PAIRS).await];
    for id in &ids {
        assert_eq!(server.outcome(id).await.word("status"), "completed");
    }
}

#[tokio::test]
async fn rules_are_shown_as_they_were_set_and_put_as_a_whole() {
    let server = Server::start().await;
    let rules = r#"{"concurrency":3,"rate":{"count":10,"per":"1m"},"key_limit":2}"#;
    let queue = server.put("/queues/mail", rules).await;
    assert_eq!(
        queue.text(),
        concat!(
            r#"{"name":"mail","paused":false,"concurrency":3,"rate":{"count":10,"per":"1m"},"#,
            r#""key_limit":2,"waiting":0,"held":0,"running":0,"refills_at":null}"#
        )
    );
    server.put("/queues/batch", "{}").await;
    let list = server.get("/queues?limit=1").await;
    assert_eq!(list.word("next"), "batch");
    let list = server.get("/queues?limit=1&cursor=batch").await;
    assert_eq!(list.field("next"), Value::Null);
    assert!(list.text().contains(r#""name":"mail""#), "{}", list.text());
    let queue = server.put("/queues/mail", r#"{"key_limit":null}"#).await;
    assert_eq!(queue.field("concurrency"), Value::Null);
    assert_eq!(queue.field("key_limit"), Value::from(1));
}

#[tokio::test]
async fn rules_and_names_that_make_no_sense_are_refused() {
    let server = Server::start().await;
    let answer = server.put("/queues/mail", r#"{"concurrency":-1,"rate":{"count":1}}"#).await;
    assert_eq!((answer.status, answer.field("errors").as_list().unwrap().len()), (422, 2));
    assert_eq!(server.get("/queues").await.field("items").to_string(), "[]", "nothing is set");
    assert_eq!(server.post("/queues/a%20b/pause", "").await.status, 422);
    assert_eq!(server.get("/queues?cursor=a%20b").await.status, 400);
    let unknown = server.get("/queues/nobody").await;
    assert_eq!((unknown.status, unknown.field("waiting")), (200, 0.into()));
}

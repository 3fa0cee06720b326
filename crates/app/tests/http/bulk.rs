//! Many jobs by a filter, and the deletion of one.

use crate::client::{Answer, Request};
use crate::server::Server;

async fn delete(server: &Server, path: &str) -> Answer {
    Request::new("DELETE", path).send(server.address).await
}

fn waiting(tag: &str) -> String {
    format!(
        r#"{{"flow":"range_report","input":{{"start":1,"end":2}},"delay":"1h","tags":["{tag}"]}}"#
    )
}

/// The counts of an answer: matched, changed.
fn counts(answer: &Answer) -> (i64, i64) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let count = |name: &str| json.as_map().unwrap().get(name).unwrap().as_int().unwrap();
    (count("matched"), count("changed"))
}

#[tokio::test]
async fn jobs_that_match_are_cancelled_and_run_again_and_deleted() {
    let server = Server::start().await;
    let red = [server.submit(&waiting("red")).await, server.submit(&waiting("red")).await];
    let blue = server.submit(&waiting("blue")).await;
    assert_eq!(counts(&server.post("/jobs/cancel?tag=red&dry_run=true", "").await), (2, 0));
    assert_eq!(server.get(&format!("/jobs/{}", red[0])).await.word("status"), "scheduled");
    assert_eq!(counts(&server.post("/jobs/cancel?tag=red", "").await), (2, 2));
    for id in &red {
        assert_eq!(server.get(&format!("/jobs/{id}")).await.word("status"), "cancelled");
    }
    assert_eq!(server.get(&format!("/jobs/{blue}")).await.word("status"), "scheduled");
    assert_eq!(counts(&server.post("/jobs/retry?status=cancelled", "").await), (2, 2));
    for id in &red {
        assert_eq!(server.outcome(id).await.word("status"), "completed");
    }
    assert_eq!(counts(&delete(&server, "/jobs?status=completed").await), (2, 2));
    assert_eq!(server.get(&format!("/jobs/{}", red[0])).await.status, 404);
    assert_eq!(counts(&delete(&server, "/jobs?all=true").await), (0, 0));
    assert_eq!(server.get(&format!("/jobs/{blue}")).await.status, 200);
}

#[tokio::test]
async fn a_filter_is_needed_and_must_make_sense() {
    let server = Server::start().await;
    let id = server.submit(&waiting("red")).await;
    let said = |answer: Answer, words: &str| {
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains(words), "{}", answer.text());
    };
    said(server.post("/jobs/cancel", "").await, "all=true");
    said(server.post("/jobs/cancel?all=false", "").await, "all=true");
    said(server.post("/jobs/cancel?all=yes", "").await, "true or false");
    said(server.post("/jobs/cancel?status=failed", "").await, "scheduled, submitted, running");
    said(server.post("/jobs/retry?status=running", "").await, "failed, cancelled");
    said(delete(&server, "/jobs?status=scheduled").await, "completed, failed, cancelled");
    said(delete(&server, "/jobs?stat=failed").await, "status");
    said(delete(&server, "/jobs").await, "all=true");
    assert_eq!(server.get(&format!("/jobs/{id}")).await.word("status"), "scheduled");
}

#[tokio::test]
async fn an_ended_job_is_deleted_with_its_entries() {
    let server = Server::start().await;
    let input = r#"{"flow":"expand_reduce_flow","input":{"1":"2","3":"4","5":"6","7":"8"}}"#;
    let ids = [server.submit(input).await, server.submit(input).await];
    for id in &ids {
        server.outcome(id).await;
    }
    let answer = delete(&server, &format!("/jobs/{}", ids[0])).await;
    assert_eq!((answer.status, answer.text()), (204, ""));
    for rest in ["", "/results", "/pairs", "/errors"] {
        assert_eq!(server.get(&format!("/jobs/{}{rest}", ids[0])).await.status, 404, "{rest}");
    }
    assert_eq!(delete(&server, &format!("/jobs/{}", ids[0])).await.status, 404);
    let page = server.get("/api/keyvalues?page=1&per_page=10").await.json();
    let field = |name: &str| page.as_map().unwrap().get(name).unwrap().clone();
    assert_eq!(field("total").as_int(), Some(4));
    assert_eq!(field("items").as_list().unwrap().len(), 4);
}

#[tokio::test]
async fn a_job_that_has_not_ended_is_not_deleted() {
    let server = Server::start().await;
    let id = server.submit(&waiting("red")).await;
    let answer = delete(&server, &format!("/jobs/{id}")).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("cancel it"), "{}", answer.text());
    assert_eq!(delete(&server, "/jobs/x").await.status, 404);
}

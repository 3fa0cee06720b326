//! Document 004: `/jobs` with a body that is the input as a whole

use jobmill_model::Value;

use crate::client::Request;
use crate::server::Server;

#[tokio::test]
async fn the_documents_example_is_echoed_beside_the_job() {
    let server = Server::start().await;
    let request = Request::new("POST", "/jobs").json(r#"{"start":1, "end":2}"#);
    let answer = request.send(server.address).await;
    assert_eq!((answer.status, answer.word("status").as_str()), (202, "submitted"));
    assert_eq!(answer.word("flow"), "range_report");
    let id = answer.word("id");
    let outcome = server.outcome(&id).await;
    assert_eq!(outcome.field("result/sum"), Value::from(3));
    let job = server.get(&format!("/jobs/{id}")).await;
    let list = server.get("/jobs").await;
    for (field, value) in [("start", 1), ("end", 2)] {
        assert_eq!(answer.field(field), Value::from(value));
        assert_eq!(job.field(field), Value::from(value));
        assert_eq!(list.field(&format!("items/0/{field}")), Value::from(value));
    }
}

#[tokio::test]
async fn a_misspelt_flow_is_refused_by_the_default_flow_in_its_place() {
    let server = Server::start().await;
    let answer = server.post("/jobs", r#"{"floww":"echo","start":1,"end":"2"}"#).await;
    assert_eq!(answer.problem(422), ["/floww", "/end"]);
    assert!(answer.word("errors/0/message").contains("flow"), "{}", answer.text());
    assert_eq!(server.get("/jobs/counts").await.field("total"), Value::from(0));
}

//! `/flows`

use crate::server::Server;

#[tokio::test]
async fn every_flow_is_listed_with_its_schemas() {
    let server = Server::start().await;
    let answer = server.get("/flows").await;
    let flows = answer.field("items");
    let names = flows
        .as_list()
        .unwrap()
        .iter()
        .map(|flow| flow.as_map().unwrap().get("name").unwrap().as_str().unwrap().to_owned());
    let names: Vec<String> = names.collect();
    assert!(names.contains(&"expand_reduce_flow".to_owned()), "{names:?}");
    for name in names {
        let flow = server.get(&format!("/flows/{name}")).await;
        assert_eq!((flow.status, flow.word("name")), (200, name));
        flow.field("input_schema");
        flow.field("params_schema");
    }
}

#[tokio::test]
async fn nobody_submits_or_declares_the_flow_of_webhooks() {
    let server = Server::start().await;
    server.put("/flows/webhook", "{}").await.problem(409);
    let job = r#"{"flow":"webhook","input":{"url":"http://x/","event":{"type":"job.completed"}}}"#;
    assert_eq!(server.post("/jobs", job).await.problem(422), ["/flow"]);
    let lease = r#"{"worker":"w","flows":["webhook"]}"#;
    assert_eq!(server.post("/queues/webhooks/lease", lease).await.problem(422).len(), 1);
}

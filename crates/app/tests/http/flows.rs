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

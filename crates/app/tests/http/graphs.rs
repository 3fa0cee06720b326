//! `/workflows/{name}/graph.svg` and `/jobs/{id}/graph.svg`

use jobmill_model::Value;

use crate::server::Server;

const TWO_WAYS: &str = "main:
  params: [args]
  steps:
    - choose:
        switch:
          - condition: ${args > 1}
            next: large
    - small: {return: 1}
    - large: {return: 2}
";

#[tokio::test]
async fn a_workflow_is_drawn_and_so_is_the_way_of_an_execution() {
    let server = Server::start().await;
    let source = Value::map([("source", Value::from(TWO_WAYS))]).to_string();
    server.put("/workflows/w", &source).await;
    let plain = server.get("/workflows/w/graph.svg").await;
    assert_eq!((plain.status, plain.header("content-type")), (200, Some("image/svg+xml")));
    assert!(plain.header("content-security-policy").is_some_and(|it| it.contains("'none'")));
    assert!(plain.text().starts_with("<svg ") && !plain.text().contains("idle\""));
    let begun = server.post("/workflows/w/executions", r#"{"argument":5}"#).await.word("id");
    server.outcome(&begun).await;
    let way = server.get(&format!("/jobs/{begun}/graph.svg")).await;
    let count = |class: &str| way.text().matches(&format!("<rect class=\"{class}\"")).count();
    assert_eq!((count("box return taken"), count("box return idle")), (1, 1), "{}", way.text());
}

#[tokio::test]
async fn what_cannot_be_drawn_says_why() {
    let server = Server::start().await;
    assert_eq!(server.get("/workflows/w/graph.svg").await.status, 404);
    assert_eq!(
        server.get("/jobs/0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42/graph.svg").await.status,
        404
    );
    let plain = server.submit(r#"{"flow":"range_report","input":{"start":1,"end":3}}"#).await;
    assert_eq!(server.get(&format!("/jobs/{plain}/graph.svg")).await.status, 422);
    let steps: String = (0..2_001).map(|n| format!("- s{n}: {{assign: [x: 1]}}\n")).collect();
    let source = Value::map([("source", Value::from(steps.as_str()))]).to_string();
    assert_eq!(server.put("/workflows/w", &source).await.status, 200);
    assert_eq!(server.get("/workflows/w/graph.svg").await.status, 422);
    assert_eq!(server.get("/workflows/w/graph.svg?revision=000009-abc").await.status, 404);
}

//! `/openapi.json`: the document is made from the code and says all of it.

use std::path::Path;

use jobmill_model::{Map, Value};

use crate::client::Request;
use crate::server::Server;

fn document() -> Value {
    Value::from_json(jobmill::http::openapi().to_json().unwrap().as_bytes()).unwrap()
}

/// Every operation: its method, its path and what the document says of it.
fn operations(document: &Value) -> Vec<(String, String, Map)> {
    let paths = document.as_map().unwrap().get("paths").unwrap().as_map().unwrap();
    let of_path = |(path, item): (&std::sync::Arc<str>, &Value)| {
        let operations = item.as_map().unwrap().iter().map(|(method, operation)| {
            (method.to_uppercase(), path.to_string(), operation.as_map().unwrap().clone())
        });
        operations.collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_document_is_reviewed_when_it_changes() {
    let text = jobmill::http::openapi().to_pretty_json().unwrap();
    insta::assert_snapshot!("openapi", text);
}

#[test]
fn every_operation_has_an_id_a_summary_a_tag_and_an_example_or_schema_of_each_answer() {
    let document = document();
    let operations = operations(&document);
    assert!(operations.len() > 20, "{}", operations.len());
    let mut ids = Vec::new();
    for (method, path, operation) in operations {
        let place = format!("{method} {path}");
        let text = |field: &str| operation.get(field).and_then(Value::as_str).map(str::to_owned);
        let id = text("operationId").expect("an operation id");
        let mut words = id.split('_');
        let verb = words.next().unwrap_or_default();
        let verbs = [
            "get",
            "list",
            "submit",
            "count",
            "cancel",
            "retry",
            "check",
            "verify",
            "put",
            "delete",
            "lease",
            "heartbeat",
            "report",
            "complete",
            "fail",
            "release",
            "create",
            "revoke",
            "pause",
            "resume",
            "trigger",
            "deploy",
            "run",
            "draw",
        ];
        assert!(verbs.contains(&verb) && words.next().is_some(), "{place}: {id}");
        assert!(text("summary").is_some_and(|summary| !summary.is_empty()), "{place}");
        assert!(operation.get("tags").is_some(), "{place}");
        let responses = operation.get("responses").unwrap().as_map().unwrap();
        assert!(!responses.is_empty(), "{place}");
        for (status, response) in responses.iter() {
            if status.as_ref() == "204" {
                continue;
            }
            let content = response.as_map().unwrap().get("content");
            assert!(content.is_some(), "{place}: {status} has no content");
        }
        ids.push(id);
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "operation ids differ");
}

#[tokio::test]
async fn every_route_of_the_document_is_there_with_its_methods() {
    let server = Server::start().await;
    for (method, path, operation) in operations(&document()) {
        let path = path.replace("{id}", "x").replace("{job_id}", "x").replace("{name}", "echo");
        let path = path.replace("{file}", "style.css");
        // A stream of events has no end; from a place that is none it is refused.
        let request = Request::new(&method, &path).header("Last-Event-ID", "none");
        let answer = request.send(server.address).await;
        assert_ne!(answer.status, 405, "{method} {path}");
        assert!(!answer.text().contains("no-route"), "{method} {path}");
        let known = operation.get("responses").unwrap().as_map().unwrap();
        let is_told =
            known.contains(&answer.status.to_string()) || matches!(answer.status, 400 | 415 | 422);
        assert!(is_told, "{method} {path} answers {}", answer.status);
    }
}

/// A route that is registered in another way than with its description is found here. Google's
/// own are described by its discovery documents.
#[test]
fn every_route_is_registered_with_its_description() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let mut folders = vec![sources];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("http/google") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for way in [".route(", ".nest(", ".route_service(", ".nest_service("] {
                assert!(!text.contains(way), "{way} in {}", path.display());
            }
        }
    }
}

#[tokio::test]
async fn the_document_is_served_and_loads_nothing_from_elsewhere() {
    let server = Server::start().await;
    let answer = server.get("/openapi.json").await;
    assert_eq!(answer.json(), document());
    assert_eq!(answer.word("openapi"), "3.1.0");
}

/// Whether a path with parameters, such as `/jobs/{id}`, is this one.
fn is_path(route: &str, path: &str) -> bool {
    let (route, path) = (route.trim_end_matches('/'), path.trim_end_matches('/'));
    let (mut parts, mut others) = (route.split('/'), path.split('/'));
    let alike = parts
        .by_ref()
        .zip(others.by_ref())
        .all(|(part, other)| part == other || (part.starts_with('{') && !other.is_empty()));
    alike && route.matches('/').count() == path.matches('/').count()
}

#[test]
fn the_document_for_people_names_every_route() {
    let text = include_str!("../../../../docs/API.md");
    let text = text.replace("localhost:8080", "").replace("$B", "");
    let words = text.split(|c: char| c.is_whitespace() || "`\"',;?()".contains(c));
    let paths: Vec<&str> = words.filter(|word| word.starts_with('/')).collect();
    let operations = operations(&document());
    // What the pages themselves are made of is nobody's to call.
    let routes = operations.iter().map(|(_, route, _)| route).filter(|it| *it != "/web/{file}");
    for route in routes {
        assert!(paths.iter().any(|path| is_path(route, path)), "{route} is not in docs/API.md");
    }
}

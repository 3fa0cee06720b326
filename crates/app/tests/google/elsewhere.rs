//! Connectors that go elsewhere: to an emulator, by the variables that Google's clients know.

use std::net::TcpListener;

use jobmill_model::Value;

use crate::client::{Talk, field, text};
use crate::document_002::Service;
use crate::emulator::Emulator;
use crate::server::Server;

const WORKFLOW: &str = include_str!("../../../../examples/backend_starter/workflow.yaml");
const DOCUMENT: &str = "/v1/projects/my-project/databases/(default)/documents/backend_starter/ann";

/// Runs document 002's workflow, its services on the server itself.
#[track_caller]
fn run(talk: &Talk) {
    talk.deploy("backend_starter", WORKFLOW);
    let argument = Value::map([("name", Value::from("ann")), ("service", talk.url().into())]);
    let body = Value::map([("argument", argument.to_string().into())]).to_string();
    let ended = talk.ended(&talk.execute("backend_starter", &body));
    assert_eq!(text(&ended, "state"), "SUCCEEDED", "{ended}");
}

#[track_caller]
fn marks(document: &Value) -> String {
    field(document, "fields/done/arrayValue/values").to_string()
}

const BOTH: &str = r#"[{"stringValue":"valid_input_check"},{"stringValue":"process"}]"#;

#[test]
fn connectors_go_to_the_emulators_that_the_usual_variables_name() {
    let there = Talk::start();
    let host = there.0.address.to_string();
    let usual = [("FIRESTORE_EMULATOR_HOST", &*host), ("BIGQUERY_EMULATOR_HOST", &*host)];
    let here = Talk(Server::start(&["--log", "warn"], &usual));
    run(&here);
    assert_eq!(marks(&there.send("GET", DOCUMENT, "").ok()), BOTH);
    here.send("GET", DOCUMENT, "").refused(404, "NOT_FOUND");
    let rows = "/bigquery/v2/projects/my-project/datasets/backend_starter/tables/outcomes/data";
    assert_eq!(text(&there.send("GET", rows, "").ok(), "totalRows"), "1");
    here.send("GET", rows, "").refused(404, "NOT_FOUND");
}

const GET: &str = "- get:
    call: googleapis.firestore.v1.projects.databases.documents.get
    args:
      name: projects/p/databases/(default)/documents/c/x
      connector_params: {timeout: 60}
";

#[test]
fn an_emulator_that_is_not_there_is_an_error_of_the_call() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let talk = Talk(Server::start(&["--firestore-emulator", &nobody], &[]));
    // There is no time for another try.
    talk.deploy("gets", &GET.replace("timeout: 60", "timeout: 1"));
    let ended = talk.ended(&talk.execute("gets", "{}"));
    assert_eq!(text(&ended, "state"), "FAILED");
    assert!(text(&ended, "error/payload").contains("ConnectionFailedError"), "{ended}");
}

#[test]
fn a_connectors_call_that_is_turned_away_for_now_is_made_again() {
    const PATH: &str = "/v1/projects/p/databases/(default)/documents/c/x";
    let busy = Service::start(PATH, &[(503, "{}"), (200, "{\"name\":\"x\"}")]);
    let host = busy.address.to_string();
    let talk = Talk(Server::start(&["--firestore-emulator", &host], &[]));
    talk.deploy("gets", GET);
    let ended = talk.ended(&talk.execute("gets", "{}"));
    assert_eq!(text(&ended, "state"), "SUCCEEDED", "{ended}");
    assert_eq!(busy.asked(PATH), 2);
}

#[test]
fn document_002_runs_against_googles_own_emulator() {
    let Some(emulator) = Emulator::start() else { return };
    let host = emulator.address;
    let address = host.to_string();
    let talk = Talk(Server::start(&[], &[("FIRESTORE_EMULATOR_HOST", &address)]));
    run(&talk);
    talk.send("GET", DOCUMENT, "").refused(404, "NOT_FOUND");
    assert_eq!(marks(&Talk::ask(host, "GET", DOCUMENT, "").ok()), BOTH);
}

//! Names, paths and parameters, both ways.

use jobmill_model::Value;

use super::*;

const ROOT: &str = "projects/p/databases/(default)/documents";

fn request(verb: &str, path: &str, query: &[(&str, &str)]) -> Option<(Operation, String)> {
    let call = Call::of_request(verb, path, query.iter().copied(), Value::Null)?;
    Some((call.method.operation, Value::from(call.params).to_string()))
}

#[test]
fn every_method_is_found_by_its_name_and_by_its_path() {
    for method in METHODS {
        let (service, version) = (method.service.name(), method.service.version());
        let name = format!("googleapis.{service}.{version}.{}", method.name);
        assert_eq!(connector(&name), Ok(method));
        let mut path = method.path.to_owned();
        for (param, text) in [
            ("{+name}", format!("{ROOT}/c/x:y")),
            ("{+parent}", format!("{ROOT}/c/x")),
            ("{+database}", "projects/p/databases/(default)".to_owned()),
            ("{collectionId}", "c".to_owned()),
            ("{projectId}", "p".to_owned()),
            ("{datasetId}", "d".to_owned()),
            ("{tableId}", "t".to_owned()),
            ("{jobId}", "j".to_owned()),
        ] {
            path = path.replace(param, &text);
        }
        let call = Call::of_request(method.verb, &path, std::iter::empty(), Value::Null).unwrap();
        assert_eq!(call.method, method, "{path}");
        let encoded = call.target().0;
        assert_eq!(encoded, format!("/{}", path.replace("x:y", "x%3Ay")));
    }
}

#[test]
fn a_collection_is_told_from_a_document() {
    let root_list = request("GET", &format!("v1/{ROOT}/c"), &[("pageSize", "5")]).unwrap();
    assert_eq!(root_list.0, Operation::DocumentList);
    assert_eq!(root_list.1, format!(r#"{{"parent":"{ROOT}","collectionId":"c","pageSize":"5"}}"#));
    let document = request("GET", &format!("v1/{ROOT}/c/x"), &[]).unwrap();
    assert_eq!(document.0, Operation::DocumentGet);
    assert_eq!(request("GET", &format!("v1/{ROOT}"), &[]), None);
    assert_eq!(request("PUT", &format!("v1/{ROOT}/c/x"), &[]), None);
}

#[test]
fn repeated_parameters_are_lists_and_unknown_ones_are_passed_over() {
    let query = [
        ("updateMask.fieldPaths", "a"),
        ("updateMask.fieldPaths", "b"),
        ("mask", "c,d"),
        ("$alt", "json"),
    ];
    let (_, params) = request("PATCH", &format!("v1/{ROOT}/c/x"), &query).unwrap();
    let masks = r#""updateMask.fieldPaths":["a","b"],"mask.fieldPaths":["c","d"]}"#;
    assert!(params.ends_with(masks), "{params}");
}

#[test]
fn a_connector_takes_its_arguments_by_name() {
    let method = connector("googleapis.firestore.v1.projects.databases.documents.patch").unwrap();
    let args = format!(
        r#"{{"name":"{ROOT}/c/x","updateMask":{{"fieldPaths":["a"]}},
        "currentDocument.exists":true,"connector_params":{{"timeout":5}},"body":{{"fields":{{}}}}}}"#
    );
    let call = Call::of_connector(method, &Value::from_json(args.as_bytes()).unwrap()).unwrap();
    let (path, query) = call.target();
    assert_eq!(path, format!("/v1/{ROOT}/c/x"));
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let expected = [pair("currentDocument.exists", "true"), pair("updateMask.fieldPaths", "a")];
    assert_eq!(query, expected);
    assert_eq!(call.body.to_string(), r#"{"fields":{}}"#);
    for args in ["{}", "[]", r#"{"name":"a","nome":"b"}"#] {
        let args = Value::from_json(args.as_bytes()).unwrap();
        assert!(Call::of_connector(method, &args).is_err(), "{args}");
    }
}

#[test]
fn what_has_no_connector_is_named() {
    let text = |name: &str| connector(name).unwrap_err().message;
    assert!(text("googleapis.pubsub.v1.projects.topics.publish").contains("\"pubsub\""));
    assert!(text("gke.request").contains("\"gke\""));
    assert!(text("googleapis.firestore.v2.x.y").contains("version v1, not v2"));
    assert!(text("googleapis.bigquery.v2.jobs.delete").contains("no method"));
}

//! What is refused, in Google's envelope, with the code that its clients expect.

use jobmill_model::Value;

use crate::client::{PARENT, Talk, field, text};

const SOURCE: &str = "- done:\n    return: 1\n";

#[test]
fn a_definition_with_errors_is_refused_whole_with_every_diagnostic() {
    let talk = Talk::start();
    let source = "main:\n  steps:\n  - one:\n      return: ${1 + varC}\n  \
                  - two:\n      call: http.gett\n";
    let body = Value::map([("sourceContents", source.into())]).to_string();
    let answer = talk.post("workflows?workflowId=w", &body);
    let details = field(&answer.body, "error/details/0").clone();
    let message = answer.refused(400, "INVALID_ARGUMENT");
    let first = "failed to build: error in step one: error evaluating return value: \
                 symbol 'varC' is neither a variable nor a sub-workflow name";
    assert_eq!(message.lines().next(), Some(first));
    assert!(message.contains("error in step two"), "{message}");
    assert_eq!(text(&details, "@type"), "type.googleapis.com/google.rpc.BadRequest");
    let violations = field(&details, "fieldViolations").as_list().unwrap();
    assert_eq!(violations.len(), 2, "{details}");
    let second = text(&violations[1], "description");
    assert!(second.starts_with("6:") && second.contains("http.get"), "{second}");
    talk.get("workflows/w").refused(404, "NOT_FOUND");
}

#[test]
fn what_is_not_there_is_not_found() {
    let talk = Talk::start();
    talk.deploy("w", SOURCE);
    let id = "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42";
    for path in [
        "workflows/none",
        "workflows/no%20name",
        "workflows/none:listRevisions",
        "workflows/w?revisionId=000009-abc",
        "workflows/w/executions/x",
        &format!("workflows/w/executions/{id}"),
        "nothing",
    ] {
        talk.get(path).refused(404, "NOT_FOUND");
    }
    for path in ["workflows/none/executions", &format!("workflows/w/executions/{id}:cancel")] {
        talk.post(path, "{}").refused(404, "NOT_FOUND");
    }
    let path = format!("{PARENT}/workflows/none?updateMask=labels");
    talk.send("PATCH", &path, r#"{"labels":{}}"#).refused(404, "NOT_FOUND");
}

#[test]
fn an_execution_is_found_under_its_own_workflow_only() {
    let talk = Talk::start();
    talk.deploy("one", SOURCE);
    talk.deploy("two", SOURCE);
    let execution = talk.execute("one", "{}");
    let other = execution.replace("workflows/one", "workflows/two");
    talk.get(&other).refused(404, "NOT_FOUND");
    talk.post(&format!("{other}:cancel"), "{}").refused(404, "NOT_FOUND");
}

#[test]
fn what_makes_no_sense_is_an_invalid_argument() {
    let talk = Talk::start();
    talk.deploy("w", SOURCE);
    for (path, part) in [
        ("workflows?filter=nope%3D1", "unknown field \"nope\""),
        ("workflows?filter=(", "invalid filter"),
        ("workflows?orderBy=nope", "invalid order_by"),
        ("workflows?pageSize=-1", "page_size"),
        ("workflows?pageToken=abc", "page_token"),
        ("workflows/w/executions?view=SOME", "invalid view"),
        ("workflows/w/executions?filter=createTime%3Esoon", "not a time"),
        ("workflows/w/executions?pageToken=0000000000000000.x", "page_token"),
        ("workflows/w%FF", "resource name"),
    ] {
        let message = talk.get(path).refused(400, "INVALID_ARGUMENT");
        assert!(message.contains(part), "{path}: {message}");
    }
    for (path, body, part) in [
        ("workflows", "{}", "workflow_id must be given"),
        ("workflows?workflowId=2x", "{}", "begins with a letter"),
        ("workflows?workflowId=x", "{", "JSON"),
        ("workflows?workflowId=x", "[]", "expected an object"),
        ("workflows?workflowId=x", r#"{"sourceContents":1}"#, "'sourceContents'"),
        ("workflows?workflowId=x", r#"{"labels":{"a":1}}"#, "'labels.a'"),
        ("workflows?workflowId=x", r#"{"callLogLevel":"LOUD"}"#, "'callLogLevel'"),
        ("workflows?workflowId=x", "{}", "source"),
        ("workflows/w/executions", r#"{"argument":"{"}"#, "valid JSON string"),
        ("workflows/w/executions", r#"{"argument":{}}"#, "'argument'"),
        ("workflows/w:triggerPubsubExecution", "{}", "message is required"),
    ] {
        let message = talk.post(path, body).refused(400, "INVALID_ARGUMENT");
        assert!(message.contains(part), "{path} {body}: {message}");
    }
    let path = format!("{PARENT}/workflows/w?updateMask=sourceContent");
    let message = talk.send("PATCH", &path, "{}").refused(400, "INVALID_ARGUMENT");
    assert!(message.contains("update_mask"), "{message}");
}

#[test]
fn an_argument_over_googles_limit_is_refused_where_the_limit_is_asked_for() {
    let argument = |bytes: usize| {
        let text = format!("\"{}\"", "x".repeat(bytes - 2));
        Value::map([("argument", Value::from(text))]).to_string()
    };
    let strict = Talk::with_googles_limits();
    strict.deploy("w", SOURCE);
    strict.execute("w", &argument(32 * 1024));
    let path = "workflows/w/executions";
    let message = strict.post(path, &argument(32 * 1024 + 1)).refused(400, "INVALID_ARGUMENT");
    assert!(message.contains("/argument: at most 32768 bytes"), "{message}");
    let lifted = Talk::start();
    lifted.deploy("w", SOURCE);
    lifted.execute("w", &argument(100_000));
}

#[test]
fn what_is_not_built_says_so() {
    let talk = Talk::start();
    talk.deploy("w", SOURCE);
    talk.post("workflows/w:fly", "{}").refused(501, "UNIMPLEMENTED");
    let key = r#"{"sourceContents":"- a:\n    return: 1\n","cryptoKeyName":"projects/p"}"#;
    talk.post("workflows?workflowId=k", key).refused(501, "UNIMPLEMENTED");
}

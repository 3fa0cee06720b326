//! What the demonstration shows, and what it expects to see.

use std::fmt::Write;
use std::path::Path;

use jobmill_model::Value;

use super::super::Failure;
use super::super::session::{field, items, text};
use super::teller::{Call, Teller};

const ACCEPTED: u16 = 202;
const OK: u16 = 200;
const INVALID: u16 = 422;

/// The whole story.
pub(super) async fn tell(teller: &mut Teller, folder: &Path) -> Result<(), Failure> {
    let first = expand_and_reduce(teller).await?;
    document_000(teller, &first).await?;
    document_001(teller).await?;
    document_002(teller, folder).await?;
    document_004(teller).await?;
    large_product(teller, folder).await?;
    failure(teller).await?;
    refusal(teller).await
}

async fn expand_and_reduce(teller: &mut Teller) -> Result<String, Failure> {
    teller.chapter(
        "An expand-reduce flow",
        "The dictionary is split in two; each key of the first half meets each of the second.\n\
         The answer to a submission goes out when the job is on disk.",
    )?;
    let input = r#"{"1":"2","3":"4","5":"6","7":"8"}"#;
    let body = format!(r#"{{"flow":"expand_reduce_flow","input":{input}}}"#);
    let job = teller.call(Call::post("/jobs", &body), ACCEPTED, has_status("submitted")).await?;
    let id = text(&job, "id").to_owned();
    let pairs = r#"{"1 5":"2 6","1 7":"2 8","3 5":"4 6","3 7":"4 8"}"#;
    teller.call(results(&id), OK, has_result(pairs)).await?;

    teller.chapter("The same halves, merged side by side", "")?;
    let params = r#"{"split":"half","merge":"zip"}"#;
    let body = format!(r#"{{"flow":"expand_reduce_flow","input":{input},"params":{params}}}"#);
    let job = teller.call(Call::post("/jobs", &body), ACCEPTED, has_status("submitted")).await?;
    let zipped = r#"{"1 5":"2 6","3 7":"4 8"}"#;
    teller.call(results(text(&job, "id")), OK, has_result(zipped)).await?;

    teller.chapter("A question and an answer", "")?;
    let input = r#"{"How are you?":"Fine.","Who are you?":"I am Bob."}"#;
    let body = format!(r#"{{"flow":"expand_reduce_flow","input":{input}}}"#);
    let job = teller.call(Call::post("/jobs", &body), ACCEPTED, has_status("submitted")).await?;
    let joined = r#"{"How are you? Who are you?":"Fine. I am Bob."}"#;
    teller.call(results(text(&job, "id")), OK, has_result(joined)).await?;
    Ok(id)
}

async fn document_000(teller: &mut Teller, id: &str) -> Result<(), Failure> {
    teller.chapter("Document 000: its three routes", "Status, errors, and all key-value pairs.")?;
    let status = Call::get(format!("/api/verify_status?job_id={id}"));
    teller.call(status, OK, has_status("completed")).await?;
    let errors = Call::get(format!("/api/error_handling?job_id={id}"));
    teller.call(errors, OK, |answer| answer.as_list() == Some(&[])).await?;
    let pairs = Call::get("/api/keyvalues?page=1&per_page=3");
    let has_page = |answer: &Value| {
        let total = field(answer, "total").and_then(Value::as_int);
        items(answer).len() == 3 && total == Some(7)
    };
    teller.call(pairs, OK, has_page).await?;
    Ok(())
}

async fn document_001(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("Document 001: its job processing API", "")?;
    let body = r#"{"job": {"input_data": [{"key1": "value1"}, {"key2": "value2"}]}}"#;
    let is_named = |answer: &Value| !text(answer, "job_id").is_empty();
    let job = teller.call(Call::post("/expand_reduce_flow/", body), OK, is_named).await?;
    let id = text(&job, "job_id");
    teller.watch(id).await?;
    let status = Call::get(format!("/check_status/{id}"));
    teller.call(status, OK, has_status("completed")).await?;
    let result = Call::get(format!("/job_result/{id}"));
    teller.call(result, OK, has_result(r#"[{"key1 key2":"value1 value2"}]"#)).await?;
    Ok(())
}

/// The workflow of document 002, as it runs at Google too.
const WORKFLOW: &str = include_str!("../../../../../examples/backend_starter/workflow.yaml");

async fn document_002(teller: &mut Teller, folder: &Path) -> Result<(), Failure> {
    teller.chapter(
        "Document 002: a workflow between two services",
        "In the language of Google Cloud Workflows, deployed on Google's own path. It keeps its\n\
         state in a Firestore document and writes a row to a BigQuery table. The processing sleeps\n\
         three minutes; the setting process_sleep shortens it to a second here.",
    )?;
    let body = Value::map([("sourceContents", Value::from(WORKFLOW))]).to_string();
    let file = folder.join("backend_starter.json");
    std::fs::write(&file, &body)?;
    let workflows = "/v1/projects/local/locations/local/workflows";
    let route = format!("{workflows}?workflowId=backend_starter");
    let call = Call::post_file(route, body, &file.display().to_string());
    let is_done = |answer: &Value| field(answer, "done") == Some(&Value::Bool(true));
    teller.call_quietly(call, OK, is_done).await?;
    let check = Call::get("/is_valid_input?x=ann");
    teller.call(check, OK, |answer| answer.as_str() == Some("Success")).await?;
    let is_named = |answer: &Value| !text(answer, "workflow_id").is_empty();
    let begun = Call::post("/trigger_workflow", r#"{"x": "ann"}"#);
    let begun = teller.call(begun, OK, is_named).await?;
    let id = text(&begun, "workflow_id");
    teller.watch(id).await?;
    let marks = r#"{"done":["valid_input_check","process"]}"#;
    let has_marks =
        |answer: &Value| field(answer, "state").is_some_and(|it| it.to_string() == marks);
    teller.call(Call::get(format!("/check_status/{id}")), OK, has_marks).await?;
    let table = "/bigquery/v2/projects/local/datasets/backend_starter/tables/outcomes/data";
    let has_row = |answer: &Value| field(answer, "totalRows").and_then(Value::as_str) == Some("1");
    teller.call(Call::get(table), OK, has_row).await?;
    let has_steps = |answer: &Value| items(answer).len() == 3;
    teller.call(Call::get(format!("/jobs/{id}/steps?limit=3")), OK, has_steps).await?;
    Ok(())
}

async fn document_004(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter(
        "Document 004: the Jobs API",
        "A body without a flow is the input of range_report; its fields are echoed.",
    )?;
    let is_echoed = |job: &Value| {
        let number = |name| field(job, name).and_then(Value::as_int);
        text(job, "status") == "submitted" && number("start") == Some(1) && number("end") == Some(2)
    };
    let call = Call::post("/jobs", r#"{"start":1, "end":2}"#);
    let job = teller.call(call, ACCEPTED, is_echoed).await?;
    let id = text(&job, "id");
    let has_some = |answer: &Value| field(answer, "result").is_some_and(|it| *it != Value::Null);
    teller.call(results(id), OK, has_some).await?;
    teller.call(Call::get(format!("/jobs/{id}")), OK, has_status("completed")).await?;
    let newest = |answer: &Value| items(answer).first().is_some_and(|job| text(job, "id") == id);
    teller.call(Call::get("/jobs?limit=2"), OK, newest).await?;
    Ok(())
}

/// Each half has this many keys.
const HALF: usize = 1_500;

async fn large_product(teller: &mut Teller, folder: &Path) -> Result<(), Failure> {
    teller.chapter(
        "A product of 2,250,000 entries",
        "The result streams to disk in chunks; progress can be read meanwhile.",
    )?;
    let body = large_body();
    let file = folder.join("product.json");
    std::fs::write(&file, &body)?;
    let call = Call::post_file("/jobs", body, &file.display().to_string());
    let job = teller.call_quietly(call, ACCEPTED, has_status("submitted")).await?;
    let id = text(&job, "id");
    teller.watch(id).await?;
    let is_done = |job: &Value| {
        let total = field(job, "progress").and_then(|it| field(it, "total")?.as_int());
        text(job, "status") == "completed" && total.unwrap_or(0) > 0
    };
    teller.call_quietly(Call::get(format!("/jobs/{id}")), OK, is_done).await?;
    let has_pairs = |answer: &Value| items(answer).len() == 3;
    teller.call(Call::get(format!("/jobs/{id}/pairs?limit=3")), OK, has_pairs).await?;
    Ok(())
}

fn large_body() -> String {
    let mut input = String::new();
    for number in 0..2 * HALF {
        let comma = if number == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(input, r#"{comma}"k{number}":"v{number}""#);
    }
    format!(r#"{{"flow":"expand_reduce_flow","input":{{{input}}},"tags":["large"]}}"#)
}

async fn failure(teller: &mut Teller) -> Result<(), Failure> {
    teller
        .chapter("A job that fails", "Three keys have no even halves, and zip is told to mind.")?;
    let (input, params) = (r#"{"a":1,"b":2,"c":3}"#, r#"{"merge":"zip","uneven":"error"}"#);
    let body = format!(r#"{{"flow":"expand_reduce_flow","input":{input},"params":{params}}}"#);
    let job = teller.call(Call::post("/jobs", &body), ACCEPTED, has_status("submitted")).await?;
    let id = text(&job, "id");
    teller.call(results(id), OK, has_status("failed")).await?;
    let has_one = |answer: &Value| items(answer).len() == 1;
    teller.call(Call::get(format!("/jobs/{id}/errors")), OK, has_one).await?;
    let is_listed = |answer: &Value| answer.as_list().is_some_and(|list| list.len() == 1);
    let errors = Call::get(format!("/api/error_handling?job_id={id}"));
    teller.call(errors, OK, is_listed).await?;
    Ok(())
}

async fn refusal(teller: &mut Teller) -> Result<(), Failure> {
    teller
        .chapter("A request that is refused", "Everything that is wrong, each with its place.")?;
    let body = r#"{"flow":"expand_reduce_flow","input":7,"params":{"merge":"zipp","uneven":1}}"#;
    let is_told = |answer: &Value| {
        field(answer, "errors").and_then(Value::as_list).is_some_and(|errors| errors.len() == 3)
    };
    teller.call(Call::post("/jobs", body), INVALID, is_told).await?;
    Ok(())
}

fn results(id: &str) -> Call {
    Call::get(format!("/jobs/{id}/results?wait=30s"))
}

fn has_status(status: &'static str) -> impl Fn(&Value) -> bool {
    move |answer| text(answer, "status") == status
}

fn has_result(json: &'static str) -> impl Fn(&Value) -> bool {
    move |answer| field(answer, "result").is_some_and(|result| result.to_string() == json)
}

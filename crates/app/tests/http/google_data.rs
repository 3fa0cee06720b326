//! Firestore and BigQuery on Google's own paths.

use serde_json::{Value, json};

use crate::client::Request;
use crate::server::Server;

const ROOT: &str = "/v1/projects/p/databases/(default)/documents";
const NAME: &str = "projects/p/databases/(default)/documents";
const BIGQUERY: &str = "/bigquery/v2/projects/p";

async fn call(server: &Server, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = Request::new(method, path);
    let request = if body.is_null() { request } else { request.json(body.to_string()) };
    let answer = request.send(server.address).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn done(value: (u16, Value)) -> Value {
    assert_eq!(value.0, 200, "{}", value.1);
    value.1
}

fn refused(value: (u16, Value), code: u16, status: &str) -> String {
    assert_eq!((value.0, &value.1["error"]["status"]), (code, &json!(status)), "{}", value.1);
    value.1["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_document_is_written_changed_found_and_deleted() {
    let server = Server::start().await;
    let fields = json!({"fields": {"done": {"arrayValue": {"values": [{"stringValue": "a"}]}}}});
    let path = format!("{ROOT}/states/x");
    let made = done(call(&server, "PATCH", &path, fields.clone()).await);
    assert_eq!(made["name"], format!("{NAME}/states/x"));
    assert_eq!(made["fields"], fields["fields"]);

    let transform = json!({"writes": [{"transform": {"document": format!("{NAME}/states/x"),
        "fieldTransforms": [{"fieldPath": "done",
            "appendMissingElements": {"values": [{"stringValue": "b"}]}}]},
        "currentDocument": {"updateTime": made["updateTime"]}}]});
    let commit = format!("{ROOT}:commit");
    let committed = done(call(&server, "POST", &commit, transform.clone()).await);
    assert!(committed["commitTime"].is_string());
    // The version that it expects is gone.
    refused(call(&server, "POST", &commit, transform).await, 400, "FAILED_PRECONDITION");

    let query = json!({"structuredQuery": {"from": [{"collectionId": "states"}], "where":
        {"fieldFilter": {"field": {"fieldPath": "done"}, "op": "ARRAY_CONTAINS",
            "value": {"stringValue": "b"}}}}});
    let found = done(call(&server, "POST", &format!("{ROOT}:runQuery"), query).await);
    assert_eq!(found[0]["document"]["name"], made["name"]);
    let masked =
        done(call(&server, "GET", &format!("{path}?mask.fieldPaths=other"), Value::Null).await);
    assert!(masked.get("fields").is_none(), "{masked}");

    assert_eq!(done(call(&server, "DELETE", &path, Value::Null).await), json!({}));
    let message = refused(call(&server, "GET", &path, Value::Null).await, 404, "NOT_FOUND");
    assert!(message.contains("states/x"), "{message}");
    server.stop().await.unwrap().unwrap();
}

#[tokio::test]
async fn documents_are_created_listed_and_read_together() {
    let server = Server::start().await;
    for id in ["a", "b", "c"] {
        let path = format!("{ROOT}/c?documentId={id}");
        done(call(&server, "POST", &path, json!({"fields": {}})).await);
    }
    let again = call(&server, "POST", &format!("{ROOT}/c?documentId=a"), json!({})).await;
    refused(again, 409, "ALREADY_EXISTS");
    let path = format!("{ROOT}/c?pageSize=2");
    let page = done(call(&server, "GET", &path, Value::Null).await);
    let token = page["nextPageToken"].as_str().unwrap();
    let rest = done(call(&server, "GET", &format!("{path}&pageToken={token}"), Value::Null).await);
    let count = |page: &Value| page["documents"].as_array().unwrap().len();
    assert_eq!((count(&page), count(&rest)), (2, 1));
    assert!(rest.get("nextPageToken").is_none());
    let made = done(call(&server, "POST", &format!("{ROOT}/auto"), json!({})).await);
    assert!(made["name"].as_str().unwrap().len() > NAME.len() + 20);
    let names = json!({"documents": [format!("{NAME}/c/b"), format!("{NAME}/c/z")]});
    let got = done(call(&server, "POST", &format!("{ROOT}:batchGet"), names).await);
    assert_eq!(got[0]["found"]["name"], format!("{NAME}/c/b"));
    assert_eq!(got[1]["missing"], format!("{NAME}/c/z"));
    server.stop().await.unwrap().unwrap();
}

async fn table(server: &Server) {
    let dataset = json!({"datasetReference": {"datasetId": "d", "projectId": "p"}});
    done(call(server, "POST", &format!("{BIGQUERY}/datasets"), dataset).await);
    let table = json!({"tableReference": {"tableId": "t"}, "schema": {"fields": [
        {"name": "input", "type": "STRING", "mode": "REQUIRED"}, {"name": "n", "type": "INT64"}]}});
    done(call(server, "POST", &format!("{BIGQUERY}/datasets/d/tables"), table).await);
}

#[tokio::test]
async fn rows_are_inserted_once_listed_and_queried() {
    let server = Server::start().await;
    table(&server).await;
    let path = format!("{BIGQUERY}/datasets/d/tables/t");
    let rows = json!({"rows": [{"insertId": "1", "json": {"input": "x", "n": 5}},
        {"insertId": "2", "json": {"input": "y", "n": "6"}}]});
    for _ in 0..2 {
        let answer = done(call(&server, "POST", &format!("{path}/insertAll"), rows.clone()).await);
        assert!(answer.get("insertErrors").is_none(), "{answer}");
    }
    let bad = json!({"rows": [{"json": {"n": 1}}]});
    let answer = done(call(&server, "POST", &format!("{path}/insertAll"), bad).await);
    assert_eq!(answer["insertErrors"][0]["errors"][0]["reason"], "invalid");
    let listed =
        done(call(&server, "GET", &format!("{path}/data?maxResults=1"), Value::Null).await);
    assert_eq!(listed["totalRows"], "2");
    assert_eq!(listed["rows"], json!([{"f": [{"v": "x"}, {"v": "5"}]}]));
    assert_eq!(listed["pageToken"], "1");
    assert_eq!(done(call(&server, "GET", &path, Value::Null).await)["numRows"], "2");

    let query = json!({"query": "SELECT n FROM d.t WHERE input = @i", "useLegacySql": false,
        "queryParameters": [{"name": "i", "parameterType": {"type": "STRING"},
            "parameterValue": {"value": "y"}}]});
    let answer = done(call(&server, "POST", &format!("{BIGQUERY}/queries"), query).await);
    assert_eq!(answer["rows"], json!([{"f": [{"v": "6"}]}]));
    assert_eq!(answer["schema"]["fields"][0]["type"], "INTEGER");
    server.stop().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_job_answers_with_the_rows_that_were_there_when_it_was_made() {
    let server = Server::start().await;
    table(&server).await;
    let insert = format!("{BIGQUERY}/datasets/d/tables/t/insertAll");
    let rows = |texts: &[&str]| json!({"rows": texts.iter().map(|text| json!({"json": {"input": text}})).collect::<Vec<_>>()});
    done(call(&server, "POST", &insert, rows(&["a", "b", "c"])).await);
    let job = json!({"jobReference": {"jobId": "j1", "projectId": "p"}, "configuration":
        {"query": {"query": "SELECT input FROM `p.d.t` ORDER BY 1 DESC", "useLegacySql": false}}});
    let made = done(call(&server, "POST", &format!("{BIGQUERY}/jobs"), job.clone()).await);
    assert_eq!(made["status"]["state"], "DONE");
    refused(call(&server, "POST", &format!("{BIGQUERY}/jobs"), job).await, 409, "ALREADY_EXISTS");
    done(call(&server, "POST", &insert, rows(&["d"])).await);
    let path = format!("{BIGQUERY}/queries/j1?maxResults=2");
    let page = done(call(&server, "GET", &path, Value::Null).await);
    assert_eq!((&page["totalRows"], &page["jobComplete"]), (&json!("3"), &json!(true)));
    assert_eq!(page["rows"], json!([{"f": [{"v": "c"}]}, {"f": [{"v": "b"}]}]));
    let next = format!("{path}&pageToken={}", page["pageToken"].as_str().unwrap());
    let page = done(call(&server, "GET", &next, Value::Null).await);
    assert_eq!(page["rows"], json!([{"f": [{"v": "a"}]}]));
    assert!(page.get("pageToken").is_none());
    let missing = call(&server, "GET", &format!("{BIGQUERY}/jobs/j2"), Value::Null).await;
    refused(missing, 404, "NOT_FOUND");
    server.stop().await.unwrap().unwrap();
}

#[tokio::test]
async fn datasets_and_tables_come_and_go() {
    let server = Server::start().await;
    table(&server).await;
    let datasets = format!("{BIGQUERY}/datasets");
    let listed = done(call(&server, "GET", &datasets, Value::Null).await);
    assert_eq!(listed["datasets"][0]["id"], "p:d");
    let tables = done(call(&server, "GET", &format!("{datasets}/d/tables"), Value::Null).await);
    assert_eq!((&tables["totalItems"], &tables["tables"][0]["id"]), (&json!(1), &json!("p:d.t")));
    let in_use = call(&server, "DELETE", &format!("{datasets}/d"), Value::Null).await;
    refused(in_use, 400, "INVALID_ARGUMENT");
    let missing = call(&server, "GET", &format!("{datasets}/d/tables/u"), Value::Null).await;
    assert_eq!(refused(missing, 404, "NOT_FOUND"), "Not found: Table p:d.u");
    done(call(&server, "DELETE", &format!("{datasets}/d/tables/t"), Value::Null).await);
    let gone = call(&server, "GET", &format!("{datasets}/d/tables/t/data"), Value::Null).await;
    refused(gone, 404, "NOT_FOUND");
    done(call(&server, "DELETE", &format!("{datasets}/d"), Value::Null).await);
    table(&server).await;
    let path = format!("{datasets}/d?deleteContents=true");
    done(call(&server, "DELETE", &path, Value::Null).await);
    refused(call(&server, "GET", &format!("{datasets}/d"), Value::Null).await, 404, "NOT_FOUND");
    server.stop().await.unwrap().unwrap();
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_in_the_envelope() {
    let server = Server::start().await;
    let begin = call(&server, "POST", &format!("{ROOT}:beginTransaction"), json!({})).await;
    refused(begin, 501, "UNIMPLEMENTED");
    let query = json!({"query": "SELECT a FROM d.t GROUP BY a"});
    let message = refused(
        call(&server, "POST", &format!("{BIGQUERY}/queries"), query).await,
        400,
        "INVALID_ARGUMENT",
    );
    assert!(message.contains("not supported here"), "{message}");
    let broken =
        Request::new("POST", &format!("{ROOT}:commit")).json("{").send(server.address).await;
    refused(
        (broken.status, serde_json::from_slice(&broken.body).unwrap()),
        400,
        "INVALID_ARGUMENT",
    );
    let bad = call(&server, "POST", &format!("{ROOT}:commit"), json!({"writes": [{}]})).await;
    assert!(refused(bad, 400, "INVALID_ARGUMENT").starts_with("writes[0]"));
    server.stop().await.unwrap().unwrap();
}

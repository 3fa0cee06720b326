//! The two views, read by the stock `sqlite3` program while the store is open.

use std::path::Path;
use std::process::Command;

use futures::executor::block_on;
use jobmill_model::Token;
use jobmill_model::job::Verdict;
use jobmill_model::output::{Chunk, Extent, Shape};
use jobmill_store::{Jobs, Leases, Outputs, Settle};

use super::stage::{at, id, offered, store, submission};
use crate::sqlite::{DATA_FILE, SqliteStore};

/// What the stock program answers, or nothing where there is no such program.
fn sqlite3(folder: &Path, sql: &str) -> Option<String> {
    let file = folder.join(DATA_FILE);
    let Ok(output) =
        Command::new("sqlite3").args(["-readonly", "-json"]).arg(file).arg(sql).output()
    else {
        println!("skipped: there is no sqlite3 program here");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().replace('\n', ""))
}

async fn publish(store: &SqliteStore, number: u64, shape: Shape, chunks: &[(u64, &str)]) {
    store.job_insert(offered(number, "[]")).await.unwrap();
    let mut first = 0;
    let mut pieces = Vec::new();
    for (len, text) in chunks {
        pieces.push(Chunk { first, len: *len, text: (*text).to_owned() });
        first += len;
    }
    let last = pieces.split_off(pieces.len() / 2);
    store.output_append(id(number), Token(1), pieces).await.unwrap();
    let verdict = Verdict::Complete(Extent { shape, len: first });
    let (id, now) = (id(number), at(number));
    let settle = Settle { id, token: Token(1), verdict, chunks: last, progress: None, now };
    store.job_settle(vec![settle]).await.unwrap();
}

async fn fill(store: &SqliteStore) {
    let object = [(2, r#"{"z":"2 6","a":[1,{"x":null}]}"#), (3, r#"{"m":true,"n":1.5,"ö":null}"#)];
    publish(store, 1, Shape::Object, &object).await;
    publish(store, 2, Shape::Text, &[(3, "[1,"), (5, "\"ä\"]")]).await;
    publish(store, 3, Shape::Object, &[(0, "{}")]).await;
    store.job_insert(submission(4, &format!("[{}4]", " ".repeat(1_000)))).await.unwrap();
    store.job_insert(submission(5, "5")).await.unwrap();
    store.job_cancel(&[id(5)], at(5)).await.unwrap();
}

#[test]
fn the_stock_program_reads_jobs_in_the_words_of_document_001() {
    let (store, folder) = store();
    block_on(fill(&store));
    let jobs = "SELECT output_data, status FROM jobs ORDER BY job_id";
    let Some(rows) = sqlite3(folder.path(), jobs) else { return };
    assert_eq!(
        rows,
        concat!(
            r#"[{"output_data":"{\"z\":\"2 6\",\"a\":[1,{\"x\":null}],"#,
            r#"\"m\":true,\"n\":1.5,\"ö\":null}","status":"completed"},"#,
            r#"{"output_data":"[1,\"ä\"]","status":"completed"},"#,
            r#"{"output_data":"{}","status":"completed"},"#,
            r#"{"output_data":null,"status":"processing"},"#,
            r#"{"output_data":null,"status":"cancelled"}]"#
        )
    );
    let input = format!("SELECT trim(input_data, '[ ]') AS i FROM jobs WHERE job_id = '{}'", id(4));
    assert_eq!(sqlite3(folder.path(), &input).unwrap(), r#"[{"i":"4"}]"#);
}

#[test]
fn the_stock_program_reads_the_entries_of_results_in_order() {
    let (store, folder) = store();
    block_on(fill(&store));
    let sql = format!("SELECT key, value FROM output WHERE job_id = '{}'", id(1));
    let Some(rows) = sqlite3(folder.path(), &sql) else { return };
    assert_eq!(
        rows,
        concat!(
            r#"[{"key":"z","value":"2 6"},{"key":"a","value":"[1,{\"x\":null}]"},"#,
            r#"{"key":"m","value":"true"},{"key":"n","value":1.5},{"key":"ö","value":null}]"#
        )
    );
    let count = "SELECT count(*) AS n FROM output";
    assert_eq!(sqlite3(folder.path(), count).unwrap(), r#"[{"n":5}]"#);
}

/// A page in the middle of a long read by somebody else does not stop the writer.
#[test]
fn the_store_writes_while_somebody_reads() {
    let (store, folder) = store();
    block_on(fill(&store));
    let other = rusqlite::Connection::open(folder.path().join(DATA_FILE)).unwrap();
    let count =
        || other.query_row("SELECT count(*) FROM jobs", [], |row| row.get::<_, i64>(0)).unwrap();
    other.execute_batch("BEGIN").unwrap();
    assert_eq!(count(), 5);
    block_on(store.job_insert(submission(6, "6"))).unwrap();
    assert_eq!(count(), 5);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(count(), 6);
}

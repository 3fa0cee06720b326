//! Queries over a handful of rows, as text in and text out.

use super::*;
use crate::bigquery::{Instants, Row};
use jobmill_model::Json;

fn schema() -> Schema {
    let text = r#"{"fields":[{"name":"name","type":"STRING"},{"name":"n","type":"INTEGER"},
        {"name":"x","type":"FLOAT"},{"name":"d","type":"DATE"},{"name":"at","type":"TIMESTAMP"},
        {"name":"r","type":"RECORD","fields":[{"name":"b","type":"BOOLEAN"}]},
        {"name":"tags","type":"STRING","mode":"REPEATED"},{"name":"dec","type":"NUMERIC"}]}"#;
    Schema::read(Some(&Value::from_json(text.as_bytes()).unwrap())).unwrap()
}

const ROWS: [&str; 4] = [
    r#"["ann",3,1.5,"2026-01-01",1000000,[true],["t"],"9.5"]"#,
    r#"["bob",1,"NaN","2026-01-02",2000000,[false],[],"10"]"#,
    r#"["cid",2,-1.0,null,3000000,null,[],null]"#,
    r#"[null,null,null,null,null,null,[],null]"#,
];

fn run_with(sql: &str, parameters: &str) -> Read<String> {
    let default = DatasetName::new("p", "d").unwrap();
    let statement = Statement::parse(sql, "p", Some(&default))?;
    let parameters = Value::from_json(parameters.as_bytes()).unwrap();
    let bound = statement.bind(&schema(), Some(&parameters), 2_500_000)?;
    let mut found = bound.run();
    for row in ROWS {
        if !found.look(&Row::from_kept(&schema(), &Json::trusted(row)), row.len())? {
            break;
        }
    }
    let row = |row: &Row| {
        let value = row.to_value(Instants::Micros);
        let cells = value.as_map().unwrap().get("f").unwrap().as_list().unwrap();
        let cell = |cell: &Value| {
            let cell = cell.as_map().unwrap().get("v").unwrap();
            cell.as_str().map_or(cell.to_string(), str::to_owned)
        };
        cells.iter().map(cell).collect::<Vec<_>>().join(",")
    };
    Ok(found.finish().iter().map(row).collect::<Vec<_>>().join(" "))
}

fn run(sql: &str) -> String {
    run_with(sql, "[]").unwrap()
}

fn names(condition: &str) -> String {
    run(&format!("SELECT name FROM t WHERE {condition}"))
}

#[test]
fn columns_are_selected_and_named() {
    assert_eq!(run("SELECT n, name AS who FROM t LIMIT 1"), "3,ann");
    assert_eq!(run("select t.name, r.b from `p.d.t` limit 2"), "ann,true bob,false");
    assert_eq!(run("SELECT a.N FROM p.d.t AS a LIMIT 1 OFFSET 1"), "1");
    assert_eq!(run("SELECT COUNT(*) FROM t"), "4");
    assert_eq!(run("SELECT count(*) AS c FROM t WHERE n > 1"), "2");
    assert_eq!(run("SELECT 1, 'x' LIMIT 1"), "1,x");
    let bound = Statement::parse("SELECT *, n AS m, 1 FROM d.t", "p", None).unwrap();
    let columns = bound.bind(&schema(), None, 0).unwrap().schema().columns;
    let named: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(named, ["name", "n", "x", "d", "at", "r", "tags", "dec", "m", "f9_"]);
}

#[test]
fn conditions_know_three_answers() {
    assert_eq!(names("n = 1"), "bob");
    assert_eq!(names("NOT n = 1"), "ann cid");
    assert_eq!(names("n != 1 AND name <> 'ann'"), "cid");
    assert_eq!(names("n IS NULL OR n >= 3"), "ann null");
    assert_eq!(names("n IS NOT NULL AND n < 3"), "bob cid");
    assert_eq!(names("n IN (1, 2, NULL)"), "bob cid");
    assert_eq!(names("n NOT IN (1, NULL)"), "");
    assert_eq!(names("n NOT BETWEEN 2 AND 3"), "bob");
    assert_eq!(names("name LIKE '%i_'"), "cid");
    assert_eq!(names("name NOT LIKE 'a%'"), "bob cid");
    assert_eq!(names("r.b"), "ann");
    assert_eq!(names("n > NULL"), "");
    assert_eq!(names("n = 1 OR n = 2 OR n = 3"), "ann bob cid");
}

#[test]
fn values_of_different_types_are_compared_where_that_makes_sense() {
    assert_eq!(names("x < 1"), "cid");
    assert_eq!(names("n > -1.5"), "ann bob cid");
    assert_eq!(names("dec > 9.75"), "bob");
    assert_eq!(names("dec > 9"), "ann bob");
    assert_eq!(names("d = '2026-01-02'"), "bob");
    assert_eq!(names("d < DATE '2026-01-02'"), "ann");
    assert_eq!(names("at >= TIMESTAMP '1970-01-01T00:00:02Z'"), "bob cid");
    assert_eq!(names("at > '1970-01-01 00:00:02'"), "cid");
    assert_eq!(names("at < CURRENT_TIMESTAMP()"), "ann bob");
}

#[test]
fn rows_are_sorted_with_nulls_and_nan_in_their_places() {
    assert_eq!(run("SELECT name FROM t ORDER BY n"), "null bob cid ann");
    assert_eq!(run("SELECT name FROM t ORDER BY n DESC"), "ann cid bob null");
    assert_eq!(run("SELECT name FROM t ORDER BY n NULLS LAST LIMIT 2"), "bob cid");
    assert_eq!(run("SELECT name FROM t ORDER BY x"), "null bob cid ann");
    assert_eq!(run("SELECT name AS w, n FROM t ORDER BY 2 DESC, w LIMIT 1"), "ann,3");
    assert_eq!(run("SELECT name AS w FROM t ORDER BY w DESC LIMIT 1 OFFSET 1"), "bob");
}

#[test]
fn parameters_are_filled_in() {
    let named = r#"[{"name":"who","parameterType":{"type":"STRING"},
        "parameterValue":{"value":"bob"}},
        {"name":"ns","parameterType":{"type":"ARRAY","arrayType":{"type":"INT64"}},
        "parameterValue":{"arrayValues":[{"value":"2"},{"value":"3"}]}}]"#;
    let sql = "SELECT name FROM t WHERE name = @who OR n IN UNNEST(@ns)";
    assert_eq!(run_with(sql, named).unwrap(), "ann bob cid");
    let positional = r#"[{"parameterType":{"type":"INT64"},"parameterValue":{"value":"1"}},
        {"parameterType":{"type":"INT64"},"parameterValue":{"value":"1"}}]"#;
    assert_eq!(run_with("SELECT name FROM t WHERE n > ? LIMIT ?", positional).unwrap(), "ann");
    assert!(run_with("SELECT name FROM t WHERE n > @missing", "[]").is_err());
    let bad = r#"[{"name":"n","parameterType":{"type":"INT64"},"parameterValue":{"value":"x"}}]"#;
    assert!(run_with("SELECT name FROM t WHERE n > @n", bad).is_err());
}

#[test]
fn what_goes_beyond_the_subset_is_refused_by_name() {
    for sql in [
        "SELECT DISTINCT name FROM t",
        "SELECT name FROM t GROUP BY name",
        "SELECT name, count(*) FROM t",
        "SELECT sum(n) FROM t",
        "SELECT n + 1 FROM t",
        "SELECT * EXCEPT (n) FROM t",
        "SELECT name FROM t, u",
        "SELECT name FROM t JOIN u ON t.n = u.n",
        "SELECT name FROM (SELECT * FROM t)",
        "WITH w AS (SELECT 1) SELECT * FROM w",
        "SELECT 1 UNION ALL SELECT 2",
        "SELECT name FROM t WHERE n IN (SELECT 1)",
        "INSERT INTO t (n) VALUES (1)",
        "DROP TABLE t",
        "SELECT 1; SELECT 2",
    ] {
        let error = run_with(sql, "[]").unwrap_err();
        assert!(error.message.contains("not supported here"), "{sql}: {error}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (sql, expected) in [
        ("SELECT", "Syntax error"),
        ("SELEC 1", "Syntax error"),
        ("SELECT nothing FROM t", "Unrecognized name: nothing"),
        ("SELECT n.b FROM t", "Unrecognized name: b"),
        ("SELECT name FROM t WHERE n = 'x'", "argument types: INTEGER, STRING"),
        ("SELECT name FROM t WHERE d = 'soon'", "Could not cast"),
        ("SELECT name FROM t WHERE n", "should be of type BOOL"),
        ("SELECT name FROM t WHERE tags = 't'", "No matching signature"),
        ("SELECT name FROM t ORDER BY r", "ORDER BY does not support"),
        ("SELECT name FROM t ORDER BY 3", "out of range"),
        ("SELECT name FROM t LIMIT -1", "LIMIT expects"),
    ] {
        let error = run_with(sql, "[]").unwrap_err();
        assert!(error.message.contains(expected), "{sql}: {error}");
    }
    let error = Statement::parse("SELECT 1 FROM t", "p", None).unwrap_err();
    assert!(error.message.contains("must be qualified"), "{error}");
}

#[test]
fn a_hostile_text_is_refused_in_bounded_time() {
    let deep = format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let nots = format!("SELECT {} TRUE", "NOT ".repeat(900));
    let long = format!("SELECT 1 FROM t WHERE {} TRUE", "TRUE AND ".repeat(100_000));
    let deeper = format!("SELECT {}1{}", "(".repeat(400), ")".repeat(400));
    for text in [deep, nots, long, deeper, "'".repeat(1_000), "SELECT `".to_owned()] {
        assert!(run_with(&text, "[]").is_err(), "{}", &text[..20]);
    }
    let chain = format!("SELECT count(*) FROM t WHERE {} TRUE", "TRUE AND ".repeat(400));
    assert_eq!(run(&chain), "4");
}

#[test]
fn what_no_answer_can_hold_is_refused_and_a_limit_keeps_memory_small() {
    let row = Row::from_kept(&schema(), &Json::trusted(ROWS[0]));
    let looked_at = |sql: &str, rows: usize| {
        let bound = Statement::parse(sql, "p", Some(&DatasetName::new("p", "d").unwrap()))
            .and_then(|statement| statement.bind(&schema(), None, 0))
            .unwrap();
        let mut found = bound.run();
        (0..rows).try_for_each(|_| found.look(&row, 1_000_000).map(drop)).map(|()| found.finish())
    };
    let most = crate::limits::QUERY_BYTES / 1_000_000;
    let refused = looked_at("SELECT n FROM t", most + 1).unwrap_err();
    assert_eq!(refused.reason, Some("responseTooLarge"));
    assert_eq!(looked_at("SELECT n FROM t ORDER BY n LIMIT 2", 5_000).unwrap().len(), 2);
}

//! Queries over a handful of documents.

use super::*;
use crate::firestore::Field;

const ROOT: &str = "projects/p/databases/(default)/documents";

fn json(text: &str) -> Value {
    Value::from_json(text.as_bytes()).unwrap()
}

/// `a` to `e` with a number each but `e`, and tags.
fn documents() -> Vec<(DocumentName, Document)> {
    let rows = [
        (
            "a",
            r#"{"n":{"integerValue":"3"},"tags":{"arrayValue":{"values":[{"stringValue":"x"}]}}}"#,
        ),
        ("b", r#"{"n":{"doubleValue":1.5},"s":{"stringValue":"two"}}"#),
        ("c", r#"{"n":{"integerValue":"1"},"s":{"nullValue":null}}"#),
        ("d", r#"{"n":{"stringValue":"text"},"s":{"doubleValue":"NaN"}}"#),
        ("e", r#"{"s":{"stringValue":"one"}}"#),
    ];
    let row = |(id, fields): (&str, &str)| {
        let fields = Field::read_fields(Some(&json(fields))).unwrap();
        let document = Document { fields, created: Micros(1), updated: Micros(1) };
        (DocumentName::read(&format!("{ROOT}/c/{id}")).unwrap(), document)
    };
    rows.map(row).to_vec()
}

fn query(rest: &str) -> Read<Query> {
    let text = format!(r#"{{"structuredQuery":{{"from":[{{"collectionId":"c"}}]{rest}}}}}"#);
    Query::read(Parent::read(ROOT).unwrap(), &json(&text))
}

/// The ids that a query finds, in order.
fn ids(rest: &str) -> String {
    let query = query(rest).unwrap();
    let mut found = query.run();
    for (name, document) in documents() {
        found.look(name, document, 100).unwrap();
    }
    let answer = found.finish(Micros(5));
    let id = |item: &Value| {
        let name = item.as_map()?.get("document")?.as_map()?.get("name")?.as_str()?;
        name.chars().last()
    };
    answer.as_list().unwrap().iter().filter_map(id).collect()
}

fn filter(field: &str, operator: &str, value: &str) -> String {
    format!(
        r#"{{"fieldFilter":{{"field":{{"fieldPath":"{field}"}},
        "op":"{operator}","value":{value}}}}}"#
    )
}

fn found(field: &str, operator: &str, value: &str) -> String {
    ids(&format!(r#","where":{}"#, filter(field, operator, value)))
}

#[test]
fn every_operator_finds_what_it_should() {
    let one = r#"{"integerValue":"1"}"#;
    assert_eq!(found("n", "EQUAL", r#"{"doubleValue":1.0}"#), "c");
    assert_eq!(found("n", "LESS_THAN", r#"{"integerValue":"3"}"#), "cb");
    assert_eq!(found("n", "LESS_THAN_OR_EQUAL", r#"{"integerValue":"3"}"#), "cba");
    assert_eq!(found("n", "GREATER_THAN", one), "ba");
    assert_eq!(found("n", "GREATER_THAN_OR_EQUAL", one), "cba");
    assert_eq!(found("n", "NOT_EQUAL", one), "bad");
    assert_eq!(found("s", "NOT_EQUAL", r#"{"stringValue":"two"}"#), "de");
    assert_eq!(found("tags", "ARRAY_CONTAINS", r#"{"stringValue":"x"}"#), "a");
    let list = r#"{"arrayValue":{"values":[{"integerValue":"1"},{"stringValue":"text"}]}}"#;
    assert_eq!(found("n", "IN", list), "cd");
    assert_eq!(found("n", "NOT_IN", list), "ba");
    let tags = r#"{"arrayValue":{"values":[{"stringValue":"x"},{"stringValue":"y"}]}}"#;
    assert_eq!(found("tags", "ARRAY_CONTAINS_ANY", tags), "a");
    let name = format!(r#"{{"referenceValue":"{ROOT}/c/b"}}"#);
    assert_eq!(found("__name__", "GREATER_THAN", &name), "cde");
}

#[test]
fn null_and_nan_are_equal_to_nothing() {
    for value in [r#"{"nullValue":null}"#, r#"{"doubleValue":"NaN"}"#] {
        for operator in ["EQUAL", "GREATER_THAN_OR_EQUAL", "LESS_THAN_OR_EQUAL"] {
            assert_eq!(found("s", operator, value), "", "{operator} {value}");
        }
        let list = format!(r#"{{"arrayValue":{{"values":[{value},{{"stringValue":"one"}}]}}}}"#);
        assert_eq!(found("s", "IN", &list), "e");
    }
    assert_eq!(found("s", "NOT_EQUAL", r#"{"nullValue":null}"#), "");
    assert_eq!(found("s", "NOT_EQUAL", r#"{"doubleValue":"NaN"}"#), "deb");
}

#[test]
fn a_query_by_name_is_over_when_it_has_enough() {
    let looked_at = |rest: &str| {
        let query = query(rest).unwrap();
        let mut found = query.run();
        let mut looked = 0;
        for (name, document) in documents() {
            if found.is_full() {
                break;
            }
            looked += 1;
            found.look(name, document, 100).unwrap();
        }
        looked
    };
    assert_eq!(looked_at(r#","offset":1,"limit":1"#), 2);
    assert_eq!(looked_at(r#","limit":0"#), 0);
    assert_eq!(looked_at(r#","limit":1,"orderBy":[{"field":{"fieldPath":"n"}}]"#), 5);
    assert_eq!(looked_at(""), 5);
}

#[test]
fn unary_and_composite_filters_hold() {
    let unary = |operator: &str| {
        let text = format!(
            r#","where":{{"unaryFilter":{{"field":{{"fieldPath":"s"}},"op":"{operator}"}}}}"#
        );
        ids(&text)
    };
    assert_eq!(unary("IS_NULL"), "c");
    assert_eq!(unary("IS_NAN"), "d");
    assert_eq!(unary("IS_NOT_NULL"), "deb");
    let both = |operator: &str| {
        let (one, two) = (
            filter("n", "EQUAL", r#"{"integerValue":"1"}"#),
            filter("s", "EQUAL", r#"{"nullValue":null}"#),
        );
        let three = filter("n", "EQUAL", r#"{"integerValue":"3"}"#);
        ids(&format!(
            r#","where":{{"compositeFilter":{{"op":"{operator}",
            "filters":[{one},{two},{three}]}}}}"#
        ))
    };
    assert_eq!(both("AND"), "");
    assert_eq!(both("OR"), "ac");
}

#[test]
fn documents_come_in_the_order_that_is_asked_for() {
    let by = |direction: &str| {
        format!(r#","orderBy":[{{"field":{{"fieldPath":"n"}},"direction":"{direction}"}}]"#)
    };
    assert_eq!(ids(""), "abcde");
    assert_eq!(ids(&by("ASCENDING")), "cbad");
    assert_eq!(ids(&by("DESCENDING")), "dabc");
    assert_eq!(ids(&format!(r#"{},"offset":1,"limit":{{"value":2}}"#, by("DESCENDING"))), "ab");
    assert_eq!(ids(r#","limit":0"#), "");
}

#[test]
fn cursors_cut_the_order() {
    let order = r#","orderBy":[{"field":{"fieldPath":"n"}}]"#;
    let cut = |cursor: &str| ids(&format!("{order}{cursor}"));
    let at = r#"{"values":[{"doubleValue":1.5}],"before":true}"#;
    let after = r#"{"values":[{"doubleValue":1.5}]}"#;
    assert_eq!(cut(&format!(r#","startAt":{at}"#)), "bad");
    assert_eq!(cut(&format!(r#","startAt":{after}"#)), "ad");
    assert_eq!(cut(&format!(r#","endAt":{at}"#)), "c");
    assert_eq!(cut(&format!(r#","endAt":{after}"#)), "cb");
}

#[test]
fn a_selection_shows_only_its_fields() {
    let query = query(r#","select":{"fields":[{"fieldPath":"s"}]},"limit":1,"offset":1"#).unwrap();
    let mut found = query.run();
    for (name, document) in documents() {
        found.look(name, document, 100).unwrap();
    }
    let expected = format!(
        concat!(
            r#"[{{"document":{{"name":"{}/c/b","fields":{{"s":{{"stringValue":"two"}}}},"#,
            r#""createTime":"1970-01-01T00:00:00.000001Z","#,
            r#""updateTime":"1970-01-01T00:00:00.000001Z"}},"#,
            r#""readTime":"1970-01-01T00:00:00.000005Z","skippedResults":1,"done":true}}]"#
        ),
        ROOT
    );
    assert_eq!(found.finish(Micros(5)).to_string(), expected);
}

#[test]
fn what_cannot_be_answered_is_refused() {
    for rest in [
        r#","limit":-1"#,
        r#","where":{}"#,
        r#","where":{"fieldFilter":{"field":{"fieldPath":"n"},"op":"LIKE",
            "value":{"nullValue":null}}}"#,
        r#","where":{"fieldFilter":{"field":{"fieldPath":"n"},"op":"IN",
            "value":{"nullValue":null}}}"#,
        r#","startAt":{"values":[{"nullValue":null},{"nullValue":null}]}"#,
        r#","findNearest":{}"#,
        r#","group":1"#,
        r#","orderBy":[{"field":{"fieldPath":"n"}},{"field":{"fieldPath":"n"}}]"#,
        r#","where":{"fieldFilter":{"field":{"fieldPath":"__name__"},"op":"EQUAL",
            "value":{"stringValue":"b"}}}"#,
    ] {
        assert!(query(rest).is_err(), "{rest}");
    }
    let nested =
        r#"{"compositeFilter":{"op":"AND","filters":["#.repeat(40) + "]}}".repeat(40).as_str();
    assert!(query(&format!(r#","where":{nested}"#)).is_ok());
}

#[test]
fn a_limit_keeps_memory_small() {
    let query = query(r#","limit":1"#).unwrap();
    let mut found = query.run();
    let (name, document) = documents().remove(0);
    for number in 0..5_000 {
        let name = DocumentName { id: format!("{number:04}"), ..name.clone() };
        found.look(name, document.clone(), 100_000).unwrap();
    }
    assert!(found.finish(Micros(5)).to_string().contains("/c/0000"));
}

#[test]
fn what_no_answer_can_hold_is_refused() {
    let query = query("").unwrap();
    let mut found = query.run();
    let (name, document) = documents().remove(0);
    let mut look = |number: usize| {
        let name = DocumentName { id: format!("{number:04}"), ..name.clone() };
        found.look(name, document.clone(), 1_000_000)
    };
    let most = QUERY_BYTES / 1_000_000;
    assert!((0..most).all(|number| look(number).is_ok()));
    let refused = look(most).unwrap_err();
    assert_eq!(refused.status, Status::ResourceExhausted);
    assert!(refused.message.ends_with("give it a limit"), "{refused}");
}

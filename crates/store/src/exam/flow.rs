//! Exams of the declared flow.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::{Declaration, Span};

use super::stage::{Must, Stage, json, name};
use crate::{Declared, Store};

fn plain(flow: &str) -> Declaration {
    Declaration::new(name(flow))
}

pub async fn a_declared_flow_reads_back_whole(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(stage.flow_list().await.must(), []);
    let whole = Declaration {
        about: "Resizes 'pictures'.".to_owned(),
        input_schema: json(r#"{"type":"object","required":["url"]}"#),
        params_schema: json("{}"),
        max_attempts: 7,
        timeout: Some(Span::from_millis(90_001)),
        lease: Span::from_secs(45),
        ..plain("resize")
    };
    assert_eq!(stage.flow_put(whole.clone()).await.must(), Declared::New);
    assert_eq!(stage.flow_list().await.must(), [whole]);
}

pub async fn a_declaration_takes_the_place_of_the_one_before(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.flow_put(plain("f")).await.must();
    assert_eq!(stage.flow_put(plain("f")).await.must(), Declared::Same);
    let longer = Declaration { lease: Span::from_secs(99), ..plain("f") };
    assert_eq!(stage.flow_put(longer.clone()).await.must(), Declared::Changed);
    assert_eq!(stage.flow_list().await.must(), [longer]);
}

pub async fn flows_are_listed_by_name(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for flow in ["b", "é", "B", "a"] {
        assert_eq!(stage.flow_put(plain(flow)).await.must(), Declared::New);
    }
    let listed = stage.flow_list().await.must();
    let names: Vec<_> = listed.iter().map(|flow| flow.name.as_str()).collect();
    assert_eq!(names, ["B", "a", "b", "é"]);
}

pub async fn a_forgotten_flow_is_gone(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.flow_put(plain("f")).await.must();
    assert!(!stage.flow_delete(&name("g")).await.must());
    assert!(stage.flow_delete(&name("f")).await.must());
    assert!(!stage.flow_delete(&name("f")).await.must());
    assert_eq!(stage.flow_list().await.must(), []);
}

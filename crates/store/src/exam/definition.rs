//! Exams of definitions and their revisions.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::Definition;
use jobmill_model::definition::{CallLogLevel, Change, Content, HistoryLevel, Place, Texts};
use jobmill_model::limits::PAGE_BYTES;

use super::stage::{Must, at, name};
use crate::{DefinitionPut, Deployed, PutMode, Store};

fn place() -> Place {
    Place { project: "shop".to_owned(), location: "here".to_owned() }
}

fn source(text: &str) -> Change {
    Change { source: Some(text.into()), ..Change::default() }
}

async fn put(store: &dyn Store, what: &str, mode: PutMode, change: Change, secs: i64) -> Deployed {
    let (suffix, now) = ("a4d".to_owned(), at(secs));
    let put = DefinitionPut { name: name(what), place: place(), change, mode, suffix, now };
    store.definition_put(put).await.must()
}

async fn deploy(store: &dyn Store, what: &str, change: Change, secs: i64) -> Definition {
    match put(store, what, PutMode::Either, change, secs).await {
        Deployed::Done(definition) => *definition,
        other => panic!("either mode deploys, got {other:?}"),
    }
}

pub async fn a_definition_reads_back_whole(store: Arc<dyn Store>) {
    let texts = |key: &str| Texts::from([(key.to_owned(), "é\u{0}\"".to_owned())]);
    let content = Content {
        source: "- a:\n    return: \"é\u{0}\"\n".into(),
        service_account: "me".to_owned(),
        env: texts("E"),
        description: "what\nfor".to_owned(),
        labels: texts("l"),
        call_log_level: CallLogLevel::ErrorsOnly,
        history_level: HistoryLevel::Basic,
    };
    let all = content.clone();
    let change = Change {
        source: Some(all.source),
        service_account: Some(all.service_account),
        env: Some(all.env),
        description: Some(all.description),
        labels: Some(all.labels),
        call_log_level: Some(all.call_log_level),
        history_level: Some(all.history_level),
    };
    let deployed = deploy(&*store, "orders", change, 1).await;
    assert_eq!((&deployed.content, &deployed.place), (&content, &place()));
    assert_eq!((deployed.revision.as_str(), deployed.created_at), ("000001-a4d", at(1)));
    assert_eq!(store.definition_get(&name("orders"), None).await.must(), Some(deployed));
    assert_eq!(store.definition_get(&name("other"), None).await.must(), None);
}

pub async fn it_is_created_once_and_updated_if_it_is_there(store: Arc<dyn Store>) {
    let put = |mode, secs| put(&*store, "orders", mode, source("a"), secs);
    assert_eq!(put(PutMode::Update, 1).await, Deployed::Unknown);
    assert!(matches!(put(PutMode::Create, 2).await, Deployed::Done(_)));
    assert_eq!(put(PutMode::Create, 3).await, Deployed::Exists);
    assert!(matches!(put(PutMode::Update, 4).await, Deployed::Done(_)));
    let now = store.definition_get(&name("orders"), None).await.must();
    assert_eq!(now.map(|it| (it.number, it.updated_at)), Some((1, at(2))));
}

pub async fn a_change_that_executions_notice_makes_a_revision(store: Arc<dyn Store>) {
    let one = deploy(&*store, "orders", source("a"), 1).await;
    let two = deploy(&*store, "orders", source("b"), 2).await;
    assert_eq!((two.number, two.created_at, two.revised_at), (2, at(1), at(2)));
    let get = async |id: Option<&str>| store.definition_get(&name("orders"), id).await.must();
    assert_eq!(get(None).await, Some(two.clone()));
    assert_eq!(get(Some(&one.revision.clone())).await, Some(one));
    assert_eq!(get(Some(&two.revision.clone())).await, Some(two));
    assert_eq!(get(Some("000001-bbb")).await, None);
    assert_eq!(get(Some("x")).await, None);
}

pub async fn other_changes_stay_on_the_revision(store: Arc<dyn Store>) {
    let one = deploy(&*store, "orders", source("a"), 1).await;
    let described = Change { description: Some("new".to_owned()), ..Change::default() };
    let same = deploy(&*store, "orders", described, 2).await;
    assert_eq!((same.number, same.updated_at, same.revised_at), (1, at(2), at(1)));
    let by_id = store.definition_get(&name("orders"), Some(&one.revision)).await.must();
    assert_eq!(by_id, Some(same.clone()));
    assert_eq!(store.revision_list(&name("orders"), None, 9).await.must(), [same]);
}

pub async fn revisions_are_listed_newest_first(store: Arc<dyn Store>) {
    for number in 1..=5 {
        deploy(&*store, "orders", source(&number.to_string()), number).await;
    }
    deploy(&*store, "other", source("x"), 9).await;
    let numbers = async |before, limit| {
        let listed = store.revision_list(&name("orders"), before, limit).await.must();
        listed.into_iter().map(|revision| revision.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(None, 9).await, [5, 4, 3, 2, 1]);
    assert_eq!(numbers(None, 2).await, [5, 4]);
    assert_eq!(numbers(Some(4), 2).await, [3, 2]);
    assert_eq!(numbers(Some(1), 2).await, [0; 0]);
    assert_eq!(store.revision_list(&name("nothing"), None, 9).await.must(), []);
}

pub async fn definitions_are_listed_by_name_in_pages(store: Arc<dyn Store>) {
    for (secs, what) in (1..).zip(["b", "a", "d", "c", "b"]) {
        deploy(&*store, what, source(&secs.to_string()), secs).await;
    }
    let page = async |after: Option<&str>, limit| {
        let page = store.definition_list(after.map(name).as_ref(), limit).await.must();
        let names = page.definitions.iter().map(|it| it.name.to_string()).collect::<Vec<_>>();
        (names.join(""), page.next.map(|next| next.to_string()))
    };
    assert_eq!(page(None, 3).await, ("abc".to_owned(), Some("c".to_owned())));
    assert_eq!(page(Some("c"), 3).await, ("d".to_owned(), None));
    assert_eq!(page(None, 4).await, ("abcd".to_owned(), None));
    assert_eq!(page(Some("z"), 4).await, (String::new(), None));
    let listed = store.definition_list(None, 9).await.must().definitions;
    assert_eq!(listed[1].number, 2, "at its present revision");
}

pub async fn a_page_of_large_sources_ends_early(store: Arc<dyn Store>) {
    let large = "x".repeat(PAGE_BYTES / 2 + 1);
    for what in ["a", "b", "c"] {
        deploy(&*store, what, source(&large), 1).await;
    }
    let page = store.definition_list(None, 9).await.must();
    assert_eq!((page.definitions.len(), page.next), (2, Some(name("b"))));
}

pub async fn a_deleted_definition_is_gone_and_begins_anew(store: Arc<dyn Store>) {
    deploy(&*store, "orders", source("a"), 1).await;
    let two = deploy(&*store, "orders", source("b"), 2).await;
    let other = deploy(&*store, "other", source("b"), 2).await;
    assert!(store.definition_delete(&name("orders")).await.must());
    assert!(!store.definition_delete(&name("orders")).await.must());
    assert_eq!(store.definition_get(&name("orders"), Some(&two.revision)).await.must(), None);
    assert_eq!(store.revision_list(&name("orders"), None, 9).await.must(), []);
    assert_eq!(store.definition_list(None, 9).await.must().definitions, [other]);
    let again = deploy(&*store, "orders", source("b"), 5).await;
    assert_eq!((again.number, again.created_at), (1, at(5)));
}

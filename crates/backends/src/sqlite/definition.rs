//! Definitions of workflows and their revisions.

use std::sync::Arc;

use async_trait::async_trait;
use jobmill_model::definition::{
    CallLogLevel, Content, Definition, HistoryLevel, Place, Texts, revision_number,
};
use jobmill_model::limits::PAGE_BYTES;
use jobmill_model::queue::Name;
use jobmill_model::{Map, Value};
use jobmill_store::{DefinitionPage, DefinitionPut, Definitions, Deployed, PutMode, Result};
use rusqlite::types::Type;
use rusqlite::{Row, params};

use super::SqliteStore;
use super::query::Query;
use super::reader::prepare;
use super::row;
use super::trouble::Outcome;
use super::txn::Txn;

#[async_trait]
impl Definitions for SqliteStore {
    async fn definition_put(&self, put: DefinitionPut) -> Result<Deployed> {
        let bytes = 1_024 + put.change.source.as_ref().map_or(0, |source| source.len());
        self.admit(put, deploy, bytes).await
    }

    async fn definition_get(
        &self,
        name: &Name,
        revision: Option<&str>,
    ) -> Result<Option<Definition>> {
        // Text that begins with no number is the id of no revision.
        let number = revision.map(|id| revision_number(id).map_or(-1, row::signed));
        let found = self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::DefinitionGet)?;
            let mut rows = statement.query(params![name.as_str(), number])?;
            rows.next()?.map(definition).transpose()
        })?;
        Ok(found.filter(|found| revision.is_none_or(|id| found.revision == id)))
    }

    async fn definition_list(&self, after: Option<&Name>, limit: usize) -> Result<DefinitionPage> {
        let after = after.map_or("", Name::as_str);
        self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::DefinitionList)?;
            let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
            let mut rows = statement.query(params![after, most])?;
            let mut page = DefinitionPage::default();
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                if page.definitions.len() == limit || bytes >= PAGE_BYTES {
                    page.next = page.definitions.last().map(|last| last.name.clone());
                    break;
                }
                let definition = definition(row)?;
                bytes += definition.content.source.len();
                page.definitions.push(definition);
            }
            Ok(page)
        })
    }

    async fn definition_delete(&self, name: &Name) -> Result<bool> {
        self.ask(name.clone(), delete, 0).await
    }

    async fn revision_list(
        &self,
        name: &Name,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Definition>> {
        let before = before.map_or(i64::MAX, row::signed);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::RevisionList)?;
            let rows = statement.query_map(params![name.as_str(), before, limit], definition)?;
            rows.collect()
        })
    }
}

fn deploy(tx: &mut Txn<'_>, put: &DefinitionPut) -> Outcome<Deployed> {
    let DefinitionPut { name, place, change, mode, suffix, now } = put;
    let any: Option<i64> = None;
    let present = tx.first(Query::DefinitionGet, params![name.as_str(), any], definition)?;
    let next = match (&present, mode) {
        (Some(_), PutMode::Create) => return Ok(Deployed::Exists),
        (None, PutMode::Update) => return Ok(Deployed::Unknown),
        (Some(present), _) => present.changed(change, suffix, *now),
        (None, _) => Definition::first(name, place, change, suffix, *now),
    };
    if present.as_ref() != Some(&next) {
        write(tx, &next)?;
    }
    Ok(Deployed::Done(Box::new(next)))
}

fn write(tx: &mut Txn<'_>, next: &Definition) -> Outcome<()> {
    let (name, number) = (next.name.as_str(), row::signed(next.number));
    let Place { project, location } = &next.place;
    let created_at = next.created_at.as_millis();
    tx.execute(Query::DefinitionPut, params![name, number, project, location, created_at])?;
    let (updated_at, revised_at) = (next.updated_at.as_millis(), next.revised_at.as_millis());
    let (options, source) = (options(&next.content), &*next.content.source);
    tx.execute(
        Query::RevisionPut,
        params![name, number, next.revision, updated_at, revised_at, options, source],
    )?;
    Ok(())
}

fn delete(tx: &mut Txn<'_>, name: &Name) -> Outcome<bool> {
    tx.execute(Query::RevisionDelete, [name.as_str()])?;
    Ok(tx.execute(Query::DefinitionDelete, [name.as_str()])? > 0)
}

fn definition(row: &Row<'_>) -> rusqlite::Result<Definition> {
    let options: String = row.get(8)?;
    let source: Arc<str> = row.get(9)?;
    let content = content(&options, source).ok_or_else(|| {
        let why = "not the options of a definition".into();
        rusqlite::Error::FromSqlConversionFailure(8, Type::Text, why)
    })?;
    Ok(Definition {
        name: row::name(row, 0)?,
        place: Place { project: row.get(1)?, location: row.get(2)? },
        created_at: row::time(row, 3)?,
        number: row::unsigned(row, 4)?,
        revision: row.get(5)?,
        updated_at: row::time(row, 6)?,
        revised_at: row::time(row, 7)?,
        content,
    })
}

/// The stored text of what is deployed besides the source; what is empty is left out.
fn options(content: &Content) -> String {
    let mut map = Map::new();
    let mut put = |name: &'static str, value: Value, is_empty: bool| {
        if !is_empty {
            map.insert(name, value);
        }
    };
    let texts = |texts: &Texts| {
        Value::map(texts.iter().map(|(key, value)| (key.as_str(), value.as_str().into())))
    };
    let account = &content.service_account;
    put("service_account", account.as_str().into(), account.is_empty());
    put("env", texts(&content.env), content.env.is_empty());
    put("description", content.description.as_str().into(), content.description.is_empty());
    put("labels", texts(&content.labels), content.labels.is_empty());
    let (calls, history) = (content.call_log_level, content.history_level);
    put("call_log_level", calls.as_str().into(), calls == CallLogLevel::default());
    put("history_level", history.as_str().into(), history == HistoryLevel::default());
    Value::from(map).to_string()
}

/// Reads what [`options`] writes; nothing for any other text.
fn content(options: &str, source: Arc<str>) -> Option<Content> {
    let mut content = Content { source, ..Content::default() };
    let value = Value::from_json(options.as_bytes()).ok()?;
    let texts = |value: &Value| -> Option<Texts> {
        let entry =
            |(key, value): (&Arc<str>, &Value)| Some((key.to_string(), value.as_str()?.to_owned()));
        value.as_map()?.iter().map(entry).collect()
    };
    for (key, value) in value.as_map()?.iter() {
        match &**key {
            "service_account" => content.service_account = value.as_str()?.to_owned(),
            "env" => content.env = texts(value)?,
            "description" => content.description = value.as_str()?.to_owned(),
            "labels" => content.labels = texts(value)?,
            "call_log_level" => content.call_log_level = CallLogLevel::of(value.as_str()?)?,
            "history_level" => content.history_level = HistoryLevel::of(value.as_str()?)?,
            _ => return None,
        }
    }
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stored text of everything that can be deployed; a change here breaks existing data.
    #[test]
    fn what_is_deployed_is_stored_as_this_text() {
        let texts = |key: &str| Texts::from([(key.to_owned(), "v".to_owned())]);
        let whole = Content {
            source: "s".into(),
            service_account: "a".to_owned(),
            env: texts("E"),
            description: "d".to_owned(),
            labels: texts("l"),
            call_log_level: CallLogLevel::Nothing,
            history_level: HistoryLevel::Detailed,
        };
        let text = options(&whole);
        assert_eq!(
            text,
            concat!(
                r#"{"service_account":"a","env":{"E":"v"},"description":"d","labels":{"l":"v"},"#,
                r#""call_log_level":"LOG_NONE","history_level":"EXECUTION_HISTORY_DETAILED"}"#
            )
        );
        assert_eq!(content(&text, "s".into()), Some(whole));
        assert_eq!(options(&Content::default()), "{}");
        assert_eq!(content(r#"{"other":1}"#, "s".into()), None);
    }
}

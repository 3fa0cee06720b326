//! BigQuery, from the store: datasets and tables are documents, rows are rows.

use jobmill_google::bigquery::resource::{self, Facts};
use jobmill_google::bigquery::{DatasetName, Instants, Row, Schema, TableName, check_rows};
use jobmill_google::discovery::Operation;
use jobmill_google::limits::INSERT_ID_MILLIS;
use jobmill_google::wire::read::{self, Read};
use jobmill_google::wire::{Error, Status};
use jobmill_model::{Json, Timestamp, Value};
use jobmill_store::{Document, DocumentName, DocumentQuery, NewRow, RowInsert, RowsInserted};

use super::documents::{self, json_part, part};
use super::firestore::drawn;
use super::{Asked, aside, of_store, query};
use crate::engine::Shared;

/// Rows of a page when the caller does not say, and the most of one.
const LISTED_ROWS: u64 = 10_000;
/// A page of rows ends when they come to this size.
const PAGE_BYTES: usize = 8 * 1024 * 1024;
/// Datasets and tables of a page, at most and when the caller does not say.
const LISTED: u64 = 1_000;
/// Rows that are removed in one step.
const SWEPT_ROWS: usize = 1_000;

pub(super) async fn answer(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    match asked.call.method.operation {
        Operation::DatasetInsert => dataset_insert(shared, asked).await,
        Operation::DatasetGet => dataset_get(shared, asked).await,
        Operation::DatasetList => dataset_list(shared, asked).await,
        Operation::DatasetDelete => dataset_delete(shared, asked).await,
        Operation::TableInsert => table_insert(shared, asked).await,
        Operation::TableGet => table_get(shared, asked).await,
        Operation::TableList => table_list(shared, asked).await,
        Operation::TableDelete => {
            table_delete(shared, &table_name(asked)?, asked.now).await?;
            Ok(Value::map::<&str>([]))
        }
        Operation::RowInsert => row_insert(shared, asked).await,
        Operation::RowList => row_list(shared, asked).await,
        Operation::QueryRun => query::run(shared, asked).await,
        Operation::QueryResults => query::results(shared, asked).await,
        Operation::JobInsert => query::job_insert(shared, asked).await,
        Operation::JobGet => query::job_get(shared, asked).await,
        _ => Err(Error::new(Status::Internal, "the method belongs to another service")),
    }
}

fn dataset_name(asked: &Asked<'_>) -> Read<DatasetName> {
    DatasetName::new(asked.call.needed("projectId")?, asked.call.needed("datasetId")?)
}

fn table_name(asked: &Asked<'_>) -> Read<TableName> {
    dataset_name(asked)?.table(asked.call.needed("tableId")?)
}

fn datasets_of(project: &str) -> String {
    format!("bigquery/projects/{project}")
}

fn tables_of(dataset: &DatasetName) -> String {
    format!("bigquery/projects/{}/datasets/{}", dataset.project, dataset.dataset)
}

fn dataset_key(name: &DatasetName) -> DocumentName {
    let (collection, parent) = ("datasets".to_owned(), datasets_of(&name.project));
    DocumentName { collection, parent, id: name.dataset.clone() }
}

fn table_key(name: &TableName) -> DocumentName {
    let (collection, parent) = ("tables".to_owned(), tables_of(&name.dataset));
    DocumentName { collection, parent, id: name.table.clone() }
}

/// Names a set of rows whose table is gone.
fn litter_key(set: &str) -> DocumentName {
    let (collection, parent) = ("litter".to_owned(), "bigquery".to_owned());
    DocumentName { collection, parent, id: set.to_owned() }
}

fn already(what: &str, name: &dyn std::fmt::Display) -> Error {
    Error::new(Status::AlreadyExists, format!("Already Exists: {what} {name}")).because("duplicate")
}

fn facts(document: &Document, rows: u64, bytes: u64) -> Facts {
    let at = |micros: i64| Timestamp::from_millis(micros / 1_000);
    Facts { created: at(document.created), updated: at(document.updated), rows, bytes }
}

fn dataset_content(document: &Document, tables: i64) -> Value {
    Value::map([("resource", part(document, "resource")), ("tables", tables.into())])
}

fn dataset_value(name: &DatasetName, document: &Document) -> Value {
    resource::dataset_value(name, &json_part(document, "resource"), &facts(document, 0, 0))
}

async fn dataset_insert(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let project = asked.call.needed("projectId")?;
    let (name, kept) = resource::read_dataset(project, &asked.call.body)?;
    let kept = kept.to_value().unwrap_or_default();
    let content = Value::map([("resource", kept), ("tables", Value::Int(0))]);
    let new = documents::new(&content, asked.now);
    let (created, shown) = (new.clone(), name.clone());
    documents::commit(shared, vec![dataset_key(&name)], move |present| match present {
        [Some(_)] => Err(already("Dataset", &shown)),
        _ => Ok(vec![Some(new.clone())]),
    })
    .await?;
    Ok(dataset_value(&name, &created))
}

async fn dataset_get(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let name = dataset_name(asked)?;
    let found = documents::get(shared, &dataset_key(&name)).await?;
    let document = found.ok_or_else(|| name.missing())?;
    Ok(dataset_value(&name, &document))
}

/// A page of a collection, and where the next one begins.
async fn page(
    shared: &Shared,
    asked: &Asked<'_>,
    collection: &str,
    parent: String,
) -> Read<(Vec<(DocumentName, Document)>, Option<String>)> {
    let most = asked.call.number("maxResults")?.unwrap_or(LISTED).clamp(1, LISTED) as usize;
    let token = asked.call.text("pageToken")?.filter(|token| !token.is_empty());
    let query = DocumentQuery {
        collection: collection.to_owned(),
        after: token.map(|id| (parent.clone(), id.to_owned())),
        parent,
        descendants: false,
        limit: most + 1,
        bytes: PAGE_BYTES,
    };
    let mut page = shared.store.document_list(&query).await.map_err(|error| of_store(&error))?;
    let more = page.len() > most;
    page.truncate(most);
    let next = page.last().filter(|_| more).map(|(name, _)| name.id.clone());
    Ok((page, next))
}

async fn dataset_list(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let project = asked.call.needed("projectId")?;
    let (page, next) = page(shared, asked, "datasets", datasets_of(project)).await?;
    let item = |(key, document): &(DocumentName, Document)| {
        let name = DatasetName::new(project, &key.id)?;
        Ok(listed(&dataset_value(&name, document), &["datasetReference", "labels", "location"]))
    };
    let items = page.iter().map(item).collect::<Read<Vec<_>>>()?;
    let kind = ("kind", Value::from("bigquery#datasetList"));
    let items = ("datasets", Value::from(items));
    let next = next.map(|next| ("nextPageToken", Value::from(next)));
    Ok(Value::map([Some(kind), Some(items), next].into_iter().flatten()))
}

/// What a list shows of a resource.
fn listed(value: &Value, more: &[&str]) -> Value {
    let names = ["kind", "id", "type", "friendlyName", "creationTime"];
    let map = value.as_map();
    let shown = names.iter().chain(more);
    Value::map(shown.filter_map(|name| Some((*name, map?.get(name)?.clone()))))
}

async fn dataset_delete(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let name = dataset_name(asked)?;
    let contents = read::flag(asked.call.params.get("deleteContents"), "deleteContents")?;
    if contents {
        loop {
            let (page, _) = page(shared, asked, "tables", tables_of(&name)).await?;
            if page.is_empty() {
                break;
            }
            for (key, _) in page {
                table_delete(shared, &name.table(&key.id)?, asked.now).await?;
            }
        }
    }
    let shown = name.clone();
    documents::commit(shared, vec![dataset_key(&name)], move |present| match present {
        [Some(document)] if part(document, "tables").as_int() == Some(0) => Ok(vec![None]),
        [Some(_)] => {
            let text = format!("Dataset {shown} is still in use");
            Err(Error::new(Status::InvalidArgument, text).because("resourceInUse"))
        }
        _ => Err(shown.missing()),
    })
    .await?;
    Ok(Value::map::<&str>([]))
}

async fn table_insert(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let dataset = dataset_name(asked)?;
    let (name, kept) = resource::read_table(&dataset, &asked.call.body)?;
    let kept = kept.to_value().unwrap_or_default();
    let content = Value::map([("resource", kept), ("rows", drawn(shared).into())]);
    let new = documents::new(&content, asked.now);
    let (created, shown) = (new.clone(), name.clone());
    let names = vec![dataset_key(&dataset), table_key(&name)];
    documents::commit(shared, names, move |present| match present {
        [Some(_), Some(_)] => Err(already("Table", &shown)),
        [Some(document), None] => {
            let tables = part(document, "tables").as_int().unwrap_or(0) + 1;
            let content = dataset_content(document, tables).to_json();
            Ok(vec![Some(Document { content, ..document.clone() }), Some(new.clone())])
        }
        _ => Err(shown.dataset.missing()),
    })
    .await?;
    table_value(shared, &name, &created).await
}

/// A table that is there.
pub(super) struct Table {
    pub(super) name: TableName,
    pub(super) document: Document,
    pub(super) schema: Schema,
    /// The name of its rows.
    pub(super) set: String,
}

pub(super) async fn table(shared: &Shared, name: TableName) -> Read<Table> {
    let names = [dataset_key(&name.dataset), table_key(&name)];
    let found = shared.store.document_get(&names).await.map_err(|error| of_store(&error))?;
    let document = match &found[..] {
        [None, _] => return Err(name.dataset.missing()),
        [_, Some(document)] => document.clone(),
        _ => return Err(name.missing()),
    };
    let schema = resource::schema_of(&json_part(&document, "resource"))?;
    let set = part(&document, "rows").as_str().unwrap_or_default().to_owned();
    Ok(Table { name, document, schema, set })
}

async fn table_value(shared: &Shared, name: &TableName, document: &Document) -> Read<Value> {
    let set = part(document, "rows");
    let extent = shared.store.row_extent(set.as_str().unwrap_or_default()).await;
    let extent = extent.map_err(|error| of_store(&error))?;
    let facts = facts(document, extent.rows, extent.bytes);
    Ok(resource::table_value(name, &json_part(document, "resource"), &facts))
}

async fn table_get(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let table = table(shared, table_name(asked)?).await?;
    table_value(shared, &table.name, &table.document).await
}

async fn table_list(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let dataset = dataset_name(asked)?;
    if documents::get(shared, &dataset_key(&dataset)).await?.is_none() {
        return Err(dataset.missing());
    }
    let (page, next) = page(shared, asked, "tables", tables_of(&dataset)).await?;
    let item = |(key, document): &(DocumentName, Document)| {
        let content = json_part(document, "resource");
        let name = dataset.table(&key.id)?;
        let value = resource::table_value(&name, &content, &facts(document, 0, 0));
        Ok(listed(&value, &["tableReference", "labels"]))
    };
    let items = page.iter().map(item).collect::<Read<Vec<_>>>()?;
    let total = Value::from(items.len());
    let next = next.map(|next| ("nextPageToken", Value::from(next)));
    let entries = [
        Some(("kind", "bigquery#tableList".into())),
        Some(("tables", Value::from(items))),
        Some(("totalItems", total)),
        next,
    ];
    Ok(Value::map(entries.into_iter().flatten()))
}

async fn table_delete(shared: &Shared, name: &TableName, now: Timestamp) -> Read<()> {
    let Table { document, set, .. } = table(shared, name.clone()).await?;
    let (created, shown) = (document.created, name.clone());
    let litter = documents::new(&Value::Null, now);
    let names = vec![dataset_key(&name.dataset), table_key(name), litter_key(&set)];
    documents::commit(shared, names, move |present| match present {
        [Some(dataset), Some(table), _] if table.created == created => {
            let tables = part(dataset, "tables").as_int().unwrap_or(1) - 1;
            let content = dataset_content(dataset, tables).to_json();
            let dataset = Document { content, ..dataset.clone() };
            Ok(vec![Some(dataset), None, Some(litter.clone())])
        }
        _ => Err(shown.missing()),
    })
    .await?;
    clear(shared, &set).await
}

/// Removes the rows of a table that is gone, and then its name.
async fn clear(shared: &Shared, set: &str) -> Read<()> {
    let sweep = || shared.store.row_sweep(set, SWEPT_ROWS);
    while sweep().await.map_err(|error| of_store(&error))?.more {}
    documents::commit(shared, vec![litter_key(set)], |_| Ok(vec![None])).await?;
    Ok(())
}

/// Goes on with what a crash has interrupted.
pub(super) async fn sweep(shared: &Shared) -> Read<()> {
    let query = DocumentQuery {
        collection: "litter".to_owned(),
        parent: "bigquery".to_owned(),
        descendants: false,
        after: None,
        limit: SWEPT_ROWS,
        bytes: PAGE_BYTES,
    };
    let found = shared.store.document_list(&query).await.map_err(|error| of_store(&error))?;
    for (name, _) in found {
        clear(shared, &name.id).await?;
    }
    Ok(())
}

async fn row_insert(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let table = table(shared, table_name(asked)?).await?;
    let (rows, errors) = check_rows(&table.schema, &asked.call.body)?;
    let lately = Timestamp::from_millis(asked.now.as_millis() - INSERT_ID_MILLIS);
    let row = |(place, (id, content)): (usize, (Option<String>, _))| match (id, asked.key) {
        (Some(id), _) => NewRow { insert_id: Some(id), known_since: lately, content },
        // A workflow's call that is repeated after a crash adds nothing.
        (None, Some(key)) => {
            let insert_id = Some(format!("{key}#{place}"));
            NewRow { insert_id, known_since: Timestamp::EPOCH, content }
        }
        (None, None) => NewRow { insert_id: None, known_since: lately, content },
    };
    let rows: Vec<_> = rows.into_iter().enumerate().map(row).collect();
    if !rows.is_empty() {
        let guard = (table_key(&table.name), table.document.created);
        let insert = RowInsert { set: table.set, guard, rows, at: asked.now };
        match shared.store.row_insert(insert).await.map_err(|error| of_store(&error))? {
            RowsInserted::Done(_) => {}
            RowsInserted::Unguarded => return Err(table.name.missing()),
        }
    }
    Ok(errors.to_value())
}

async fn row_list(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let call = asked.call;
    let table = table(shared, table_name(asked)?).await?;
    let most = call.number("maxResults")?.unwrap_or(LISTED_ROWS).min(LISTED_ROWS);
    let after = match call.number("pageToken") {
        Ok(Some(after)) => after,
        Ok(None) => call.number("startIndex")?.unwrap_or(0),
        Err(_) => return Err(Error::invalid("Invalid page token").because("invalid")),
    };
    let extent = shared.store.row_extent(&table.set).await.map_err(|error| of_store(&error))?;
    let rows = match most {
        0 => Vec::new(),
        most => shared
            .store
            .row_list(&table.set, after, most as usize, PAGE_BYTES)
            .await
            .map_err(|error| of_store(&error))?,
    };
    let places = selected(call.text("selectedFields")?, &table.schema)?;
    let instants = instants(asked)?;
    let schema = table.schema;
    let value = move |content: &Json| {
        let Row(cells) = Row::from_kept(&schema, content);
        match &places {
            None => Row(cells).to_value(instants),
            Some(places) => {
                let chosen = places.iter().filter_map(|place| cells.get(*place).cloned());
                Row(chosen.collect()).to_value(instants)
            }
        }
    };
    let last = rows.last().map_or(after, |(number, _)| *number);
    let next = (last < extent.rows).then(|| ("pageToken", Value::from(last.to_string())));
    let rows = aside(move || Ok(Value::list(rows.iter().map(|(_, content)| value(content)))));
    let entries = [
        Some(("kind", "bigquery#tableDataList".into())),
        Some(("totalRows", extent.rows.to_string().into())),
        next,
        Some(("rows", rows.await?)),
    ];
    Ok(Value::map(entries.into_iter().flatten()))
}

pub(super) fn instants(asked: &Asked<'_>) -> Read<Instants> {
    let name = "formatOptions.useInt64Timestamp";
    let micros = read::flag(asked.call.params.get(name), name)?;
    Ok(if micros { Instants::Micros } else { Instants::Seconds })
}

/// The places of the columns that are asked for.
fn selected(fields: Option<&str>, schema: &Schema) -> Read<Option<Vec<usize>>> {
    let Some(fields) = fields.filter(|fields| !fields.is_empty()) else { return Ok(None) };
    let place = |name: &str| {
        let name = name.trim();
        let missing = || Error::invalid(format!("no such field: {name}")).because("invalid");
        schema.position(name).ok_or_else(missing)
    };
    let mut places = fields.split(',').map(place).collect::<Read<Vec<_>>>()?;
    places.sort_unstable();
    Ok(Some(places))
}

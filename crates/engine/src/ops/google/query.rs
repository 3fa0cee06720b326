//! Queries over tables, and the jobs that remember them.
//!
//! A job keeps the query and how far its table reached, not its rows: rows are only ever appended,
//! so the same query over the same rows gives the same answer, page by page.

use std::sync::Arc;

use jobmill_google::bigquery::Row;
use jobmill_google::bigquery::sql::{Answered, Request};
use jobmill_google::wire::Error;
use jobmill_google::wire::read::Read;
use jobmill_model::{Timestamp, Value};
use jobmill_store::{Document, DocumentName, DocumentQuery, StoreError};

use super::bigquery::{self, instants};
use super::documents::{self, part};
use super::firestore::drawn;
use super::{Asked, aside, check_time, of_store};
use crate::engine::Shared;

/// Rows are read in pages of so many, and of about so much text.
const PAGE: usize = 1_000;
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Rows of an answer when the caller does not say.
const ANSWERED: u64 = 10_000;
/// How long a query's job is remembered at least.
const DAY_MILLIS: i64 = 86_400_000;
const QUERIES: &str = "bigquery-queries";

/// What a query found, and how far its table reached.
async fn run_over(
    shared: &Shared,
    asked: &Asked<'_>,
    request: &Request,
    upto: Option<u64>,
    now: Timestamp,
) -> Read<(Answered, u64)> {
    let table = match &request.statement.table {
        None => None,
        Some(name) => Some(bigquery::table(shared, name.clone()).await?),
    };
    let schema = table.as_ref().map(|table| table.schema.clone()).unwrap_or_default();
    let parameters = request.parameters.as_ref();
    let bound = request.statement.bind(&schema, parameters, now.as_millis() * 1_000)?;
    let _turn = shared.queries.acquire().await;
    let mut found = bound.run();
    let mut reached = 0;
    match table {
        None => drop(found.look(&Row(Vec::new()), 1)?),
        Some(table) => {
            let extent = shared.store.row_extent(&table.set).await;
            let rows = extent.map_err(|error| of_store(&error))?.rows;
            reached = upto.unwrap_or(rows).min(rows);
            let mut after = 0;
            let schema = Arc::new(schema);
            while after < reached && !request.dry_run {
                check_time(shared, asked)?;
                let page = shared.store.row_list(&table.set, after, PAGE, PAGE_BYTES).await;
                let page = page.map_err(|error| of_store(&error))?;
                let Some((last, _)) = page.last() else { break };
                after = *last;
                let schema = schema.clone();
                let look = move || {
                    for (_, content) in page.iter().filter(|(number, _)| *number <= reached) {
                        let row = Row::from_kept(&schema, content);
                        if !found.look(&row, content.as_str().len())? {
                            return Ok((found, false));
                        }
                    }
                    Ok((found, true))
                };
                let wants_more;
                (found, wants_more) = aside(look).await?;
                if !wants_more {
                    break;
                }
            }
        }
    }
    let (schema, rows) = (bound.schema(), aside(move || Ok(found.finish())).await?);
    let answered = Answered { project: String::new(), job_id: String::new(), schema, rows };
    Ok((answered, reached))
}

fn key(project: &str, day: i64, id: &str) -> DocumentName {
    let parent = format!("{QUERIES}/{day:08}/{project}");
    DocumentName { collection: "queries".to_owned(), parent, id: id.to_owned() }
}

fn day(now: Timestamp) -> i64 {
    now.as_millis() / DAY_MILLIS
}

async fn remember(
    shared: &Shared,
    asked: &Asked<'_>,
    request: &Request,
    id: &str,
    reached: u64,
) -> Read<()> {
    let project = asked.call.needed("projectId")?;
    let content = Value::map([("query", request.to_value()), ("rows", reached.into())]);
    let new = documents::new(&content, asked.now);
    let (shown, repeats) = (format!("{project}:{id}"), asked.key.is_some());
    let name = key(project, day(asked.now), id);
    documents::commit(shared, vec![name], move |present| match present {
        [Some(known)] if repeats => Ok(vec![Some(known.clone())]),
        [Some(_)] => Err(Error::new(
            jobmill_google::wire::Status::AlreadyExists,
            format!("Already Exists: Job {shown}"),
        )
        .because("duplicate")),
        _ => Ok(vec![Some(new.clone())]),
    })
    .await?;
    Ok(())
}

/// A query's job of today or yesterday.
async fn recall(shared: &Shared, asked: &Asked<'_>) -> Read<(String, Document)> {
    let (project, id) = (asked.call.needed("projectId")?, asked.call.needed("jobId")?);
    for day in [day(asked.now), day(asked.now) - 1] {
        if let Some(document) = documents::get(shared, &key(project, day, id)).await? {
            return Ok((project.to_owned(), document));
        }
    }
    Err(Error::not_found(format!("Not found: Job {project}:{id}")).because("notFound"))
}

fn made_up(shared: &Shared, asked: &Asked<'_>) -> String {
    let unique = asked.key.map_or_else(|| drawn(shared), str::to_owned);
    format!("job_{unique}")
}

/// `jobs.query`
pub(super) async fn run(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let project = asked.call.needed("projectId")?;
    let request = Request::read_query(project, &asked.call.body)?;
    let (answered, reached) = run_over(shared, asked, &request, None, asked.now).await?;
    let id = made_up(shared, asked);
    if !request.dry_run {
        remember(shared, asked, &request, &id, reached).await?;
    }
    let answered = Answered { project: project.to_owned(), job_id: id, ..answered };
    let most = usize::try_from(request.max_results.unwrap_or(ANSWERED)).unwrap_or(usize::MAX);
    Ok(answered.page("bigquery#queryResponse", 0, most, request.instants))
}

/// `jobs.insert`: the query is checked against its table now, and answered when it is asked for.
pub(super) async fn job_insert(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let project = asked.call.needed("projectId")?;
    let request = Request::read_job(project, &asked.call.body)?;
    let (_, reached) = run_over(shared, asked, &request, None, asked.now).await?;
    let id = request.job_id.clone().unwrap_or_else(|| made_up(shared, asked));
    if !request.dry_run {
        remember(shared, asked, &request, &id, reached).await?;
    }
    Ok(Request::job_value(project, &id, &request.to_value(), asked.now.as_millis()))
}

/// `jobs.get`
pub(super) async fn job_get(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let (project, document) = recall(shared, asked).await?;
    let id = asked.call.needed("jobId")?;
    Ok(Request::job_value(&project, id, &part(&document, "query"), document.created / 1_000))
}

/// `jobs.getQueryResults`
pub(super) async fn results(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let call = asked.call;
    let (project, document) = recall(shared, asked).await?;
    let request = Request::read_query(&project, &part(&document, "query"))?;
    let upto = part(&document, "rows").as_int().and_then(|rows| u64::try_from(rows).ok());
    let then = Timestamp::from_millis(document.created / 1_000);
    let (answered, _) = run_over(shared, asked, &request, upto, then).await?;
    let answered = Answered { project, job_id: call.needed("jobId")?.to_owned(), ..answered };
    let from = match call.number("pageToken") {
        Ok(Some(from)) => from,
        Ok(None) => call.number("startIndex")?.unwrap_or(0),
        Err(_) => return Err(Error::invalid("Invalid page token").because("invalid")),
    };
    let most = call.number("maxResults")?.unwrap_or(ANSWERED);
    let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let kind = "bigquery#getQueryResultsResponse";
    Ok(answered.page(kind, place(from), place(most), instants(asked)?))
}

/// Forgets queries of the days before yesterday, and removes rows of tables that are gone.
pub(crate) async fn sweep(shared: &Shared) -> Result<(), StoreError> {
    let oldest = format!("{QUERIES}/{:08}", day(shared.clock.now()) - 1);
    loop {
        let query = DocumentQuery {
            collection: "queries".to_owned(),
            parent: QUERIES.to_owned(),
            descendants: true,
            after: None,
            limit: 100,
            bytes: PAGE_BYTES,
        };
        let found = shared.store.document_list(&query).await?;
        let old = found.into_iter().map(|(name, _)| name).filter(|name| name.parent < oldest);
        let old: Vec<_> = old.collect();
        if old.is_empty() {
            break;
        }
        let count = old.len();
        let gone = documents::commit(shared, old, move |_| Ok(vec![None; count])).await;
        if gone.is_err() {
            break;
        }
    }
    // What could not be removed now is found again by the next round.
    let _ = bigquery::sweep(shared).await;
    Ok(())
}

//! A query as `jobs.query` and `jobs.insert` ask for it, and the answers.

use jobmill_model::{Map, Value};

use super::Statement;
use crate::bigquery::cell::Instants;
use crate::bigquery::resource::{DatasetName, LOCATION};
use crate::bigquery::row::Row;
use crate::bigquery::schema::Schema;
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// What a query asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its text.
    pub sql: String,
    /// The text taken apart.
    pub statement: Statement,
    /// Its parameters, as they were sent.
    pub parameters: Option<Value>,
    /// The id that the caller chose for its job.
    pub job_id: Option<String>,
    /// How many rows of the answer are wanted at once.
    pub max_results: Option<u64>,
    /// Only to be checked.
    pub dry_run: bool,
    /// How timestamps are answered.
    pub instants: Instants,
}

impl Request {
    /// Reads the body of `jobs.query`.
    ///
    /// # Errors
    /// Anything else, and a query beyond the subset.
    pub fn read_query(project: &str, body: &Value) -> Read<Self> {
        let body = read::object(body, "body")?;
        let most = read::integer_or(body.get("maxResults"), "maxResults")?;
        Ok(Self {
            max_results: most.and_then(|most| u64::try_from(most).ok()),
            dry_run: read::flag(body.get("dryRun"), "dryRun")?,
            instants: instants(body.get("formatOptions"))?,
            ..Self::read(project, body)?
        })
    }

    /// Reads the body of `jobs.insert`, which must be a query.
    ///
    /// # Errors
    /// Anything else, and a query beyond the subset.
    pub fn read_job(project: &str, body: &Value) -> Read<Self> {
        let body = read::object(body, "body")?;
        let nothing = Value::map::<&str>([]);
        let configuration = body.get("configuration").unwrap_or(&nothing);
        let configuration = read::object(configuration, "configuration")?;
        for other in ["load", "extract", "copy"] {
            if configuration.get(other).is_some_and(|value| *value != Value::Null) {
                let text = format!("jobs of the kind {other} are not supported here; queries are");
                return Err(Error::unimplemented(text).because("notImplemented"));
            }
        }
        let query = configuration.get("query").unwrap_or(&nothing);
        let query = read::object(query, "configuration.query")?;
        for other in ["destinationTable", "destinationEncryptionConfiguration"] {
            if query.get(other).is_some_and(|value| *value != Value::Null) {
                let text = format!("a query with {other} is not supported here");
                return Err(Error::unimplemented(text).because("notImplemented"));
            }
        }
        let reference = body.get("jobReference").unwrap_or(&nothing);
        let reference = read::object(reference, "jobReference")?;
        let job_id = read::text_or(reference.get("jobId"), "jobId")?.filter(|id| !id.is_empty());
        if let Some(id) = job_id {
            check_job_id(id)?;
        }
        Ok(Self {
            job_id: job_id.map(str::to_owned),
            dry_run: read::flag(configuration.get("dryRun"), "dryRun")?,
            ..Self::read(project, query)?
        })
    }

    fn read(project: &str, map: &Map) -> Read<Self> {
        let sql = read::text_or(map.get("query"), "query")?.unwrap_or_default();
        if sql.trim().is_empty() {
            let text = "Required parameter is missing: query";
            return Err(Error::invalid(text).because("required"));
        }
        let default = match map.get("defaultDataset") {
            None | Some(Value::Null) => None,
            Some(dataset) => {
                let dataset = read::object(dataset, "defaultDataset")?;
                let id = read::text_or(dataset.get("datasetId"), "datasetId")?.unwrap_or_default();
                let of = read::text_or(dataset.get("projectId"), "projectId")?;
                Some(DatasetName::new(of.filter(|of| !of.is_empty()).unwrap_or(project), id)?)
            }
        };
        Ok(Self {
            sql: sql.to_owned(),
            statement: Statement::parse(sql, project, default.as_ref())?,
            parameters: map.get("queryParameters").cloned(),
            job_id: None,
            max_results: None,
            dry_run: false,
            instants: Instants::Seconds,
        })
    }

    /// What is kept of the query to answer it again: a body that [`read_query`](Self::read_query)
    /// reads.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("query", self.sql.as_str().into());
        if let Some(table) = &self.statement.table {
            map.insert("defaultDataset", table.dataset.to_value());
        }
        if let Some(parameters) = &self.parameters {
            map.insert("queryParameters", parameters.clone());
        }
        map.into()
    }
}

fn check_job_id(id: &str) -> Read<()> {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match id.len() <= 1_024 && id.chars().all(known) {
        true => Ok(()),
        false => Err(Error::invalid(format!("Invalid job ID {id:?}")).because("invalid")),
    }
}

/// Reads `formatOptions`.
fn instants(options: Option<&Value>) -> Read<Instants> {
    let options = match options {
        None | Some(Value::Null) => return Ok(Instants::Seconds),
        Some(options) => read::object(options, "formatOptions")?,
    };
    let micros = read::flag(options.get("useInt64Timestamp"), "useInt64Timestamp")?;
    Ok(if micros { Instants::Micros } else { Instants::Seconds })
}

/// The answer to a query, or a page of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The project of its job.
    pub project: String,
    /// Its job's id.
    pub job_id: String,
    /// The schema of its rows.
    pub schema: Schema,
    /// All its rows.
    pub rows: Vec<Row>,
}

impl Answered {
    /// The page from a place on, in the words of `jobs.query` or `jobs.getQueryResults`.
    #[must_use]
    pub fn page(&self, kind: &str, from: usize, most: usize, instants: Instants) -> Value {
        let from = from.min(self.rows.len());
        let to = from.saturating_add(most).min(self.rows.len());
        let mut map = Map::new();
        map.insert("kind", kind.into());
        map.insert("schema", self.schema.to_value());
        map.insert("jobReference", job_reference(&self.project, &self.job_id));
        map.insert("totalRows", self.rows.len().to_string().into());
        if to < self.rows.len() {
            map.insert("pageToken", to.to_string().into());
        }
        let rows = self.rows[from..to].iter().map(|row| row.to_value(instants));
        map.insert("rows", Value::list(rows));
        map.insert("totalBytesProcessed", "0".into());
        map.insert("jobComplete", true.into());
        map.insert("cacheHit", false.into());
        map.into()
    }
}

/// The reference of a job.
fn job_reference(project: &str, id: &str) -> Value {
    Value::map([("projectId", project.into()), ("jobId", id.into()), ("location", LOCATION.into())])
}

/// A query's job as a resource; it is done as soon as it is there.
#[must_use]
pub(crate) fn job_value(project: &str, id: &str, query: &Value, created_millis: i64) -> Value {
    let at = Value::from(created_millis.to_string());
    let sql = query.as_map().and_then(|map| map.get("query")).cloned().unwrap_or_default();
    let query = Value::map([("query", sql), ("useLegacySql", false.into())]);
    let configuration = Value::map([("jobType", "QUERY".into()), ("query", query)]);
    let statistics = Value::map([
        ("creationTime", at.clone()),
        ("startTime", at.clone()),
        ("endTime", at),
        ("query", Value::map([("statementType", "SELECT".into()), ("cacheHit", false.into())])),
    ]);
    Value::map([
        ("kind", "bigquery#job".into()),
        ("id", format!("{project}:{LOCATION}.{id}").into()),
        ("jobReference", job_reference(project, id)),
        ("configuration", configuration),
        ("status", Value::map([("state", "DONE".into())])),
        ("statistics", statistics),
    ])
}

impl Request {
    /// The job of this query as a resource.
    #[must_use]
    pub fn job_value(project: &str, id: &str, query: &Value, created_millis: i64) -> Value {
        job_value(project, id, query, created_millis)
    }
}

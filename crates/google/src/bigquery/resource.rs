//! Datasets and tables as resources: their names, what is kept of them, what is answered.

use std::fmt;

use jobmill_model::{Json, Map, Timestamp, Value};

use super::schema::{Schema, invalid};
use crate::limits::TABLE_ID_BYTES;
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// The name of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetName {
    /// Its project.
    pub project: String,
    /// Its id.
    pub dataset: String,
}

/// The name of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// Its dataset.
    pub dataset: DatasetName,
    /// Its id.
    pub table: String,
}

impl DatasetName {
    /// A dataset's name.
    ///
    /// # Errors
    /// An id that cannot be one.
    pub fn new(project: &str, dataset: &str) -> Read<Self> {
        let fits = |text: &str, more: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
            (1..=TABLE_ID_BYTES).contains(&text.len()) && text.chars().all(known)
        };
        if !fits(project, "-_.:") {
            return Err(invalid(format!("Invalid project ID {project:?}.")));
        }
        if !fits(dataset, "_") {
            return Err(invalid(format!(
                "Invalid dataset ID {dataset:?}. Dataset IDs must be alphanumeric (plus \
                 underscores) and must be at most {TABLE_ID_BYTES} characters long."
            )));
        }
        Ok(Self { project: project.to_owned(), dataset: dataset.to_owned() })
    }

    /// A table of it.
    ///
    /// # Errors
    /// An id that cannot be one.
    pub fn table(&self, table: &str) -> Read<TableName> {
        let known = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == ' ';
        match (1..=TABLE_ID_BYTES).contains(&table.len()) && table.chars().all(known) {
            true => Ok(TableName { dataset: self.clone(), table: table.to_owned() }),
            false => Err(invalid(format!("Invalid table ID {table:?}."))),
        }
    }

    /// There is no such dataset.
    #[must_use]
    pub fn missing(&self) -> Error {
        Error::not_found(format!("Not found: Dataset {self}")).because("notFound")
    }

    /// Its reference.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::map([
            ("datasetId", self.dataset.as_str().into()),
            ("projectId", self.project.as_str().into()),
        ])
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.project, self.dataset)
    }
}

impl TableName {
    /// There is no such table.
    #[must_use]
    pub fn missing(&self) -> Error {
        Error::not_found(format!("Not found: Table {self}")).because("notFound")
    }

    /// Its reference.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::map([
            ("projectId", self.dataset.project.as_str().into()),
            ("datasetId", self.dataset.dataset.as_str().into()),
            ("tableId", self.table.as_str().into()),
        ])
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.dataset, self.table)
    }
}

/// Where everything here is said to be.
pub const LOCATION: &str = "US";

/// What is kept of a body: what the caller says about the resource.
const KEPT_OF_DATASETS: [&str; 8] = [
    "friendlyName",
    "description",
    "labels",
    "location",
    "defaultTableExpirationMs",
    "defaultCollation",
    "isCaseInsensitive",
    "access",
];
const KEPT_OF_TABLES: [&str; 8] = [
    "friendlyName",
    "description",
    "labels",
    "timePartitioning",
    "rangePartitioning",
    "clustering",
    "defaultCollation",
    "requirePartitionFilter",
];

/// Reads the body of `datasets.insert`: the dataset's name and what is kept of it.
///
/// # Errors
/// Anything else.
pub fn read_dataset(project: &str, body: &Value) -> Read<(DatasetName, Json)> {
    let body = read::object(body, "body")?;
    let nothing = Value::map::<&str>([]);
    let reference = body.get("datasetReference").unwrap_or(&nothing);
    let reference = read::object(reference, "datasetReference")?;
    let id = read::text_or(reference.get("datasetId"), "datasetId")?;
    let id = id.ok_or_else(|| invalid("Required parameter is missing: datasetId".to_owned()))?;
    let name = DatasetName::new(same_project(project, reference)?, id)?;
    Ok((name, kept(body, &KEPT_OF_DATASETS)))
}

/// Reads the body of `tables.insert`: the table's name and what is kept of it, with its schema.
///
/// # Errors
/// Anything else, and tables that hold no rows of their own.
pub fn read_table(dataset: &DatasetName, body: &Value) -> Read<(TableName, Json)> {
    let body = read::object(body, "body")?;
    for other in ["view", "materializedView", "externalDataConfiguration", "cloneDefinition"] {
        if body.get(other).is_some_and(|value| *value != Value::Null) {
            return Err(Error::unimplemented(format!(
                "a table with {other} is not supported here"
            )));
        }
    }
    let nothing = Value::map::<&str>([]);
    let reference = body.get("tableReference").unwrap_or(&nothing);
    let reference = read::object(reference, "tableReference")?;
    same_project(&dataset.project, reference)?;
    let id = read::text_or(reference.get("tableId"), "tableId")?;
    let id = id.ok_or_else(|| invalid("Required parameter is missing: tableId".to_owned()))?;
    let schema = Schema::read(body.get("schema"))?;
    let mut kept = kept(body, &KEPT_OF_TABLES).to_value().unwrap_or_default();
    if let Value::Map(map) = &mut kept {
        let mut whole = (**map).clone();
        whole.insert("schema", schema.to_value());
        kept = whole.into();
    }
    Ok((dataset.table(id)?, kept.to_json()))
}

fn same_project<'a>(project: &'a str, reference: &Map) -> Read<&'a str> {
    match read::text_or(reference.get("projectId"), "projectId")? {
        Some(other) if other != project && !other.is_empty() => {
            Err(invalid(format!("the body names project {other}, the path {project}")))
        }
        _ => Ok(project),
    }
}

fn kept(body: &Map, names: &[&str]) -> Json {
    let given = names.iter().filter_map(|name| Some((*name, body.get(name)?.clone())));
    Value::map(given).to_json()
}

/// The schema of a table of which this is kept.
///
/// # Errors
/// Other text.
pub fn schema_of(content: &Json) -> Read<Schema> {
    let value = content.to_value().map_err(|error| Error::invalid(error.to_string()))?;
    Schema::read(value.as_map().and_then(|map| map.get("schema")))
}

/// When a resource was made and last changed, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// How many rows it has.
    pub rows: u64,
    /// How much text they are.
    pub bytes: u64,
}

fn millis(at: Timestamp) -> Value {
    at.as_millis().to_string().into()
}

fn resource(kind: &str, id: &str, content: &Json) -> Map {
    let mut map = Map::new();
    map.insert("kind", kind.into());
    map.insert("id", id.into());
    if let Ok(Value::Map(kept)) = content.to_value() {
        for (name, value) in kept.iter() {
            map.insert(name.clone(), value.clone());
        }
    }
    if !map.contains("location") {
        map.insert("location", LOCATION.into());
    }
    map
}

fn dated(map: &mut Map, facts: &Facts) {
    map.insert("creationTime", millis(facts.created));
    map.insert("lastModifiedTime", millis(facts.updated));
    map.insert("etag", format!("\"{}-{}\"", facts.updated.as_millis(), facts.rows).into());
}

/// A dataset as it is answered.
#[must_use]
pub fn dataset_value(name: &DatasetName, content: &Json, facts: &Facts) -> Value {
    let mut map = resource("bigquery#dataset", &name.to_string(), content);
    map.insert("datasetReference", name.to_value());
    map.insert("type", "DEFAULT".into());
    dated(&mut map, facts);
    map.into()
}

/// A table as it is answered.
#[must_use]
pub fn table_value(name: &TableName, content: &Json, facts: &Facts) -> Value {
    let mut map = resource("bigquery#table", &name.to_string(), content);
    map.insert("tableReference", name.to_value());
    map.insert("type", "TABLE".into());
    map.insert("numRows", facts.rows.to_string().into());
    map.insert("numBytes", facts.bytes.to_string().into());
    dated(&mut map, facts);
    map.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_kept_and_answered() {
        let dataset = DatasetName::new("p", "d").unwrap();
        let body = r#"{"tableReference":{"projectId":"p","datasetId":"d","tableId":"t"},
            "schema":{"fields":[{"name":"input","type":"STRING"}]},"numRows":"7"}"#;
        let body = Value::from_json(body.as_bytes()).unwrap();
        let (name, content) = read_table(&dataset, &body).unwrap();
        assert_eq!(name.to_string(), "p:d.t");
        assert_eq!(schema_of(&content).unwrap().columns.len(), 1);
        let at = Timestamp::from_millis(5);
        let facts = Facts { created: at, updated: at, rows: 2, bytes: 9 };
        let answer = table_value(&name, &content, &facts).to_string();
        assert!(answer.contains(r#""numRows":"2","numBytes":"9","creationTime":"5""#), "{answer}");
    }

    #[test]
    fn names_are_checked() {
        assert!(DatasetName::new("p", "a-b").is_err());
        assert!(DatasetName::new("", "d").is_err());
        assert!(DatasetName::new("p", "d").unwrap().table("a/b").is_err());
        let view = Value::map([("view", Value::map([("query", "SELECT 1".into())]))]);
        let error = read_table(&DatasetName::new("p", "d").unwrap(), &view).unwrap_err();
        assert!(error.message.contains("view"), "{error}");
    }
}

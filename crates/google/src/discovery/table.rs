//! The table of methods.

/// A service of Google's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Documents.
    Firestore,
    /// Tables.
    BigQuery,
}

/// A method of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Read a document.
    DocumentGet,
    /// List the documents of a collection.
    DocumentList,
    /// Create a document.
    DocumentCreate,
    /// Write a document.
    DocumentPatch,
    /// Delete a document.
    DocumentDelete,
    /// Write many documents.
    DocumentCommit,
    /// Read many documents.
    DocumentBatchGet,
    /// Find documents.
    DocumentQuery,
    /// Make a dataset.
    DatasetInsert,
    /// Read a dataset.
    DatasetGet,
    /// List datasets.
    DatasetList,
    /// Delete a dataset.
    DatasetDelete,
    /// Make a table.
    TableInsert,
    /// Read a table's description.
    TableGet,
    /// List tables.
    TableList,
    /// Delete a table.
    TableDelete,
    /// Add rows.
    RowInsert,
    /// List rows.
    RowList,
    /// Query a table at once.
    QueryRun,
    /// Read a query's answer.
    QueryResults,
    /// Make a job.
    JobInsert,
    /// Read a job.
    JobGet,
}

/// How a method is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// What it does.
    pub operation: Operation,
    /// Whose it is.
    pub service: Service,
    /// Its name behind the service and the version.
    pub name: &'static str,
    /// The HTTP method.
    pub verb: &'static str,
    /// The path, with `{name}` for one piece and `{+name}` for many.
    pub path: &'static str,
    /// Its parameters that go into the query.
    pub query: &'static [&'static str],
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 2] = [Self::Firestore, Self::BigQuery];

    /// Its name in the names of connectors.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Firestore => "firestore",
            Self::BigQuery => "bigquery",
        }
    }

    /// Its version in the names of connectors.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Firestore => "v1",
            Self::BigQuery => "v2",
        }
    }

    /// Where Google serves it.
    #[must_use]
    pub fn address(self) -> &'static str {
        match self {
            Self::Firestore => "https://firestore.googleapis.com",
            Self::BigQuery => "https://bigquery.googleapis.com",
        }
    }
}

impl Method {
    pub(super) fn is_named(&self, connector: &str) -> bool {
        let rest = connector.strip_prefix("googleapis.");
        let rest = rest.and_then(|rest| rest.strip_prefix(self.service.name()));
        let rest = rest.and_then(|rest| rest.strip_prefix('.'));
        let rest = rest.and_then(|rest| rest.strip_prefix(self.service.version()));
        rest.and_then(|rest| rest.strip_prefix('.')) == Some(self.name)
    }
}

const CONDITION: [&str; 2] = ["currentDocument.exists", "currentDocument.updateTime"];

const fn firestore(
    operation: Operation,
    name: &'static str,
    verb: &'static str,
    path: &'static str,
    query: &'static [&'static str],
) -> Method {
    Method { operation, service: Service::Firestore, name, verb, path, query }
}

const fn bigquery(
    operation: Operation,
    name: &'static str,
    verb: &'static str,
    path: &'static str,
    query: &'static [&'static str],
) -> Method {
    Method { operation, service: Service::BigQuery, name, verb, path, query }
}

/// Every method.
pub const METHODS: &[Method] = &[
    firestore(
        Operation::DocumentBatchGet,
        "projects.databases.documents.batchGet",
        "POST",
        "v1/{+database}/documents:batchGet",
        &[],
    ),
    firestore(
        Operation::DocumentCommit,
        "projects.databases.documents.commit",
        "POST",
        "v1/{+database}/documents:commit",
        &[],
    ),
    firestore(
        Operation::DocumentQuery,
        "projects.databases.documents.runQuery",
        "POST",
        "v1/{+parent}:runQuery",
        &[],
    ),
    firestore(
        Operation::DocumentGet,
        "projects.databases.documents.get",
        "GET",
        "v1/{+name}",
        &["mask.fieldPaths", "readTime", "transaction"],
    ),
    firestore(
        Operation::DocumentList,
        "projects.databases.documents.list",
        "GET",
        "v1/{+parent}/{collectionId}",
        &["mask.fieldPaths", "orderBy", "pageSize", "pageToken", "readTime", "showMissing"],
    ),
    firestore(
        Operation::DocumentCreate,
        "projects.databases.documents.createDocument",
        "POST",
        "v1/{+parent}/{collectionId}",
        &["documentId", "mask.fieldPaths"],
    ),
    firestore(
        Operation::DocumentPatch,
        "projects.databases.documents.patch",
        "PATCH",
        "v1/{+name}",
        &[CONDITION[0], CONDITION[1], "mask.fieldPaths", "updateMask.fieldPaths"],
    ),
    firestore(
        Operation::DocumentDelete,
        "projects.databases.documents.delete",
        "DELETE",
        "v1/{+name}",
        &CONDITION,
    ),
    bigquery(
        Operation::DatasetInsert,
        "datasets.insert",
        "POST",
        "bigquery/v2/projects/{projectId}/datasets",
        &[],
    ),
    bigquery(
        Operation::DatasetList,
        "datasets.list",
        "GET",
        "bigquery/v2/projects/{projectId}/datasets",
        &["all", "filter", "maxResults", "pageToken"],
    ),
    bigquery(
        Operation::DatasetGet,
        "datasets.get",
        "GET",
        "bigquery/v2/projects/{projectId}/datasets/{datasetId}",
        &[],
    ),
    bigquery(
        Operation::DatasetDelete,
        "datasets.delete",
        "DELETE",
        "bigquery/v2/projects/{projectId}/datasets/{datasetId}",
        &["deleteContents"],
    ),
    bigquery(
        Operation::TableInsert,
        "tables.insert",
        "POST",
        "bigquery/v2/projects/{projectId}/datasets/{datasetId}/tables",
        &[],
    ),
    bigquery(
        Operation::TableList,
        "tables.list",
        "GET",
        "bigquery/v2/projects/{projectId}/datasets/{datasetId}/tables",
        &["maxResults", "pageToken"],
    ),
    bigquery(
        Operation::TableGet,
        "tables.get",
        "GET",
        "bigquery/v2/projects/{projectId}/datasets/{datasetId}/tables/{tableId}",
        &["selectedFields", "view"],
    ),
    bigquery(
        Operation::TableDelete,
        "tables.delete",
        "DELETE",
        "bigquery/v2/projects/{projectId}/datasets/{datasetId}/tables/{tableId}",
        &[],
    ),
    bigquery(
        Operation::RowInsert,
        "tabledata.insertAll",
        "POST",
        "bigquery/v2/projects/{projectId}/datasets/{datasetId}/tables/{tableId}/insertAll",
        &[],
    ),
    bigquery(
        Operation::RowList,
        "tabledata.list",
        "GET",
        "bigquery/v2/projects/{projectId}/datasets/{datasetId}/tables/{tableId}/data",
        &[
            "formatOptions.useInt64Timestamp",
            "maxResults",
            "pageToken",
            "selectedFields",
            "startIndex",
        ],
    ),
    bigquery(
        Operation::QueryRun,
        "jobs.query",
        "POST",
        "bigquery/v2/projects/{projectId}/queries",
        &[],
    ),
    bigquery(
        Operation::QueryResults,
        "jobs.getQueryResults",
        "GET",
        "bigquery/v2/projects/{projectId}/queries/{jobId}",
        &[
            "formatOptions.useInt64Timestamp",
            "location",
            "maxResults",
            "pageToken",
            "startIndex",
            "timeoutMs",
        ],
    ),
    bigquery(
        Operation::JobInsert,
        "jobs.insert",
        "POST",
        "bigquery/v2/projects/{projectId}/jobs",
        &[],
    ),
    bigquery(
        Operation::JobGet,
        "jobs.get",
        "GET",
        "bigquery/v2/projects/{projectId}/jobs/{jobId}",
        &["location"],
    ),
];

//! Every number that bounds something; where Google has a number, it is Google's.

/// The largest document, as its text.
pub const DOCUMENT_BYTES: usize = 1024 * 1024;
/// The longest id of a document or a collection.
pub const DOCUMENT_ID_BYTES: usize = 1_500;
/// The longest name of a document.
pub const DOCUMENT_NAME_BYTES: usize = 6 * 1024;
/// The most writes of one commit.
pub const WRITES: usize = 500;
/// The deepest nest of maps and arrays in a document.
pub const FIELD_DEPTH_LEVELS: usize = 20;
/// The most values of an `IN`, `NOT_IN` or `ARRAY_CONTAINS_ANY` filter.
pub const FILTER_VALUES: usize = 30;
/// The most filters of one query.
pub const FILTERS: usize = 100;
/// The most documents that one `batchGet` names.
pub const BATCH_DOCUMENTS: usize = 1_000;
/// The most text that one query may hold to sort and answer: what one answer can sensibly carry.
pub const QUERY_BYTES: usize = 64 * 1024 * 1024;
/// The longest that one query may look at documents or rows.
pub const QUERY_MILLIS: u64 = 60_000;
/// The most queries that run at once.
pub const QUERIES_AT_ONCE: usize = 4;
/// The most columns of a table, those of records counted.
pub const COLUMNS: usize = 10_000;
/// The deepest nest of records in a schema.
pub const RECORD_DEPTH_LEVELS: usize = 15;
/// The longest id of a dataset or a table.
pub const TABLE_ID_BYTES: usize = 1_024;
/// The most rows of one `tabledata.insertAll`.
pub const INSERT_ROWS: usize = 50_000;
/// The longest `insertId`.
pub const INSERT_ID_BYTES: usize = 128;
/// The largest row, as its text.
pub const ROW_BYTES: usize = 10 * 1024 * 1024;
/// The most words and signs of a query's text: what its reader can take apart without going
/// deep.
pub const SQL_TOKENS: usize = 1_000;
/// The deepest nest of a query: each level takes its reader tens of kilobytes of stack.
pub const SQL_DEPTH_LEVELS: usize = 16;
/// How long a row's `insertId` is known: ten minutes, where BigQuery promises about one.
pub const INSERT_ID_MILLIS: i64 = 600_000;

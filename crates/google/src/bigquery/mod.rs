//! BigQuery: tables with a schema, rows that fit it, and a subset of SQL over one table.

mod cell;
mod parameter;
pub mod resource;
mod row;
mod schema;
pub mod sql;

pub use cell::{Cell, Instants};
pub use resource::{DatasetName, TableName};
pub use row::{Fitting, Refused, Row, RowErrors, check_rows};
pub use schema::{Column, Kind, Mode, Schema};

//! A subset of SQL: `SELECT columns | count(*) FROM one table WHERE … ORDER BY … LIMIT`.
//!
//! A [`Statement`] is the text taken apart and names its table; [`Statement::bind`] checks it
//! against the table's schema; a [`Bound`] query then looks at each row. Nothing here goes deeper
//! than the limits say, whatever the text.

mod bind;
mod expr;
mod request;
mod run;

use jobmill_model::Value;
use sqlparser::ast::{Expr, LimitClause, OrderByExpr, OrderByKind, Query, Select, SelectItem};
use sqlparser::ast::{SetExpr, Statement as Sql, TableFactor};
use sqlparser::dialect::BigQueryDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Tokenizer;

use super::resource::{DatasetName, TableName};
use super::schema::Schema;
use crate::limits::{SQL_DEPTH_LEVELS, SQL_TOKENS};
use crate::wire::Error;
use crate::wire::read::Read;

pub use request::{Answered, Request};
pub use run::{Bound, Found};

/// A query, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The table that it reads, if it reads one.
    pub table: Option<TableName>,
    alias: Option<String>,
    projection: Vec<SelectItem>,
    filter: Option<Expr>,
    orders: Vec<OrderByExpr>,
    limit: Option<Expr>,
    skip: Option<Expr>,
}

/// What this subset has, for messages.
const SUBSET: &str = "this server answers SELECT columns or count(*) FROM one table WHERE … ORDER \
                      BY … LIMIT … OFFSET";

fn refused(message: impl Into<String>) -> Error {
    Error::invalid(message).because("invalidQuery")
}

fn not_here(what: impl std::fmt::Display) -> Error {
    refused(format!("{what} is not supported here; {SUBSET}"))
}

impl Statement {
    /// Takes a query's text apart.
    ///
    /// # Errors
    /// Text that is no query, and a query that goes beyond the subset.
    pub fn parse(text: &str, project: &str, default: Option<&DatasetName>) -> Read<Self> {
        let mut statements = parse(text)?;
        let (Some(Sql::Query(query)), true) = (statements.pop(), statements.is_empty()) else {
            return Err(not_here("a text that is not one SELECT"));
        };
        only_known_clauses(&query)?;
        let Query { body, order_by, limit_clause, .. } = *query;
        let SetExpr::Select(select) = *body else {
            return Err(not_here("a combination of queries"));
        };
        let orders = match order_by.map(|order| order.kind) {
            None => Vec::new(),
            Some(OrderByKind::Expressions(orders)) => orders,
            Some(OrderByKind::All(_)) => return Err(not_here("ORDER BY ALL")),
        };
        let (limit, skip) = match limit_clause {
            None => (None, None),
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                (limit, offset.map(|offset| offset.value))
            }
            Some(_) => return Err(not_here("this form of LIMIT")),
        };
        let Select { projection, from, selection, .. } = *select;
        let (table, alias) = match &from[..] {
            [] => (None, None),
            [one] if one.joins.is_empty() => {
                let (table, alias) = table(&one.relation, project, default)?;
                (Some(table), Some(alias))
            }
            _ => return Err(not_here("a query over more than one table")),
        };
        Ok(Self { table, alias, projection, filter: selection, orders, limit, skip })
    }

    /// Checks the query against its table's schema and fills its parameters in.
    ///
    /// # Errors
    /// Columns that are not there, types that do not go together, missing parameters.
    pub fn bind(
        &self,
        schema: &Schema,
        parameters: Option<&Value>,
        now_micros: i64,
    ) -> Read<Bound> {
        bind::bind(self, schema, parameters, now_micros)
    }
}

fn parse(text: &str) -> Read<Vec<Sql>> {
    let dialect = BigQueryDialect {};
    let syntax = |error: &dyn std::fmt::Display| {
        let text = error.to_string();
        let text = text.trim_start_matches("sql parser error: ");
        refused(format!("Syntax error: {text}"))
    };
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location();
    let tokens = tokens.map_err(|error| syntax(&error))?;
    if tokens.len() > SQL_TOKENS * 2 {
        let text = format!("the query is longer than {SQL_TOKENS} words and signs");
        return Err(refused(text));
    }
    Parser::new(&dialect)
        .with_recursion_limit(SQL_DEPTH_LEVELS)
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|error| syntax(&error))
}

/// A query with the known clauses taken away must be the plainest query there is.
fn only_known_clauses(query: &Query) -> Read<()> {
    let plain = parse("SELECT 1")?.pop();
    let Some(Sql::Query(mut plain)) = plain else { return Ok(()) };
    let mut rest = query.clone();
    rest.order_by = None;
    rest.limit_clause = None;
    let (SetExpr::Select(select), SetExpr::Select(bare)) = (&mut *rest.body, &mut *plain.body)
    else {
        return Err(not_here("a combination of queries"));
    };
    select.projection = std::mem::take(&mut bare.projection);
    bare.projection = select.projection.clone();
    select.from.clear();
    select.selection = None;
    match rest == *plain {
        true => Ok(()),
        false => {
            let shown = rest.to_string();
            Err(not_here(format_args!("a clause of this query ({})", shown.replacen("1", "…", 1))))
        }
    }
}

fn table(
    relation: &TableFactor,
    project: &str,
    default: Option<&DatasetName>,
) -> Read<(TableName, String)> {
    let TableFactor::Table { name, alias, args: None, version: None, sample: None, .. } = relation
    else {
        return Err(not_here("a source that is not a table"));
    };
    if alias.as_ref().is_some_and(|alias| !alias.columns.is_empty()) {
        return Err(not_here("an alias with columns"));
    }
    let written = name.0.iter().map(|part| match part.as_ident() {
        Some(ident) => Ok(ident.value.clone()),
        None => Err(not_here("a table that is named by a function")),
    });
    let written = written.collect::<Read<Vec<_>>>()?.join(".");
    let mut pieces = written.rsplitn(3, '.');
    let id = pieces.next().unwrap_or_default();
    let dataset = match (pieces.next(), pieces.next()) {
        (Some(dataset), Some(project)) => DatasetName::new(project, dataset)?,
        (Some(dataset), None) => DatasetName::new(project, dataset)?,
        _ => default.cloned().ok_or_else(|| {
            refused(format!("Table {id:?} must be qualified with a dataset (e.g. dataset.table)."))
        })?,
    };
    let alias = alias.as_ref().map_or_else(|| id.to_owned(), |alias| alias.name.value.clone());
    Ok((dataset.table(id)?, alias))
}

#[cfg(test)]
mod tests;

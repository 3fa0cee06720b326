//! A checked query looks at rows.

use std::cmp::Ordering;

use super::expr::Expr;
use crate::bigquery::cell::Cell;
use crate::bigquery::row::Row;
use crate::bigquery::schema::{Column, Kind, Mode, Schema};
use crate::limits::QUERY_BYTES;
use crate::wire::read::Read;
use crate::wire::{Error, Status};

/// A query that is checked against its table's schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    pub(super) outputs: Vec<Output>,
    pub(super) counts: bool,
    pub(super) filter: Option<Expr>,
    pub(super) orders: Vec<Order>,
    pub(super) limit: usize,
    pub(super) skip: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) mode: Mode,
    pub(super) expr: Expr,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub(super) expr: Expr,
    pub(super) falls: bool,
    pub(super) nulls_first: bool,
}

/// What a query has found so far.
#[derive(Debug)]
pub struct Found {
    query: Bound,
    counted: i64,
    /// By what it is sorted, the row, and its size.
    rows: Vec<(Vec<Cell>, Row, usize)>,
    bytes: usize,
}

impl Bound {
    /// The schema of the answer.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let column = |output: &Output| Column {
            name: output.name.clone(),
            kind: output.kind.clone(),
            mode: output.mode,
            description: None,
        };
        Schema { columns: self.outputs.iter().map(column).collect() }
    }

    /// Begins to look.
    #[must_use]
    pub fn run(&self) -> Found {
        Found { query: self.clone(), counted: 0, rows: Vec::new(), bytes: 0 }
    }

    fn most(&self) -> usize {
        self.skip.saturating_add(self.limit)
    }

    fn order(&self, a: &[Cell], b: &[Cell]) -> Ordering {
        let compared =
            self.orders.iter().zip(a.iter().zip(b)).map(|(order, (a, b))| order.order(a, b));
        compared.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl Order {
    fn order(&self, a: &Cell, b: &Cell) -> Ordering {
        let is_nan = |cell: &Cell| matches!(cell, Cell::Float(double) if double.is_nan());
        match (*a == Cell::Null, *b == Cell::Null) {
            (true, true) => return Ordering::Equal,
            (false, false) => {}
            (a_null, _) => {
                return if a_null == self.nulls_first { Ordering::Less } else { Ordering::Greater };
            }
        }
        let order = is_nan(b).cmp(&is_nan(a));
        let order = order.then_with(|| a.compare(b).unwrap_or(Ordering::Equal));
        if self.falls { order.reverse() } else { order }
    }
}

impl Found {
    /// Looks at one more row, in the order of insertion; answers whether to go on.
    ///
    /// # Errors
    /// So many rows match that an answer cannot hold them.
    pub fn look(&mut self, row: &Row, bytes: usize) -> Read<bool> {
        let query = &self.query;
        let is_sorted = query.orders.is_empty();
        if is_sorted && !query.counts && self.rows.len() >= query.most() {
            return Ok(false);
        }
        if query.filter.as_ref().is_some_and(|filter| filter.truth(row) != Some(true)) {
            return Ok(true);
        }
        if query.counts {
            self.counted += 1;
            return Ok(true);
        }
        let keys = query.orders.iter().map(|order| order.expr.eval(row)).collect();
        let output = Row(query.outputs.iter().map(|output| output.expr.eval(row)).collect());
        self.rows.push((keys, output, bytes));
        self.bytes += bytes;
        if self.rows.len() / 2 > query.most().max(512) || self.bytes > QUERY_BYTES {
            self.sort();
        }
        match self.bytes <= QUERY_BYTES {
            true => Ok(true),
            false => Err(Error::new(
                Status::ResourceExhausted,
                format!("the query finds more than {QUERY_BYTES} bytes; give it a LIMIT"),
            )
            .because("responseTooLarge")),
        }
    }

    fn sort(&mut self) {
        let query = &self.query;
        self.rows.sort_by(|a, b| query.order(&a.0, &b.0));
        self.rows.truncate(query.most());
        self.bytes = self.rows.iter().map(|(.., bytes)| bytes).sum();
    }

    /// The rows of the answer.
    #[must_use]
    pub fn finish(mut self) -> Vec<Row> {
        if self.query.counts {
            let row = Row(vec![Cell::Int(self.counted)]);
            return [row].into_iter().skip(self.query.skip).take(self.query.limit).collect();
        }
        self.sort();
        self.rows.into_iter().skip(self.query.skip).map(|(_, row, _)| row).collect()
    }
}

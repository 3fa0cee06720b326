//! Flows that workers outside the server perform, as they were declared.

use async_trait::async_trait;
use jobmill_model::limits::DECLARED_FLOWS;
use jobmill_model::queue::Name;
use jobmill_model::{Declaration, Span};
use jobmill_store::{Declared, Flows, Result};
use rusqlite::{Row, params};

use super::SqliteStore;
use super::query::Query;
use super::reader::prepare;
use super::row;
use super::trouble::Outcome;
use super::txn::Txn;

#[async_trait]
impl Flows for SqliteStore {
    async fn flow_put(&self, declaration: Declaration) -> Result<Declared> {
        let schemas = [&declaration.input_schema, &declaration.params_schema];
        let bytes = schemas.map(|schema| schema.as_str().len()).iter().sum();
        self.ask(declaration, put, bytes).await
    }

    async fn flow_list(&self) -> Result<Vec<Declaration>> {
        self.readers.read(|connection| {
            prepare(connection, Query::FlowList)?.query_map([], declaration)?.collect()
        })
    }

    async fn flow_delete(&self, name: &Name) -> Result<bool> {
        let verb =
            |tx: &mut Txn<'_>, name: &Name| Ok(tx.execute(Query::FlowDelete, [name.as_str()])? > 0);
        self.ask(name.clone(), verb, 0).await
    }
}

fn put(tx: &mut Txn<'_>, new: &Declaration) -> Outcome<Declared> {
    let known = tx.first(Query::FlowGet, [new.name.as_str()], declaration)?;
    let declared = match known {
        Some(known) if known == *new => return Ok(Declared::Same),
        Some(_) => Declared::Changed,
        None => {
            let count = tx.first(Query::FlowCount, [], |row| row::unsigned(row, 0))?;
            if count.unwrap_or(0) >= DECLARED_FLOWS as u64 {
                return Ok(Declared::Full);
            }
            Declared::New
        }
    };
    tx.execute(
        Query::FlowPut,
        params![
            new.name.as_str(),
            new.about,
            new.input_schema.as_str(),
            new.params_schema.as_str(),
            new.max_attempts,
            new.timeout.map(|span| row::signed(span.as_millis())),
            row::signed(new.lease.as_millis()),
        ],
    )?;
    Ok(declared)
}

fn declaration(row: &Row<'_>) -> rusqlite::Result<Declaration> {
    let timeout: Option<i64> = row.get(5)?;
    Ok(Declaration {
        name: row::name(row, 0)?,
        about: row.get(1)?,
        input_schema: row::json(row, 2)?,
        params_schema: row::json(row, 3)?,
        max_attempts: row.get(4)?,
        timeout: timeout.map(|millis| Span::from_millis(millis.unsigned_abs())),
        lease: Span::from_millis(row::unsigned(row, 6)?),
    })
}

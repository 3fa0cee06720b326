//! Documents.

use async_trait::async_trait;
use jobmill_store::{
    Commit, Committed, Document, DocumentName, DocumentPage, DocumentQuery, Documents, Result,
};
use rusqlite::{Row, params};

use super::SqliteStore;
use super::query::Query;
use super::reader::prepare;
use super::row;
use super::trouble::Outcome;
use super::txn::Txn;

/// About what a commit writes, for the bounds on what may wait: only the function knows better.
const COMMIT_BYTES: usize = 2_048;

#[async_trait]
impl Documents for SqliteStore {
    async fn document_get(&self, names: &[DocumentName]) -> Result<Vec<Option<Document>>> {
        self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::DocumentGet)?;
            let mut get = |name: &DocumentName| {
                let mut rows = statement.query([&name.collection, &name.parent, &name.id])?;
                rows.next()?.map(|row| document(row, 0)).transpose()
            };
            names.iter().map(&mut get).collect()
        })
    }

    async fn document_commit(&self, commit: Commit) -> Result<Committed> {
        let bytes = commit.names.len() * COMMIT_BYTES;
        self.ask(commit, write, bytes).await
    }

    async fn document_list(&self, query: &DocumentQuery) -> Result<DocumentPage> {
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let (collection, parent) = (&query.collection, &query.parent);
        let (after_parent, after_id) =
            query.after.as_ref().map_or((parent.as_str(), ""), |(parent, id)| (parent, id));
        self.readers.read(|connection| {
            let mut statement = prepare(
                connection,
                match query.descendants {
                    true => Query::DocumentListBelow,
                    false => Query::DocumentList,
                },
            )?;
            let mut rows = match query.descendants {
                true => {
                    statement.query(params![collection, parent, after_parent, after_id, limit])?
                }
                false => match after_parent.cmp(parent) {
                    std::cmp::Ordering::Greater => return Ok(Vec::new()),
                    std::cmp::Ordering::Equal => {
                        statement.query(params![collection, parent, after_id, limit])?
                    }
                    std::cmp::Ordering::Less => {
                        statement.query(params![collection, parent, "", limit])?
                    }
                },
            };
            let mut page = Vec::new();
            let mut sum = 0;
            while let Some(row) = rows.next()? {
                let document = document(row, 2)?;
                sum += document.content.as_str().len();
                if !page.is_empty() && sum > query.bytes {
                    break;
                }
                let name = DocumentName {
                    collection: collection.clone(),
                    parent: row.get(0)?,
                    id: row.get(1)?,
                };
                page.push((name, document));
            }
            Ok(page)
        })
    }
}

fn document(row: &Row<'_>, column: usize) -> rusqlite::Result<Document> {
    Ok(Document {
        content: row::json(row, column)?,
        created: row.get(column + 1)?,
        updated: row.get(column + 2)?,
    })
}

/// The document of a name, within the writer's transaction.
pub(super) fn present(tx: &mut Txn<'_>, name: &DocumentName) -> Outcome<Option<Document>> {
    let key = [&name.collection, &name.parent, &name.id];
    Ok(tx.first(Query::DocumentGet, key, |row| document(row, 0))?)
}

fn write(tx: &mut Txn<'_>, commit: &Commit) -> Outcome<Committed> {
    let before = commit.names.iter().map(|name| present(tx, name)).collect::<Outcome<Vec<_>>>()?;
    let after = match commit.rewrite.rewrite(&before) {
        Ok(after) => after,
        Err(fault) => return Ok(Committed::Refused(fault)),
    };
    for ((name, before), after) in commit.names.iter().zip(&before).zip(&after) {
        let DocumentName { collection, parent, id } = name;
        match after {
            same if same == before => {}
            None => drop(tx.execute(Query::DocumentDelete, [collection, parent, id])?),
            Some(Document { content, created, updated }) => {
                let content = content.as_str();
                let row = params![collection, parent, id, content, created, updated];
                tx.execute(Query::DocumentPut, row)?;
            }
        }
    }
    Ok(Committed::Done(before))
}

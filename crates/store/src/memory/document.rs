//! Documents, in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    Commit, Committed, Document, DocumentName, DocumentPage, DocumentQuery, Documents, Result,
};

#[async_trait]
impl Documents for MemoryStore {
    async fn document_get(&self, names: &[DocumentName]) -> Result<Vec<Option<Document>>> {
        let data = self.0.lock();
        Ok(names.iter().map(|name| data.documents.get(name).cloned()).collect())
    }

    async fn document_commit(&self, commit: Commit) -> Result<Committed> {
        let mut data = self.0.lock();
        let before: Vec<_> =
            commit.names.iter().map(|name| data.documents.get(name).cloned()).collect();
        let after = match commit.rewrite.rewrite(&before) {
            Ok(after) => after,
            Err(fault) => return Ok(Committed::Refused(fault)),
        };
        for (name, document) in commit.names.into_iter().zip(after) {
            match document {
                Some(document) => drop(data.documents.insert(name, document)),
                None => drop(data.documents.remove(&name)),
            }
        }
        Ok(Committed::Done(before))
    }

    async fn document_list(&self, query: &DocumentQuery) -> Result<DocumentPage> {
        let data = self.0.lock();
        let below = format!("{}/", query.parent);
        let is_wanted = |name: &DocumentName| {
            let here = name.parent == query.parent;
            let place = (&name.parent, &name.id);
            name.collection == query.collection
                && (here || query.descendants && name.parent.starts_with(&below))
                && query.after.as_ref().is_none_or(|(parent, id)| place > (parent, id))
        };
        let wanted = data.documents.iter().filter(|(name, _)| is_wanted(name)).take(query.limit);
        let mut sum = 0;
        let page = wanted.take_while(|(_, document)| {
            let fits = sum == 0 || sum + document.content.as_str().len() <= query.bytes;
            sum += document.content.as_str().len();
            fits
        });
        Ok(page.map(|(name, document)| (name.clone(), document.clone())).collect())
    }
}

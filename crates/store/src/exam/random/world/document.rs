//! Documents and rows of tables, made up.

use jobmill_model::{Json, Timestamp};

use super::super::document::{DocumentOp, Shift};
use super::World;
use crate::{DocumentName, DocumentQuery, NewRow, RowInsert};

const COLLECTIONS: [&str; 2] = ["c", "d"];
const PARENTS: [&str; 3] = ["r", "r/c/a", "q"];
const IDS: [&str; 3] = ["a", "b", "c"];
const SETS: [&str; 2] = ["s", "t"];

impl World {
    pub(super) fn document_op(&mut self) -> DocumentOp {
        match self.chance.below(12) {
            0..3 => self.document_commit(),
            3 => DocumentOp::Get((0..3).map(|_| self.document_name()).collect()),
            4..6 => DocumentOp::List(self.document_query()),
            6..9 => DocumentOp::InsertRows(self.row_insert()),
            9 => {
                let (after, limit) = (self.chance.below(6), 1 + self.chance.size(5));
                DocumentOp::ListRows(self.word(&SETS), after, limit)
            }
            10 => DocumentOp::RowExtent(self.word(&SETS)),
            _ => DocumentOp::SweepRows(self.word(&SETS), self.chance.size(8)),
        }
    }

    fn word(&mut self, among: &[&str]) -> String {
        among[self.chance.below(among.len() as u64) as usize].to_owned()
    }

    fn document_name(&mut self) -> DocumentName {
        let collection = self.word(&COLLECTIONS);
        DocumentName { collection, parent: self.word(&PARENTS), id: self.word(&IDS) }
    }

    fn document_commit(&mut self) -> DocumentOp {
        let mut names: Vec<_> = (0..=self.chance.size(3)).map(|_| self.document_name()).collect();
        names.sort();
        names.dedup();
        let (removes, needs_one) = (self.chance.percent(30), self.chance.percent(30));
        DocumentOp::Commit(names, Shift { removes, needs_one, at: self.millis })
    }

    fn document_query(&mut self) -> DocumentQuery {
        let DocumentName { collection, parent, id } = self.document_name();
        DocumentQuery {
            after: self.chance.percent(30).then(|| (parent.clone(), id)),
            descendants: self.chance.percent(50),
            limit: 1 + self.chance.size(4),
            bytes: 1 + self.chance.size(60),
            collection,
            parent,
        }
    }

    fn row_insert(&mut self) -> RowInsert {
        let at = Timestamp::from_millis(self.millis);
        let known_since = Timestamp::from_millis(at.as_millis() - 20_000);
        let mut row = || NewRow {
            insert_id: self.chance.percent(70).then(|| format!("i{}", self.chance.below(6))),
            known_since,
            content: Json::trusted(format!("[{}]", self.chance.below(1_000))),
        };
        let rows = vec![row(), row(), row()];
        // Every shift creates its documents at the instant 0.
        let created = i64::from(self.chance.percent(10));
        RowInsert { set: self.word(&SETS), guard: (self.document_name(), created), rows, at }
    }
}

//! What a commit makes of the documents as they stand.

use jobmill_model::{Timestamp, Value};

use super::document::{Document, Micros};
use super::name::DocumentName;
use super::value::{Field, Fields};
use super::write::{Action, Expect, Write};
use crate::limits::{DOCUMENT_BYTES, WRITES};
use crate::wire::read::{self, Read};
use crate::wire::{Error, Status};

/// The writes of one commit, to be done together or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    writes: Vec<Write>,
    names: Vec<DocumentName>,
    now: Micros,
}

/// What a plan came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// The documents as they stand now, in the order of [`Plan::names`].
    pub after: Vec<Option<Document>>,
    /// What each write reports.
    pub written: Vec<Written>,
    /// When the commit was.
    pub at: Micros,
}

/// What a write reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// When the document was last written; of one that is gone, nothing.
    pub updated: Option<Micros>,
    /// What each transform came to.
    pub transforms: Vec<Field>,
}

impl Plan {
    /// A plan of these writes.
    ///
    /// # Errors
    /// Too many of them.
    pub fn new(writes: Vec<Write>, now: Timestamp) -> Read<Self> {
        if writes.len() > WRITES {
            let text =
                format!("{} writes in one commit; at most {WRITES} are possible", writes.len());
            return Err(Error::invalid(text));
        }
        let mut names: Vec<DocumentName> = Vec::new();
        for write in &writes {
            if !names.contains(&write.name) {
                names.push(write.name.clone());
            }
        }
        Ok(Self { writes, names, now: Micros(now.as_millis() * 1_000) })
    }

    /// Reads the body of `documents:commit`; every document must be in the database.
    ///
    /// # Errors
    /// Anything else.
    pub fn read(body: &Value, database: &str, now: Timestamp) -> Read<Self> {
        let body = read::object(body, "body")?;
        if body.get("transaction").is_some_and(|transaction| *transaction != Value::Null) {
            return Err(Error::unimplemented("transactions that read are not supported here"));
        }
        let writes = read::list(body.get("writes"), "writes")?;
        if writes.len() > WRITES {
            let text =
                format!("{} writes in one commit; at most {WRITES} are possible", writes.len());
            return Err(Error::invalid(text));
        }
        let read = writes.iter().enumerate().map(|(place, write)| {
            let at = |error: Error| Error {
                message: format!("writes[{place}]: {}", error.message),
                ..error
            };
            let write = Write::read(write).map_err(at)?;
            match write.name.parent.database() == database {
                true => Ok(write),
                false => Err(at(Error::invalid(format!("{} is not in {database}", write.name)))),
            }
        });
        Self::new(read.collect::<Read<_>>()?, now)
    }

    /// The documents that it writes, each once.
    #[must_use]
    pub fn names(&self) -> &[DocumentName] {
        &self.names
    }

    /// What becomes of the documents, which stand in the order of [`names`](Self::names).
    ///
    /// # Errors
    /// A precondition that does not hold, or a document that grows too large; then nothing
    /// happens.
    pub fn run(&self, present: &[Option<Document>]) -> Read<Ran> {
        let newest = present.iter().flatten().map(|document| document.updated.0 + 1).max();
        // Each write of a document has a time of its own, so that a time tells a version.
        let at = Micros(self.now.0.max(newest.unwrap_or(i64::MIN)));
        let mut after = present.to_vec();
        let mut written = Vec::with_capacity(self.writes.len());
        for write in &self.writes {
            let place = self.names.iter().position(|name| *name == write.name);
            let slot = place.and_then(|place| after.get_mut(place));
            let slot = slot.ok_or_else(|| Error::new(Status::Internal, "a document is missing"))?;
            written.push(write.run(slot, at)?);
        }
        for (name, document) in self.names.iter().zip(&after) {
            if let Some(document) = document {
                check_size(name, document)?;
            }
        }
        Ok(Ran { after, written, at })
    }
}

impl Write {
    fn run(&self, slot: &mut Option<Document>, at: Micros) -> Read<Written> {
        self.check(slot.as_ref())?;
        let created = slot.as_ref().map_or(at, |document| document.created);
        let write = |fields| Some(Document { fields, created, updated: at });
        match &self.action {
            Action::Verify => {}
            Action::Delete => *slot = None,
            Action::CreateOnce(_) if slot.is_some() => {}
            Action::CreateOnce(fields) | Action::Update { fields, mask: None } => {
                *slot = write(fields.clone());
            }
            Action::Update { fields, mask: Some(mask) } => {
                let mut kept = slot.take().map_or_else(Fields::new, |document| document.fields);
                for path in mask {
                    match path.get(fields) {
                        Some(field) => path.set(&mut kept, field.clone()),
                        None => path.remove(&mut kept),
                    }
                }
                *slot = write(kept);
            }
            Action::Transform => {
                let kept = slot.take().map_or_else(Fields::new, |document| document.fields);
                *slot = write(kept);
            }
        }
        let Some(document) = slot else {
            return Ok(Written { updated: None, transforms: Vec::new() });
        };
        let apply = |transform: &super::Transform| transform.apply(&mut document.fields, at);
        let transforms = self.transforms.iter().map(apply).collect();
        Ok(Written { updated: Some(document.updated), transforms })
    }

    fn check(&self, present: Option<&Document>) -> Read<()> {
        let name = &self.name;
        match (self.expect, present) {
            (Some(Expect::Exists(true)), None) => {
                Err(Error::not_found(format!("No document to update: {name}")))
            }
            (Some(Expect::Exists(false)), Some(_)) => {
                Err(Error::new(Status::AlreadyExists, format!("Document already exists: {name}")))
            }
            (Some(Expect::UpdatedAt(_)), None) => Err(Error::new(
                Status::FailedPrecondition,
                format!("the document does not exist, so it has no update time: {name}"),
            )),
            (Some(Expect::UpdatedAt(at)), Some(document)) if document.updated != at => {
                Err(Error::new(
                    Status::FailedPrecondition,
                    format!("the stored version of the document does not match: {name}"),
                ))
            }
            _ => Ok(()),
        }
    }
}

fn check_size(name: &DocumentName, document: &Document) -> Read<()> {
    let bytes = document.content().as_str().len();
    match bytes <= DOCUMENT_BYTES {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "the document {name} would have {bytes} bytes; at most {DOCUMENT_BYTES} are possible"
        ))),
    }
}

impl Ran {
    /// The answer to a commit.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let results = self.written.iter().map(|written| {
            let mut entries = Vec::new();
            if let Some(updated) = written.updated {
                entries.push(("updateTime", updated.to_value()));
            }
            if !written.transforms.is_empty() {
                let results = written.transforms.iter().map(Field::to_value);
                entries.push(("transformResults", Value::list(results)));
            }
            Value::map(entries)
        });
        let results = (!self.written.is_empty()).then(|| ("writeResults", Value::list(results)));
        let at = Some(("commitTime", self.at.to_value()));
        Value::map([results, at].into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: &str = "projects/p/databases/(default)";

    fn plan(writes: &str) -> Read<Plan> {
        let text = writes.replace("NAME", &format!("{DATABASE}/documents/c/"));
        let body = Value::from_json(format!(r#"{{"writes":[{text}]}}"#).as_bytes()).unwrap();
        Plan::read(&body, DATABASE, Timestamp::from_millis(5))
    }

    fn document(fields: &str, at: i64) -> Option<Document> {
        let fields = Value::from_json(fields.as_bytes()).unwrap();
        let fields = Field::read_fields(Some(&fields)).unwrap();
        Some(Document { fields, created: Micros(at), updated: Micros(at) })
    }

    fn text(document: &Option<Document>) -> String {
        document.as_ref().map_or("none".to_owned(), |document| document.content().to_string())
    }

    const A1: &str = r#"{"a":{"integerValue":"1"}}"#;

    #[test]
    fn an_update_replaces_the_document_and_keeps_when_it_was_created() {
        let plan =
            plan(r#"{"update":{"name":"NAMEx","fields":{"b":{"nullValue":null}}}}"#).unwrap();
        let ran = plan.run(&[document(A1, 7)]).unwrap();
        assert_eq!(text(&ran.after[0]), r#"{"b":{"nullValue":null}}"#);
        let after = ran.after[0].as_ref().unwrap();
        assert_eq!((after.created, after.updated), (Micros(7), Micros(5_000)));
    }

    #[test]
    fn a_mask_sets_and_removes_only_its_fields() {
        let plan = plan(
            r#"{"update":{"name":"NAMEx","fields":{"b":{"mapValue":{"fields":{
            "c":{"nullValue":null},"d":{"nullValue":null}}}}}},
            "updateMask":{"fieldPaths":["a","b.c"]}}"#,
        );
        let present = r#"{"a":{"integerValue":"1"},"z":{"integerValue":"2"}}"#;
        let ran = plan.unwrap().run(&[document(present, 7)]).unwrap();
        let expected =
            r#"{"b":{"mapValue":{"fields":{"c":{"nullValue":null}}}},"z":{"integerValue":"2"}}"#;
        assert_eq!(text(&ran.after[0]), expected);
    }

    #[test]
    fn preconditions_refuse_the_whole_commit() {
        let with = |condition: &str| {
            plan(&format!(
                r#"{{"update":{{"name":"NAMEy"}}}},
                {{"delete":"NAMEx","currentDocument":{condition}}}"#
            ))
            .unwrap()
        };
        let status = |condition: &str, present: Option<Document>| {
            with(condition).run(&[None, present]).map(drop).map_err(|error| error.status)
        };
        let there = || document(A1, 1_000_000);
        assert_eq!(status(r#"{"exists":true}"#, None), Err(Status::NotFound));
        assert_eq!(status(r#"{"exists":true}"#, there()), Ok(()));
        assert_eq!(status(r#"{"exists":false}"#, there()), Err(Status::AlreadyExists));
        let at = |text: &str| format!(r#"{{"updateTime":"1970-01-01T00:00:0{text}Z"}}"#);
        assert_eq!(status(&at("1.000000"), there()), Ok(()));
        assert_eq!(status(&at("1.000001"), there()), Err(Status::FailedPrecondition));
        assert_eq!(status(&at("1.000000"), None), Err(Status::FailedPrecondition));
    }

    #[test]
    fn writes_of_one_document_follow_each_other() {
        let plan = plan(
            r#"{"update":{"name":"NAMEx"}},
            {"transform":{"document":"NAMEx","fieldTransforms":[
                {"fieldPath":"done","appendMissingElements":{"values":[{"stringValue":"p"}]}},
                {"fieldPath":"n","increment":{"integerValue":"2"}}]}}"#,
        )
        .unwrap();
        assert_eq!(plan.names().len(), 1);
        let ran = plan.run(&[document(A1, 9_000_000)]).unwrap();
        let expected = concat!(
            r#"{"done":{"arrayValue":{"values":[{"stringValue":"p"}]}},"#,
            r#""n":{"integerValue":"2"}}"#
        );
        assert_eq!(text(&ran.after[0]), expected);
        // Later than the version before, whatever the clock says.
        assert_eq!(ran.at, Micros(9_000_001));
        let answer = ran.to_value().to_string();
        let results = r#""transformResults":[{"nullValue":null},{"integerValue":"2"}]"#;
        assert!(answer.contains(results), "{answer}");
        assert!(answer.ends_with(r#""commitTime":"1970-01-01T00:00:09.000001Z"}"#), "{answer}");
    }

    #[test]
    fn what_is_created_once_is_not_written_over() {
        let name = DocumentName::read(&format!("{DATABASE}/documents/c/x")).unwrap();
        let write = Write {
            name,
            action: Action::CreateOnce(Fields::new()),
            transforms: vec![],
            expect: None,
        };
        let plan = Plan::new(vec![write], Timestamp::from_millis(5)).unwrap();
        assert_eq!(text(&plan.run(&[document(A1, 7)]).unwrap().after[0]), A1);
        assert_eq!(text(&plan.run(&[None]).unwrap().after[0]), "{}");
    }

    #[test]
    fn a_document_that_grows_too_large_is_refused() {
        let plan = plan(&format!(
            r#"{{"update":{{"name":"NAMEx","fields":{{"a":{{"stringValue":"{}"}}}}}}}}"#,
            "x".repeat(DOCUMENT_BYTES)
        ));
        assert_eq!(plan.unwrap().run(&[None]).unwrap_err().status, Status::InvalidArgument);
    }

    #[test]
    fn what_is_no_write_is_refused_with_its_place() {
        for text in [
            "{}",
            r#"{"update":{}}"#,
            r#"{"update":{"name":"NAMEx"},"delete":"NAMEx"}"#,
            r#"{"delete":"projects/q/databases/(default)/documents/c/x"}"#,
            r#"{"delete":"NAMEx",
            "updateTransforms":[{"fieldPath":"a","increment":{"integerValue":1}}]}"#,
            r#"{"delete":"NAMEx","currentDocument":{"exists":true,"updateTime":"x"}}"#,
        ] {
            let error = plan(text).unwrap_err();
            assert!(error.message.starts_with("writes[0]: "), "{error}");
        }
    }
}

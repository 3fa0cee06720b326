//! The names of documents and of the places where collections are.

use std::fmt;

use crate::limits::{DOCUMENT_ID_BYTES, DOCUMENT_NAME_BYTES};
use crate::wire::Error;
use crate::wire::read::Read;

/// Where collections are: a database's root or a document.
///
/// Written as `projects/P/databases/D/documents` with, of a document, its path behind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Parent(String);

/// The name of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentName {
    /// Where its collection is.
    pub parent: Parent,
    /// The collection's id.
    pub collection: String,
    /// Its own id.
    pub id: String,
}

impl Parent {
    /// Reads a name that ends at a database's `documents` or at a document.
    ///
    /// # Errors
    /// Anything else.
    pub fn read(text: &str) -> Read<Self> {
        let path = path(text)?;
        match path.len() % 2 {
            0 => Ok(Self(text.to_owned())),
            _ => Err(bad(text, "ends at a collection; a parent is a document or the root")),
        }
    }

    /// The root of a database of the form `projects/P/databases/D`.
    ///
    /// # Errors
    /// Anything else.
    pub fn of_database(text: &str) -> Read<Self> {
        Self::read(&format!("{text}/documents"))
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes a name that was read before.
    #[must_use]
    pub fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The database: `projects/P/databases/D`.
    #[must_use]
    pub fn database(&self) -> &str {
        let end = self.0.match_indices('/').nth(3).map_or(self.0.len(), |(at, _)| at);
        &self.0[..end]
    }

    /// The name of a document in a collection here.
    ///
    /// # Errors
    /// An id that cannot be one.
    pub fn document(&self, collection: &str, id: &str) -> Read<DocumentName> {
        check_id(collection, "collection")?;
        check_id(id, "document")?;
        let name = DocumentName {
            parent: self.clone(),
            collection: collection.to_owned(),
            id: id.to_owned(),
        };
        name.check_length()
    }
}

impl fmt::Display for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DocumentName {
    /// Reads `projects/P/databases/D/documents/C/ID` with more pairs in between.
    ///
    /// # Errors
    /// Anything else.
    pub fn read(text: &str) -> Read<Self> {
        let path = path(text)?;
        let [.., collection, id] = path[..] else {
            return Err(bad(text, "is no document; a document's path has a collection and an id"));
        };
        if path.len() % 2 == 1 {
            return Err(bad(text, "ends at a collection, not at a document"));
        }
        let parent = &text[..text.len() - collection.len() - id.len() - 2];
        Parent(parent.to_owned()).document(collection, id)
    }

    fn check_length(self) -> Read<Self> {
        let bytes = self.parent.0.len() + self.collection.len() + self.id.len() + 2;
        match bytes <= DOCUMENT_NAME_BYTES {
            true => Ok(self),
            false => Err(Error::invalid(format!(
                "the name of a document has {bytes} bytes; at most {DOCUMENT_NAME_BYTES} are \
                 possible"
            ))),
        }
    }
}

impl fmt::Display for DocumentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.parent, self.collection, self.id)
    }
}

/// What stands behind `documents`, piece by piece.
fn path(text: &str) -> Read<Vec<&str>> {
    let pieces: Vec<&str> = text.split('/').collect();
    let ["projects", project, "databases", database, "documents", path @ ..] = &pieces[..] else {
        return Err(bad(text, "does not begin with projects/P/databases/D/documents"));
    };
    check_id(project, "project")?;
    check_id(database, "database")?;
    for (piece, kind) in path.iter().zip(["collection", "document"].iter().cycle()) {
        check_id(piece, kind)?;
    }
    Ok(path.to_vec())
}

fn bad(text: &str, why: &str) -> Error {
    Error::invalid(format!("the name {text:?} {why}"))
}

fn check_id(id: &str, kind: &str) -> Read<()> {
    let why = if id.is_empty() {
        "is empty"
    } else if id.len() > DOCUMENT_ID_BYTES {
        "is longer than 1500 bytes"
    } else if id == "." || id == ".." {
        "is a step of a path"
    } else if id.contains(['/', '\0']) {
        "holds a slash or a zero byte"
    } else if id.len() >= 4 && id.starts_with("__") && id.ends_with("__") {
        "is reserved, as it begins and ends with two underscores"
    } else {
        return Ok(());
    };
    Err(Error::invalid(format!("the id of the {kind} {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart_and_put_together() {
        let text = "projects/p/databases/(default)/documents/a/b/c/d";
        let name = DocumentName::read(text).unwrap();
        assert_eq!(name.parent.as_str(), "projects/p/databases/(default)/documents/a/b");
        assert_eq!((name.collection.as_str(), name.id.as_str()), ("c", "d"));
        assert_eq!(name.to_string(), text);
        assert_eq!(name.parent.database(), "projects/p/databases/(default)");
        assert!(Parent::read(text).is_ok());
        let root = Parent::of_database("projects/p/databases/(default)").unwrap();
        assert_eq!(root.document("a", "b").unwrap().to_string(), format!("{root}/a/b"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let root = "projects/p/databases/d/documents";
        for text in ["", "a/b", root, "projects/p/databases/d/documents/", "projects//databases/d"]
        {
            assert!(DocumentName::read(text).is_err(), "{text}");
        }
        for path in ["a", "a/b/c", "a//c/d", "a/..", "a/__b__", "a/."] {
            assert!(DocumentName::read(&format!("{root}/{path}")).is_err(), "{path}");
        }
        assert!(Parent::read(&format!("{root}/a")).is_err());
        let long = format!("{root}/a/{}", "x".repeat(DOCUMENT_ID_BYTES + 1));
        assert!(DocumentName::read(&long).is_err());
    }
}

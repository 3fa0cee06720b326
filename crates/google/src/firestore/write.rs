//! One write of a commit, as it is asked for.

use jobmill_model::{Map, Value};

use super::document::{Micros, field_mask};
use super::name::DocumentName;
use super::path::FieldPath;
use super::transform::Transform;
use super::value::{Field, Fields};
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// One write.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Of which document.
    pub name: DocumentName,
    /// What is done.
    pub action: Action,
    /// Changes of single fields, after it.
    pub transforms: Vec<Transform>,
    /// What must hold before it.
    pub expect: Option<Expect>,
}

/// What a write does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Sets the fields: all of them, or those under the mask.
    Update {
        /// The fields.
        fields: Fields,
        /// Which of them count; a field under the mask that is not given is removed.
        mask: Option<Vec<FieldPath>>,
    },
    /// Creates the document unless it is there; whoever asks has an id that nobody else has.
    CreateOnce(Fields),
    /// Removes the document.
    Delete,
    /// Only changes single fields.
    Transform,
    /// Only looks whether what must hold does.
    Verify,
}

/// What must hold of a document before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It is there, or it is not.
    Exists(bool),
    /// It was last written then.
    UpdatedAt(Micros),
}

impl Expect {
    /// Reads `{"exists": …}` or `{"updateTime": …}`; nothing is no condition.
    ///
    /// # Errors
    /// Anything else.
    pub fn read(value: Option<&Value>) -> Read<Option<Self>> {
        let map = match value {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => read::object(value, "currentDocument")?,
        };
        match (map.get("exists"), map.get("updateTime")) {
            (None, None) => Ok(None),
            (Some(exists), None) => {
                Ok(Some(Self::Exists(read::boolean(exists, "currentDocument.exists")?)))
            }
            (None, Some(at)) => {
                let at = read::text(at, "currentDocument.updateTime")?;
                Ok(Some(Self::UpdatedAt(Micros::read(at)?)))
            }
            _ => Err(Error::invalid("a precondition is either `exists` or `updateTime`")),
        }
    }
}

impl Write {
    /// Reads one write of `documents:commit`.
    ///
    /// # Errors
    /// Anything else.
    pub fn read(value: &Value) -> Read<Self> {
        let map = read::object(value, "write")?;
        read::only(map, &PARTS, "write")?;
        let (name, action) = action(map)?;
        let transforms = match (map.get("transform"), map.get("updateTransforms")) {
            (Some(transform), _) => read::list(
                read::object(transform, "transform")?.get("fieldTransforms"),
                "transforms",
            ),
            (None, transforms) => read::list(transforms, "updateTransforms"),
        }?;
        let transforms = transforms.iter().map(Transform::read).collect::<Read<Vec<_>>>()?;
        if transforms.is_empty() && action == Action::Transform {
            return Err(Error::invalid("a transform needs at least one of its fieldTransforms"));
        }
        let expect = Expect::read(map.get("currentDocument"))?;
        if expect.is_none() && action == Action::Verify {
            return Err(Error::invalid("a verify needs a currentDocument, what it verifies"));
        }
        if !transforms.is_empty() && matches!(action, Action::Delete | Action::Verify) {
            return Err(Error::invalid("a document that is deleted cannot be transformed"));
        }
        Ok(Self { name, action, transforms, expect })
    }
}

/// The fields of a document as it is sent; what else it says of itself is passed over.
///
/// # Errors
/// What is no document.
pub fn document_fields(document: &Map) -> Read<Fields> {
    read::only(document, &["name", "fields", "createTime", "updateTime"], "document")?;
    Field::read_fields(document.get("fields"))
}

const KINDS: [&str; 4] = ["update", "delete", "verify", "transform"];
const PARTS: [&str; 7] = [
    "update",
    "delete",
    "verify",
    "transform",
    "updateMask",
    "updateTransforms",
    "currentDocument",
];

fn action(map: &Map) -> Read<(DocumentName, Action)> {
    let mut given = KINDS.into_iter().filter_map(|kind| Some((kind, map.get(kind)?)));
    let (Some((kind, value)), None) = (given.next(), given.next()) else {
        return Err(Error::invalid("a write is one of update, delete, verify and transform"));
    };
    let named = |name: Option<&Value>| {
        let name = read::text_or(name, "name")?;
        DocumentName::read(name.ok_or_else(|| Error::invalid("a write names its document"))?)
    };
    Ok(match kind {
        "update" => {
            let document = read::object(value, kind)?;
            let fields = document_fields(document)?;
            let mask = field_mask(map.get("updateMask"))?;
            (named(document.get("name"))?, Action::Update { fields, mask })
        }
        "delete" => (named(Some(value))?, Action::Delete),
        "verify" => (named(Some(value))?, Action::Verify),
        _ => (named(read::object(value, kind)?.get("document"))?, Action::Transform),
    })
}

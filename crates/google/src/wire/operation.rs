//! `Operation` of Workflows v1, always done.
//!
//! An operation is not stored: its id says what was done to which workflow and when, and whoever
//! asks again gets the answer from the workflow's revisions.

use jobmill_model::definition::Definition;
use jobmill_model::{Timestamp, Value};

use super::field::{Datum, Field, Kind, Record};
use super::workflow::{TYPE, Workflow};
use super::{LocationName, OperationName};

/// The fields that filters of operations may name.
pub const FIELDS: &[Field] = &[
    Field { name: "name", kind: Kind::Text },
    Field { name: "done", kind: Kind::Flag },
    Field { name: "verb", kind: Kind::Text },
    Field { name: "target", kind: Kind::Text },
    Field { name: "createTime", kind: Kind::Time },
    Field { name: "endTime", kind: Kind::Time },
];

const METADATA: &str = "type.googleapis.com/google.cloud.workflows.v1.OperationMetadata";
const EMPTY: &str = "type.googleapis.com/google.protobuf.Empty";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// A workflow was created.
    Create,
    /// It was changed.
    Update,
    /// It was deleted.
    Delete,
}

/// What an operation's id says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What was done.
    pub verb: Verb,
    /// To which workflow.
    pub workflow: String,
    /// The number of its revision since then; 0 where there is none.
    pub number: u64,
    /// When.
    pub at: Timestamp,
}

impl Verb {
    const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl Done {
    /// The operation that made a definition what it is.
    #[must_use]
    pub fn of(verb: Verb, definition: &Definition) -> Self {
        let (workflow, number) = (definition.name.to_string(), definition.number);
        Self { verb, workflow, number, at: definition.updated_at }
    }

    /// The operation's id.
    #[must_use]
    pub fn id(&self) -> String {
        let (verb, at) = (self.verb.as_str(), self.at.as_millis());
        format!("operation-{at}-{verb}-{}-{}", self.number, self.workflow)
    }

    /// Reads an id; `None` if no operation of this server can have it.
    #[must_use]
    pub fn read(id: &str) -> Option<Self> {
        let mut parts = id.strip_prefix("operation-")?.splitn(4, '-');
        let at = Timestamp::from_millis(parts.next()?.parse().ok()?);
        let word = parts.next()?;
        let verb = Verb::ALL.into_iter().find(|verb| verb.as_str() == word)?;
        let number = parts.next()?.parse().ok()?;
        let done = Self { verb, workflow: parts.next()?.to_owned(), number, at };
        // One operation has one id, not several spellings of it.
        (done.id() == id).then_some(done)
    }

    /// Whether it has led to this revision of its workflow.
    #[must_use]
    pub fn led_to(&self, revision: &Definition) -> bool {
        let within = (revision.revised_at..=revision.updated_at).contains(&self.at);
        let is_first = revision.number == 1 && self.at == revision.created_at;
        self.number == revision.number && within && (self.verb != Verb::Create || is_first)
    }
}

/// An operation within the location in which it was asked for.
#[derive(Debug, Clone)]
pub struct Operation<'a> {
    /// Where it was asked for.
    pub parent: LocationName,
    /// What it did.
    pub done: Done,
    /// What it has led to.
    pub definition: Option<&'a Definition>,
}

impl Operation<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> OperationName {
        self.parent.operation(&self.done.id())
    }

    fn target(&self) -> String {
        self.parent.workflow(&self.done.workflow).to_string()
    }

    /// The resource as an object.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let at = self.done.at.to_string();
        let metadata = [
            ("@type", Value::from(METADATA)),
            ("createTime", at.as_str().into()),
            ("endTime", at.as_str().into()),
            ("target", self.target().into()),
            ("verb", self.done.verb.as_str().into()),
            ("apiVersion", "v1".into()),
        ];
        Value::map([
            ("name", self.name().to_string().into()),
            ("metadata", Value::map(metadata)),
            ("done", true.into()),
            ("response", self.response()),
        ])
    }

    fn response(&self) -> Value {
        let Some(definition) = self.definition else {
            return Value::map([("@type", EMPTY.into())]);
        };
        let name = self.parent.workflow(&self.done.workflow);
        let workflow = Workflow { name, definition }.to_value();
        let fields = workflow.as_map().into_iter().flat_map(|map| map.iter());
        let fields = fields.map(|(key, value)| (key.clone(), value.clone()));
        Value::map(std::iter::once(("@type".into(), Value::from(TYPE))).chain(fields))
    }
}

impl Record for Operation<'_> {
    fn datum(&self, field: &str) -> Datum<'_> {
        match field {
            "name" => self.name().to_string().into(),
            "done" => Datum::Flag(true),
            "verb" => self.done.verb.as_str().into(),
            "target" => self.target().into(),
            "createTime" | "endTime" => self.done.at.into(),
            _ => Datum::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use jobmill_model::definition::{Change, Place};
    use jobmill_model::queue::Name;

    use super::*;

    fn definition() -> Definition {
        let place = Place { project: "p".into(), location: "l".into() };
        let change = Change { source: Some("a".into()), ..Change::default() };
        let at = Timestamp::from_millis(1_000);
        Definition::first(&Name::trusted("my-flow_2"), &place, &change, "a4d", at)
    }

    #[test]
    fn an_operation_is_known_again_by_its_id() {
        let one = definition();
        let created = Done::of(Verb::Create, &one);
        assert_eq!(created.id(), "operation-1000-create-1-my-flow_2");
        assert_eq!(Done::read(&created.id()), Some(created.clone()));
        assert!(created.led_to(&one));
        let change = Change { source: Some("b".into()), ..Change::default() };
        let two = one.changed(&change, "bbb", Timestamp::from_millis(2_000));
        let updated = Done::of(Verb::Update, &two);
        assert!(updated.led_to(&two) && !updated.led_to(&one) && !created.led_to(&two));
        // A workflow that was deleted and made again is another one.
        assert!(!Done { at: Timestamp::from_millis(500), ..created }.led_to(&one));
        for id in ["", "operation-x", "operation-01000-create-1-w", "operation-1-make-1-w"] {
            assert_eq!(Done::read(id), None, "{id}");
        }
    }

    #[test]
    fn an_operation_carries_its_types() {
        let definition = definition();
        let done = Done::of(Verb::Create, &definition);
        let parent: LocationName = "projects/p/locations/l".parse().unwrap();
        let operation = Operation { parent, done, definition: Some(&definition) };
        let text = operation.to_value().to_string();
        let types = "type.googleapis.com/google.cloud.workflows.v1";
        for part in [
            r#"{"name":"projects/p/locations/l/operations/operation-1000-create-1-my-flow_2","#,
            &format!(r#""metadata":{{"@type":"{types}.OperationMetadata""#),
            r#""target":"projects/p/locations/l/workflows/my-flow_2","verb":"create","#,
            &format!(r#""done":true,"response":{{"@type":"{types}.Workflow""#),
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

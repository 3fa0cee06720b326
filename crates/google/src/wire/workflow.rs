//! `Workflow` of Workflows v1.

use jobmill_model::Value;
use jobmill_model::definition::{CallLogLevel, Change, Content, Definition, HistoryLevel};

use super::body::{self, Body};
use super::field::{Datum, Field, Kind, Record, snake};
use super::{Error, WorkflowName};

/// What `@type` says of one.
pub const TYPE: &str = "type.googleapis.com/google.cloud.workflows.v1.Workflow";

/// The fields that filters and orders of workflows may name.
pub const FIELDS: &[Field] = &[
    Field { name: "name", kind: Kind::Text },
    Field { name: "state", kind: Kind::Word(&["ACTIVE", "UNAVAILABLE"]) },
    Field { name: "description", kind: Kind::Text },
    Field { name: "createTime", kind: Kind::Time },
    Field { name: "updateTime", kind: Kind::Time },
    Field { name: "revisionCreateTime", kind: Kind::Time },
    Field { name: "revisionId", kind: Kind::Text },
    Field { name: "serviceAccount", kind: Kind::Text },
    Field { name: "labels", kind: Kind::Texts },
];

/// What a patch can change.
const WRITABLE: [&str; 7] = [
    "description",
    "labels",
    "serviceAccount",
    "sourceContents",
    "callLogLevel",
    "userEnvVars",
    "executionHistoryLevel",
];

/// What a patch may name without an effect: the server writes it, or it has none here.
const PASSED_OVER: [&str; 12] = [
    "name",
    "state",
    "revisionId",
    "createTime",
    "updateTime",
    "revisionCreateTime",
    "stateError",
    "cryptoKeyName",
    "cryptoKeyVersion",
    "allKmsKeys",
    "allKmsKeysVersions",
    "tags",
];

/// A workflow under the name by which it was asked for.
#[derive(Debug, Clone)]
pub struct Workflow<'a> {
    /// Its name.
    pub name: WorkflowName,
    /// The definition behind it.
    pub definition: &'a Definition,
}

impl Workflow<'_> {
    /// The resource as an object; what is empty is left out.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let Definition { content, created_at, updated_at, revised_at, revision, .. } =
            self.definition;
        let text = |text: &str| Some(Value::from(text)).filter(|_| !text.is_empty());
        let texts = |texts| Some(body::texts(texts)).filter(|it| *it != Value::map::<&str>([]));
        let fields = [
            ("name", Some(self.name.to_string().into())),
            ("description", text(&content.description)),
            ("state", Some("ACTIVE".into())),
            ("revisionId", text(revision)),
            ("createTime", Some(created_at.to_string().into())),
            ("updateTime", Some(updated_at.to_string().into())),
            ("revisionCreateTime", Some(revised_at.to_string().into())),
            ("labels", texts(&content.labels)),
            ("serviceAccount", text(&content.service_account)),
            ("sourceContents", text(&content.source)),
            ("callLogLevel", said(content.call_log_level.as_str())),
            ("userEnvVars", texts(&content.env)),
            ("executionHistoryLevel", said(content.history_level.as_str())),
        ];
        Value::map(fields.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }
}

/// An enum's word, unless it says nothing.
pub(super) fn said(word: &'static str) -> Option<Value> {
    Some(Value::from(word)).filter(|_| !word.ends_with("_UNSPECIFIED"))
}

impl Record for Workflow<'_> {
    fn datum(&self, field: &str) -> Datum<'_> {
        let Content { description, service_account, labels, .. } = &self.definition.content;
        let text = |text| Some(text).filter(|text: &&str| !text.is_empty()).into();
        match field {
            "name" => self.name.to_string().into(),
            "state" => "ACTIVE".into(),
            "description" => text(description),
            "createTime" => self.definition.created_at.into(),
            "updateTime" => self.definition.updated_at.into(),
            "revisionCreateTime" => self.definition.revised_at.into(),
            "revisionId" => text(&self.definition.revision),
            "serviceAccount" => text(service_account),
            "labels" => Datum::Texts(labels),
            _ => Datum::Absent,
        }
    }
}

/// Reads the body of `create`: what is given.
///
/// # Errors
/// `INVALID_ARGUMENT`, `UNIMPLEMENTED` for a customer's key.
pub fn created(value: &Value) -> Result<Change, Error> {
    change(Body::read(value)?)
}

/// Reads the body and the mask of `patch`: what the mask names; without a mask, everything.
/// What is named and not given is emptied.
///
/// # Errors
/// `INVALID_ARGUMENT`, `UNIMPLEMENTED` for a customer's key.
pub fn patched(value: &Value, mask: Option<&str>) -> Result<Change, Error> {
    let given = change(Body::read(value)?)?;
    let named = match mask.map(str::trim).filter(|mask| !mask.is_empty()) {
        None | Some("*") => WRITABLE.to_vec(),
        Some(mask) => {
            mask.split(',').filter_map(|path| named(path).transpose()).collect::<Result<_, _>>()?
        }
    };
    let names = |name: &str| named.contains(&name);
    Ok(Change {
        source: names("sourceContents").then(|| given.source.unwrap_or_default()),
        service_account: names("serviceAccount").then(|| given.service_account.unwrap_or_default()),
        env: names("userEnvVars").then(|| given.env.unwrap_or_default()),
        description: names("description").then(|| given.description.unwrap_or_default()),
        labels: names("labels").then(|| given.labels.unwrap_or_default()),
        call_log_level: names("callLogLevel").then(|| given.call_log_level.unwrap_or_default()),
        history_level: names("executionHistoryLevel")
            .then(|| given.history_level.unwrap_or_default()),
    })
}

/// The field that a path of a mask names, if a patch can change it.
fn named(path: &str) -> Result<Option<&'static str>, Error> {
    let path = path.trim();
    let is = |name: &&&str| **name == path || snake(name) == path;
    if let Some(name) = WRITABLE.iter().find(is) {
        return Ok(Some(name));
    }
    if PASSED_OVER.iter().any(|name| is(&name)) {
        return Ok(None);
    }
    let known = WRITABLE.join(", ");
    Err(Error::invalid(format!("invalid update_mask: unknown path {path:?}; known are {known}")))
}

fn change(body: Body<'_>) -> Result<Change, Error> {
    if body.text("cryptoKeyName")?.is_some_and(|key| !key.is_empty()) {
        let message = "keys of customers (cryptoKeyName) are not supported; leave the field out";
        return Err(Error::unimplemented(message));
    }
    Ok(Change {
        source: body.text("sourceContents")?.map(Into::into),
        service_account: body.text("serviceAccount")?.map(str::to_owned),
        env: body.texts("userEnvVars")?,
        description: body.text("description")?.map(str::to_owned),
        labels: body.texts("labels")?,
        call_log_level: body.word("callLogLevel", &CallLogLevel::ALL, CallLogLevel::as_str)?,
        history_level: body.word(
            "executionHistoryLevel",
            &HistoryLevel::ALL,
            HistoryLevel::as_str,
        )?,
    })
}

#[cfg(test)]
mod tests {
    use jobmill_model::Timestamp;
    use jobmill_model::definition::Place;
    use jobmill_model::queue::Name;

    use super::super::Filter;
    use super::*;

    fn read(text: &str) -> Value {
        Value::from_json(text.as_bytes()).unwrap()
    }

    fn definition(change: &Change) -> Definition {
        let place = Place { project: "p".into(), location: "l".into() };
        Definition::first(&Name::trusted("w"), &place, change, "a4d", Timestamp::EPOCH)
    }

    #[test]
    fn a_workflow_reads_back_from_its_resource() {
        let change = created(&read(
            r#"{"sourceContents":"- a:\n    return: 1\n","labels":{"env":"prod"},"callLogLevel":1,
                "userEnvVars":{"A":"b"},"serviceAccount":"me","description":"d","unknown":[],
                "executionHistoryLevel":"EXECUTION_HISTORY_BASIC","name":"anything"}"#,
        ));
        let definition = definition(&change.unwrap());
        let name = "projects/p/locations/l/workflows/w".parse().unwrap();
        let workflow = Workflow { name, definition: &definition };
        let text = workflow.to_value().to_string();
        assert_eq!(
            text,
            concat!(
                r#"{"name":"projects/p/locations/l/workflows/w","description":"d","#,
                r#""state":"ACTIVE","revisionId":"000001-a4d","#,
                r#""createTime":"1970-01-01T00:00:00.000Z","#,
                r#""updateTime":"1970-01-01T00:00:00.000Z","#,
                r#""revisionCreateTime":"1970-01-01T00:00:00.000Z","labels":{"env":"prod"},"#,
                r#""serviceAccount":"me","sourceContents":"- a:\n    return: 1\n","#,
                r#""callLogLevel":"LOG_ALL_CALLS","userEnvVars":{"A":"b"},"#,
                r#""executionHistoryLevel":"EXECUTION_HISTORY_BASIC"}"#
            )
        );
        assert_eq!(created(&read(&text)).unwrap(), created(&workflow.to_value()).unwrap());
        let filter = |text: &str| Filter::read(text, FIELDS).unwrap().matches(&workflow);
        assert!(filter("labels.env=prod state=ACTIVE name:workflows/w"));
        assert!(!filter("description=other"));
    }

    #[test]
    fn a_mask_chooses_what_changes_and_no_mask_means_everything() {
        let body = read(r#"{"sourceContents":"x","labels":{"a":"b"}}"#);
        let change = patched(&body, Some("source_contents,description,name")).unwrap();
        assert_eq!(
            (change.source.as_deref(), change.description.as_deref()),
            (Some("x"), Some(""))
        );
        assert_eq!((change.labels, change.env), (None, None));
        for mask in [None, Some(""), Some("*")] {
            let change = patched(&body, mask).unwrap();
            assert_eq!(change.description.as_deref(), Some(""), "{mask:?}");
            assert_eq!(change.labels.map(|labels| labels.len()), Some(1));
        }
        let error = patched(&body, Some("sourceContent")).unwrap_err();
        assert!(error.message.contains("unknown path \"sourceContent\""), "{error}");
    }

    #[test]
    fn a_customers_key_is_refused() {
        let error = created(&read(r#"{"cryptoKeyName":"projects/p"}"#)).unwrap_err();
        assert_eq!(error.status.as_str(), "UNIMPLEMENTED");
    }
}

//! `StepEntry` of Executions v1.

use std::str::FromStr;

use jobmill_model::machine::{StepEntry, StepState};
use jobmill_model::{Timestamp, Value};

use super::field::{Datum, Field, Kind, Record};
use super::{Error, ExecutionName};

/// The states, in the order of Google's numbers.
pub const STATES: &[&str] = &[
    "STATE_UNSPECIFIED",
    "STATE_IN_PROGRESS",
    "STATE_SUCCEEDED",
    "STATE_FAILED",
    "STATE_CANCELLED",
];

/// The fields that filters and orders of step entries may name.
pub const FIELDS: &[Field] = &[
    Field { name: "entryId", kind: Kind::Number },
    Field { name: "createTime", kind: Kind::Time },
    Field { name: "updateTime", kind: Kind::Time },
    Field { name: "routine", kind: Kind::Text },
    Field { name: "step", kind: Kind::Text },
    Field { name: "stepType", kind: Kind::Text },
    Field { name: "state", kind: Kind::Word(STATES) },
];

/// How much of a step entry is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Everything but the variables.
    Basic,
    /// The variables too.
    Detailed,
}

/// One of the steps of an execution.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// All of them.
    all: &'a [StepEntry],
    /// Its place among them.
    place: usize,
}

impl<'a> Step<'a> {
    /// The step at a place, if there is one.
    #[must_use]
    pub fn new(all: &'a [StepEntry], place: usize) -> Option<Self> {
        (place < all.len()).then_some(Self { all, place })
    }

    fn entry(&self) -> &'a StepEntry {
        &self.all[self.place]
    }

    /// The resource as an object; numbers of 64 bits are written as text.
    #[must_use]
    pub fn to_value(&self, parent: &ExecutionName) -> Value {
        let entry = self.entry();
        let time = |at: Timestamp| Value::from(at.to_string());
        let thread = Value::map([("threadId", number(entry.branch))]);
        let error = |text: &str| Value::map([("payload", text.into())]);
        let variables = |map: &Value| Value::map([("variables", map.clone())]);
        let fields = [
            ("name", Some(format!("{parent}/stepEntries/{}", self.place + 1).into())),
            ("createTime", Some(time(entry.began_at))),
            ("updateTime", Some(time(self.updated_at()))),
            ("routine", Some((&*entry.name.routine).into())),
            ("step", Some((&*entry.name.step).into())),
            ("stepType", Some(format!("STEP_{}", entry.kind).into())),
            ("state", Some(state(entry.state).into())),
            ("exception", entry.error.as_deref().map(error)),
            ("entryId", Some(number(self.place + 1))),
            ("navigationInfo", Some(self.navigation())),
            ("stepEntryMetadata", Some(thread)),
            ("variableData", entry.variables.as_ref().map(variables)),
        ];
        Value::map(fields.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }

    fn updated_at(&self) -> Timestamp {
        self.entry().ended_at.unwrap_or(self.entry().began_at)
    }

    /// The entries around it.
    fn navigation(&self) -> Value {
        let numbered = || self.all.iter().enumerate();
        let (own, place) = (self.entry(), self.place);
        let beside = |it: &StepEntry| it.parent == own.parent && it.branch == own.branch;
        let previous = numbered().take(place).rev().find(|(_, it)| beside(it));
        let next = numbered().skip(place + 1).find(|(_, it)| beside(it));
        let children = numbered().skip(place + 1).filter(|(_, it)| it.parent == Some(place));
        let children: Vec<Value> = children.map(|(place, _)| number(place + 1)).collect();
        let one = |found: Option<(usize, &StepEntry)>| Some(number(found?.0 + 1));
        let fields = [
            ("parent", own.parent.map(|place| number(place + 1))),
            ("previous", one(previous)),
            ("next", one(next)),
            ("children", Some(Value::from(children)).filter(|it| it.as_list() != Some(&[]))),
        ];
        Value::map(fields.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }
}

fn number(number: usize) -> Value {
    number.to_string().into()
}

fn state(state: StepState) -> &'static str {
    match state {
        StepState::Active => "STATE_IN_PROGRESS",
        StepState::Succeeded => "STATE_SUCCEEDED",
        StepState::Failed => "STATE_FAILED",
        StepState::Cancelled => "STATE_CANCELLED",
    }
}

impl Record for Step<'_> {
    fn datum(&self, field: &str) -> Datum<'_> {
        let entry = self.entry();
        match field {
            "entryId" => Datum::Number(i64::try_from(self.place + 1).unwrap_or(i64::MAX)),
            "createTime" => entry.began_at.into(),
            "updateTime" => self.updated_at().into(),
            "routine" => (&*entry.name.routine).into(),
            "step" => (&*entry.name.step).into(),
            "stepType" => format!("STEP_{}", entry.kind).into(),
            "state" => state(entry.state).into(),
            _ => Datum::Absent,
        }
    }
}

impl View {
    /// Reads a view, a word or its number; nothing means basic.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: another word.
    pub fn read(text: Option<&str>) -> Result<Self, Error> {
        text.map_or(Ok(Self::Basic), str::parse)
    }
}

impl FromStr for View {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.strip_prefix("EXECUTION_ENTRY_VIEW_").unwrap_or(text) {
            "UNSPECIFIED" | "BASIC" | "0" | "1" => Ok(Self::Basic),
            "DETAILED" | "2" => Ok(Self::Detailed),
            other => Err(Error::invalid(format!(
                "invalid view {other:?}; known are EXECUTION_ENTRY_VIEW_BASIC, \
                 EXECUTION_ENTRY_VIEW_DETAILED"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use jobmill_model::machine::StepName;

    use super::*;

    fn entry(step: &str, parent: Option<usize>, state: StepState) -> StepEntry {
        StepEntry {
            name: StepName { routine: "main".into(), step: step.into() },
            kind: "ASSIGN",
            branch: 0,
            parent,
            state,
            began_at: Timestamp::EPOCH,
            ended_at: (state != StepState::Active).then_some(Timestamp::from_millis(5)),
            error: (state == StepState::Failed).then(|| "7".into()),
            variables: None,
        }
    }

    #[test]
    fn a_step_shows_what_is_around_it() {
        let all = [
            entry("a", None, StepState::Succeeded),
            entry("b", Some(0), StepState::Failed),
            entry("c", Some(0), StepState::Active),
        ];
        let parent = "projects/p/locations/l/workflows/w/executions/e".parse().unwrap();
        let shown = |place| Step::new(&all, place).unwrap().to_value(&parent).to_string();
        assert!(shown(0).contains(r#""navigationInfo":{"children":["2","3"]}"#), "{}", shown(0));
        assert_eq!(
            shown(1),
            concat!(
                r#"{"name":"projects/p/locations/l/workflows/w/executions/e/stepEntries/2","#,
                r#""createTime":"1970-01-01T00:00:00.000Z","#,
                r#""updateTime":"1970-01-01T00:00:00.005Z","routine":"main","step":"b","#,
                r#""stepType":"STEP_ASSIGN","state":"STATE_FAILED","exception":{"payload":"7"},"#,
                r#""entryId":"2","navigationInfo":{"parent":"1","next":"3"},"#,
                r#""stepEntryMetadata":{"threadId":"0"}}"#
            )
        );
        assert!(shown(2).contains(r#""previous":"2""#) && Step::new(&all, 3).is_none());
    }
}

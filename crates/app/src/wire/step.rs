//! A passage of an execution through a step.

use jobmill_engine::Kept;
use jobmill_model::Value;
use jobmill_model::machine::{StepEntry, StepState};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::moment::Moment;

/// The steps of a run, as far as they can be told.
#[derive(Serialize, ToSchema)]
pub(crate) struct Steps<'a> {
    /// The rows, in the order in which the steps began.
    pub(crate) items: Vec<Step<'a>>,
    /// What to ask for as `cursor` to get the next page; `null` on the last.
    pub(crate) next: Option<String>,
    /// How many steps began in all.
    pub(crate) total: u64,
    /// `whole`; `cut`: only the first 10,000 steps are told; `gone`: the journal of the run was
    /// too large to be kept after its end, or was deleted; `none`: the job is no execution of a
    /// workflow, or its revision is gone.
    #[schema(value_type = String, example = "whole")]
    pub(crate) kept: &'static str,
}

/// A passage through a step.
#[derive(Serialize, ToSchema)]
#[schema(as = Step)]
pub(crate) struct Step<'a> {
    /// Its number in the run, from 1.
    number: usize,
    /// The routine: `main` or a subworkflow.
    #[schema(value_type = String, example = "main")]
    routine: &'a str,
    /// The step's name.
    #[schema(value_type = String, example = "charge")]
    step: &'a str,
    /// What kind of step it is.
    #[schema(value_type = String, example = "ASSIGN")]
    kind: &'static str,
    /// `active`, `succeeded`, `failed` or `cancelled`.
    #[schema(value_type = String, example = "succeeded")]
    state: &'static str,
    /// The parallel branch that it ran in: 0 is the main one, others are used again.
    branch: usize,
    /// The number of the step that it ran in.
    parent: Option<usize>,
    started_at: Moment,
    ended_at: Option<Moment>,
    /// The error that arose in it or came through it, as JSON text, cut where it is long.
    #[schema(value_type = Option<String>)]
    error: Option<&'a str>,
    /// The variables as the step found them, but for those that held nothing; where they are
    /// asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false, nullable = false)]
    variables: Option<Box<RawValue>>,
}

impl<'a> Step<'a> {
    /// The entry at a place.
    pub(crate) fn new(place: usize, entry: &'a StepEntry) -> Self {
        let raw = |value: &Value| RawValue::from_string(value.to_string()).ok();
        Self {
            number: place + 1,
            routine: &entry.name.routine,
            step: &entry.name.step,
            kind: entry.kind,
            state: state(entry.state),
            branch: entry.branch,
            parent: entry.parent.map(|place| place + 1),
            started_at: Moment(entry.began_at),
            ended_at: entry.ended_at.map(Moment),
            error: entry.error.as_deref(),
            variables: entry.variables.as_ref().and_then(raw),
        }
    }
}

fn state(state: StepState) -> &'static str {
    match state {
        StepState::Active => "active",
        StepState::Succeeded => "succeeded",
        StepState::Failed => "failed",
        StepState::Cancelled => "cancelled",
    }
}

/// How much of a history there is, as a word.
pub(crate) fn kept(kept: Kept) -> &'static str {
    match kept {
        Kept::Whole => "whole",
        Kept::Cut => "cut",
        Kept::Gone => "gone",
        Kept::Nothing => "none",
    }
}

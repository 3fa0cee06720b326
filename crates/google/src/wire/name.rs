//! The names of resources: `projects/p/locations/l/workflows/w/executions/e` and their like.

use std::fmt;
use std::str::FromStr;

use super::Error;

/// A project and a location: `projects/p/locations/l`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationName {
    /// The project's id or number.
    pub project: String,
    /// The location; `-` in a listing means all of them.
    pub location: String,
}

/// A workflow within a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowName {
    /// Where it lives.
    pub parent: LocationName,
    /// Its id.
    pub workflow: String,
}

/// An execution of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionName {
    /// What it runs.
    pub parent: WorkflowName,
    /// Its id.
    pub execution: String,
}

/// An operation within a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationName {
    /// Where it ran.
    pub parent: LocationName,
    /// Its id.
    pub operation: String,
}

impl LocationName {
    /// The name of a workflow here.
    #[must_use]
    pub fn workflow(&self, workflow: &str) -> WorkflowName {
        WorkflowName { parent: self.clone(), workflow: workflow.to_owned() }
    }

    /// The name of an operation here.
    #[must_use]
    pub fn operation(&self, operation: &str) -> OperationName {
        OperationName { parent: self.clone(), operation: operation.to_owned() }
    }
}

impl WorkflowName {
    /// The name of an execution of this workflow.
    #[must_use]
    pub fn execution(&self, execution: &str) -> ExecutionName {
        ExecutionName { parent: self.clone(), execution: execution.to_owned() }
    }
}

impl fmt::Display for LocationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "projects/{}/locations/{}", self.project, self.location)
    }
}

impl fmt::Display for WorkflowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/workflows/{}", self.parent, self.workflow)
    }
}

impl fmt::Display for ExecutionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/executions/{}", self.parent, self.execution)
    }
}

impl fmt::Display for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/operations/{}", self.parent, self.operation)
    }
}

/// Takes `projects/p/locations/l/…` apart by the names of its collections.
fn parts<const N: usize>(text: &str, collections: [&str; N]) -> Result<[String; N], Error> {
    let refusal = || {
        let form: Vec<String> =
            collections.iter().map(|it| format!("{it}/{{{}}}", it.trim_end_matches('s'))).collect();
        Error::invalid(format!("invalid resource name {text:?}; expected {}", form.join("/")))
    };
    let segments: Vec<&str> = text.split('/').collect();
    let is_right = segments.len() == 2 * N
        && segments.chunks(2).zip(collections).all(|(it, name)| it[0] == name && !it[1].is_empty());
    if !is_right {
        return Err(refusal());
    }
    Ok(std::array::from_fn(|at| segments[2 * at + 1].to_owned()))
}

impl FromStr for LocationName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let [project, location] = parts(text, ["projects", "locations"])?;
        Ok(Self { project, location })
    }
}

impl FromStr for WorkflowName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let names = ["projects", "locations", "workflows"];
        let [project, location, workflow] = parts(text, names)?;
        Ok(Self { parent: LocationName { project, location }, workflow })
    }
}

impl FromStr for ExecutionName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let names = ["projects", "locations", "workflows", "executions"];
        let [project, location, workflow, execution] = parts(text, names)?;
        let parent = WorkflowName { parent: LocationName { project, location }, workflow };
        Ok(Self { parent, execution })
    }
}

impl FromStr for OperationName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let names = ["projects", "locations", "operations"];
        let [project, location, operation] = parts(text, names)?;
        Ok(Self { parent: LocationName { project, location }, operation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_from_their_text() {
        let text = "projects/p-1/locations/europe-west4/workflows/w/executions/e";
        assert_eq!(text.parse::<ExecutionName>().unwrap().to_string(), text);
        let text = "projects/p-1/locations/l/workflows/w";
        assert_eq!(text.parse::<WorkflowName>().unwrap().to_string(), text);
        let text = "projects/p-1/locations/l/operations/o";
        assert_eq!(text.parse::<OperationName>().unwrap().to_string(), text);
        assert_eq!("projects/p/locations/-".parse::<LocationName>().unwrap().location, "-");
    }

    #[test]
    fn other_text_is_refused_with_the_form_that_was_expected() {
        for text in ["", "projects/p", "projects//locations/l", "p/projects/l/locations", "a/b/c/d"]
        {
            let error = text.parse::<LocationName>().unwrap_err();
            let form = "expected projects/{project}/locations/{location}";
            assert!(error.message.ends_with(form), "{error}");
        }
        assert!("projects/p/locations/l/workflows/w/".parse::<WorkflowName>().is_err());
    }
}

//! What a request to one of Google's paths asks for: names from the path, the body.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use hyper::http::request::Parts;
use jobmill_google::wire::{Error, LocationName, WorkflowName};
use jobmill_model::definition::definition_name;
use jobmill_model::queue::Name;

use super::super::refusal::Refusal;
use super::super::room::Room;

/// The names in the path, in order.
pub(crate) struct Names<const N: usize>(pub(crate) [String; N]);

impl<const N: usize> FromRequestParts<Arc<Room>> for Names<N> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, room: &Arc<Room>) -> Result<Self, Refusal> {
        let refusal = || Refusal::from(Error::invalid("the path is not a resource name in UTF-8"));
        let params = RawPathParams::from_request_parts(parts, room).await;
        let params = params.map_err(|_| refusal())?;
        let names: Vec<String> = params.iter().map(|(_, text)| text.to_owned()).collect();
        // A slash that was escaped would make another name of it.
        let is_whole = names.iter().all(|name| !name.contains('/'));
        let names = <[String; N]>::try_from(names).ok().filter(|_| is_whole);
        names.map(Self).ok_or_else(refusal)
    }
}

impl<const N: usize> Names<N> {
    /// The project and the location, which come first.
    pub(crate) fn location(&self) -> LocationName {
        let [project, location] = [0, 1].map(|at| self.0.get(at).cloned().unwrap_or_default());
        LocationName { project, location }
    }

    /// The workflow, which comes third, without a custom verb.
    pub(crate) fn workflow(&self) -> WorkflowName {
        let workflow = self.0.get(2).map(String::as_str).unwrap_or_default();
        self.location().workflow(with_verb(workflow).0)
    }

    /// The last name without its custom verb, and the verb: `w:listRevisions`.
    pub(crate) fn last(&self) -> (&str, Option<&str>) {
        with_verb(self.0.last().map(String::as_str).unwrap_or_default())
    }
}

fn with_verb(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(name, verb)| (name, Some(verb)))
}

/// The definition that a workflow's name means, if there can be one.
pub(crate) fn definition(name: &WorkflowName) -> Result<Name, Refusal> {
    definition_name(&name.workflow).map_err(|_| no_workflow(name))
}

/// No workflow has this name.
pub(crate) fn no_workflow(name: &WorkflowName) -> Refusal {
    Error::not_found(format!("workflow {name} was not found")).into()
}

/// Nothing answers to this custom verb.
pub(crate) fn no_method(verb: &str) -> Refusal {
    Error::unimplemented(format!("there is no method {verb:?} at this path")).into()
}

//! The drawing of a workflow, and of the way that an execution took through it.

use jobmill_model::definition::definition_of;
use jobmill_model::machine::History;
use jobmill_model::queue::Name;
use jobmill_model::{Definition, JobId};
use jobmill_store::StoreError;

use crate::engine::Engine;
use crate::execution;
use crate::history::Kept;

/// What became of a request for a drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Graph {
    /// An SVG document.
    Drawn(String),
    /// The workflow has more steps than are drawn.
    TooLarge,
    /// There is no such workflow, revision or job.
    Unknown,
    /// The job is no execution of a workflow, or its revision is gone.
    NoWorkflow,
}

impl Engine {
    /// Draws a workflow at its present revision, or at another one.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn workflow_graph(
        &self,
        name: &Name,
        revision: Option<&str>,
    ) -> Result<Graph, StoreError> {
        match self.definition(name, revision).await? {
            Some(definition) => Ok(self.draw(definition, None).await),
            None => Ok(Graph::Unknown),
        }
    }

    /// Draws the workflow of an execution, with the way that it took as far as it can be told.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn job_graph(&self, id: JobId) -> Result<Graph, StoreError> {
        let Some(told) = self.history(id, None).await? else { return Ok(Graph::Unknown) };
        let params = told.job.params.to_value().unwrap_or_default();
        let revision = execution::revision(&params);
        let Some(name) = definition_of(&told.job.spec.flow) else { return Ok(Graph::NoWorkflow) };
        let Some(definition) = self.definition(&name, Some(&revision)).await? else {
            return Ok(Graph::NoWorkflow);
        };
        let is_told = matches!(told.kept, Kept::Whole | Kept::Cut);
        Ok(self.draw(definition, is_told.then_some(told.history)).await)
    }

    async fn draw(&self, definition: Definition, way: Option<History>) -> Graph {
        let Some(workflows) = self.shared.registry.workflows() else { return Graph::NoWorkflow };
        let language = workflows.language.clone();
        let Ok(_turn) = self.shared.histories.acquire().await else { return Graph::Unknown };
        let drawing = tokio::task::spawn_blocking(move || {
            language.draw(&definition.content.source, way.as_ref())
        });
        drawing.await.ok().flatten().map_or(Graph::TooLarge, Graph::Drawn)
    }
}

//! Deploys definitions, shows them, removes them.

use std::sync::Arc;

use jobmill_model::definition::{Change, Definition, Place, flow_of};
use jobmill_model::queue::Name;
use jobmill_model::{Problem, State};
use jobmill_store::{
    DefinitionPage, DefinitionPut, Deployed, JobQuery, PutMode, Store, StoreError,
};

use crate::engine::{Engine, Shared};
use crate::language::{Checked, Finding, Workflows};
use crate::unhurried::Unhurried;

/// Executions that are cancelled in one step when their definition is deleted.
const CANCELLED_AT_ONCE: usize = 200;

/// Why a definition was not deployed. Nothing has changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DeployError {
    /// The source has errors. All findings, warnings among them.
    #[error("the source has errors")]
    Refused(Vec<Finding>),
    /// Something else about it is wrong.
    #[error("the definition is not valid")]
    Invalid(Vec<Problem>),
    /// It is there already.
    #[error("the workflow exists already")]
    Exists,
    /// It is not there.
    #[error("no workflow has this name")]
    Unknown,
    /// This process runs no workflows, or is shutting down.
    #[error("the server is shutting down")]
    Draining,
    /// The store refused it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A definition to deploy.
#[derive(Debug, Clone, PartialEq)]
pub struct Deploy {
    /// Its name, checked by [`definition_name`](jobmill_model::definition::definition_name).
    pub name: Name,
    /// Where Google's clients see it, if it is new; else at home.
    pub place: Option<Place>,
    /// What changes; a new definition needs a source.
    pub change: Change,
    /// Whether it has to be there.
    pub mode: PutMode,
}

/// What a deployment came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// The definition as it stands now.
    pub definition: Definition,
    /// What is odd about the source, if there was one.
    pub warnings: Vec<Finding>,
}

impl Engine {
    /// Checks a source without storing anything.
    pub async fn check_source(&self, source: Arc<str>) -> Vec<Finding> {
        let Some(workflows) = self.shared.registry.workflows() else { return Vec::new() };
        check(workflows, source).await.findings
    }

    /// Deploys a definition: a new one, or a change, with a new revision if executions would
    /// notice it. What runs stays on its revision.
    ///
    /// # Errors
    /// See [`DeployError`].
    pub async fn deploy(&self, deploy: Deploy) -> Result<Deployment, DeployError> {
        let Some(workflows) = self.shared.registry.workflows().filter(|_| !self.is_draining())
        else {
            return Err(DeployError::Draining);
        };
        let Deploy { name, place, change, mode } = deploy;
        let problems = change.problems();
        if !problems.is_empty() {
            return Err(DeployError::Invalid(problems));
        }
        let warnings = match &change.source {
            Some(source) => accepted(check(workflows, source.clone()).await)?,
            None => self.need_source(&name, mode).await.map(|()| Vec::new())?,
        };
        let place = place.unwrap_or_else(|| workflows.home.clone());
        let (suffix, now) = (self.suffix(), self.now());
        let put = DefinitionPut { name, place, change, mode, suffix, now };
        let shared = self.shared.clone();
        let deployed = Unhurried::new(async move { put_it(&shared, put).await }).await?;
        match deployed {
            Deployed::Done(definition) => Ok(Deployment { definition: *definition, warnings }),
            Deployed::Exists => Err(DeployError::Exists),
            Deployed::Unknown => Err(DeployError::Unknown),
        }
    }

    /// A change without a source is one of a definition that is there.
    async fn need_source(&self, name: &Name, mode: PutMode) -> Result<(), DeployError> {
        let is_there = mode == PutMode::Update
            || mode == PutMode::Either && self.definition(name, None).await?.is_some();
        if is_there {
            return Ok(());
        }
        let problem = Problem::new("/source", "a new workflow needs a source");
        Err(DeployError::Invalid(vec![problem]))
    }

    /// Three random hexadecimal digits.
    fn suffix(&self) -> String {
        let mut random = [0; 2];
        self.shared.chance.fill(&mut random);
        format!("{:03x}", u16::from_be_bytes(random) & 0xfff)
    }

    /// A definition at its present revision, or at the one with this id.
    ///
    /// # Errors
    /// As every read: a store that cannot be read.
    pub async fn definition(
        &self,
        name: &Name,
        revision: Option<&str>,
    ) -> Result<Option<Definition>, StoreError> {
        self.shared.store.definition_get(name, revision).await
    }

    /// A page of definitions by name, those after `after`.
    ///
    /// # Errors
    /// See [`definition`](Self::definition).
    pub async fn definitions(
        &self,
        after: Option<&Name>,
        limit: usize,
    ) -> Result<DefinitionPage, StoreError> {
        self.shared.store.definition_list(after, limit).await
    }

    /// Revisions of a definition, newest first, those with a number below `before`.
    ///
    /// # Errors
    /// See [`definition`](Self::definition).
    pub async fn revisions(
        &self,
        name: &Name,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Definition>, StoreError> {
        self.shared.store.revision_list(name, before, limit).await
    }

    /// Removes a definition, its revisions, and what runs of it, which is cancelled; answers
    /// whether it was there.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn undeploy(&self, name: &Name) -> Result<bool, StoreError> {
        let (engine, name) = (self.clone(), name.clone());
        let remove = async move {
            if engine.definition(&name, None).await?.is_none() {
                return Ok(false);
            }
            // Before, because what is left over by a crash in between would wait for ever; and
            // after, for what came in between.
            engine.cancel_executions(&name).await?;
            let was_there = engine.shared.store.definition_delete(&name).await?;
            engine.shared.programs.forget(&name);
            engine.cancel_executions(&name).await?;
            Ok(was_there)
        };
        Unhurried::new(remove).await
    }

    async fn cancel_executions(&self, name: &Name) -> Result<(), StoreError> {
        let states = State::ALL.into_iter().filter(|state| !state.is_final()).collect();
        let query = JobQuery {
            states,
            flow: Some(flow_of(name)),
            limit: CANCELLED_AT_ONCE,
            ..JobQuery::default()
        };
        let mut before = None;
        loop {
            let page = self.jobs(&JobQuery { before, ..query.clone() }).await?;
            let ids: Vec<_> = page.jobs.iter().map(|job| job.id).collect();
            if !ids.is_empty() {
                self.cancel(&ids).await?;
            }
            match page.next {
                None => return Ok(()),
                next => before = next,
            }
        }
    }
}

async fn put_it(shared: &Shared, put: DefinitionPut) -> Result<Deployed, StoreError> {
    let flow = flow_of(&put.name);
    let deployed = shared.store.definition_put(put).await?;
    shared.add_flow(flow);
    Ok(deployed)
}

async fn check(workflows: &Workflows, source: Arc<str>) -> Checked {
    let language = workflows.language.clone();
    let checking = tokio::task::spawn_blocking(move || language.check(&source)).await;
    checking.unwrap_or_else(|error| Checked { script: None, findings: vec![broken(&error)] })
}

fn broken(error: &tokio::task::JoinError) -> Finding {
    tracing::error!(%error, "the checks of a definition broke");
    let message = "the checks broke on this source; the server's log says where".to_owned();
    Finding {
        is_error: true,
        code: "checks-broke".to_owned(),
        deployment: message.clone(),
        message,
        step: None,
        routine: None,
        line: 1,
        column: 1,
        length: 0,
        excerpt: String::new(),
        suggestion: None,
    }
}

/// The warnings of a source that is accepted.
fn accepted(checked: Checked) -> Result<Vec<Finding>, DeployError> {
    match checked.script {
        Some(_) => Ok(checked.findings),
        None => Err(DeployError::Refused(checked.findings)),
    }
}

/// The flows of every definition that is stored.
pub(crate) async fn stored_flows(store: &dyn Store) -> Result<Vec<Name>, StoreError> {
    let mut flows = Vec::new();
    let mut after = None;
    loop {
        let page = store.definition_list(after.as_ref(), 1_000).await?;
        flows.extend(page.definitions.iter().map(|definition| flow_of(&definition.name)));
        match page.next {
            None => return Ok(flows),
            next => after = next,
        }
    }
}

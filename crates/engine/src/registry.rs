//! The flows and ops that this process can perform.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jobmill_flow::Flow;
use jobmill_model::machine::Program;
use jobmill_model::queue::Name;
use jobmill_model::{Fault, Problem, Value, webhook};

use crate::language::Workflows;
use crate::webhook::WebhookKey;

/// A flow as it is shown to people.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowCard {
    /// Its name.
    pub name: Name,
    /// What it does, in one sentence.
    pub about: String,
    /// The JSON Schema of its input.
    pub input_schema: Value,
    /// The JSON Schema of its params.
    pub params_schema: Value,
}

/// How a flow's work is done.
#[derive(Clone)]
pub(crate) enum Work {
    /// One call. As a machine it is one step whose outcome is the job's, so it has no journal.
    Flow(Arc<dyn Flow>),
    /// Many steps.
    Program(Arc<dyn Program>),
    /// The delivery of a completion webhook.
    Webhook(WebhookKey),
}

/// What an op is called with besides its input.
pub struct OpContext<'a> {
    /// The same for every call that stands for the same effect.
    pub idempotency_key: &'a str,
}

/// A function that a machine may call by name.
pub(crate) type OpFn = dyn Fn(&Value, &OpContext<'_>) -> Result<Value, Fault> + Send + Sync;

struct Registered {
    card: FlowCard,
    work: Work,
}

/// A flow or op cannot be registered; says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Something else has the name.
    #[error("{0} is registered twice")]
    Twice(String),
    /// It cannot be a name.
    #[error("{0:?} cannot be the name of a flow: {1}")]
    Name(String, jobmill_model::queue::NameError),
}

/// The flows and ops that this process can perform; complete before the engine starts.
#[derive(Default)]
pub struct Registry {
    flows: BTreeMap<Name, Registered>,
    ops: BTreeMap<Name, Arc<OpFn>>,
    workflows: Option<Workflows>,
    webhook: Option<Work>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The registry with a flow of one call added.
    ///
    /// # Errors
    /// A name that cannot be one, or is taken.
    pub fn with_flow(mut self, flow: Arc<dyn Flow>) -> Result<Self, RegistryError> {
        let card = FlowCard {
            name: name(flow.name())?,
            about: flow.about().to_owned(),
            input_schema: flow.input_schema(),
            params_schema: flow.params_schema(),
        };
        self.add(Registered { card, work: Work::Flow(flow) })?;
        Ok(self)
    }

    /// The registry with a flow of many steps added.
    ///
    /// # Errors
    /// A name that is taken.
    pub fn with_program(
        mut self,
        card: FlowCard,
        program: Arc<dyn Program>,
    ) -> Result<Self, RegistryError> {
        self.add(Registered { card, work: Work::Program(program) })?;
        Ok(self)
    }

    /// The registry with a function added that machines may call.
    ///
    /// # Errors
    /// A name that cannot be one, or is taken.
    pub fn with_op(
        mut self,
        op: &str,
        function: impl Fn(&Value, &OpContext<'_>) -> Result<Value, Fault> + Send + Sync + 'static,
    ) -> Result<Self, RegistryError> {
        match self.ops.insert(name(op)?, Arc::new(function)) {
            None => Ok(self),
            Some(_) => Err(RegistryError::Twice(op.to_owned())),
        }
    }

    /// The registry of a process that runs definitions too.
    #[must_use]
    pub fn with_workflows(mut self, workflows: Workflows) -> Self {
        self.workflows = Some(workflows);
        self
    }

    /// The registry of a process that delivers completion webhooks, signed with this key.
    #[must_use]
    pub fn with_webhooks(mut self, key: WebhookKey) -> Self {
        self.webhook = Some(Work::Webhook(key));
        self
    }

    /// What this process needs to run definitions, if it does.
    pub(crate) fn workflows(&self) -> Option<&Workflows> {
        self.workflows.as_ref()
    }

    /// Every flow, by name.
    pub fn cards(&self) -> impl Iterator<Item = &FlowCard> {
        self.flows.values().map(|registered| &registered.card)
    }

    /// The flow of this name.
    #[must_use]
    pub fn card(&self, name: &Name) -> Option<&FlowCard> {
        self.flows.get(name).map(|registered| &registered.card)
    }

    /// The flows that a process with so many workers takes on: without a worker, only those
    /// that need none.
    pub(crate) fn names_for(&self, workers: usize) -> BTreeSet<Name> {
        let takes = |work: &Work| workers > 0 || matches!(work, Work::Program(_));
        let taken = self.flows.iter().filter(|(_, registered)| takes(&registered.work));
        let webhook = self.webhook.iter().map(|_| Name::trusted(webhook::FLOW));
        taken.map(|(name, _)| name.clone()).chain(webhook).collect()
    }

    /// Whether a flow is one call, which a worker outside can perform too.
    pub(crate) fn is_call(&self, name: &Name) -> bool {
        matches!(self.work(name), Some(Work::Flow(_)))
    }

    pub(crate) fn work(&self, name: &Name) -> Option<&Work> {
        match name.as_str() {
            webhook::FLOW => self.webhook.as_ref(),
            _ => self.flows.get(name).map(|registered| &registered.work),
        }
    }

    pub(crate) fn op(&self, name: &Name) -> Option<&Arc<OpFn>> {
        self.ops.get(name)
    }

    /// What is wrong with an input and params for a flow; nothing to say of an unknown one.
    #[must_use]
    pub fn check(&self, flow: &Name, input: &Value, params: &Value) -> Vec<Problem> {
        match self.work(flow) {
            Some(Work::Flow(flow)) => flow.check(input, params),
            _ => Vec::new(),
        }
    }

    fn add(&mut self, registered: Registered) -> Result<(), RegistryError> {
        let name = registered.card.name.clone();
        match self.flows.insert(name.clone(), registered) {
            None => Ok(()),
            Some(_) => Err(RegistryError::Twice(name.to_string())),
        }
    }
}

fn name(text: &str) -> Result<Name, RegistryError> {
    Name::new(text).map_err(|error| RegistryError::Name(text.to_owned(), error))
}

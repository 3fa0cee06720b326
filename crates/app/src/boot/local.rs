//! One execution in this process, on a store in memory.

use std::cmp::Ordering::{Equal, Greater, Less};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jobmill_engine::chance::SystemChance;
use jobmill_engine::clock::SystemClock;
use jobmill_engine::{Config, Engine, Finding, FlowCard, Gate, Language, Registry};
use jobmill_flow::output::join;
use jobmill_gcw::{Limits, StepEventKind, Workflow};
use jobmill_model::job::{Failure as Failed, Spec};
use jobmill_model::machine::{
    Begin, Effect, EffectNumber, LogEntry, Machine, Outcome, Program, Step,
};
use jobmill_model::queue::Name;
use jobmill_model::{JobId, NewJob, Span, State, Value};
use jobmill_store::memory::MemoryStore;
use jobmill_store::{AttemptQuery, Store};

use super::language::GoogleWorkflows;
use crate::config::Settings;

/// Steps of one execution that are shown.
const STEPS_SHOWN: usize = 100_000;
/// Nobody waits longer for a program in a terminal.
const YEAR: Span = Span::from_secs(365 * 86_400);

/// Is told of each step as it begins or fails, and of each entry of the log.
pub type LocalStep = Arc<dyn Fn(&str) + Send + Sync>;

/// How an execution ended: its result, or the code and the message of its failure.
pub struct LocalEnd {
    /// The job's id.
    pub id: JobId,
    /// Its state.
    pub state: State,
    /// Its outcome.
    pub outcome: Result<Value, LocalFailure>,
}

/// Why an execution failed.
pub struct LocalFailure {
    /// The code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// Where it happened, the innermost step first.
    pub places: Vec<String>,
}

/// Where the execution failed: the lines of its trace that name a step.
async fn places(store: &impl Store, id: JobId) -> Result<Vec<String>, String> {
    let query = AttemptQuery { id, code: None, since: None, until: None, skip: 0, limit: 1 };
    let attempts = store.attempt_list(&query).await.map_err(|error| error.to_string())?;
    let lines = attempts.iter().flat_map(|attempt| attempt.trace.lines());
    let places = lines.filter(|line| line.starts_with("in step "));
    Ok(places.map(|line| line.split(", column: ").next().unwrap_or(line).to_owned()).collect())
}

fn limits(is_google: bool) -> Limits {
    if is_google { Limits::google() } else { Limits::lifted() }
}

/// Everything that is wrong with a source.
#[must_use]
pub fn check_source(source: &str, gcp_limits: bool) -> Vec<Finding> {
    GoogleWorkflows { limits: limits(gcp_limits) }.check(source).findings
}

/// A source as a picture, if it can be read and is not too large.
#[must_use]
pub fn draw_source(source: &str) -> Option<String> {
    GoogleWorkflows { limits: limits(false) }.draw(source, None)
}

/// Runs a source that passes the checks.
///
/// # Errors
/// What kept the execution from being begun.
pub async fn run_locally(
    name: &str,
    source: &str,
    settings: &Settings,
    argument: Value,
    watch: LocalStep,
) -> Result<LocalEnd, String> {
    let checked = jobmill_gcw::check(source, &limits(settings.gcp_limits));
    let program = checked.program.ok_or("the source has errors")?;
    let workflow = Workflow { program, env: Arc::new(environment(name)) };
    let flow = Name::trusted("workflow");
    let card = FlowCard {
        name: flow.clone(),
        about: "The workflow of this command.".to_owned(),
        input_schema: Value::Bool(true),
        params_schema: Value::Bool(true),
    };
    let watched = Arc::new(Watched { workflow, watch, told: Arc::default() });
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let workflows = super::workflows(settings, address).map_err(|error| error.to_string())?;
    let registry = Registry::new().with_workflows(workflows);
    let registry = registry.with_program(card, watched).map_err(|it| it.to_string())?;
    let store = Arc::new(MemoryStore::new());
    let gate = Gate { private: true, loopback: true };
    let config = Config { workers: 1, gate, ..Config::default() };
    let (clock, chance) = (Arc::new(SystemClock::default()), Arc::new(SystemChance));
    let engine = Engine::start(store.clone(), registry, clock, chance, config).await;
    let engine = engine.map_err(|error| error.to_string())?;
    let spec = Spec { max_attempts: 1, ..Spec::new(flow) };
    let job = NewJob { spec, input: argument, params: Value::Null };
    let accepted = engine.submit(vec![job], None).await.map_err(|error| error.to_string())?;
    let id = accepted.first().map(|job| job.id).ok_or("the execution was not accepted")?;
    let ended = engine.wait(id, YEAR).await.map_err(|error| error.to_string())?;
    let job = ended.ok_or("the execution is gone")?;
    let outcome = match job.error {
        Some(Failed { code, message }) => {
            Err(LocalFailure { places: places(&*store, id).await?, code, message })
        }
        None => Ok(result(&*store, id).await?),
    };
    Ok(LocalEnd { id, state: job.state, outcome })
}

async fn result(store: &impl Store, id: JobId) -> Result<Value, String> {
    let extent = store.output_extent(id).await.map_err(|error| error.to_string())?;
    let Some(extent) = extent else { return Ok(Value::Null) };
    let chunks = store.output_read(id, 0, usize::MAX).await.map_err(|error| error.to_string())?;
    let text = join(extent.shape, &chunks);
    Value::from_json(text.as_bytes()).map_err(|error| error.to_string())
}

/// What an execution without a server sees as its built-in variables.
fn environment(name: &str) -> jobmill_gcw::value::Map {
    let built_in = [
        ("GOOGLE_CLOUD_PROJECT_ID", "local"),
        ("GOOGLE_CLOUD_PROJECT_NUMBER", "0"),
        ("GOOGLE_CLOUD_LOCATION", "local"),
        ("GOOGLE_CLOUD_SERVICE_ACCOUNT_NAME", "local"),
        ("GOOGLE_CLOUD_WORKFLOW_ID", name),
        ("GOOGLE_CLOUD_WORKFLOW_REVISION_ID", "000001-000"),
        ("GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID", "local"),
    ];
    let value = |value: &str| jobmill_gcw::Value::from(value);
    built_in.into_iter().map(|(name, text)| (Arc::from(name), value(text))).collect()
}

/// A workflow that tells of its steps.
struct Watched {
    workflow: Workflow,
    watch: LocalStep,
    /// What was told so far; a machine that takes up its journal begins from the start.
    told: Arc<AtomicUsize>,
}

impl Program for Watched {
    fn machine(&self, begin: Begin) -> Box<dyn Machine> {
        let mut machine = self.workflow.execution(begin);
        machine.watch();
        let (program, watch) = (self.workflow.program.clone(), self.watch.clone());
        Box::new(Telling { machine, program, watch, seen: 0, told: self.told.clone() })
    }
}

struct Telling {
    machine: jobmill_gcw::Machine,
    program: Arc<jobmill_gcw::Program>,
    watch: LocalStep,
    seen: usize,
    told: Arc<AtomicUsize>,
}

impl Telling {
    fn tell(&mut self, step: Step) -> Step {
        for event in self.machine.take_events() {
            let Some(step) = self.program.steps.get(event.step as usize) else { continue };
            let indent = "  ".repeat(event.depth.saturating_sub(1).min(20));
            let place = format!("{indent}{} · {}", step.routine, step.name);
            match &event.kind {
                StepEventKind::Began => self.say(&place),
                StepEventKind::Failed(error) => self.say(&format!("{place} failed: {error}")),
            }
        }
        for (_, effect) in &step.effects {
            if let Effect::Log(LogEntry { severity, payload }) = effect {
                let text = payload.as_str().map_or_else(|| payload.to_string(), str::to_owned);
                self.say(&format!("log {severity}: {text}"));
            }
        }
        step
    }

    /// Says what was not said before: the same journal tells the same in the same order.
    fn say(&mut self, text: &str) {
        self.seen += 1;
        if self.seen > self.told.load(Ordering::Relaxed) {
            self.told.store(self.seen, Ordering::Relaxed);
            match self.seen.cmp(&STEPS_SHOWN) {
                Less => (self.watch)(text),
                Equal => (self.watch)("and so on; no more steps are shown"),
                Greater => {}
            }
        }
    }
}

impl Machine for Telling {
    fn start(&mut self) -> Step {
        let step = self.machine.start();
        self.tell(step)
    }

    fn fold(&mut self, number: EffectNumber, outcome: Outcome) -> Step {
        let step = self.machine.fold(number, outcome);
        self.tell(step)
    }

    fn go_on(&mut self) -> Step {
        let step = self.machine.go_on();
        self.tell(step)
    }
}

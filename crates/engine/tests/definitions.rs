//! What the engine promises of definitions: revisions, executions that stay on theirs, deletion.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jobmill_engine::{
    Checked, Deploy, DeployError, Deployment, Execute, ExecuteError, Finding, Language, Registry,
    Remotes, Script, SubmitError, Workflows,
};
use jobmill_model::definition::{Change, Place, Texts};
use jobmill_model::job::{NewJob, Spec};
use jobmill_model::machine::{
    Begin, Effect, EffectNumber, History, Machine, Outcome, Program, Step, Then,
};
use jobmill_model::queue::Name;
use jobmill_model::{Json, Map, State, Value};
use jobmill_store::memory::MemoryStore;
use jobmill_store::{JobQuery, PutMode};
use world::{HandClock, World};

/// A language of one statement: wait for the signal `go`, then answer the source, the argument
/// and the variables. Sources that begin with `bad` have an error.
#[derive(Default)]
struct Toy {
    checks: Arc<AtomicUsize>,
}

struct Source(String);

struct Waits {
    source: String,
    env: Map,
}

struct Run {
    answer: Value,
}

impl Language for Toy {
    fn draw(&self, _: &str, _: Option<&History>) -> Option<String> {
        None
    }

    fn check(&self, source: &str) -> Checked {
        self.checks.fetch_add(1, Ordering::SeqCst);
        let is_error = source.starts_with("bad");
        let script: Option<Arc<dyn Script>> = match is_error {
            true => None,
            false => Some(Arc::new(Source(source.to_owned()))),
        };
        let findings =
            if source.contains("odd") || is_error { vec![finding(is_error)] } else { Vec::new() };
        Checked { script, findings }
    }
}

fn finding(is_error: bool) -> Finding {
    Finding {
        is_error,
        code: "toy".to_owned(),
        message: "looks odd".to_owned(),
        step: None,
        routine: None,
        line: 1,
        column: 1,
        length: 3,
        excerpt: String::new(),
        suggestion: None,
        deployment: "looks odd".to_owned(),
    }
}

impl Script for Source {
    fn program(&self, env: &Map) -> Arc<dyn Program> {
        Arc::new(Waits { source: self.0.clone(), env: env.clone() })
    }
}

impl Program for Waits {
    fn machine(&self, begin: Begin) -> Box<dyn Machine> {
        let answer = Value::map([
            ("source", Value::from(self.source.as_str())),
            ("input", begin.input),
            ("env", Value::from(self.env.clone())),
            ("params", begin.params),
        ]);
        Box::new(Run { answer })
    }
}

impl Machine for Run {
    fn start(&mut self) -> Step {
        let effect = Effect::Signal { name: Name::trusted("go"), until: None };
        Step { effects: vec![(EffectNumber(0), effect)], then: Then::Wait }
    }

    fn fold(&mut self, _number: EffectNumber, _outcome: Outcome) -> Step {
        Step { effects: Vec::new(), then: Then::End(Ok(self.answer.clone())) }
    }

    fn go_on(&mut self) -> Step {
        unreachable!("it never pauses")
    }
}

fn registry(checks: &Arc<AtomicUsize>) -> Registry {
    Registry::new().with_workflows(Workflows {
        remotes: Remotes::default(),
        language: Arc::new(Toy { checks: checks.clone() }),
        home: Place { project: "shop".to_owned(), location: "here".to_owned() },
        public_url: "http://127.0.0.1:1".to_owned(),
        argument_bytes: 1_000,
    })
}

async fn world() -> World {
    World::start(registry(&Arc::default())).await
}

fn orders() -> Name {
    Name::trusted("orders")
}

fn source(text: &str) -> Change {
    Change { source: Some(text.into()), ..Change::default() }
}

async fn deploy(world: &World, change: Change) -> Result<Deployment, DeployError> {
    let deploy = Deploy { name: orders(), place: None, change, mode: PutMode::Either };
    world.engine.deploy(deploy).await
}

async fn execute(world: &World, argument: i64) -> jobmill_model::Job {
    let execute = Execute { argument: argument.into(), ..Execute::default() };
    world.engine.execute(&orders(), execute, None).await.unwrap()
}

async fn go(world: &World, job: &jobmill_model::Job) -> Value {
    let go = Name::trusted("go");
    world.engine.signal(job.id, &go, &Json::trusted("null")).await.unwrap();
    assert_eq!(world.ended(job.id).await.state, State::Completed);
    world.result(job.id).await
}

fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    let inner = path.iter().fold(value, |value, key| value.as_map().unwrap().get(key).unwrap());
    inner.as_str().unwrap()
}

#[tokio::test]
async fn an_execution_sees_its_argument_and_its_variables() {
    let world = world().await;
    let env = Some(Texts::from([("MINE".to_owned(), "yes".to_owned())]));
    let deployed = deploy(&world, Change { env, ..source("one") }).await.unwrap();
    let job = execute(&world, 7).await;
    assert_eq!(job.spec.flow.as_str(), "workflow:orders");
    let result = go(&world, &job).await;
    let env = |name: &str| text(&result, &["env", name]).to_owned();
    assert_eq!(env("MINE"), "yes");
    assert_eq!(env("GOOGLE_CLOUD_PROJECT_ID"), "shop");
    assert_eq!(env("GOOGLE_CLOUD_LOCATION"), "here");
    assert_eq!(env("GOOGLE_CLOUD_WORKFLOW_ID"), "orders");
    assert_eq!(env("GOOGLE_CLOUD_WORKFLOW_REVISION_ID"), deployed.definition.revision);
    let own = text(&result, &["params", "env", "GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID"]);
    assert_eq!(own, job.id.to_string());
}

#[tokio::test]
async fn a_running_execution_stays_on_the_revision_it_began_with() {
    let world = world().await;
    deploy(&world, source("one")).await.unwrap();
    let old = execute(&world, 1).await;
    world.reaches(old.id, State::Running).await;
    deploy(&world, source("two")).await.unwrap();
    let new = execute(&world, 2).await;
    assert_eq!(text(&go(&world, &old).await, &["source"]), "one");
    assert_eq!(text(&go(&world, &new).await, &["source"]), "two");
    let query = JobQuery { limit: 9, ..JobQuery::default() };
    let page = world.engine.executions(&orders(), &query).await.unwrap();
    assert_eq!(page.jobs.len(), 2);
}

#[tokio::test]
async fn an_older_revision_can_be_asked_for() {
    let world = world().await;
    let one = deploy(&world, source("one")).await.unwrap().definition;
    deploy(&world, source("two")).await.unwrap();
    let ask =
        |revision: &str| Execute { revision: Some(revision.to_owned()), ..Execute::default() };
    let job = world.engine.execute(&orders(), ask(&one.revision), None).await.unwrap();
    assert_eq!(text(&go(&world, &job).await, &["source"]), "one");
    let unknown = world.engine.execute(&orders(), ask("000009-abc"), None).await;
    assert_eq!(unknown.unwrap_err(), ExecuteError::UnknownRevision);
    let unknown = world.engine.execute(&Name::trusted("other"), ask("x"), None).await;
    assert_eq!(unknown.unwrap_err(), ExecuteError::UnknownWorkflow);
}

#[tokio::test]
async fn an_execution_goes_on_in_the_next_process() {
    let (store, clock) = (Arc::new(MemoryStore::new()), HandClock::default());
    let checks = Arc::default();
    let first = World::start_on(store.clone(), clock.clone(), registry(&checks)).await;
    deploy(&first, source("one")).await.unwrap();
    let job = execute(&first, 1).await;
    first.reaches(job.id, State::Running).await;
    first.engine.drain().await;
    let second = World::start_on(store, clock, registry(&checks)).await;
    assert_eq!(text(&go(&second, &job).await, &["source"]), "one");
}

#[tokio::test]
async fn a_source_with_errors_is_refused_and_nothing_is_stored() {
    let world = world().await;
    let refused = deploy(&world, source("bad")).await.unwrap_err();
    assert_eq!(refused, DeployError::Refused(vec![finding(true)]));
    assert_eq!(world.engine.definition(&orders(), None).await.unwrap(), None);
    let odd = deploy(&world, source("odd")).await.unwrap();
    assert_eq!(odd.warnings, [finding(false)]);
    let labels = Some((0..65).map(|n| (format!("l{n}"), String::new())).collect());
    let many = deploy(&world, Change { labels, ..Change::default() }).await;
    assert!(matches!(many, Err(DeployError::Invalid(problems)) if problems.len() == 1));
}

#[tokio::test]
async fn a_new_definition_needs_a_source() {
    let world = world().await;
    let empty = deploy(&world, Change::default()).await.unwrap_err();
    assert!(matches!(empty, DeployError::Invalid(problems) if problems[0].pointer == "/source"));
    let name = orders();
    let change = Change::default();
    let deploy = Deploy { name, place: None, change, mode: PutMode::Update };
    assert_eq!(world.engine.deploy(deploy).await.unwrap_err(), DeployError::Unknown);
}

#[tokio::test]
async fn what_runs_of_a_deleted_definition_is_cancelled() {
    let world = world().await;
    deploy(&world, source("one")).await.unwrap();
    let job = execute(&world, 1).await;
    world.reaches(job.id, State::Running).await;
    assert!(world.engine.undeploy(&orders()).await.unwrap());
    assert!(!world.engine.undeploy(&orders()).await.unwrap());
    assert_eq!(world.ended(job.id).await.state, State::Cancelled);
    let again = world.engine.execute(&orders(), Execute::default(), None).await;
    assert_eq!(again.unwrap_err(), ExecuteError::UnknownWorkflow);
}

#[tokio::test]
async fn a_job_may_name_a_workflow_as_its_flow() {
    let world = world().await;
    let deployed = deploy(&world, source("one")).await.unwrap().definition;
    let job = |flow: &str, params: Value| NewJob {
        spec: Spec::new(Name::trusted(flow)),
        input: Value::Null,
        params,
    };
    let jobs = world.engine.submit(vec![job("workflow:orders", Value::Null)], None).await.unwrap();
    assert!(jobs[0].params.as_str().contains(&deployed.revision));
    go(&world, &jobs[0]).await;
    let unknown = world.engine.submit(vec![job("workflow:other", Value::Null)], None).await;
    assert!(matches!(unknown, Err(SubmitError::UnknownFlow { .. })));
    let params = Value::map([("revision", Value::from("000007-aaa"))]);
    let unknown = world.engine.submit(vec![job("workflow:orders", params)], None).await;
    assert!(matches!(unknown, Err(SubmitError::Invalid(_))));
}

#[tokio::test]
async fn a_revision_is_compiled_once() {
    let checks = Arc::default();
    let world = World::start(registry(&checks)).await;
    deploy(&world, source("one")).await.unwrap();
    for argument in 0..3 {
        let job = execute(&world, argument).await;
        go(&world, &job).await;
    }
    assert_eq!(checks.load(Ordering::SeqCst), 2, "once to deploy it and once to run it");
}

//! A server of one's own: a store in memory, the built-in flows and those of the trials.

use std::net::SocketAddr;
use std::sync::Arc;

use jobmill::http::{Access, Settings, serve};
use jobmill_engine::chance::SystemChance;
use jobmill_engine::clock::SystemClock;
use jobmill_engine::{Config, Engine, Registry};
use jobmill_store::memory::MemoryStore;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Answer, Request};
use crate::trial_flows::{Gate, trial_flows};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Engine,
    /// Holds the jobs of the flow `gate` until it is opened.
    pub(crate) gate: Arc<Gate>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Settings::new(Access::Loopback)).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let gate = Arc::new(Gate::default());
        let flows = jobmill_flow::builtin().into_iter().chain(trial_flows(&gate));
        let registry = flows.fold(Registry::new(), |registry, flow| {
            registry.with_flow(flow).expect("every flow has a name of its own")
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let workflows = jobmill::boot::workflows(&jobmill::config::defaults(), address).unwrap();
        let registry = registry.with_workflows(workflows);
        let engine = Engine::start(
            Arc::new(MemoryStore::new()),
            registry,
            Arc::new(SystemClock::default()),
            Arc::new(SystemChance),
            Config::default(),
        );
        let engine = engine.await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let task = tokio::spawn(serve(listener, engine.clone(), settings, shutdown));
        Self { address, engine, gate, stop, task }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Request::new("GET", path).send(self.address).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        Request::new("POST", path).json(body).send(self.address).await
    }

    pub(crate) async fn put(&self, path: &str, body: &str) -> Answer {
        Request::new("PUT", path).json(body).send(self.address).await
    }

    /// Submits a job, which must be accepted, and answers its id.
    pub(crate) async fn submit(&self, body: &str) -> String {
        let answer = self.post("/jobs", body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.word("id")
    }

    /// Submits a job, waits for its end and answers its outcome.
    pub(crate) async fn run(&self, body: &str) -> Answer {
        let id = self.submit(body).await;
        self.outcome(&id).await
    }

    /// Waits for the end of a job and answers its outcome.
    pub(crate) async fn outcome(&self, id: &str) -> Answer {
        let answer = self.get(&format!("/jobs/{id}/results?wait=30s")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    /// Begins the shutdown; answers what to wait for.
    pub(crate) fn stop(self) -> JoinHandle<std::io::Result<()>> {
        self.stop.send(()).unwrap();
        self.task
    }
}

//! The only wiring: clock, chance, store, flows, engine and doors become one server here.

mod key;
mod language;
mod local;
mod logs;
pub(crate) mod offline;
mod signals;
mod webhook;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jobmill_backends::sqlite::{BackupError, DATA_FILE, OpenError, Options, SqliteStore};
use jobmill_engine::chance::SystemChance;
use jobmill_engine::clock::SystemClock;
use jobmill_engine::{
    Config, Credentials, DeclareError, Engine, Gate, Registry, RegistryError, Remote, Remotes,
    Workflows,
};
use jobmill_gcw::Limits;
use jobmill_model::definition::Place;
use jobmill_model::queue::Name;
use jobmill_store::StoreError;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use jobmill_backends::sqlite::{Copied, backup, restore};
pub use key::given as given_key;
pub use local::{LocalEnd, LocalFailure, LocalStep, check_source, draw_source, run_locally};
pub use logs::start as start_logs;
pub use signals::Signals;

use crate::config::Settings;
use crate::http;

/// Why a server could not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens there.
    #[error(
        "cannot listen on {0}: another program listens there; stop it, or choose another \
         address with --listen (port 0 takes a free port)"
    )]
    Taken(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}; choose another address with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    /// The data folder cannot be used.
    #[error("{0}; the folder is chosen with --data")]
    Open(#[from] OpenError),
    /// A key or a secret cannot be read or made.
    #[error("the key in {0} cannot be used: {1}")]
    Key(PathBuf, String),
    /// The data cannot be copied.
    #[error(transparent)]
    Backup(BackupError),
    /// There is no data file.
    #[error("there is no data file in {}; a server makes it at its first start", .0.display())]
    NoData(PathBuf),
    /// Two flows have one name.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A flow of the configuration file cannot be declared.
    #[error("the flow {0} of the configuration file cannot be declared: {1}")]
    Declare(Name, DeclareError),
    /// The key of a service account cannot be used.
    #[error("{path} is no key of a service account: {why}", path = .0.display(), why = .1)]
    Credentials(PathBuf, String),
    /// The store failed while the engine started.
    #[error("the engine cannot start: {0}")]
    Engine(#[source] StoreError),
    /// The doors broke.
    #[error("the server can no longer be reached: {0}")]
    Serve(#[source] io::Error),
    /// The store did not close well; nothing that was acknowledged is lost.
    #[error("the data file could not be closed cleanly: {0}")]
    Close(#[source] StoreError),
}

/// A server that listens and performs jobs, and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    engine: Engine,
    store: Arc<SqliteStore>,
    doors: http::Settings,
    /// The file that holds the API key, where a key is needed and was not given.
    pub key_file: Option<PathBuf>,
    /// Whether requests need an API key.
    pub needs_key: bool,
    /// The data file.
    pub data_file: PathBuf,
}

/// The flows of this binary.
///
/// # Errors
/// Two flows of one name.
pub fn registry() -> Result<Registry, RegistryError> {
    jobmill_flow::builtin().into_iter().try_fold(Registry::new(), Registry::with_flow)
}

impl Server {
    /// Takes the address and the data folder, and begins to perform jobs.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(settings: &Settings) -> Result<Self, StartError> {
        Self::start_with(settings, registry()?).await
    }

    /// The same with other flows.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_with(settings: &Settings, flows: Registry) -> Result<Self, StartError> {
        let listener = listen(settings.listen).await?;
        let address = listener.local_addr().map_err(StartError::Serve)?;
        let options =
            Options { max_bytes: settings.store_limit, ..Options::in_folder(&settings.data) };
        let store = Arc::new(SqliteStore::open(options)?);
        let access = key::access(settings, &SystemChance)?;
        let config = Config {
            workers: settings.workers,
            max_crashes: settings.max_crashes,
            grace: settings.grace,
            gate: Gate {
                private: settings.calls_to_private,
                loopback: settings
                    .calls_to_loopback
                    .unwrap_or_else(|| settings.listen.ip().is_loopback()),
            },
            retention: settings.retention,
        };
        let secret = webhook::secret(settings, &SystemChance)?;
        let workflows = workflows(settings, address)?;
        let flows = flows.with_workflows(workflows).with_webhooks(secret);
        let (clock, chance) = (Arc::new(SystemClock::default()), Arc::new(SystemChance));
        let engine = Engine::start(store.clone(), flows, clock, chance, config)
            .await
            .map_err(StartError::Engine)?;
        for flow in &settings.flows {
            let declared = engine.declare(flow.clone()).await;
            declared.map_err(|error| StartError::Declare(flow.name.clone(), error))?;
        }
        let measure = store.clone();
        let measured = http::Measured::new(move || measure.metrics());
        let doors = http::Settings {
            body_bytes: settings.body_limit,
            request_timeout: settings.request_timeout,
            header_timeout: settings.header_timeout,
            connections: settings.connections,
            process_sleep: settings.process_sleep,
            streams: jobmill_model::limits::EVENT_STREAMS,
            access: access.doors,
            measured: Some(measured),
        };
        let (key_file, needs_key) = (access.file, access.needs_key);
        let data_file = settings.data.join(DATA_FILE);
        Ok(Self { listener, address, engine, store, doors, key_file, needs_key, data_file })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop`, then takes on nothing more, lets what is under way finish within
    /// the grace, hands the rest back and closes the data file.
    ///
    /// # Errors
    /// Doors that break, or a data file that cannot be closed.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        let (quit, quitting) = oneshot::channel::<()>();
        let shutdown = async {
            // A sender that is dropped means the same.
            let _ = quitting.await;
        };
        let serving = http::serve(self.listener, self.engine.clone(), self.doors, shutdown);
        let mut serving = tokio::spawn(serving);
        let ended = tokio::select! {
            ended = &mut serving => Some(ended),
            () = stop => None,
        };
        drop(quit);
        self.engine.drain().await;
        let served = match ended {
            Some(ended) => ended,
            None => serving.await,
        };
        let store = self.store;
        let closed = tokio::task::spawn_blocking(move || store.close()).await;
        served.map_err(io::Error::other).flatten().map_err(StartError::Serve)?;
        closed.unwrap_or(Ok(())).map_err(StartError::Close)
    }
}

/// What the engine needs to run workflows, for a server that listens there.
///
/// # Errors
/// Credentials that cannot be read.
pub fn workflows(settings: &Settings, address: SocketAddr) -> Result<Workflows, StartError> {
    let limits = if settings.gcp_limits { Limits::google() } else { Limits::lifted() };
    let (project, location) = (settings.project.clone(), settings.location.clone());
    let public_url = settings.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    Ok(Workflows {
        argument_bytes: usize::try_from(limits.argument_bytes).unwrap_or(usize::MAX),
        language: Arc::new(language::GoogleWorkflows { limits }),
        home: Place { project, location },
        remotes: remotes(settings)?,
        public_url: public_url.trim_end_matches('/').to_owned(),
    })
}

/// Where the connectors of Google's services go, and who calls there.
fn remotes(settings: &Settings) -> Result<Remotes, StartError> {
    let credentials = credentials(settings)?.map(Arc::new);
    let remote = |emulator: &Option<String>, url: &str| match (emulator, &credentials) {
        (Some(emulator), _) => Some(Remote { url: emulator.clone(), credentials: None }),
        (None, Some(_)) => Some(Remote { url: url.to_owned(), credentials: credentials.clone() }),
        (None, None) => None,
    };
    Ok(Remotes {
        firestore: remote(&settings.firestore_emulator, "https://firestore.googleapis.com"),
        bigquery: remote(&settings.bigquery_emulator, "https://bigquery.googleapis.com"),
        credentials: credentials.clone(),
    })
}

fn credentials(settings: &Settings) -> Result<Option<Credentials>, StartError> {
    let Some(path) = &settings.google_key else {
        return Ok(settings.google_metadata.clone().map(Credentials::of_metadata));
    };
    let refused = |why: String| StartError::Credentials(path.clone(), why);
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    Credentials::of_key(&text).map(Some).map_err(refused)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::Taken(address),
        _ => StartError::Listen(address, error),
    })
}

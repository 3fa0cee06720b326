//! Callbacks: addresses that an execution opens, and what is sent to them.
//!
//! An address is the outcome of the effect that opened it, so the journal knows every one; what
//! comes to it is a signal of the execution. Nothing else is stored.

use jobmill_model::machine::{CallbackEndpoint, Entry, Outcome};
use jobmill_model::queue::Name;
use jobmill_model::{Fault, JobId, Json, State, Value};
use jobmill_store::{Signalled, StoreError};

use crate::engine::{Engine, Shared};
use crate::perform::Task;

/// How many entries of a journal are read at once.
const ENTRIES: usize = 100;
/// How many signals of an inbox are looked at.
const SIGNALS: usize = 1_000;

/// An address that an execution has opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Callback {
    /// The last part of the address.
    pub id: String,
    /// The HTTP method that it takes.
    pub method: String,
    /// What came and was not taken in yet.
    pub payloads: Vec<Json>,
    /// Whether a step waits at it.
    pub is_awaited: bool,
}

/// What became of a request to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalledBack {
    /// It is in the execution's inbox, on disk.
    Done,
    /// The execution has no such address, or there is no such execution.
    Unknown,
    /// The address takes this method.
    WrongMethod(String),
    /// The execution has ended.
    Ended(State),
}

impl Engine {
    /// The addresses that an execution has opened so far, in order; none any more when it has
    /// ended.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn callbacks(
        &self,
        definition: &Name,
        id: JobId,
    ) -> Result<Option<Vec<Callback>>, StoreError> {
        let Some(job) = self.execution(definition, id).await? else { return Ok(None) };
        let mut callbacks = Vec::new();
        if job.state.is_final() {
            return Ok(Some(callbacks));
        }
        let signals = self.shared.store.signal_read(id, 0, SIGNALS).await?;
        let waits = job.waiting_for.unwrap_or_default();
        for (name, method, address) in self.opened(id).await? {
            let own = signals.iter().filter(|signal| signal.name == name);
            let payloads = own.map(|signal| signal.payload.clone()).collect();
            let is_awaited = waits.split([' ', ',']).any(|word| word == name.as_str());
            callbacks.push(Callback { id: address, method, payloads, is_awaited });
        }
        Ok(Some(callbacks))
    }

    /// Gives a request to the execution that opened the address; when it answers
    /// [`CalledBack::Done`] the request is on disk.
    ///
    /// # Errors
    /// A store that cannot be read or written.
    pub async fn call_back(
        &self,
        definition: &Name,
        id: JobId,
        callback: &str,
        method: &str,
        request: Value,
    ) -> Result<CalledBack, StoreError> {
        let Some(job) = self.execution(definition, id).await? else {
            return Ok(CalledBack::Unknown);
        };
        if job.state.is_final() {
            return Ok(CalledBack::Ended(job.state));
        }
        let opened = self.opened(id).await?;
        let found = opened.into_iter().find(|(_, _, address)| address == callback);
        let Some((name, expected, _)) = found else { return Ok(CalledBack::Unknown) };
        if expected != method {
            return Ok(CalledBack::WrongMethod(expected));
        }
        let payload = Value::map([
            ("http_request", request),
            ("received_time", self.now().to_string().into()),
            ("type", "HTTP".into()),
        ]);
        Ok(match self.signal(id, &name, &payload.to_json()).await? {
            Signalled::Done(_) => CalledBack::Done,
            Signalled::Ended(state) => CalledBack::Ended(state),
            Signalled::Unknown => CalledBack::Unknown,
        })
    }

    /// The addresses in an execution's journal: name of their signals, method, last part.
    async fn opened(&self, id: JobId) -> Result<Vec<(Name, String, String)>, StoreError> {
        let (mut found, mut from) = (Vec::new(), 0);
        loop {
            let entries = self.shared.store.journal_read(id, from, ENTRIES).await?;
            let Some(last) = entries.last() else { return Ok(found) };
            from = last.seq + 1;
            found.extend(entries.iter().filter_map(|entry| opened_by(id, entry)));
        }
    }
}

/// The address that an entry has opened, if it is the outcome of such an effect.
fn opened_by(id: JobId, entry: &Entry) -> Option<(Name, String, String)> {
    let Outcome::Done(Value::Map(map)) = &entry.outcome else { return None };
    let url = map.get("url").filter(|_| map.len() == 1)?.as_str()?;
    let (execution, address) = url.rsplit_once("/callbacks/")?;
    let is_own = execution.ends_with(&format!("/executions/{id}"));
    let mut parts = address.rsplitn(3, '_').skip(1);
    let (method, name) = (parts.next()?, parts.next()?);
    let name = Name::new(name).ok().filter(|_| is_own)?;
    Some((name, method.to_owned(), address.to_owned()))
}

/// Opens an address. It cannot be guessed, and says itself which signals it makes of what.
pub(crate) fn open(shared: &Shared, task: &Task, endpoint: &CallbackEndpoint) -> Outcome {
    let Some((workflows, definition)) =
        shared.registry.workflows().zip(shared.runs(&task.spec.flow))
    else {
        let Fault { code, message, .. } =
            Fault::last("ValueError", "only executions of workflows have callbacks");
        return Outcome::Failed { code: code.into_owned(), message };
    };
    let mut random = [0; 16];
    shared.chance.fill(&mut random);
    let secret = u128::from_be_bytes(random);
    let (home, base, id) = (&workflows.home, &workflows.public_url, task.id);
    let CallbackEndpoint { name, method } = endpoint;
    let url = format!(
        "{base}/v1/projects/{}/locations/{}/workflows/{definition}/executions/{id}/callbacks/\
         {name}_{method}_{secret:032x}",
        home.project, home.location
    );
    Outcome::Done(Value::map([("url", url.into())]))
}

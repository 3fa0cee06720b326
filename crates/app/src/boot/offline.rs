//! The keys of a data folder that no server uses, for whoever is locked out of his server.

use std::path::Path;
use std::sync::Arc;

use jobmill_backends::sqlite::{DATA_FILE, Options, SqliteStore};
use jobmill_engine::chance::SystemChance;
use jobmill_engine::clock::{Clock, SystemClock};
use jobmill_engine::{KeyError, Keys as Ring};
use jobmill_model::queue::Name;
use jobmill_model::{Problem, Value};

use super::StartError;
use crate::wire::key::{self, Key};
use crate::wire::page::Page;

/// The keys of a data folder, which is closed to servers meanwhile.
pub(crate) struct Keys {
    store: Arc<SqliteStore>,
    ring: Ring,
}

impl Keys {
    /// Opens the folder.
    ///
    /// # Errors
    /// A folder without a data file, or one that a server uses.
    pub(crate) async fn open(folder: &Path) -> Result<Self, StartError> {
        if !folder.join(DATA_FILE).is_file() {
            return Err(StartError::NoData(folder.to_owned()));
        }
        let store = Arc::new(SqliteStore::open(Options::in_folder(folder))?);
        let ring = Ring::load(store.clone()).await.map_err(StartError::Engine)?;
        Ok(Self { store, ring })
    }

    /// Makes the key of a body of `POST /keys`; answers as that route does, or with all that is
    /// wrong.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub(crate) async fn create(
        &self,
        body: &Value,
    ) -> Result<Result<Value, Vec<Problem>>, StartError> {
        let (now, mut problems) = (SystemClock::default().now(), Vec::new());
        let new = key::read(body, now, &mut problems);
        let (Some(new), true) = (new, problems.is_empty()) else { return Ok(Err(problems)) };
        match self.ring.create(new, now, &SystemChance).await {
            Ok((key, secret)) => Ok(Ok(value(&Key::with_secret(&key, &secret)))),
            Err(KeyError::Store(error)) => Err(StartError::Engine(error)),
            Err(other) => Ok(Err(vec![Problem::new("/name", other.to_string())])),
        }
    }

    /// The keys, as `GET /keys` answers them.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub(crate) async fn list(&self) -> Result<Value, StartError> {
        let keys = self.ring.list().await.map_err(StartError::Engine)?;
        Ok(value(&Page::whole(keys.iter().map(Key::from).collect())))
    }

    /// Revokes a key; answers whether it was there.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub(crate) async fn revoke(&self, name: &str) -> Result<bool, StartError> {
        match Name::new(name) {
            Ok(name) => self.ring.revoke(&name).await.map_err(StartError::Engine),
            Err(_) => Ok(false),
        }
    }

    /// Gives the folder back.
    ///
    /// # Errors
    /// A data file that cannot be closed.
    pub(crate) fn close(self) -> Result<(), StartError> {
        self.store.close().map_err(StartError::Close)
    }
}

fn value(answer: &impl serde::Serialize) -> Value {
    let text = serde_json::to_vec(answer).expect("an answer has only text keys");
    Value::from_json(&text).expect("and is JSON")
}

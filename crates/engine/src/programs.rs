//! Compiled definitions, kept so that an execution need not wait for the compiler.

use std::collections::BTreeMap;
use std::sync::Arc;

use jobmill_model::definition::Definition;
use jobmill_model::machine::Program;
use jobmill_model::queue::Name;
use jobmill_model::{Fault, Map, Value, limits};
use jobmill_store::StoreError;
use parking_lot::Mutex;

use crate::engine::Shared;

/// Why there is no program.
pub(crate) enum NoProgram {
    /// There never will be.
    Fault(Fault),
    /// The store could not be asked.
    Store(StoreError),
}

/// Names a revision.
type Key = (Name, String);

/// The programs that were used last, at most [`limits::PROGRAMS_KEPT`] of them.
#[derive(Default)]
pub(crate) struct Programs(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    programs: BTreeMap<Key, (u64, Arc<dyn Program>)>,
    uses: u64,
}

impl Programs {
    fn get(&self, key: &Key) -> Option<Arc<dyn Program>> {
        let mut kept = self.0.lock();
        kept.uses += 1;
        let now = kept.uses;
        let (last_use, program) = kept.programs.get_mut(key)?;
        *last_use = now;
        Some(program.clone())
    }

    fn keep(&self, key: Key, program: Arc<dyn Program>) {
        let mut kept = self.0.lock();
        let now = kept.uses;
        kept.programs.insert(key, (now, program));
        if kept.programs.len() > limits::PROGRAMS_KEPT {
            let oldest = kept.programs.iter().min_by_key(|(_, (last_use, _))| *last_use);
            let oldest = oldest.map(|(key, _)| key.clone());
            oldest.map(|key| kept.programs.remove(&key));
        }
    }

    /// Forgets every revision of a definition.
    pub(crate) fn forget(&self, definition: &Name) {
        self.0.lock().programs.retain(|(name, _), _| name != definition);
    }
}

/// The program of a revision, compiled now or before.
pub(crate) async fn program(
    shared: &Arc<Shared>,
    definition: &Name,
    revision: &str,
) -> Result<Arc<dyn Program>, NoProgram> {
    let key = (definition.clone(), revision.to_owned());
    if let Some(program) = shared.programs.get(&key) {
        return Ok(program);
    }
    let found = shared.store.definition_get(definition, Some(revision)).await;
    let found = found.map_err(NoProgram::Store)?.ok_or_else(|| {
        let text = format!("there is no revision {revision:?} of workflow {definition} any more");
        NoProgram::Fault(Fault::last("NoRevision", text))
    })?;
    let asker = shared.clone();
    let compiling = tokio::task::spawn_blocking(move || compile(&asker, &found)).await;
    let compiled = compiling.unwrap_or_else(|error| {
        let text = "the workflow's compiler broke; the server's log says where";
        Err(Fault::last("CompilerBroken", text).with_inner(error.to_string()))
    });
    let program = compiled.map_err(NoProgram::Fault)?;
    shared.programs.keep(key, program.clone());
    Ok(program)
}

fn compile(shared: &Shared, definition: &Definition) -> Result<Arc<dyn Program>, Fault> {
    let workflows = shared.registry.workflows().ok_or_else(|| {
        Fault::last("UnknownFlow", "this process runs no workflows, and the job is one")
    })?;
    let checked = workflows.language.check(&definition.content.source);
    let script = checked.script.ok_or_else(|| {
        let first = checked.findings.iter().find(|finding| finding.is_error);
        let why = first.map_or("no reason given", |finding| finding.message.as_str());
        let text = format!("this version of the server refuses the workflow's source: {why}");
        Fault::last("SourceRefused", text)
    })?;
    Ok(script.program(&environment(definition)))
}

/// The variables that every execution of a revision sees.
pub(crate) fn environment(definition: &Definition) -> Map {
    let place = &definition.place;
    let account = match definition.content.service_account.as_str() {
        "" => format!("{}@{}.iam.gserviceaccount.com", "jobmill", place.project),
        account => account.rsplit('/').next().unwrap_or(account).to_owned(),
    };
    let built_in = [
        ("GOOGLE_CLOUD_PROJECT_ID", place.project.as_str()),
        // Nobody counts projects here.
        ("GOOGLE_CLOUD_PROJECT_NUMBER", "0"),
        ("GOOGLE_CLOUD_LOCATION", place.location.as_str()),
        ("GOOGLE_CLOUD_SERVICE_ACCOUNT_NAME", account.as_str()),
        ("GOOGLE_CLOUD_WORKFLOW_ID", definition.name.as_str()),
        ("GOOGLE_CLOUD_WORKFLOW_REVISION_ID", definition.revision.as_str()),
    ];
    let mut map = Map::new();
    for (name, value) in &definition.content.env {
        map.insert(name.as_str(), Value::from(value.as_str()));
    }
    for (name, value) in built_in {
        map.insert(name, Value::from(value));
    }
    map
}

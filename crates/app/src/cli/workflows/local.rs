//! A workflow in the terminal, without a server: an engine of its own on a store in memory.

use std::sync::Arc;

use jobmill_model::{JobId, State, Value};
use serde_json::json;

use super::super::Failure;
use super::super::screen::{Screen, line, say};
use super::super::session::block_on;
use super::check;
use super::run::Run;
use crate::boot::{LocalEnd, LocalFailure, LocalStep, run_locally};
use crate::config::Settings;

/// Places of a failure that are shown; a recursion has very many.
const PLACES_SHOWN: usize = 10;

/// Runs the file and shows how it ended.
pub(super) fn run(run: &Run, mut settings: Settings, screen: Screen) -> Result<(), Failure> {
    settings.gcp_limits |= run.gcp_limits;
    let path = std::path::Path::new(&run.what);
    let source = check::read(path)?;
    let argument = run.argument()?;
    let findings = crate::boot::check_source(&source, settings.gcp_limits);
    findings.iter().for_each(|finding| say(&check::shown(&run.what, finding)));
    if findings.iter().any(|finding| finding.is_error) {
        return Err(Failure::Usage(format!("{} has errors", run.what)));
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let is_json = screen.is_json();
    let watch: LocalStep = Arc::new(move |text: &str| {
        if !is_json {
            say(text);
        }
    });
    let ended = block_on(async {
        let ran = run_locally(&stem, &source, &settings, argument, watch).await;
        ran.map_err(Failure::Ended)
    })?;
    show(screen, ended)
}

fn show(screen: Screen, end: LocalEnd) -> Result<(), Failure> {
    let LocalEnd { id, state, outcome } = end;
    match outcome {
        Ok(value) => {
            match screen.is_json() {
                true => line(&whole(id, state, "result", &value))?,
                false => screen.value(&value)?,
            }
            Ok(())
        }
        Err(LocalFailure { code, message, places }) => {
            if screen.is_json() {
                let error = json!({ "type": code, "message": message });
                let error = Value::from_json(error.to_string().as_bytes()).unwrap_or_default();
                line(&whole(id, state, "error", &error))?;
            }
            let begins = format!("{code}: ");
            let shown = message.strip_prefix(&begins).unwrap_or(&message);
            let shown = format!("the execution failed: {code}: {shown}");
            let places = places.iter().map(|place| format!("\n  {place}"));
            Err(Failure::Ended(shown + &places.take(PLACES_SHOWN).collect::<String>()))
        }
    }
}

fn whole(id: JobId, state: State, name: &'static str, value: &Value) -> String {
    let id = Value::from(id.to_string());
    Value::map([("id", id), ("status", state.as_str().into()), (name, value.clone())]).to_string()
}

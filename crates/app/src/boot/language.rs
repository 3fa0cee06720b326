//! The language of definitions for the engine: Google Cloud Workflows.

use std::sync::Arc;

use jobmill_engine::{Checked, Finding, Language, Script};
use jobmill_gcw::{Diagnostic, Limits, Workflow};
use jobmill_model::Map;
use jobmill_model::machine::{History, Program};

/// Google Cloud Workflows within these limits.
pub(super) struct GoogleWorkflows {
    pub(super) limits: Limits,
}

impl Language for GoogleWorkflows {
    fn check(&self, source: &str) -> Checked {
        let checked = jobmill_gcw::check(source, &self.limits);
        let script = checked.program.map(|program| Arc::new(Source(program)) as Arc<dyn Script>);
        Checked { script, findings: checked.diagnostics.iter().map(finding).collect() }
    }

    fn draw(&self, source: &str, way: Option<&History>) -> Option<String> {
        let checked = jobmill_gcw::check(source, &self.limits);
        jobmill_gcw::graph::draw(source, &checked.definition?, way)
    }
}

struct Source(Arc<jobmill_gcw::Program>);

impl Script for Source {
    fn program(&self, env: &Map) -> Arc<dyn Program> {
        let env = env.iter().map(|(name, value)| (name.clone(), value.into())).collect();
        Arc::new(Workflow { program: self.0.clone(), env: Arc::new(env) })
    }
}

fn finding(diagnostic: &Diagnostic) -> Finding {
    Finding {
        is_error: diagnostic.is_error(),
        code: diagnostic.code.to_owned(),
        message: diagnostic.message.clone(),
        step: diagnostic.step.clone(),
        routine: diagnostic.routine.clone(),
        line: diagnostic.position.line,
        column: diagnostic.position.column,
        length: diagnostic.position.length,
        excerpt: diagnostic.excerpt.clone(),
        suggestion: diagnostic.suggestion.clone(),
        deployment: diagnostic.deployment(),
    }
}

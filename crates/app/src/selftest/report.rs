//! What a self-test came to, in numbers and words.

use std::collections::HashSet;

use jobmill_model::{Map, Span, Value};

use super::audit::{Evidence, Violation};

/// What a self-test came to.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// The numbers, each under its name, in the order in which they are shown.
    pub(crate) numbers: Vec<(&'static str, u64)>,
    violations: Vec<Violation>,
}

/// What the evidence does not show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Kills with SIGKILL.
    pub(super) kills: u32,
    /// Freezes with SIGSTOP.
    pub(super) freezes: u32,
    /// How long everything took.
    pub(super) took: Span,
}

impl Report {
    pub(super) fn of(run: Run, evidence: &Evidence, violations: Vec<Violation>) -> Self {
        let Evidence { seed, ledger, findings, performed, told } = evidence;
        let ended = |status: &str| {
            findings.listed.iter().filter(|found| found.end.status == status).count() as u64
        };
        let effects: HashSet<&str> = performed.iter().map(|call| call.effect.as_str()).collect();
        let acknowledged = ledger.entries.values().filter(|entry| !entry.ids.is_empty()).count();
        let late = findings.listed.iter().flat_map(|found| &found.tries);
        let late = late.filter(|(_, code)| code == "Timeout").count();
        let numbers = vec![
            ("seed", *seed),
            ("kills", run.kills.into()),
            ("freezes", run.freezes.into()),
            ("acknowledged", acknowledged as u64),
            ("sent again", ledger.resent),
            ("completed", ended("completed")),
            ("failed", ended("failed")),
            ("cancelled", ended("cancelled")),
            ("late attempts", late as u64),
            ("effects", effects.len() as u64),
            ("effects performed", performed.len() as u64),
            ("repeated though not committed", (performed.len() - effects.len()) as u64),
            ("completed outside", told.completed.len() as u64),
            ("leases lost outside", told.lost),
            ("seconds", run.took.as_millis() / 1_000),
            ("violations", violations.len() as u64),
        ];
        Self { numbers, violations }
    }

    /// How many violations there are.
    pub(crate) fn violations(&self) -> usize {
        self.violations.len()
    }

    /// The violations, one line each.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.violations.iter().map(ToString::to_string)
    }

    /// All of it as one object; names have underscores in the place of spaces.
    pub(crate) fn to_value(&self) -> Value {
        let mut object = Map::new();
        for (name, number) in &self.numbers {
            object.insert(name.replace(' ', "_"), Value::from(*number));
        }
        let violation = |it: &Violation| {
            Value::map([
                ("rule", Value::from(it.rule.name())),
                ("whose", it.whose.as_str().into()),
                ("what", it.what.as_str().into()),
            ])
        };
        object.insert("found", Value::list(self.violations.iter().map(violation)));
        Value::from(object)
    }
}

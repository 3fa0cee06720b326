//! The source tree to the tree of a definition. Every finding is reported; what is broken is
//! left out and reading goes on.

mod action;
mod blocks;
mod template;

use std::sync::Arc;

use crate::ast::{Definition, Name, Param, Routine, Step};
use crate::diagnostic::{Reporter, nearest};
use crate::limits::Limits;
use crate::source::place::Span;
use crate::source::{Entry, Kind, Node, Text};

pub use template::{expr_of, is_name};

/// Reads a definition.
pub fn definition(root: &Node, limits: &Limits, report: &mut Reporter<'_>) -> Definition {
    let mut parser = Parser { report, limits };
    match &root.kind {
        Kind::List(_) => {
            parser.report.enter_routine("main");
            let name = Name { text: "main".into(), span: root.span };
            let steps = parser.steps(root);
            Definition { routines: vec![Routine { name, params: Vec::new(), steps }] }
        }
        Kind::Map(entries) => parser.routines(entries, root.span),
        _ => {
            let message = format!(
                "a definition is a list of steps or a map of routines, not {}",
                root.kind_name()
            );
            parser.report.error("definition-shape", root.span, message);
            Definition::default()
        }
    }
}

struct Parser<'p, 'r> {
    report: &'p mut Reporter<'r>,
    limits: &'p Limits,
}

impl Parser<'_, '_> {
    fn routines(&mut self, entries: &[Entry], span: Span) -> Definition {
        let routines: Vec<Routine> = entries.iter().map(|entry| self.routine(entry)).collect();
        if !routines.iter().any(|routine| &*routine.name.text == "main") {
            let found = self.report.error(
                "main-missing",
                Span { end: span.start, ..span },
                "no routine is named 'main'",
            );
            let step_keys = ["assign", "call", "steps", "return"];
            found.suggestion =
                entries.iter().any(|entry| step_keys.contains(&&*entry.key.value)).then(|| {
                    "a definition without routines is a list of steps: - name: {…}".to_owned()
                });
        }
        Definition { routines }
    }

    fn routine(&mut self, entry: &Entry) -> Routine {
        self.report.enter_routine(&entry.key.value);
        let name = Name { text: entry.key.value.clone(), span: entry.key_span };
        if !is_name(&name.text) {
            let message = format!("'{}' is not a name: letters, digits and underscores", name.text);
            self.report.error("bad-name", name.span, message);
        }
        let mut routine = Routine { name, params: Vec::new(), steps: Vec::new() };
        let Some(entries) = entry.value.as_map() else {
            if matches!(entry.value.kind, Kind::List(_)) {
                routine.steps = self.steps(&entry.value);
                let message =
                    format!("routine '{}' holds its steps without 'steps'", entry.key.value);
                self.report.error("routine-shape", entry.key_span, message).suggestion =
                    Some("put the list under steps:".to_owned());
                return routine;
            }
            let message =
                format!("a routine is a map with 'steps', not {}", entry.value.kind_name());
            self.report.error("routine-shape", entry.value.span, message);
            return routine;
        };
        let mut has_steps = false;
        for part in entries {
            match &*part.key.value {
                "params" => routine.params = self.params(&part.value),
                "steps" => {
                    has_steps = true;
                    routine.steps = self.steps(&part.value);
                }
                _ => self.unknown_key(&part.key, part.key_span, &["params", "steps"], "a routine"),
            }
        }
        if !has_steps {
            let message = format!("routine '{}' has no 'steps'", entry.key.value);
            self.report.error("steps-missing", entry.key_span, message);
        }
        routine
    }

    fn params(&mut self, node: &Node) -> Vec<Param> {
        if matches!(node.kind, Kind::Null) {
            return Vec::new();
        }
        let Some(items) = node.as_list() else {
            let message = format!("'params' is a list of names, not {}", node.kind_name());
            self.report.error("params-shape", node.span, message);
            return Vec::new();
        };
        let most = self.limits.params_per_routine;
        if items.len() as u64 > most {
            let message = format!("{} parameters are over the limit of {most}", items.len());
            self.report.error("too-many-params", node.span, message);
            return Vec::new();
        }
        let mut params: Vec<Param> = Vec::new();
        for item in items {
            let Some(param) = self.param(item) else { continue };
            if params.iter().any(|known| known.name.text == param.name.text) {
                let message = format!("parameter '{}' appears twice", param.name.text);
                self.report.error("duplicate-param", param.name.span, message);
            } else if param.default.is_none() && params.iter().any(|known| known.default.is_some())
            {
                let message =
                    format!("parameter '{}' without a default follows one with", param.name.text);
                self.report.warning("param-order", param.name.span, message);
                params.push(param);
            } else {
                params.push(param);
            }
        }
        params
    }

    fn param(&mut self, item: &Node) -> Option<Param> {
        match &item.kind {
            Kind::Text(text) => {
                let name = self.name(&text.value, item.span)?;
                Some(Param { name, default: None })
            }
            Kind::Map(entries) if entries.len() == 1 => {
                let name = self.name(&entries[0].key.value, entries[0].key_span)?;
                let default = Some(self.template(&entries[0].value));
                Some(Param { name, default })
            }
            _ => {
                let message = format!(
                    "a parameter is a name or one 'name: default', not {}",
                    item.kind_name()
                );
                self.report.error("params-shape", item.span, message);
                None
            }
        }
    }

    fn name(&mut self, text: &Arc<str>, span: Span) -> Option<Name> {
        if is_name(text) {
            return Some(Name { text: text.clone(), span });
        }
        let message = format!(
            "'{text}' is not a variable's name: letters, digits and underscores, no digit first"
        );
        let found = self.report.error("bad-name", span, message);
        let fixed: String =
            text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        found.suggestion = is_name(&fixed).then(|| format!("write {fixed}"));
        None
    }

    fn steps(&mut self, node: &Node) -> Vec<Step> {
        let Some(items) = node.as_list() else {
            let message = format!("'steps' is a list of steps, not {}", node.kind_name());
            let found = self.report.error("steps-shape", node.span, message);
            if matches!(node.kind, Kind::Map(_)) {
                found.suggestion = Some("begin each step with '- '".to_owned());
            }
            return Vec::new();
        };
        if items.is_empty() {
            self.report.error("steps-empty", node.span, "at least one step is needed");
        }
        items.iter().filter_map(|item| self.step(item)).collect()
    }

    fn step(&mut self, item: &Node) -> Option<Step> {
        let entry = match &item.kind {
            Kind::Map(entries) if entries.len() == 1 => &entries[0],
            Kind::Map(entries) if entries.len() > 1 => {
                let message = "a step is a map with one key, its name";
                let found = self.report.error("step-shape", entries[1].key_span, message);
                found.suggestion = Some(match action::is_step_key(&entries[1].key.value) {
                    true => format!(
                        "indent '{}' further than the name '{}'",
                        entries[1].key.value, entries[0].key.value
                    ),
                    false => "begin each step with '- '".to_owned(),
                });
                &entries[0]
            }
            _ => {
                let message = format!("a step is a map 'name: {{…}}', not {}", item.kind_name());
                self.report.error("step-shape", item.span, message);
                return None;
            }
        };
        let name = Name { text: entry.key.value.clone(), span: entry.key_span };
        let outer = self.report.enter_step(Some(&name.text));
        if matches!(&*name.text, "end" | "break" | "continue") {
            let message = format!("'{}' is a reserved word, not a step's name", name.text);
            self.report.error("reserved-name", name.span, message);
        }
        let body = self.body(&entry.value, &name);
        self.report.enter_step(outer.as_deref());
        Some(Step { name, body: body? })
    }

    fn unknown_key(&mut self, key: &Text, span: Span, known: &[&str], of: &str) {
        let message = format!("'{}' is not a key of {of}", key.value);
        let found = self.report.error("unknown-key", span, message);
        found.suggestion = Some(match nearest(&key.value, known.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("known keys: {}", known.join(", ")),
        });
    }
}

//! The body of a step, of a switch entry, of a `try`: one action and where to go next.

use super::Parser;
use crate::ast::{Action, Args, Assignment, Body, Call, Case, Jump, Name, Next, Template};
use crate::source::place::Span;
use crate::source::{Entry, Kind, Node};

const ACTIONS: [&str; 9] =
    ["assign", "call", "switch", "for", "parallel", "steps", "try", "raise", "return"];
const STEP_KEYS: [&str; 14] = [
    "assign", "call", "args", "result", "switch", "for", "parallel", "steps", "try", "retry",
    "except", "raise", "return", "next",
];

/// Whether a key may stand in a step.
pub(super) fn is_step_key(key: &str) -> bool {
    STEP_KEYS.contains(&key)
}

impl Parser<'_, '_> {
    pub(super) fn body(&mut self, node: &Node, name: &Name) -> Option<Body> {
        let Some(entries) = node.as_map() else {
            let message = match &node.kind {
                Kind::Null => format!("step '{}' does nothing", name.text),
                _ => format!("the body of a step is a map, not {}", node.kind_name()),
            };
            let span = if matches!(node.kind, Kind::Null) { name.span } else { node.span };
            self.report.error("step-shape", span, message);
            return None;
        };
        self.body_of(entries, name.span, "a step")
    }

    /// Reads the entries of a body; `condition` belongs to a switch entry and is passed over.
    pub(super) fn body_of(&mut self, entries: &[Entry], span: Span, of: &str) -> Option<Body> {
        let is_case = of == "a switch entry";
        for entry in entries {
            let key = &*entry.key.value;
            let is_known = is_step_key(key) || (is_case && key == "condition");
            if !is_known {
                self.unknown_key(&entry.key, entry.key_span, &STEP_KEYS, of);
            }
        }
        let find = |key: &str| entries.iter().find(|entry| &*entry.key.value == key);
        let mut actions = entries.iter().filter(|entry| ACTIONS.contains(&&*entry.key.value));
        let action = actions.next();
        if let (Some(first), Some(second)) = (action, actions.next()) {
            let message = format!(
                "'{}' and '{}' cannot stand in one step",
                first.key.value, second.key.value
            );
            self.report.error("two-actions", second.key_span, message).suggestion =
                Some("make two steps of it".to_owned());
        }
        let next = find("next").and_then(|entry| self.next(&entry.value));
        self.check_companions(entries, action.map(|entry| &*entry.key.value));
        let Some(entry) = action else {
            if next.is_none() && find("next").is_none() && !is_case {
                let message = format!("{of} needs one of {}, next", ACTIONS.join(", "));
                self.report.error("no-action", span, message);
                return None;
            }
            return Some(Body { action: Action::Nothing, next });
        };
        let action = self.action(entry, entries)?;
        if let (Action::Return(_) | Action::Raise(_), Some(next)) = (&action, &next) {
            let message = format!("'next' is never reached after '{}'", entry.key.value);
            self.report.error("dead-next", next.span, message);
        }
        Some(Body { action, next })
    }

    fn check_companions(&mut self, entries: &[Entry], action: Option<&str>) {
        for entry in entries {
            let owner = match &*entry.key.value {
                "args" | "result" => "call",
                "retry" | "except" => "try",
                _ => continue,
            };
            if action != Some(owner) {
                let message = format!("'{}' stands only beside '{owner}'", entry.key.value);
                self.report.error("lone-key", entry.key_span, message);
            }
        }
    }

    fn action(&mut self, entry: &Entry, entries: &[Entry]) -> Option<Action> {
        let node = &entry.value;
        Some(match &*entry.key.value {
            "assign" => Action::Assign(self.assign(node)),
            "call" => Action::Call(self.call(node, entries)?),
            "switch" => Action::Switch(self.switch(node)),
            "for" => Action::For(self.for_loop(node, entry.key_span)?),
            "parallel" => Action::Parallel(Box::new(self.parallel(node, entry.key_span)?)),
            "steps" => Action::Steps(self.steps(node)),
            "try" => Action::Try(Box::new(self.try_block(entry, entries)?)),
            "raise" => Action::Raise(self.outcome(entry)),
            _ => Action::Return(self.outcome(entry)),
        })
    }

    /// What a routine ends with. Traces name the place of an expression, or of the keyword. \[R\]
    fn outcome(&mut self, entry: &Entry) -> Template {
        let mut template = self.template(&entry.value);
        if matches!(entry.value.kind, Kind::Map(_) | Kind::List(_)) {
            template.span = entry.key_span;
        }
        template
    }

    fn next(&mut self, node: &Node) -> Option<Next> {
        let Some(text) = node.as_text() else {
            let message = format!("'next' is the name of a step, not {}", node.kind_name());
            self.report.error("bad-next", node.span, message);
            return None;
        };
        let target = match &*text.value {
            "end" => Jump::End,
            "break" => Jump::Break,
            "continue" => Jump::Continue,
            name if name.starts_with("${") => {
                let message = "'next' is a constant name, not an expression";
                self.report.error("bad-next", node.span, message).suggestion =
                    Some("choose between targets with switch".to_owned());
                return None;
            }
            _ => Jump::Step(text.value.clone()),
        };
        Some(Next { target, span: node.span })
    }

    fn assign(&mut self, node: &Node) -> Vec<Assignment> {
        let Some(items) = node.as_list() else {
            let message = format!("'assign' is a list of 'name: value', not {}", node.kind_name());
            let found = self.report.error("assign-shape", node.span, message);
            if matches!(node.kind, Kind::Map(_)) {
                found.suggestion = Some("begin each assignment with '- '".to_owned());
            }
            return Vec::new();
        };
        if items.len() as u64 > self.limits.assigns_per_step {
            let message = format!(
                "{} assignments in one step are over the limit of {}",
                items.len(),
                self.limits.assigns_per_step
            );
            self.report.error("too-many-assigns", node.span, message);
        }
        items.iter().filter_map(|item| self.assignment(item)).collect()
    }

    fn assignment(&mut self, item: &Node) -> Option<Assignment> {
        match &item.kind {
            Kind::Map(entries) if entries.len() == 1 => {
                let entry = &entries[0];
                let value = self.template(&entry.value);
                let target = self.target(&entry.key, entry.key_span)?;
                Some(Assignment { target, value })
            }
            Kind::Map(entries) if entries.len() > 1 => {
                let message = "an assignment is a map with one key";
                self.report.error("assign-shape", entries[1].key_span, message).suggestion =
                    Some("begin each assignment with '- '".to_owned());
                None
            }
            _ => {
                let message = format!("an assignment is 'name: value', not {}", item.kind_name());
                self.report.error("assign-shape", item.span, message);
                None
            }
        }
    }

    fn call(&mut self, node: &Node, entries: &[Entry]) -> Option<Call> {
        let find = |key: &str| entries.iter().find(|entry| &*entry.key.value == key);
        let args = find("args").map_or(Args::None, |entry| self.args(&entry.value));
        let result = find("result").and_then(|entry| match entry.value.as_text() {
            Some(text) => self.name(&text.value, entry.value.span),
            None => {
                let message =
                    format!("'result' is a variable's name, not {}", entry.value.kind_name());
                self.report.error("bad-result", entry.value.span, message);
                None
            }
        });
        match node.as_text() {
            Some(text) if !text.value.starts_with("${") => {
                let function = Name { text: text.value.clone(), span: node.span };
                Some(Call { function, args, result })
            }
            Some(_) => {
                let message = "'call' is a constant name, not an expression";
                self.report.error("dynamic-call", node.span, message);
                None
            }
            None => {
                let message = format!("'call' is a function's name, not {}", node.kind_name());
                self.report.error("call-shape", node.span, message);
                None
            }
        }
    }

    fn args(&mut self, node: &Node) -> Args {
        match &node.kind {
            Kind::Null => Args::None,
            Kind::List(items) => {
                Args::Positional(items.iter().map(|item| self.template(item)).collect())
            }
            Kind::Map(entries) => Args::Named(
                entries
                    .iter()
                    .map(|entry| {
                        let name = Name { text: entry.key.value.clone(), span: entry.key_span };
                        (name, self.template(&entry.value))
                    })
                    .collect(),
            ),
            Kind::Text(text) if text.value.starts_with("${") => Args::Dynamic(self.template(node)),
            _ => {
                let message = format!("'args' is a map or a list, not {}", node.kind_name());
                self.report.error("args-shape", node.span, message);
                Args::None
            }
        }
    }

    fn switch(&mut self, node: &Node) -> Vec<Case> {
        let Some(items) = node.as_list() else {
            let message = format!("'switch' is a list of conditions, not {}", node.kind_name());
            self.report.error("switch-shape", node.span, message);
            return Vec::new();
        };
        if items.is_empty() {
            self.report.error("switch-shape", node.span, "at least one condition is needed");
        }
        if items.len() as u64 > self.limits.conditions_per_switch {
            let message = format!(
                "{} conditions in one switch are over the limit of {}",
                items.len(),
                self.limits.conditions_per_switch
            );
            self.report.error("too-many-conditions", node.span, message);
        }
        items.iter().filter_map(|item| self.case(item)).collect()
    }

    fn case(&mut self, item: &Node) -> Option<Case> {
        let Some(entries) = item.as_map() else {
            let message =
                format!("a switch entry is a map with 'condition', not {}", item.kind_name());
            self.report.error("switch-shape", item.span, message);
            return None;
        };
        let body = self.body_of(entries, item.span, "a switch entry");
        let Some(condition) = entries.iter().find(|entry| &*entry.key.value == "condition") else {
            self.report.error("condition-missing", item.span, "a switch entry needs 'condition'");
            return None;
        };
        let template = self.template(&condition.value);
        self.check_condition(&template);
        Some(Case { condition: template, body: body?, span: item.span })
    }
}

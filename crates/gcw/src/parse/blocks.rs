//! The steps that hold other steps: `for`, `parallel`, `try`.

use super::Parser;
use crate::ast::{
    Action, Except, Loop, Name, Over, Parallel, Retry, RetryPolicy, Step, Template, TemplateKind,
    Try, Work,
};
use crate::expr::ast::Expr;
use crate::expr::parse::is_expression;
use crate::source::place::Span;
use crate::source::{Entry, Kind, Node};
use crate::value::Value;

type Found<'a> = Option<&'a Entry>;

fn find<'a>(entries: &'a [Entry], key: &str) -> Found<'a> {
    entries.iter().find(|entry| &*entry.key.value == key)
}

impl Parser<'_, '_> {
    fn parts<'a>(&mut self, node: &'a Node, known: &[&str], of: &str) -> Option<&'a [Entry]> {
        let Some(entries) = node.as_map() else {
            self.report.error(
                "shape",
                node.span,
                format!("{of} is a map, not {}", node.kind_name()),
            );
            return None;
        };
        for entry in entries {
            if !known.contains(&&*entry.key.value) {
                self.unknown_key(&entry.key, entry.key_span, known, of);
            }
        }
        Some(entries)
    }

    fn part<'a>(&mut self, entries: &'a [Entry], key: &str, of: &str, span: Span) -> Found<'a> {
        let found = find(entries, key);
        if found.is_none() {
            self.report.error("missing-key", span, format!("{of} needs '{key}'"));
        }
        found
    }

    fn variable(&mut self, entry: &Entry) -> Option<Name> {
        match entry.value.as_text() {
            Some(text) => self.name(&text.value, entry.value.span),
            None => {
                let (key, kind) = (&entry.key.value, entry.value.kind_name());
                let message = format!("'{key}' is a variable's name, not {kind}");
                self.report.error("bad-name", entry.value.span, message);
                None
            }
        }
    }

    pub(super) fn check_condition(&mut self, condition: &Template) {
        if let TemplateKind::Literal(value) = &condition.kind
            && !matches!(value, Value::Bool(_))
        {
            let message = format!("a condition is a boolean, not a {}", value.type_name());
            let found = self.report.error("condition-type", condition.span, message);
            if let Value::String(text) = value {
                found.suggestion = Some(format!("write ${{{text}}}"));
            }
        }
    }

    pub(super) fn for_loop(&mut self, node: &Node, span: Span) -> Option<Loop> {
        let entries = self.parts(node, &["value", "index", "in", "range", "steps"], "'for'")?;
        let value = self.part(entries, "value", "'for'", span);
        let value = value.and_then(|entry| self.variable(entry));
        let index = find(entries, "index").and_then(|entry| self.variable(entry));
        let over = self.over(entries, span);
        let steps = self.part(entries, "steps", "'for'", span);
        let steps = steps.map(|entry| self.steps(&entry.value));
        if let (Some(Over::Range(_)), Some(index)) = (&over, &index) {
            let message = "'index' goes with 'in', a range needs none";
            self.report.error("range-index", index.span, message);
        }
        Some(Loop { value: value?, index, over: over?, steps: steps? })
    }

    fn over(&mut self, entries: &[Entry], span: Span) -> Option<Over> {
        match (find(entries, "in"), find(entries, "range")) {
            (Some(list), None) => Some(Over::List(self.template(&list.value))),
            (None, Some(range)) => self.range(&range.value).map(Over::Range),
            (Some(_), Some(range)) => {
                let message = "'for' takes 'in' or 'range', not both";
                self.report.error("for-shape", range.key_span, message);
                None
            }
            (None, None) => {
                self.report.error("missing-key", span, "'for' needs 'in' or 'range'");
                None
            }
        }
    }

    fn range(&mut self, node: &Node) -> Option<Template> {
        match &node.kind {
            Kind::List(items) if items.len() == 2 => Some(self.template(node)),
            Kind::Text(text) if is_expression(&text.value) => Some(self.template(node)),
            _ => {
                let message = "'range' is a list of two numbers, both inclusive";
                self.report.error("range-shape", node.span, message).suggestion =
                    Some("[1, 9], or ${[a, b]} for computed ends".to_owned());
                None
            }
        }
    }

    pub(super) fn parallel(&mut self, node: &Node, span: Span) -> Option<Parallel> {
        let known = ["branches", "for", "shared", "concurrency_limit", "exception_policy"];
        let entries = self.parts(node, &known, "'parallel'")?;
        if let Some(policy) = find(entries, "exception_policy")
            && policy.value.as_text().is_none_or(|text| &*text.value != "continueAll")
        {
            let message = "the only exception policy is 'continueAll'";
            self.report.error("exception-policy", policy.value.span, message);
        }
        let shared = find(entries, "shared").map_or(Vec::new(), |entry| self.shared(&entry.value));
        let concurrency_limit =
            find(entries, "concurrency_limit").map(|entry| self.concurrency(&entry.value));
        let work = match (find(entries, "branches"), find(entries, "for")) {
            (Some(branches), None) => Work::Branches(self.branches(&branches.value)?),
            (None, Some(entry)) => Work::For(self.for_loop(&entry.value, entry.key_span)?),
            (Some(_), Some(entry)) => {
                let message = "'parallel' takes 'branches' or 'for', not both";
                self.report.error("parallel-shape", entry.key_span, message);
                return None;
            }
            (None, None) => {
                self.report.error("missing-key", span, "'parallel' needs 'branches' or 'for'");
                return None;
            }
        };
        Some(Parallel { work, shared, concurrency_limit, span })
    }

    fn shared(&mut self, node: &Node) -> Vec<Name> {
        let Some(items) = node.as_list() else {
            let message = format!("'shared' is a list of variables, not {}", node.kind_name());
            self.report.error("shared-shape", node.span, message);
            return Vec::new();
        };
        let names = items.iter().filter_map(|item| match item.as_text() {
            Some(text) => self.name(&text.value, item.span),
            None => {
                let message = format!("a variable's name was expected, not {}", item.kind_name());
                self.report.error("shared-shape", item.span, message);
                None
            }
        });
        names.collect()
    }

    fn concurrency(&mut self, node: &Node) -> Template {
        let template = self.template(node);
        if let TemplateKind::Literal(value) = &template.kind
            && !matches!(value, Value::Int(1..))
        {
            let message = "'concurrency_limit' is a positive integer";
            self.report.error("concurrency-limit", node.span, message);
        }
        template
    }

    fn branches(&mut self, node: &Node) -> Option<Vec<(Name, Vec<Step>)>> {
        let Some(items) = node.as_list() else {
            let message = format!("'branches' is a list, not {}", node.kind_name());
            self.report.error("branches-shape", node.span, message);
            return None;
        };
        if items.len() < 2 {
            self.report.error("too-few-branches", node.span, "at least two branches are needed");
        }
        if items.len() as u64 > self.limits.branches_per_parallel {
            let limit = self.limits.branches_per_parallel;
            let message = format!("{} branches are over the limit of {limit}", items.len());
            self.report.error("too-many-branches", node.span, message);
        }
        Some(items.iter().filter_map(|item| self.branch(item)).collect())
    }

    fn branch(&mut self, item: &Node) -> Option<(Name, Vec<Step>)> {
        let entry = match item.as_map() {
            Some([entry]) => entry,
            _ => {
                let message = "a branch is a map with one key, its name";
                self.report.error("branches-shape", item.span, message);
                return None;
            }
        };
        let name = Name { text: entry.key.value.clone(), span: entry.key_span };
        let outer = self.report.enter_step(Some(&name.text));
        let parts = self.parts(&entry.value, &["steps"], "a branch");
        let steps = parts
            .and_then(|parts| self.part(parts, "steps", "a branch", entry.key_span))
            .map(|steps| self.steps(&steps.value));
        self.report.enter_step(outer.as_deref());
        Some((name, steps?))
    }

    pub(super) fn try_block(&mut self, entry: &Entry, entries: &[Entry]) -> Option<Try> {
        let parts = entry.value.as_map();
        if parts.is_none() {
            let message =
                format!("'try' holds 'steps' or one step's body, not {}", entry.value.kind_name());
            let found = self.report.error("try-shape", entry.value.span, message);
            if matches!(entry.value.kind, Kind::List(_)) {
                found.suggestion = Some("put the list under steps:".to_owned());
            }
        }
        let body = parts.and_then(|parts| self.body_of(parts, entry.key_span, "'try'"));
        if let Some(Action::For(_)) = body.as_ref().map(|body| &body.action) {
            let message =
                "loop step name should not be empty: Google refuses a 'for' right under 'try'";
            self.report.warning("loop-under-try", entry.value.span, message).suggestion =
                Some("put the loop into a named step under steps:".to_owned());
        }
        let retry = find(entries, "retry").and_then(|entry| self.retry(entry));
        let except = find(entries, "except").and_then(|entry| self.except(entry));
        let has_handler = find(entries, "retry").is_some() || find(entries, "except").is_some();
        if !has_handler {
            let message = "'try' needs 'retry' or 'except'";
            self.report.error("lone-try", entry.key_span, message);
        }
        Some(Try { body: body?, retry, except, span: entry.key_span })
    }

    fn retry(&mut self, entry: &Entry) -> Option<Retry> {
        match &entry.value.kind {
            Kind::Text(text) if is_expression(&text.value) => {
                self.expr(text, entry.value.span).map(Retry::Named)
            }
            Kind::Map(_) => self.policy(entry),
            _ => {
                let message = format!("'retry' is a policy, not {}", entry.value.kind_name());
                self.report.error("retry-shape", entry.value.span, message).suggestion = Some(
                    "${http.default_retry}, or a map with predicate, max_retries, backoff"
                        .to_owned(),
                );
                None
            }
        }
    }

    fn policy(&mut self, entry: &Entry) -> Option<Retry> {
        let of = "'retry'";
        let span = entry.key_span;
        let parts = self.parts(&entry.value, &["predicate", "max_retries", "backoff"], of)?;
        let predicate = self.part(parts, "predicate", of, span);
        let predicate = predicate.and_then(|part| self.predicate(&part.value));
        let max_retries = self.part(parts, "max_retries", of, span);
        let max_retries = max_retries.map(|part| self.template(&part.value));
        let backoff = self.part(parts, "backoff", of, span);
        let whole = backoff.and_then(|part| match &part.value.kind {
            Kind::Text(text) if is_expression(&text.value) => self.expr(text, part.value.span),
            _ => None,
        });
        let backoff = backoff.filter(|_| whole.is_none());
        let known = ["initial_delay", "max_delay", "multiplier"];
        let backoff =
            backoff.and_then(|part| Some((self.parts(&part.value, &known, "'backoff'")?, part)));
        let mut delays = known.map(|key| {
            let (parts, part) = backoff?;
            let found = self.part(parts, key, "'backoff'", part.key_span)?;
            Some(self.template(&found.value))
        });
        let [initial_delay, max_delay, multiplier] = &mut delays;
        Some(Retry::Policy(Box::new(RetryPolicy {
            predicate,
            max_retries,
            backoff: whole,
            initial_delay: initial_delay.take(),
            max_delay: max_delay.take(),
            multiplier: multiplier.take(),
            span,
        })))
    }

    fn predicate(&mut self, node: &Node) -> Option<Expr> {
        match &node.kind {
            Kind::Text(text) if is_expression(&text.value) => self.expr(text, node.span),
            _ => {
                let message = "'predicate' is an expression that names a function of one argument";
                let found = self.report.error("predicate-shape", node.span, message);
                if let Kind::Text(text) = &node.kind {
                    found.suggestion = Some(format!("write ${{{}}}", text.value));
                }
                None
            }
        }
    }

    fn except(&mut self, entry: &Entry) -> Option<Except> {
        let of = "'except'";
        let parts = self.parts(&entry.value, &["as", "steps"], of)?;
        let name = self.part(parts, "as", of, entry.key_span);
        let name = name.and_then(|part| self.variable(part));
        let steps = self.part(parts, "steps", of, entry.key_span);
        let steps = steps.map(|part| self.steps(&part.value));
        Some(Except { name: name?, steps: steps? })
    }
}
